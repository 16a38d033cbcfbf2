import Big from 'big.js';
import { PermanentError } from '../../core/errors.ts';
import { type Money, moneyText, subtract, sum, toBig } from '../../core/money.ts';
import { assertAddsUp } from '../../core/order-totals.ts';
import { amountReader, roundedMoney, UnreadableOrder } from '../../core/read-amounts.ts';
import type { OrderChangedV1 } from '../../events/order-changed.ts';
import type { CustomStoreOrder } from './wire.ts';

/** As far as it says what a price with tax is without. */
export type StatedRate = Pick<CustomStoreOrder['lines'][number]['taxes'][number], 'ratePercent' | 'compound'>;

interface StatedLine {
  readonly subtotal: string;
  readonly discount?: string | null | undefined;
  readonly total: string;
}

/**
 * Reads parts of an order, with or without tax in them, as amounts without; every method throws UnreadableOrder and
 * nothing else.
 */
export const partReader = (currency: string, includesTax: boolean, warnings: string[]) => {
  const { exact } = amountReader(currency, warnings);
  const taxIn = (taxes: readonly Money[]): Money => sum(currency, includesTax ? taxes : []);
  return {
    exact,
    /** What costs money without being a line: a charge, a part of a refund. */
    charge: (total: string, taxes: readonly Money[], path: string): Money =>
      subtract(exact(total, `${path}.total`), taxIn(taxes)),

    line: (line: StatedLine, taxes: readonly Money[], rates: readonly StatedRate[], path: string) => {
      const stated = {
        subtotal: exact(line.subtotal, `${path}.subtotal`),
        discount: exact(line.discount ?? '0', `${path}.discount`),
        total: exact(line.total, `${path}.total`),
      };
      const expected = subtract(stated.subtotal, stated.discount);
      if (expected.minor !== stated.total.minor) {
        const problem = `is ${moneyText(stated.total)}, but subtotal - discount is ${moneyText(expected)}`;
        throw new UnreadableOrder(`${path}.total`, problem);
      }
      const total = subtract(stated.total, taxIn(taxes));
      if (total.minor < 0 || taxes.some(({ minor }) => minor < 0)) {
        throw new UnreadableOrder(`${path}.taxes`, 'are below zero, or more than the line costs');
      }
      if (!includesTax || stated.discount.minor === 0) {
        return { subtotal: includesTax ? total : stated.subtotal, discount: stated.discount, total };
      }
      const withoutTax =
        stated.total.minor === 0
          ? toBig(stated.subtotal).div(taxFactor(rates, path, warnings))
          : toBig(stated.subtotal).times(toBig(total)).div(toBig(stated.total));
      const subtotal = roundedMoney(withoutTax, currency, `${path}.subtotal`);
      return { subtotal, discount: subtract(subtotal, total), total };
    },
  };
};

/** What a price with these taxes is, for a price of 1 without: for goods given away, where amounts do not tell. */
const taxFactor = (rates: readonly StatedRate[], path: string, warnings: string[]): Big => {
  if (rates.length === 0 || rates.some(({ ratePercent }) => !ratePercent)) {
    warnings.push(`${path} is free and its taxes name no rate: what it would have cost may include tax`);
  }
  return rates.reduce((factor, { ratePercent, compound }) => {
    const percent = new Big(ratePercent || '0').div(100);
    return factor.plus(compound ? factor.times(percent) : percent);
  }, new Big(1));
};

export interface TaxedPart {
  readonly total: Money;
  readonly taxes: readonly Money[];
}

/** What the parts leave of the total, and the taxes in them. */
export const restOf = (total: Money, parts: readonly TaxedPart[]): { rounding: Money; tax: Money } => {
  const tax = sum(
    total.currency,
    parts.flatMap(({ taxes }) => taxes),
  );
  return { rounding: subtract(total, sum(total.currency, [...parts.map((part) => part.total), tax])), tax };
};

/** @throws UnreadableOrder the parts do not add up to the total; the difference is named, `path` is the total's */
export const mustAddUp = (order: OrderChangedV1, path: string): void => {
  try {
    assertAddsUp(order);
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    throw new UnreadableOrder(path, error.message);
  }
};
