import type { OrderChangedV1 } from '../events/order-changed.ts';
import { PermanentError } from './errors.ts';
import { AmountError, add, exponentOf, type Money, moneyText, subtract, sum } from './money.ts';

/** Lines, charges and taxes as the event states them; a storefront's own rounding not included. */
export const sumOfParts = (order: Pick<OrderChangedV1, 'lines' | 'charges' | 'currency'>): Money =>
  sum(order.currency, parts(order));

const parts = (order: Pick<OrderChangedV1, 'lines' | 'charges'>): Money[] =>
  [...order.lines, ...order.charges].flatMap((part) => [part.total, ...part.taxes.map((tax) => tax.amount)]);

/**
 * A shop rounds each line by itself, so total and parts may differ by one rounding unit per line or charge.
 * A shop that shows no decimals (TWD in many shops) rounds to whole units.
 * @throws PermanentError TOTALS_DO_NOT_ADD_UP; AMOUNTS_UNUSABLE two currencies, an unknown one, or too large
 */
export const assertAddsUp = (order: OrderChangedV1): void => {
  try {
    compare(order);
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
    throw new PermanentError('AMOUNTS_UNUSABLE', { problem: error.problem }, { cause: error });
  }
};

const compare = (order: OrderChangedV1): void => {
  const computed = sumOfParts(order);
  const difference = subtract(order.total, computed);
  const whole = 10 ** exponentOf(order.currency);
  const unit = [...parts(order), order.total].every((m) => m.minor % whole === 0) ? whole : 1;
  const tolerance = unit * Math.max(1, order.lines.length + order.charges.length);
  const explained = subtract(order.total, add(computed, order.rounding)).minor === 0;
  if (Math.abs(difference.minor) <= tolerance && explained) return;
  throw new PermanentError('TOTALS_DO_NOT_ADD_UP', {
    stated: moneyText(order.total),
    computed: moneyText(computed),
    difference: moneyText(difference),
  });
};
