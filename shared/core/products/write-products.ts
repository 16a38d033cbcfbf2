import type {
  ErpProduct,
  PriceWrite,
  PriceWritten,
  ShopListing,
  StorefrontStock,
} from '../../connectors/stock-contract.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import { RetryableError } from '../errors.ts';
import type { CallContext, Clock } from '../ports.ts';
import type { StockStore } from '../stock/ports.ts';
import { claimId, type ListingRow } from '../stock/rows.ts';
import { heldBecause, type PriceForShop, priceAt, priceForShop } from './price.ts';
import type { PriceRow, PriceStore, Shown } from './price-rows.ts';

export interface WriteProductsPorts {
  /** Connection id of the storefront. */
  readonly shop: string;
  readonly route: StockRoute;
  readonly stock: Pick<StockStore, 'rows' | 'listings'>;
  readonly prices: PriceStore;
  readonly storefront: Pick<StorefrontStock, 'find' | 'writePrices' | 'createDraft'>;
  readonly nowMs: Clock;
}

/** A product as it was when it was read. */
export interface ReadProduct {
  readonly product: ErpProduct;
  readonly asOfMs: number;
}

export interface WroteProducts {
  readonly written: number;
  /** They show it already. */
  readonly same: number;
  readonly held: number;
  /** SKUs of the shop, and why they do not show the ERP's price. */
  readonly refused: readonly { readonly sku: string; readonly code: string }[];
  /** SKUs that the shop does not sell. */
  readonly unknown: readonly string[];
  /** SKUs of drafts that were made. */
  readonly created: readonly string[];
}

/**
 * Brings price and status of products to one shop. Only what differs is written; of one SKU the latest reading counts,
 * whatever comes last. A price that falls too far is held by itself, and the others are written.
 * @throws RetryableError the shop cannot be asked or written to; what was not written is found again by the next try
 */
export const writeProducts = async (
  ports: WriteProductsPorts,
  told: readonly ReadProduct[],
  call: CallContext,
): Promise<WroteProducts> => {
  const newest = newestOf(told);
  const { sold, unknown } = await listingsOf(ports, [...newest.values()]);
  const rows = await ports.prices.prices(
    ports.shop,
    sold.map(({ listing }) => listing.sku),
  );
  const shown = await shownNow(ports, sold, rows, call);
  const plans = sold.flatMap(({ read, listing }): Plan[] => {
    const row = rows.get(listing.sku);
    return row && row.asOfMs > read.asOfMs ? [] : [planOf(ports, read, listing, row, shown.get(listing.sku))];
  });
  const refused: { sku: string; code: string }[] = [];
  const counts = { written: 0, same: sold.length - plans.length, held: 0 };
  const begun: Begun[] = [];
  for (const { row, write, verdict } of plans) {
    if (verdict === 'held') counts.held += 1;
    if (verdict === 'same') counts.same += 1;
    if (row.problem) {
      refused.push({ sku: row.sku, code: typeof row.problem === 'string' ? row.problem : row.problem.code });
    }
    const isBegun = await ports.prices.putPrice(row);
    // Somebody else deals with it at this moment, from a reading that may be older.
    if (!isBegun)
      throw new RetryableError('PRICE_CONTENDED', `${row.sku} is being changed by another worker`);
    if (write) begun.push({ row: { ...row, version: row.version + 1 }, write });
  }
  const results = begun.length === 0 ? [] : await send(ports, begun, call);
  for (const { row } of begun) {
    const result = results.find(({ sku }) => sku === row.sku);
    if (result?.kind === 'written') counts.written += 1;
    if (result?.kind === 'refused') refused.push({ sku: row.sku, code: result.code });
    await ports.prices.putPrice(acknowledged(row, result));
  }
  const lost = begun.length - results.filter(({ kind }) => kind !== 'unknown').length;
  if (lost > 0) throw new RetryableError('PRICES_UNANSWERED', `${lost} prices were sent and not answered`);
  const created = await createDrafts(ports, unknown, call);
  return {
    ...counts,
    refused,
    unknown: unknown.map(({ sku }) => sku).filter((sku) => !created.includes(sku)),
    created,
  };
};

interface Sold {
  readonly read: ReadProduct;
  readonly listing: ListingRow;
}
interface Plan {
  readonly row: PriceRow;
  readonly write?: PriceWrite;
  readonly verdict: 'write' | 'same' | 'held' | 'refused';
}
interface Begun {
  readonly row: PriceRow;
  readonly write: PriceWrite;
}

const newestOf = (told: readonly ReadProduct[]): ReadonlyMap<string, ReadProduct> => {
  const newest = new Map<string, ReadProduct>();
  for (const read of told) {
    const known = newest.get(read.product.sku);
    if (!known || known.asOfMs <= read.asOfMs) newest.set(read.product.sku, read);
  }
  return newest;
};

/** The shop's listings that are one piece of the product; what is made of several has the shop's own price. */
const listingsOf = async (
  { shop, route, stock }: WriteProductsPorts,
  reads: readonly ReadProduct[],
): Promise<{ sold: Sold[]; unknown: ErpProduct[] }> => {
  const rows = await stock.rows(
    route.from,
    reads.map(({ product }) => product.sku),
  );
  const claimed = reads.map((read) => ({
    read,
    claims: Object.values(rows.get(read.product.sku)?.claims ?? {}).filter((claim) => claim.shop === shop),
  }));
  const listings = await stock.listings(
    shop,
    claimed.flatMap(({ claims }) => claims.map(({ listing, location }) => ({ sku: listing, location }))),
  );
  const sold = claimed.flatMap(({ read, claims }) => {
    // One price, however many locations it is sold from.
    const bySku = new Map<string, ListingRow>();
    for (const { location, listing } of claims) {
      const row = listings.get(claimId(shop, location, listing));
      if (row && row.components.length === 1 && row.components[0]?.quantity === 1) bySku.set(row.sku, row);
    }
    return [...bySku.values()].map((listing) => ({ read, listing }));
  });
  const unknown = claimed.flatMap(({ read: { product }, claims }) =>
    claims.length === 0 && product.status === 'active' ? [product] : [],
  );
  return { sold, unknown };
};

/** Asks the shop for what we have never seen there, or have begun to write and not finished. */
const shownNow = async (
  { storefront }: WriteProductsPorts,
  sold: readonly Sold[],
  rows: ReadonlyMap<string, PriceRow>,
  call: CallContext,
): Promise<ReadonlyMap<string, Shown | undefined>> => {
  const unsure = sold
    .map(({ listing }) => listing.sku)
    .filter((sku) => !rows.get(sku)?.shown || rows.get(sku)?.begun);
  const found = unsure.length === 0 ? [] : await storefront.find([...new Set(unsure)], call);
  const seen = new Map(found.map((listing) => [listing.sku, listing]));
  return new Map(
    sold.map(({ listing: { sku } }) => {
      const listing = seen.get(sku);
      return [sku, listing ? shownIn(listing) : unsure.includes(sku) ? undefined : rows.get(sku)?.shown];
    }),
  );
};

const shownIn = ({ price, sale, status, priceIncludesTax }: ShopListing): Shown => ({
  ...(price && { price }),
  ...(sale && { sale }),
  status,
  ...(priceIncludesTax !== undefined && { priceIncludesTax }),
});

const planOf = (
  { shop, route, nowMs }: WriteProductsPorts,
  { product, asOfMs }: ReadProduct,
  listing: ListingRow,
  known: PriceRow | undefined,
  shown: Shown | undefined,
): Plan => {
  const row: PriceRow = {
    shop,
    sku: listing.sku,
    version: known?.version ?? 0,
    asOfMs,
    shown,
    ...(known?.approved && { approved: known.approved }),
  };
  if (!shown) {
    const problem = { code: 'LISTING_GONE', detail: 'the shop has no such SKU any more' };
    return { row: { ...row, problem }, verdict: 'refused' };
  }
  const wanted = priceForShop(product, shown);
  const status =
    route.prices?.status === 'follow' ? (product.status === 'active' ? 'active' : 'hidden') : shown.status;
  if (wanted.kind === 'none' && status === shown.status) {
    return { row: { ...row, problem: wanted.problem }, verdict: 'refused' };
  }
  const price = wanted.kind === 'price' ? wanted : shown;
  if (!price.price) return { row: { ...row, problem: 'NO_PRICE' }, verdict: 'refused' };
  const to: Shown = {
    ...shown,
    price: price.price,
    ...(price.sale ? { sale: price.sale } : { sale: undefined }),
    status,
  };
  if (isSame(shown, to)) return { row: { ...row, approved: undefined }, verdict: 'same' };
  const held = holdOf(route, row, shown, wanted, nowMs());
  if (held) return { row: { ...row, held: { ...held, product } }, verdict: 'held' };
  const write: PriceWrite = {
    sku: listing.sku,
    ref: listing.ref,
    price: price.price,
    ...(to.sale && { sale: to.sale }),
    ...(status !== shown.status && { status }),
  };
  return { row: { ...row, approved: undefined, begun: to }, write, verdict: 'write' };
};

const holdOf = (
  { guard }: StockRoute,
  { approved }: PriceRow,
  shown: Shown,
  wanted: PriceForShop,
  atMs: number,
) => {
  if (wanted.kind === 'none') return undefined;
  // A sale that begins tomorrow must not be what empties the till tomorrow.
  const lowest = wanted.sale?.price ?? wanted.price;
  const was = shown.price ? priceAt({ price: shown.price, sale: shown.sale }, atMs) : undefined;
  const code = heldBecause(was, lowest, guard.priceDrop);
  const isApproved = approved?.price.minor === lowest.minor && approved.price.currency === lowest.currency;
  return code && !isApproved ? { code, was, is: lowest, sinceMs: atMs } : undefined;
};

const isSame = (a: Shown, b: Shown): boolean =>
  a.status === b.status &&
  a.price?.minor === b.price?.minor &&
  a.price?.currency === b.price?.currency &&
  a.sale?.price.minor === b.sale?.price.minor &&
  momentOf(a.sale?.from) === momentOf(b.sale?.from) &&
  momentOf(a.sale?.until) === momentOf(b.sale?.until);

const momentOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

const send = async (
  { storefront, shop }: WriteProductsPorts,
  begun: readonly Begun[],
  call: CallContext,
): Promise<readonly PriceWritten[]> => {
  if (!storefront.writePrices) throw new TypeError(`${shop} has no way to set prices`);
  return storefront.writePrices(
    begun.map(({ write }) => write),
    call,
  );
};

/** Not answered: what was begun stays, so that the shop is asked before it is written again. */
const acknowledged = (row: PriceRow, result: PriceWritten | undefined): PriceRow => {
  const { begun, ...rest } = row;
  if (result?.kind === 'written') return { ...rest, shown: begun };
  if (result?.kind === 'refused') return { ...rest, problem: { code: result.code, detail: result.detail } };
  return row;
};

/** A shop that knows the SKU by now, whoever made it, gets no second one; of two workers, one begins. */
const createDrafts = async (
  { shop, route, prices, storefront, nowMs }: WriteProductsPorts,
  unknown: readonly ErpProduct[],
  call: CallContext,
): Promise<string[]> => {
  if (route.prices?.unknownSkus !== 'create' || !storefront.createDraft || unknown.length === 0) return [];
  const skus = unknown.map(({ sku }) => sku);
  const rows = await prices.prices(shop, skus);
  const known = new Set((await storefront.find(skus, call)).map(({ sku }) => sku));
  const created: string[] = [];
  for (const product of unknown) {
    if (known.has(product.sku)) continue;
    const { version = 0 } = rows.get(product.sku) ?? {};
    const row = { shop, sku: product.sku, version, asOfMs: nowMs(), shown: undefined };
    if (!(await prices.putPrice(row))) continue;
    await storefront.createDraft(product, call);
    created.push(product.sku);
  }
  return created;
};
