import type { OrderContext, PeerDocument } from '../connectors/contract.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { intentKey, orderReference } from './intent-key.ts';
import type { LedgerEntry } from './ledger.ts';
import { once, SupersededError } from './once.ts';
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
  async (subject, steps) => {
    const intent = intentKey(ports.destination, '*', subject, 'create');
    const dated = {
      ...steps,
      complete: async (document: PeerDocument) => ({ document, facts: { madeAtMs: ports.nowMs() } }),
    };
    const { kind, document, facts } = await once(ports, intent, dated);
    const madeAtMs = Number(facts['madeAtMs'] ?? 0);
    // The connector had looked and found nothing: another worker was faster, and a search may lag behind.
    if (kind !== 'duplicate' || ports.nowMs() - madeAtMs <= ports.settleMs) return document;
    const found = await steps.find();
    if (found) return found;
    // The ERP has lost it (restored from a backup, deleted), and gives its id to somebody else.
    const begin = async ({ facts: now }: LedgerEntry): Promise<void> => {
      if (Number(now['madeAtMs'] ?? 0) !== madeAtMs) throw new SupersededError(intent);
    };
    return (await once(ports, intent, { ...dated, begin }, { reopen: true, isGone: true })).document;
  };
