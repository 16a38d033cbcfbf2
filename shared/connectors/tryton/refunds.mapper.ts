import { PermanentError } from '../../core/errors.ts';
import type { Money } from '../../core/money.ts';
import type { OrderChangedV1, OrderCharge, OrderLine, OrderTax } from '../../events/order-changed.ts';
import type { Mapped, RefundRequest } from '../contract.ts';
import { trytonDate } from './json.ts';
import { dayIn, toWire } from './orders.mapper.ts';
import type { SaleProduct, TrytonRefs } from './refs.ts';
import type { TrytonRefundWire } from './wire.ts';

/**
 * A refund as one `sale.sale` of negative quantities: pure. Its lines are made as those of an order that holds nothing
 * but what is given back: same products, taxes, bundles and unit prices.
 */
export const refundToWire = (
  { order, refund, parts, document, reference, route }: RefundRequest,
  refs: TrytonRefs,
): Mapped<TrytonRefundWire> => {
  const warnings: string[] = [];
  const lines: { line: OrderLine; components: TrytonRefs['lines'][number]['components'] }[] = [];
  const charges: { charge: OrderCharge; product: SaleProduct }[] = [];
  for (const part of parts) {
    if (part.kind === 'line') {
      const index = order.lines.findIndex(({ id }) => id === part.line.id);
      // Money back without pieces is no product coming back.
      const components =
        part.quantity === 0
          ? [{ ...feeProduct(refs), sku: refs.fee.sku, quantity: 1, share: 1 }]
          : (refs.lines[index]?.components ?? []);
      lines.push({ line: returned(part.line, part.quantity || 1, part.total, part.taxes), components });
    } else if (part.kind === 'charge') {
      const index = order.charges.findIndex(({ id }) => id === part.charge.id);
      charges.push({
        charge: { ...part.charge, total: part.total, taxes: [...part.taxes] },
        product: refs.charges[index] ?? feeProduct(refs),
      });
    } else {
      warnings.push(`Refund ${refund.id} assigns part of its amount to no line: it is credited without tax.`);
      const title = refund.reason || 'Refund';
      charges.push({
        charge: { id: refund.id, kind: 'fee', title, total: part.total, taxes: [] },
        product: feeProduct(refs),
      });
    }
  }
  const given: OrderChangedV1 = {
    ...order,
    lines: lines.map(({ line }) => line),
    charges: charges.map(({ charge }) => charge),
    total: refund.total,
    rounding: { ...refund.total, minor: 0 },
  };
  const givenRefs: TrytonRefs = {
    ...refs,
    // Rows for untaxed lines of the order say nothing of an amount that nobody assigned.
    lines: lines.map(({ components }) => ({ components })),
    charges: charges.map(({ product }) => product),
    warnings: [],
  };
  const { value: wire, warnings: more } = toWire(given, givenRefs, reference, route);
  const { company, party, invoice_address, shipment_address, currency } = wire.values;
  // Only what the shop says is back on the shelf is expected in the warehouse.
  const comesBack = parts.some((part) => part.kind === 'line' && part.quantity > 0 && part.restock === true);
  const { destination, companyId, expected, rounding } = wire;
  return {
    value: {
      destination,
      companyId,
      values: {
        company,
        ...(party !== undefined && { party }),
        ...(invoice_address !== undefined && { invoice_address }),
        ...(shipment_address !== undefined && { shipment_address }),
        reference,
        description: `${order.source} #${order.orderNumber} refund ${refund.id}`,
        origin: `sale.sale,${document.id}`,
        sale_date: trytonDate(dayIn(refs.company.timeZone, refund.refundedAt ?? order.placedAt)),
        currency,
        comment: refund.reason ?? '',
        invoice_method: 'order',
        shipment_method: comesBack ? 'order' : 'manual',
        lines: [
          ['create', wire.values.lines[0][1].map((line) => ({ ...line, quantity: 0 - line.quantity }))],
        ],
      },
      expected,
      rounding,
      post: route.refunds === 'credit-note',
      lockedPeriod: route.lockedPeriod,
    },
    warnings: [...warnings, ...more],
  };
};

/** @throws PermanentError MISSING_SERVICE_PRODUCT */
const feeProduct = ({ fee, destination }: TrytonRefs): SaleProduct => {
  if (fee.product) return fee.product;
  throw new PermanentError('MISSING_SERVICE_PRODUCT', { purpose: 'fee', sku: fee.sku, destination });
};

const returned = (
  line: OrderLine,
  quantity: number,
  total: Money,
  taxes: readonly OrderTax[],
): OrderLine => ({
  ...line,
  quantity,
  subtotal: total,
  discount: { ...total, minor: 0 },
  total,
  taxes: [...taxes],
});
