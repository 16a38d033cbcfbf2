import { PermanentError } from '../../core/errors.ts';
import type { ReasonParams } from '../../core/reasons.ts';
import type { OrderChangedV1, OrderLine } from '../../events/order-changed.ts';
import type { MappingRow, OrderContext } from '../contract.ts';
import { lineLabel, mappedTaxes, sellable, skuKeys, wantedComponents } from '../order-parts.ts';
import type { TrytonCall } from './client.ts';
import type { customers } from './customers.ts';
import type { MasterData, TrytonProduct } from './master-data.ts';
import type { SaleProduct, TrytonComponent, TrytonRefs } from './refs.ts';

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
          ...idAndUnit(sellable(found.get(value), value, lineLabel(line, index), destination)),
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

  const { taxes, noTax } = await mappedTaxes(
    order,
    destination,
    charges.map((product) => product !== null),
    rows,
    (wantedTaxes) => master.taxes(wantedTaxes, company, call),
  );
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

const onlyOne = (product: TrytonProduct | undefined): SaleProduct | undefined =>
  product?.count === 1 ? idAndUnit(product) : undefined;
const idAndUnit = ({ id, unit }: TrytonProduct): SaleProduct => ({ id, unit });
