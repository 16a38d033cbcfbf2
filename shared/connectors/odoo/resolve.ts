import { PermanentError } from '../../core/errors.ts';
import type { ReasonParams } from '../../core/reasons.ts';
import type { OrderChangedV1, OrderLine } from '../../events/order-changed.ts';
import type { MappingRow, OrderContext } from '../contract.ts';
import { lineLabel, mappedTaxes, sellable, skuKeys, wantedComponents } from '../order-parts.ts';
import type { OdooCall } from './client.ts';
import type { customers } from './customers.ts';
import type { MasterData } from './master-data.ts';
import type { OdooComponent, OdooRefs } from './refs.ts';
import { VERSIONED_LINE_FIELDS, VERSIONED_ORDER_FIELDS } from './sale-order.ts';

/** SKUs of the service products that carry amounts without goods. */
export interface ServiceProducts {
  readonly shipping: string;
  readonly fee: string;
  readonly discount: string;
  readonly rounding: string;
}

export interface ResolvePorts {
  readonly destination: string;
  readonly master: MasterData;
  readonly customers: ReturnType<typeof customers>;
  readonly products: ServiceProducts;
}

/**
 * Everything an order names, as Odoo's ids. One call after the other: the connection's limit counts parallel
 * calls. Customers come last, so that an order that must be mended first creates none.
 */
export const resolveOrder = async (
  ports: ResolvePorts,
  order: OrderChangedV1,
  context: OrderContext,
): Promise<OdooRefs> => {
  const { destination, master } = ports;
  const { route, mappings, signal } = context;
  const outside: OdooCall = { signal };
  const company = await master.company(route.company, outside);
  const call: OdooCall =
    route.company === undefined ? outside : { signal, context: { allowed_company_ids: [company.id] } };
  const rows = (kind: MappingRow['kind'], keys: readonly string[]) =>
    keys.length === 0
      ? Promise.resolve(new Map<string, MappingRow>())
      : mappings.lookup(kind, order.source, destination, [...new Set(keys)]);

  const warnings: string[] = [];
  const version = await master.version(call);
  if (version !== undefined && version < 16) {
    warnings.push(`${destination} runs Odoo ${version}: versions 16 to 19 are tested.`);
  }
  const currency = await master.currency(order.currency, call);
  const pricelistId = await master.pricelist(currency, company, call);
  const warehouseId =
    route.warehouse === undefined ? undefined : await master.warehouse(route.warehouse, company, call);

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
  const discounted = order.lines.some(({ discount }) => discount.minor !== 0);
  const found = await master.products(
    [
      ...wanted.flatMap((components) => components.map(({ value }) => value)),
      ...chargeSkus,
      ...(discounted ? [ports.products.discount] : []),
      ...(order.refunds.length > 0 ? [ports.products.fee] : []),
      ports.products.rounding,
    ],
    company,
    call,
  );
  const lines = wanted.map((components, index) => {
    const line = order.lines[index] as OrderLine;
    return {
      components: components.map(
        ({ value, quantity, share }): OdooComponent => ({
          productId: sellable(found.get(value), value, lineLabel(line, index), destination).id,
          sku: value,
          quantity,
          share,
        }),
      ),
    };
  });
  const service = (purpose: ReasonParams['MISSING_SERVICE_PRODUCT']['purpose'], sku: string): number => {
    const product = found.get(sku);
    if (product?.count === 1) return product.id;
    throw new PermanentError('MISSING_SERVICE_PRODUCT', { purpose, sku, destination });
  };
  const charges = order.charges.map((charge, index) => {
    const sku = chargeSkus[index] as string;
    // An amount of zero needs no line; free shipping gets one where there is a product, so that it is seen.
    if (charge.total.minor === 0 && charge.taxes.every(({ amount }) => amount.minor === 0)) {
      const product = charge.kind === 'shipping' ? found.get(sku) : undefined;
      return product?.count === 1 ? product.id : null;
    }
    return service(charge.kind, sku);
  });
  const discountProductId = discounted ? service('discount', ports.products.discount) : undefined;
  const only = (sku: string) => {
    const product = found.get(sku);
    return { productId: product?.count === 1 ? product.id : undefined, sku };
  };

  const { taxes, noTax } = await mappedTaxes(
    order,
    destination,
    charges.map((product) => product !== null),
    rows,
    (wantedTaxes) => master.taxes(wantedTaxes, company, call),
  );
  const payment = (await rows('payment', [order.payment.method])).get(order.payment.method)?.to[0]?.value;
  const paymentTermId =
    payment === undefined
      ? undefined
      : await master.paymentTerm(order.payment.method, payment, company, call);

  const lineFields = await master.fields('sale.order.line', VERSIONED_LINE_FIELDS, call);
  const orderFields = await master.fields('sale.order', VERSIONED_ORDER_FIELDS, call);
  const priceDigits = await master.priceDigits(call);
  const customer = await ports.customers.resolve({ order, company, context, call });
  const { partnerId, invoiceId, shippingId } = customer;
  return {
    destination,
    companyId: company.id,
    companyChosen: route.company !== undefined,
    currency,
    pricelistId,
    warehouseId,
    paymentTermId,
    customer: { partnerId, invoiceId, shippingId },
    lines,
    charges,
    discountProductId,
    rounding: only(ports.products.rounding),
    ...(order.refunds.length > 0 && { fee: only(ports.products.fee) }),
    taxes,
    noTax,
    priceDigits,
    fields: {
      taxes: lineFields['tax_ids'] ? 'tax_ids' : 'tax_id',
      commitmentDate: orderFields['commitment_date'] !== undefined,
    },
    warnings: [...warnings, ...customer.warnings],
  };
};
