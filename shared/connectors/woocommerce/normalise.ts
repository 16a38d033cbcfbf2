import { UnreadableOrder } from '../../core/read-amounts.ts';
import { OrderChangedV1 } from '../../events/order-changed.ts';
import { firstProblem } from '../../http/json.ts';
import type { Fetched } from '../contract.ts';
import { type MapContext, plainStatus, toOrder } from './orders.mapper.ts';
import type { WcOrder } from './wire.ts';

/** No orders: a cart being checked out, a form being filled in, the bin. */
const NO_ORDER_YET = ['checkout-draft', 'auto-draft', 'draft', 'trash'];

/** The code under which a status is ignored; undefined: it is one of an order. */
export const ignoredStatus = (status: string): string | undefined => {
  const plain = plainStatus(status);
  return NO_ORDER_YET.includes(plain) ? `STATUS_${plain.toUpperCase().replace('-', '_')}` : undefined;
};

/** What the shop says of one order, whether it was pushed or fetched. Pure; throws nothing. */
export const normalise = (wire: WcOrder, context: MapContext): Fetched => {
  const reason = ignoredStatus(wire.status);
  if (reason) return { kind: 'ignored', reason };
  try {
    const { value, warnings } = toOrder(wire, context);
    const order = OrderChangedV1.safeParse(value);
    if (!order.success) return unreadable(`as an event, ${firstProblem(order.error)}`);
    return { kind: 'order', order: order.data, warnings };
  } catch (failure) {
    // Quarantined rather than thrown: a 503 would not bring it again, WooCommerce does not repeat deliveries.
    return unreadable(
      failure instanceof UnreadableOrder
        ? failure.message
        : `not mapped (${failure instanceof Error ? failure.name : 'unknown'})`,
    );
  }
};

const unreadable = (reason: string): Fetched => ({ kind: 'unreadable', reason });
