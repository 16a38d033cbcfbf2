import { PermanentError } from '../core/errors.ts';
import type { LineLabel } from '../core/reasons.ts';
import type { OrderChangedV1, OrderCharge, OrderLine } from '../events/order-changed.ts';
import type { MappingRow, Mappings } from './contract.ts';

// What every ERP connector asks of the parts of an order, whatever its own words for products and taxes are.

export const lineLabel = ({ title }: OrderLine, index: number): LineLabel => ({
  kind: 'line',
  number: index + 1,
  title,
});
export const chargeLabel = ({ kind, title }: OrderCharge): LineLabel => ({ kind, title });

/** Where a line may have a row: by SKU, or without one by variant, then by product. */
export const skuKeys = ({ sku, productId, variantId }: OrderLine): string[] => {
  if (sku !== undefined) return [sku];
  if (productId === undefined) return [];
  return [...(variantId === undefined ? [] : [`product:${productId}:${variantId}`]), `product:${productId}`];
};

/**
 * What a line means at the ERP: its row, or the product with the same SKU.
 * @throws PermanentError MISSING_SKU
 */
export const wantedComponents = (
  line: OrderLine,
  index: number,
  rows: ReadonlyMap<string, MappingRow>,
): MappingRow['to'] => {
  for (const key of skuKeys(line)) {
    const row = rows.get(key);
    if (row && row.to.length > 0) return row.to;
  }
  if (line.sku !== undefined) return [{ value: line.sku, quantity: 1, share: 1 }];
  throw new PermanentError('MISSING_SKU', { line: lineLabel(line, index) });
};

/** A product as an ERP has it under one SKU. */
export interface FoundProduct {
  readonly state: 'active' | 'archived';
  /** Active products with this SKU. */
  readonly count: number;
}

/** @throws PermanentError UNKNOWN_SKU, ARCHIVED_SKU, AMBIGUOUS_SKU */
export const sellable = <P extends FoundProduct>(
  product: P | undefined,
  sku: string,
  line: LineLabel,
  destination: string,
): P => {
  if (!product) throw new PermanentError('UNKNOWN_SKU', { line, sku, destination });
  if (product.state === 'archived') throw new PermanentError('ARCHIVED_SKU', { line, sku, destination });
  if (product.count > 1) {
    throw new PermanentError('AMBIGUOUS_SKU', { line, sku, destination, count: product.count });
  }
  return product;
};

/** Mapping key for lines that carry no tax in the shop. */
const NO_TAX = 'none';

/**
 * The ERP's taxes for everything that the order taxes.
 * @param isBooked by charge: a free one that gets no line needs no tax either
 * @param find the ERP's tax for each key that has a row
 * @throws PermanentError UNMAPPED_TAX, and what `find` throws
 */
export const mappedTaxes = async <T>(
  order: OrderChangedV1,
  destination: string,
  isBooked: readonly boolean[],
  rows: (kind: 'tax', keys: readonly string[]) => Promise<ReadonlyMap<string, MappingRow>>,
  find: (wanted: readonly { key: string; to: string }[]) => Promise<Readonly<Record<string, T>>>,
): Promise<{ readonly taxes: Readonly<Record<string, T>>; readonly noTax: readonly T[] }> => {
  const taxed = [
    ...order.lines.map((line, index) => ({ label: lineLabel(line, index), taxes: line.taxes })),
    ...order.charges.flatMap((charge, index) =>
      isBooked[index] ? [{ label: chargeLabel(charge), taxes: charge.taxes }] : [],
    ),
  ];
  const untaxed = taxed.some(({ taxes }) => taxes.length === 0);
  const keys = taxed.flatMap(({ taxes }) => taxes.map(({ key }) => key));
  const found = await rows('tax', [...keys, ...(untaxed ? [NO_TAX] : [])]);
  for (const { label, taxes } of taxed) {
    const unmapped = taxes.find(({ key }) => !found.get(key)?.to[0]);
    if (unmapped) {
      const { source } = order;
      throw new PermanentError('UNMAPPED_TAX', { line: label, tax: unmapped.key, source, destination });
    }
  }
  const wanted = [...found].flatMap(([key, { to }]) => (to[0] ? [{ key, to: to[0].value }] : []));
  const { [NO_TAX]: none, ...taxes } = await find(wanted);
  // "none" may also be a shop's own key; then it is both.
  return {
    taxes: (keys.includes(NO_TAX) && none !== undefined ? { ...taxes, [NO_TAX]: none } : taxes) as Record<
      string,
      T
    >,
    noTax: none !== undefined && untaxed ? [none] : [],
  };
};

/**
 * Which journal the mapping table names for a payment method.
 * @throws PermanentError UNKNOWN_PAYMENT_JOURNAL
 */
export const journalOf = async (
  mappings: Mappings,
  source: string,
  destination: string,
  method: string,
): Promise<{ readonly method: string; readonly source: string; readonly to: string }> => {
  const to = (await mappings.lookup('journal', source, destination, [method])).get(method)?.to[0]?.value;
  if (to !== undefined) return { method, source, to };
  throw new PermanentError('UNKNOWN_PAYMENT_JOURNAL', { method, source, destination });
};
