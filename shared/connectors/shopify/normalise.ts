import { UnreadableOrder } from '../../core/read-amounts.ts';
import { OrderChangedV1 } from '../../events/order-changed.ts';
import { firstProblem } from '../../http/json.ts';
import type { Fetched } from '../contract.ts';
import { type MapContext, toOrder } from './orders.mapper.ts';
import type { ShOrder } from './wire.ts';

/** What the shop says of one order, whether it was pushed or fetched. Pure; throws nothing. */
export const normalise = (wire: ShOrder, context: MapContext): Exclude<Fetched, { kind: 'ignored' }> => {
  try {
    const { value, warnings } = toOrder(wire, context);
    const order = OrderChangedV1.safeParse(value);
    if (!order.success) return unreadable(`as an event, ${firstProblem(order.error)}`);
    return { kind: 'order', order: order.data, warnings };
  } catch (failure) {
    // Quarantined rather than thrown: sent again it would be the same, and eight failures delete the subscription.
    return unreadable(
      failure instanceof UnreadableOrder
        ? failure.message
        : `not mapped (${failure instanceof Error ? failure.name : 'unknown'})`,
    );
  }
};

const unreadable = (reason: string) => ({ kind: 'unreadable', reason }) as const;
