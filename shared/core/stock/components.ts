import type { Mappings } from '../../connectors/contract.ts';

/** The ERP's SKUs in one piece of a listing. */
export type Components = readonly { readonly sku: string; readonly quantity: number }[];

/** What the shop's SKUs are made of: by the mapping table, without a row each is the ERP's own. */
export const componentsOf = async (
  mappings: Mappings,
  shop: string,
  erp: string,
  skus: readonly string[],
): Promise<ReadonlyMap<string, Components>> => {
  const rows = await mappings.lookup('sku', shop, erp, skus);
  return new Map(
    skus.map((sku) => {
      const pieces = new Map<string, number>();
      for (const { value, quantity } of rows.get(sku)?.to ?? [{ value: sku, quantity: 1 }]) {
        pieces.set(value, (pieces.get(value) ?? 0) + quantity);
      }
      return [sku, [...pieces].map(([value, quantity]) => ({ sku: value, quantity }))];
    }),
  );
};
