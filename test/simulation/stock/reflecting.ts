import type { World } from '../scheduler.ts';
import type { Taken } from './measure.ts';
import { partsOf } from './plan.ts';
import type { SimulatedShop } from './shop.ts';

/** From when on a listing shows a number that was computed with a sale in it. */
export interface Reflections {
  /** The sale is in the sums: whoever begins to write from here on writes it with it. */
  counted(taken: Taken): void;
  /** A number was set, or found to be right, by a worker that began at `startedMs`. */
  shown(shop: string, listing: string, startedMs: number): void;
}

/** @param isQueued is there a message that tells this listing to be written? If not, it need not be. */
export const reflecting = (
  world: World,
  shops: Iterable<SimulatedShop>,
  isQueued: (shop: string, listing: string) => boolean,
): Reflections => {
  const listings = [...shops].flatMap(({ plan: { name, listings: own } }) =>
    own.map((listing) => ({ shop: name, listing, parts: partsOf(listing) })),
  );
  const waiting = new Map<string, { readonly taken: Taken; readonly sinceMs: number }[]>();
  return {
    counted: (taken) => {
      for (const { shop, listing, parts } of listings) {
        const key = `${shop} ${listing}`;
        if (!parts.some(({ sku }) => taken.pieces.has(sku)) || taken.reflected.has(key)) continue;
        if (isQueued(shop, listing)) {
          waiting.set(key, [...(waiting.get(key) ?? []), { taken, sinceMs: world.nowMs() }]);
        } else taken.reflected.set(key, world.nowMs());
      }
    },
    shown: (shop, listing, startedMs) => {
      const key = `${shop} ${listing}`;
      const rest = (waiting.get(key) ?? []).filter(({ taken, sinceMs }) => {
        if (sinceMs > startedMs) return true;
        if (!taken.reflected.has(key)) taken.reflected.set(key, world.nowMs());
        return false;
      });
      waiting.set(key, rest);
    },
  };
};
