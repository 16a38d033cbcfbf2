import type { OrderContext } from '../connectors/contract.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { intentKey, orderReference } from './intent-key.ts';
import { once } from './once.ts';
import type { PushOrderPorts } from './order-ports.ts';
import type { CallContext } from './ports.ts';
import { inBuyerCurrency } from './presentment.ts';

export interface MappedOrder {
  /** In the route's currency. */
  readonly order: OrderChangedV1;
  readonly refs: unknown;
  readonly wire: unknown;
  readonly warnings: readonly string[];
}

/** Only what is written: versions are compared as the shop states them, so that a change of route is no edit. */
export const inRouteCurrency = (order: OrderChangedV1, route: OrderRoute): OrderChangedV1 =>
  route.currency === 'buyer' ? inBuyerCurrency(order) : order;

/** What the ERP is to be told of a snapshot. In shadow mode nothing is created on the way, not even a customer. */
export const mapOrder = async (
  ports: PushOrderPorts,
  snapshot: OrderChangedV1,
  route: OrderRoute,
  call: CallContext,
): Promise<MappedOrder> => {
  const order = inRouteCurrency(snapshot, route);
  const context: OrderContext = {
    ...call,
    route,
    mappings: ports.mappings,
    once: route.mode === 'shadow' ? undefined : writeOnce(ports),
  };
  const refs = await ports.erp.resolve(order, context);
  const reference = orderReference(order.source, order.orderId);
  const { value, warnings } = ports.erp.toWire(order, refs, reference, route);
  return { order, refs, wire: value, warnings };
};

/** A customer belongs to the ERP, not to one shop: "*" lets two shops share one, and never make two. */
const writeOnce =
  (ports: PushOrderPorts): NonNullable<OrderContext['once']> =>
  async (subject, steps) =>
    (await once(ports, intentKey(ports.destination, '*', subject, 'create'), steps)).document;
