import type { ListingRow, OrderSkus, StockRow } from './rows.ts';

/** The stock snapshot. Every change is one conditional write on the row's version. */
export interface StockStore {
  /** Consistent reads; SKUs that nobody knows yet come as rows of version 0. */
  rows(erp: string, skus: readonly string[]): Promise<ReadonlyMap<string, StockRow>>;
  /** Writes `row` as version + 1. @returns false: somebody was faster, and nothing was written */
  put(row: StockRow): Promise<boolean>;
  /** Consistent reads; keyed by `claimId`. */
  listings(
    shop: string,
    keys: readonly { readonly sku: string; readonly location: string }[],
  ): Promise<ReadonlyMap<string, ListingRow>>;
  /** As `put`. */
  putListing(row: ListingRow): Promise<boolean>;
  /** Consistent reads, keyed by id; orders that nobody knows yet are missing. */
  orders(erp: string, ids: readonly string[]): Promise<ReadonlyMap<string, OrderSkus>>;
  /** As `put`. */
  putOrder(row: OrderSkus): Promise<boolean>;
  /** All rows of an ERP, in pages, in no order; not consistent (resync, audit, guards). */
  allRows(erp: string): AsyncIterable<readonly StockRow[]>;
  allListings(shop: string): AsyncIterable<readonly ListingRow[]>;
}

/** How far all orders of a storefront are known, epoch milliseconds: what its reconciliation has read, and
 * published long enough ago to be counted. undefined: nobody reads them. */
export interface Watermarks {
  of(shop: string): Promise<number | undefined>;
}
