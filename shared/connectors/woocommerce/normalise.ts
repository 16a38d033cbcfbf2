import type { Fetched } from '../contract.ts';
import { normalised } from '../normalised.ts';
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
  return reason ? { kind: 'ignored', reason } : normalised(() => toOrder(wire, context));
};
