/** A product of an ERP, as far as it must be known to say what a SKU means there. Only active ones. */
export interface StockProduct {
  readonly id: number;
  readonly sku: string;
  /** false: the ERP counts no pieces of it (a service, a kit). */
  readonly counted: boolean;
}

export interface SortedProducts<P extends StockProduct = StockProduct> {
  /** By id: what levels can be told of. */
  readonly counted: ReadonlyMap<number, P>;
  readonly missing: readonly string[];
  readonly ambiguous: readonly string[];
}

/** What becomes of each SKU asked for; without any, of every SKU that there is. */
export const sortProducts = <P extends StockProduct>(
  products: readonly P[],
  asked?: readonly string[],
): SortedProducts<P> => {
  const bySku = new Map<string, P[]>();
  for (const product of products) bySku.set(product.sku, [...(bySku.get(product.sku) ?? []), product]);
  const counted = new Map<number, P>();
  const missing: string[] = [];
  const ambiguous: string[] = [];
  for (const sku of new Set(asked ?? bySku.keys())) {
    const [product, ...others] = bySku.get(sku) ?? [];
    if (others.length > 0) ambiguous.push(sku);
    else if (product?.counted) counted.set(product.id, product);
    else if (asked) missing.push(sku);
  }
  return { counted, missing, ambiguous };
};

export const inPages = <T>(items: readonly T[], size: number): (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, page) =>
    items.slice(page * size, (page + 1) * size),
  );
