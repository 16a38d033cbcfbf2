import type { CallContext } from '../../core/ports.ts';
import { DEFAULT_LOCATION } from '../../settings/stock-route.ts';
import { runWrites, type WriteStep } from '../shop-writes.ts';
import type { StockWrite, StockWritten } from '../stock-contract.ts';
import { atTheirParents, batchUpdate, byEndpoint, type Change, type Outcome } from './batch-updates.ts';
import type { StockSession } from './listings.ts';
import { type WcStocked, WooCommerceRef } from './stock-wire.ts';

type Step = WriteStep<StockWrite, StockWritten>;

/**
 * Looks right before it writes, batch by batch: WooCommerce compares nothing, and a sale between the two requests is
 * overwritten. What stands there is told where it is not what was expected.
 */
export const setStock = async (
  session: StockSession,
  writes: readonly StockWrite[],
  call: CallContext,
): Promise<readonly StockWritten[]> => {
  const told: StockWritten[] = [];
  const changes: Change<StockWrite>[] = [];
  for (const write of writes) {
    const ref = WooCommerceRef.safeParse(write.ref).data;
    if (!ref) {
      told.push(stated(write, { kind: 'refused', code: 'LISTING_GONE', detail: 'it was never listed' }));
    } else if (write.location !== DEFAULT_LOCATION) {
      const detail = 'WooCommerce has no locations';
      told.push(stated(write, { kind: 'refused', code: 'UNKNOWN_LOCATION', detail }));
    } else changes.push({ write, ref, fields: { stock_quantity: write.to } });
  }

  const compare = (batch: readonly Change<StockWrite>[]): Step => ({
    writes: batch.map(({ write }) => write),
    run: async () => {
      const now = await current(session, batch, call);
      const known: StockWritten[] = [];
      const due: Change<StockWrite>[] = [];
      const elsewhere: Change<StockWrite>[] = [];
      for (const change of batch) {
        const product = now.get(change.ref.id);
        if (product) {
          const verdict = verdictOn(change.write, product);
          if (verdict) known.push(verdict);
          else due.push(change);
        } else if (change.ref.parent === undefined) elsewhere.push(change);
        else known.push(stated(change.write, { kind: 'refused', code: 'LISTING_GONE', detail: 'gone' }));
      }
      return {
        told: known,
        next: [
          ...(due.length > 0 ? [batchUpdate(session, due, stated, call)] : []),
          ...(elsewhere.length > 0
            ? [atTheirParents(session, elsewhere, stated, call, (some) => compare(some))]
            : []),
        ],
      };
    },
  });

  const sent = await runWrites<StockWrite, StockWritten>(byEndpoint(changes).map(compare), (write, detail) =>
    stated(write, { kind: 'unknown', detail }),
  );
  return [...told, ...sent];
};

/** By id; what is gone, or no product, is not among them. */
const current = async (
  session: StockSession,
  batch: readonly Change<StockWrite>[],
  call: CallContext,
): Promise<ReadonlyMap<string, WcStocked>> => {
  const parent = batch[0]?.ref.parent;
  const path = parent === undefined ? '/products' : `/products/${parent}/variations`;
  const ids = batch.map(({ ref }) => ref.id).join(',');
  const found = new Map<string, WcStocked>();
  for await (const page of session.pages(`${path}?include=${ids}`, call)) {
    for (const product of page ?? []) found.set(product.id, product);
  }
  return found;
};

/** undefined: it is written. */
const verdictOn = (write: StockWrite, product: WcStocked): StockWritten | undefined => {
  const refuse = (code: 'LISTING_GONE' | 'NOT_MUTABLE' | 'TRACKING_OFF', detail: string) =>
    stated(write, { kind: 'refused', code, detail });
  if (product.sku !== write.sku) return refuse('LISTING_GONE', 'the product has another SKU now');
  if (product.manage_stock === 'parent') return refuse('NOT_MUTABLE', 'it is counted with its parent');
  if (!product.manage_stock || product.stock_quantity === undefined) {
    return refuse('TRACKING_OFF', 'stock management is off');
  }
  const actual = Math.floor(Number(product.stock_quantity));
  if (write.from !== undefined && actual !== write.from) {
    return { sku: write.sku, location: write.location, kind: 'stale', actual };
  }
  return actual === write.to ? stated(write, { kind: 'written' }) : undefined;
};

const stated = ({ sku, location }: StockWrite, outcome: Outcome): StockWritten => ({
  sku,
  location,
  ...outcome,
});
