import type { ErpProducts } from '../../connectors/stock-contract.ts';
import type { Publish } from '../../events/catalogue.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { Cursors } from '../cursors.ts';
import { intentKey } from '../intent-key.ts';
import type { CallContext, Clock } from '../ports.ts';

export interface PollProductsPorts {
  /** Connection id of the ERP. */
  readonly erp: string;
  readonly route: StockRoute;
  readonly products: ErpProducts;
  /** The ERP's own clock, where it has one. */
  readonly clock?: ((call: CallContext) => Promise<number>) | undefined;
  readonly cursors: Cursors;
  readonly publish: Publish;
  readonly nowMs: Clock;
  readonly newId: () => string;
  readonly leaseMs: number;
  /** How far each run reads back: changes may become visible after later ones were read. */
  readonly overlapMs: number;
}

export interface PolledProducts {
  readonly kind: 'done' | 'busy';
  readonly told: number;
}

/** Fits an event however long the titles are. */
const PER_EVENT = 100;

/**
 * Reads the products that changed since the last run, and publishes them as they are now. The first run reads them all. The
 * window is fixed before reading, by the ERP's clock; the cursor moves only after all of it is published.
 * @throws RetryableError the ERP or the bus failed: the next run reads the same window again
 */
export const pollProducts = async (
  ports: PollProductsPorts,
  call: CallContext,
  { isComplete = false }: { readonly isComplete?: boolean } = {},
): Promise<PolledProducts> => {
  const { erp, route, products, cursors } = ports;
  const name = intentKey('products', erp, '*', 'poll');
  const claim = await cursors.claim(name, ports.leaseMs);
  if (claim.kind === 'busy') return { kind: 'busy', told: 0 };
  try {
    const untilMs = (await ports.clock?.(call)) ?? ports.nowMs();
    const { cursor } = claim;
    const fromMs = Math.max(0, (cursor?.atMs ?? 0) - ports.overlapMs);
    const asOfMs = ports.nowMs();
    const window = { fromMs, untilMs };
    const pages = cursor && !isComplete ? products.changed(window, route, call) : products.all(route, call);
    let told = 0;
    for await (const page of pages) {
      for (let at = 0; at < page.length; at += PER_EVENT) {
        const part = page.slice(at, at + PER_EVENT);
        await ports.publish('product.changed.v1', {
          meta: {
            id: ports.newId(),
            connection: erp,
            correlationId: name,
            receivedAtMs: ports.nowMs(),
            via: 'poll',
          },
          data: { source: erp, asOfMs, products: [...part] },
        });
        told += part.length;
      }
    }
    await cursors.save(name, claim.turn, { atMs: Math.max(untilMs, cursor?.atMs ?? 0), told: {} });
    return { kind: 'done', told };
  } finally {
    // A lost release only makes the next run wait for the lease.
    await cursors.release(name, claim.turn).catch(() => undefined);
  }
};
