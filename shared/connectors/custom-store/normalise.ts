import { PermanentError } from '../../core/errors.ts';
import { assertAddsUp } from '../../core/order-totals.ts';
import { inBuyerCurrency } from '../../core/presentment.ts';
import { UnreadableOrder } from '../../core/read-amounts.ts';
import { OrderChangedV1 } from '../../events/order-changed.ts';
import { firstProblem } from '../../http/json.ts';
import type { Fetched } from '../contract.ts';
import { toOrder } from './orders.mapper.ts';
import type { CustomStoreOrder } from './wire.ts';

/** What the store says of one order, whether it was pushed or fetched. Pure; throws nothing. */
export const normalise = (
  wire: CustomStoreOrder,
  context: Parameters<typeof toOrder>[1],
): Exclude<Fetched, { kind: 'ignored' }> => {
  try {
    const { value, warnings } = toOrder(wire, context);
    const event = OrderChangedV1.safeParse(value);
    if (!event.success) return { kind: 'unreadable', reason: `as an event, ${firstProblem(event.error)}` };
    const order = event.data;
    // The consumer would park it for the same reason, minutes later; here the sender's developer sees it at once.
    assertAddsUp(order);
    assertAddsUp(inBuyerCurrency(order));
    return { kind: 'order', order, warnings };
  } catch (failure) {
    return { kind: 'unreadable', reason: whyNot(failure) };
  }
};

const whyNot = (failure: unknown): string => {
  if (failure instanceof UnreadableOrder) return failure.message;
  if (failure instanceof PermanentError) return `total: ${failure.message}`;
  return `not mapped (${failure instanceof Error ? failure.name : 'unknown'})`;
};
