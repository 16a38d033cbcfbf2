import { inChunks } from '../../core/chunks.ts';
import { type Money, moneyRounded } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import { counted, countedPages, type UncountedListing } from '../shop-listings.ts';
import type { ShopListing, StorefrontStock } from '../stock-contract.ts';
import { answerNotUnderstood } from './graphql.ts';
import { variantsPage } from './stock-documents.ts';
import type { ShopFacts, StockSession } from './stock-session.ts';
import { levelAt, type ShopifyRef, type Variant, VariantsAnswer } from './stock-wire.ts';

/** Connections end at 25,000 objects (shopify.dev, Pagination): before that the list is begun again behind the last. */
const PER_CURSOR = 20_000;
/** SKUs in one search. */
const PER_SEARCH = 25;

export const shopifyListings = (session: StockSession): Pick<StorefrontStock, 'listings' | 'find'> => {
  /** All variants that a search finds, or all there are. */
  async function* variants(
    search: string | undefined,
    facts: ShopFacts,
    call: CallContext,
  ): AsyncIterable<readonly UncountedListing[]> {
    const { locations } = facts;
    const page = variantsPage(locations.length);
    const places = Object.fromEntries(locations.map(({ id }, index) => [`l${index}`, id]));
    let query = search;
    let after: string | undefined;
    let told = 0;
    for (let hasMore = true; hasMore; ) {
      const variables = { ...places, query: query ?? null, after: after ?? null };
      const { data } = await session.ask(page, variables, VariantsAnswer, call);
      const { nodes, pageInfo } = data.productVariants;
      yield nodes.flatMap((variant) => listed(variant, facts));
      told += nodes.length;
      hasMore = pageInfo.hasNextPage;
      after = pageInfo.endCursor ?? undefined;
      if (hasMore && !after) throw answerNotUnderstood(session.peer, 'a next page without a cursor');
      if (search === undefined && told >= PER_CURSOR) {
        query = `id:>${nodes.at(-1)?.id.split('/').at(-1)}`;
        after = undefined;
        told = 0;
      }
    }
  }
  return {
    listings: async function* (call) {
      yield* countedPages(variants(undefined, await session.facts(call), call));
    },
    find: async (skus, call) => {
      const facts = await session.facts(call);
      const found: ShopListing[] = [];
      for (const wanted of inChunks([...new Set(skus)], PER_SEARCH)) {
        const listings: UncountedListing[] = [];
        const search = wanted.map((sku) => `sku:${quoted(sku)}`).join(' OR ');
        for await (const page of variants(search, facts, call)) listings.push(...page);
        // The search folds case and may find more.
        found.push(...counted(listings.filter(({ sku }) => wanted.includes(sku))));
      }
      return found;
    },
  };
};

/** shopify.dev, Search syntax: in quotes only the quote itself and the backslash mean something else. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** A variant at every location that settings name. */
const listed = (variant: Variant, { currency, taxesIncluded, locations }: ShopFacts): UncountedListing[] => {
  const { sku, product, inventoryItem: item } = variant;
  if (sku.trim() === '') return [];
  const prices = pricesOf(variant, currency);
  return locations.map(({ name }, index) => {
    const level = levelAt(item, index);
    const isActive = level?.isActive ?? false;
    const ref: ShopifyRef = {
      variant: variant.id,
      product: product.id,
      item: item.id,
      tracked: item.tracked,
      active: isActive,
    };
    return {
      sku,
      location: name,
      ref,
      title: variant.displayName,
      // What is not active there is not sold from there, whatever its level says.
      quantity: item.tracked ? (isActive ? (level?.quantities[0]?.quantity ?? 0) : 0) : undefined,
      status: isShown(product.status) ? 'active' : 'hidden',
      ...prices,
      priceIncludesTax: taxesIncluded,
    };
  });
};

/** UNLISTED products can be bought by whoever has the link. */
const isShown = (status: string): boolean => status === 'ACTIVE' || status === 'UNLISTED';

/** A higher "compare at" price is the usual one, and the price is the sale's: without dates, Shopify knows none. */
const pricesOf = (
  { price, compareAtPrice }: Variant,
  currency: string,
): { readonly price?: Money; readonly sale?: { readonly price: Money } } => {
  if (price === undefined) return {};
  const now = moneyRounded(price, currency);
  const usual = compareAtPrice === undefined ? undefined : moneyRounded(compareAtPrice, currency);
  return usual && usual.minor > now.minor ? { price: usual, sale: { price: now } } : { price: now };
};
