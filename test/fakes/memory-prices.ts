import type { PriceRow, PriceStore } from '../../shared/core/products/price-rows.ts';

/** As DynamoDB keeps them, with all rows to look at. */
export const memoryPrices = (): PriceStore & { readonly rows: Map<string, PriceRow> } => {
  const rows = new Map<string, PriceRow>();
  const key = (shop: string, sku: string) => JSON.stringify([shop, sku]);
  return {
    rows,
    prices: async (shop, skus) =>
      new Map(
        skus.flatMap((sku) => {
          const row = rows.get(key(shop, sku));
          return row ? [[sku, structuredClone(row)] as const] : [];
        }),
      ),
    putPrice: async (row) => {
      const at = key(row.shop, row.sku);
      if ((rows.get(at)?.version ?? 0) !== row.version) return false;
      rows.set(at, structuredClone({ ...row, version: row.version + 1 }));
      return true;
    },
    async *allPrices(shop) {
      yield [...rows.values()].filter((row) => row.shop === shop);
    },
  };
};
