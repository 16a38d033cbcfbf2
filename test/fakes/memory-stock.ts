import type { PollState, PollStates } from '../../shared/core/stock/poll-state.ts';
import type { StockStore } from '../../shared/core/stock/ports.ts';
import { claimId, type ListingRow, type OrderSkus, type StockRow } from '../../shared/core/stock/rows.ts';

/** What a memory store holds. */
export interface HeldStock {
  readonly rows: Map<string, StockRow>;
  readonly listings: Map<string, ListingRow>;
  readonly orders: Map<string, OrderSkus>;
}

export const heldStock = (): HeldStock => ({ rows: new Map(), listings: new Map(), orders: new Map() });

/** The stock table in memory: same port, same rules as the one on DynamoDB. */
export const memoryStock = (held: HeldStock = heldStock()): StockStore => {
  const put = <R extends { readonly version: number }>(
    rows: Map<string, R>,
    key: string,
    row: R,
  ): boolean => {
    if ((rows.get(key)?.version ?? 0) !== row.version) return false;
    rows.set(key, { ...row, version: row.version + 1 });
    return true;
  };
  async function* pages<R>(rows: Iterable<R>): AsyncIterable<readonly R[]> {
    yield [...rows];
  }
  const rowKey = (erp: string, sku: string) => `${erp} ${sku}`;
  return {
    rows: async (erp, skus) =>
      new Map(
        skus.map((sku) => [
          sku,
          held.rows.get(rowKey(erp, sku)) ?? {
            erp,
            sku,
            version: 0,
            levels: {},
            demand: {},
            claims: {},
            sold: {},
          },
        ]),
      ),
    put: async (row) => put(held.rows, rowKey(row.erp, row.sku), row),
    listings: async (shop, keys) =>
      new Map(
        keys.flatMap(({ sku, location }) => {
          const id = claimId(shop, location, sku);
          const row = held.listings.get(id);
          return row ? [[id, row] as const] : [];
        }),
      ),
    putListing: async (row) => put(held.listings, claimId(row.shop, row.location, row.sku), row),
    orders: async (erp, ids) =>
      new Map(
        ids.flatMap((id) => {
          const row = held.orders.get(rowKey(erp, id));
          return row ? [[id, row] as const] : [];
        }),
      ),
    putOrder: async (row) => put(held.orders, rowKey(row.erp, row.id), row),
    allRows: (erp) => pages([...held.rows.values()].filter((row) => row.erp === erp)),
    allListings: (shop) => pages([...held.listings.values()].filter((row) => row.shop === shop)),
  };
};

export const memoryPollStates = (held = new Map<string, PollState>()): PollStates => ({
  load: async (erp) => held.get(erp) ?? { erp, version: 0, known: 0 },
  save: async (state) => {
    if ((held.get(state.erp)?.version ?? 0) !== state.version) return false;
    held.set(state.erp, { ...state, version: state.version + 1 });
    return true;
  },
});
