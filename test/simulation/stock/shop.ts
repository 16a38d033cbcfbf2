import type {
  ShopListing,
  StockWrite,
  StockWritten,
  StorefrontStock,
} from '../../../shared/connectors/stock-contract.ts';
import { RetryableError } from '../../../shared/core/errors.ts';
import { DEFAULT_LOCATION } from '../../../shared/settings/stock-route.ts';
import type { Call, Faults } from '../actor.ts';
import type { World } from '../scheduler.ts';
import type { PlannedShop } from './plan.ts';

/** A write lands this late at most: less than what is waited before a shop is asked what it shows. */
const MOST_LATE_MS = 25_000;

export interface SimulatedShop {
  readonly plan: PlannedShop;
  /** What it shows, by listing. */
  readonly shown: Map<string, number>;
  /** @param onSet a value was set by whoever is connected */
  connect(call: Call, faults: Faults, onSet: (listing: string) => void): StorefrontStock;
}

/** A storefront that sells what it shows, and is told what to show. */
export const simulatedShop = (world: World, plan: PlannedShop): SimulatedShop => {
  const shown = new Map(plan.listings.map((sku) => [sku, 0]));
  return {
    plan,
    shown,
    connect: (call, { fault }, onSet) => {
      const listed = (sku: string): ShopListing => ({
        sku,
        location: DEFAULT_LOCATION,
        ref: { sku },
        title: sku,
        quantity: shown.get(sku),
        duplicates: 1,
        status: 'active',
      });
      const one = async ({ sku, location, from, to }: StockWrite): Promise<StockWritten> => {
        const actual = shown.get(sku) ?? 0;
        if (from !== undefined && actual !== from) return { sku, location, kind: 'stale', actual };
        // What is sold between the look and the write is overwritten.
        if (plan.compare === 'reads-first')
          await world.sleep(50 + world.choose(world.choose(4) === 3 ? 8_000 : 800));
        shown.set(sku, to);
        onSet(sku);
        return { sku, location, kind: 'written' };
      };
      return {
        listings: async function* () {
          yield await call('list', async () => {
            const all = plan.listings.map(listed);
            // A long list takes its time; what it says was true when it began.
            await world.sleep(world.choose(20_000));
            return all;
          });
        },
        find: (skus) => call('find', async () => skus.filter((sku) => shown.has(sku)).map(listed)),
        write: (writes) =>
          call('write', async () => {
            if (fault('refused', 20)) throw new RetryableError('THROTTLED', '429', { retryAfterMs: 3_000 });
            const lost = (): StockWritten[] =>
              writes.map(({ sku, location }) => ({ sku, location, kind: 'unknown', detail: 'no answer' }));
            if (fault('lost-before', 40)) return lost();
            if (fault('late-write', 25)) {
              world.later(
                1_000 + world.choose(MOST_LATE_MS - 3_000),
                () => void Promise.all(writes.map(one)),
              );
              return lost();
            }
            const written = await Promise.all(writes.map(one));
            return fault('lost-after', 40) ? lost() : written;
          }),
      };
    },
  };
};
