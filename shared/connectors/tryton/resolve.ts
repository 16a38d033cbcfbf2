import { PermanentError } from '../../core/errors.ts';
import type { LineLabel, ReasonParams } from '../../core/reasons.ts';
import type { OrderChangedV1, OrderLine } from '../../events/order-changed.ts';
import type { MappingRow, OrderContext } from '../contract.ts';
import type { TrytonCall } from './client.ts';
import type { customers } from './customers.ts';
import type { MasterData, TrytonProduct } from './master-data.ts';
import { chargeLabel, lineLabel } from './orders.mapper.ts';
import type { SaleProduct, TrytonCompany, TrytonComponent, TrytonRefs } from './refs.ts';

/** Codes of the service products that carry amounts without goods. */
export interface ServiceProducts {
  readonly shipping: string;
  readonly fee: string;
  readonly rounding: string;
}

export interface ResolvePorts {
  readonly destination: string;
  readonly master: MasterData;
  readonly customers: ReturnType<typeof customers>;
  readonly products: ServiceProducts;
}

/** Mapping key for lines that carry no tax in the shop. */
const NO_TAX = 'none';

/**
 * Everything an order names, as Tryton's ids. One call after the other: the connection's limit counts parallel calls.
 * Customers come last, so that an order that must be mended first creates none.
 */
export const resolveOrder = async (
  ports: ResolvePorts,
  order: OrderChangedV1,
  context: OrderContext,
): Promise<TrytonRefs> => {
  const { destination, master } = ports;
  const { route, mappings, signal } = context;
  const company = await master.company(route.company, { signal });
  const call: TrytonCall = { signal, context: { company: company.id } };
  const rows = (kind: MappingRow['kind'], keys: readonly string[]) =>
    keys.length === 0
      ? Promise.resolve(new Map<string, MappingRow>())
      : mappings.lookup(kind, order.source, destination, [...new Set(keys)]);

  const currency = await master.currency(order.currency, call);
  const warehouseId =
    route.warehouse === undefined ? undefined : await master.warehouse(route.warehouse, call);

  const skuRows = await rows('sku', order.lines.flatMap(skuKeys));
  const wanted = order.lines.map((line, index) => wantedComponents(line, index, skuRows));
  const shippingRows = await rows(
    'shipping',
    order.charges.flatMap(({ kind, method }) => (kind === 'shipping' && method ? [method] : [])),
  );
  const chargeSkus = order.charges.map(({ kind, method }) =>
    kind === 'shipping'
      ? ((method && shippingRows.get(method)?.to[0]?.value) ?? ports.products.shipping)
      : ports.products.fee,
  );
  const found = await master.products(
    [
      ...wanted.flatMap((components) => components.map(({ value }) => value)),
      ...chargeSkus,
      ports.products.fee,
      ports.products.rounding,
    ],
    call,
  );
  const lines = wanted.map((components, index) => {
    const line = order.lines[index] as OrderLine;
    return {
      components: components.map(
        ({ value, quantity, share }): TrytonComponent => ({
          ...productOf(found.get(value), value, lineLabel(line, index), destination),
          sku: value,
          quantity,
          share,
        }),
      ),
    };
  });
  const service = (purpose: ReasonParams['MISSING_SERVICE_PRODUCT']['purpose'], sku: string): SaleProduct => {
    const product = onlyOne(found.get(sku));
    if (product) return product;
    throw new PermanentError('MISSING_SERVICE_PRODUCT', { purpose, sku, destination });
  };
  const charges = order.charges.map((charge, index) => {
    const sku = chargeSkus[index] as string;
    // An amount of zero needs no line; free shipping gets one where there is a product, so that it is seen.
    if (charge.total.minor === 0 && charge.taxes.every(({ amount }) => amount.minor === 0)) {
      return (charge.kind === 'shipping' && onlyOne(found.get(sku))) || null;
    }
    return service(charge.kind, sku);
  });

  const { taxes, noTax } = await resolveTaxes(ports, order, charges, company, rows, call);
  const payment = (await rows('payment', [order.payment.method])).get(order.payment.method)?.to[0]?.value;
  const paymentTermId =
    payment === undefined ? undefined : await master.paymentTerm(order.payment.method, payment, call);
  const priceDigits = await master.priceDigits(call);
  const { warnings, ...customer } = await ports.customers.resolve({ order, context, call });
  return {
    destination,
    company,
    currency,
    warehouseId,
    paymentTermId,
    customer,
    lines,
    charges,
    rounding: { product: onlyOne(found.get(ports.products.rounding)), sku: ports.products.rounding },
    fee: { product: onlyOne(found.get(ports.products.fee)), sku: ports.products.fee },
    taxes,
    noTax,
    priceDigits,
    warnings,
  };
};

/** Where a line may have a row: by SKU, or without one by variant, then by product. */
const skuKeys = ({ sku, productId, variantId }: OrderLine): string[] => {
  if (sku !== undefined) return [sku];
  if (productId === undefined) return [];
  return [...(variantId === undefined ? [] : [`product:${productId}:${variantId}`]), `product:${productId}`];
};

const wantedComponents = (
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

const onlyOne = (product: TrytonProduct | undefined): SaleProduct | undefined =>
  product?.count === 1 ? { id: product.id, unit: product.unit } : undefined;

const productOf = (
  product: TrytonProduct | undefined,
  sku: string,
  line: LineLabel,
  destination: string,
): SaleProduct => {
  if (!product) throw new PermanentError('UNKNOWN_SKU', { line, sku, destination });
  if (product.state === 'archived') throw new PermanentError('ARCHIVED_SKU', { line, sku, destination });
  if (product.count > 1) {
    throw new PermanentError('AMBIGUOUS_SKU', { line, sku, destination, count: product.count });
  }
  return { id: product.id, unit: product.unit };
};

const resolveTaxes = async (
  { destination, master }: ResolvePorts,
  order: OrderChangedV1,
  charges: readonly (SaleProduct | null)[],
  company: TrytonCompany,
  rows: (kind: 'tax', keys: readonly string[]) => Promise<ReadonlyMap<string, MappingRow>>,
  call: TrytonCall,
): Promise<Pick<TrytonRefs, 'taxes' | 'noTax'>> => {
  const taxed = [
    ...order.lines.map((line, index) => ({ label: lineLabel(line, index), taxes: line.taxes })),
    // A free charge without a line needs no tax either.
    ...order.charges.flatMap((charge, index) =>
      charges[index] === null ? [] : [{ label: chargeLabel(charge), taxes: charge.taxes }],
    ),
  ];
  const untaxed = taxed.some(({ taxes }) => taxes.length === 0);
  const keys = taxed.flatMap(({ taxes }) => taxes.map(({ key }) => key));
  const found = await rows('tax', [...keys, ...(untaxed ? [NO_TAX] : [])]);
  for (const { label, taxes } of taxed) {
    const unmapped = taxes.find(({ key }) => !found.get(key)?.to[0]);
    if (unmapped) {
      throw new PermanentError('UNMAPPED_TAX', {
        line: label,
        tax: unmapped.key,
        source: order.source,
        destination,
      });
    }
  }
  const wanted = [...found].flatMap(([key, { to }]) => (to[0] ? [{ key, to: to[0].value }] : []));
  const { [NO_TAX]: none, ...taxes } = await master.taxes(wanted, company, call);
  // "none" may also be a shop's own key; then it is both.
  return {
    taxes: keys.includes(NO_TAX) && none !== undefined ? { ...taxes, [NO_TAX]: none } : taxes,
    noTax: none !== undefined && untaxed ? [none] : [],
  };
};
