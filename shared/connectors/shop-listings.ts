import { inChunks } from '../core/chunks.ts';
import type { ShopListing } from './stock-contract.ts';

/** Before anybody knows how often the shop has this SKU. */
export type UncountedListing = Omit<ShopListing, 'duplicates'>;

/** Listings told at once. */
const PER_PAGE = 500;

/** With the number of products that have the same SKU at the same location. */
export const counted = (listings: readonly UncountedListing[]): ShopListing[] => {
  const places = new Map<string, number>();
  const placeOf = ({ sku, location }: UncountedListing): string => JSON.stringify([sku, location]);
  for (const listing of listings) places.set(placeOf(listing), (places.get(placeOf(listing)) ?? 0) + 1);
  return listings.map((listing) => ({ ...listing, duplicates: places.get(placeOf(listing)) ?? 1 }));
};

/**
 * All pages are read before the first is told: two products with one SKU may stand on the first and on the last, and
 * neither is written. A page that cannot be read throws before anything is believed.
 */
export async function* countedPages(
  pages: AsyncIterable<readonly UncountedListing[]>,
): AsyncIterable<readonly ShopListing[]> {
  const all: UncountedListing[] = [];
  for await (const page of pages) all.push(...page);
  yield* inChunks(counted(all), PER_PAGE);
}
