import type { StorefrontReads } from '../connectors/contract.ts';
import type { Envelope, Meta } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import { orderReference } from './intent-key.ts';
import type { CallContext, Clock } from './ports.ts';

export interface HistoryPorts {
  /** Connection id of the storefront. */
  readonly source: string;
  readonly reads: Pick<StorefrontReads, 'changed' | 'order'>;
  readonly nowMs: Clock;
  readonly newId: () => string;
}

export interface History {
  readonly events: readonly Envelope<OrderChangedV1>[];
  /** What cannot be stated as an order, and why. */
  readonly unreadable: readonly { readonly orderId: string; readonly reason: string }[];
}

/**
 * Orders that changed at a storefront since `fromMs`, each as it was read there; of one that is listed twice, the later copy.
 * @param keep by the moment at which the order was placed
 */
export const orderHistory = async (
  { source, reads, nowMs, newId }: HistoryPorts,
  fromMs: number,
  keep: (placedAtMs: number) => boolean,
  call: CallContext,
): Promise<History> => {
  const events = new Map<string, Envelope<OrderChangedV1>>();
  const unreadable = new Map<string, string>();
  const pages = reads.changed({ fromMs, untilMs: nowMs() }, call)[Symbol.asyncIterator]();
  for (;;) {
    const listedAtMs = nowMs();
    const { value: page, done } = await pages.next();
    if (done) break;
    for (const { id, fetched: listed } of page) {
      const fetchedAtMs = listed ? listedAtMs : nowMs();
      const fetched = listed ?? (await reads.order(id, call));
      if (fetched?.kind === 'unreadable') unreadable.set(id, fetched.reason);
      if (fetched?.kind !== 'order' || !keep(Date.parse(fetched.order.placedAt))) continue;
      const meta: Meta = {
        id: newId(),
        connection: source,
        correlationId: orderReference(source, id),
        receivedAtMs: fetchedAtMs,
        fetchedAtMs,
        via: 'replay',
      };
      events.set(id, { meta, data: fetched.order });
    }
  }
  return {
    events: [...events.values()],
    unreadable: [...unreadable].map(([orderId, reason]) => ({ orderId, reason })),
  };
};
