import { PermanentError } from '../../core/errors.ts';
import type { Money } from '../../core/money.ts';
import type { OrderChangedV1, OrderCharge, OrderLine, OrderTax } from '../../events/order-changed.ts';
import type { Mapped, RefundRequest } from '../contract.ts';
import { odooDatetime, toWire } from './orders.mapper.ts';
import type { OdooRefs } from './refs.ts';
import type { AccountMoveVals, OdooRefundWire } from './wire.ts';

/**
 * A refund as one `account.move` of type `out_refund`: pure. Its lines are made as those of an order that holds
 * nothing but what is given back: same products, taxes, bundles and unit prices.
 */
export const refundToWire = (
  { order, refund, parts, document, reference, route }: RefundRequest,
  refs: OdooRefs,
): Mapped<OdooRefundWire> => {
  const warnings: string[] = [];
  const lines: { line: OrderLine; components: OdooRefs['lines'][number] }[] = [];
  const charges: { charge: OrderCharge; productId: number | null }[] = [];
  for (const part of parts) {
    if (part.kind === 'line') {
      const index = order.lines.findIndex(({ id }) => id === part.line.id);
      lines.push({
        // Money back without pieces: Odoo has no line without a quantity.
        line: returned(part.line, part.quantity || 1, part.total, part.taxes),
        components: refs.lines[index] ?? { components: [] },
      });
    } else if (part.kind === 'charge') {
      const index = order.charges.findIndex(({ id }) => id === part.charge.id);
      charges.push({
        charge: { ...part.charge, total: part.total, taxes: [...part.taxes] },
        productId: refs.charges[index] ?? feeProduct(refs),
      });
    } else {
      warnings.push(`Refund ${refund.id} assigns part of its amount to no line: it is credited without tax.`);
      charges.push({
        charge: {
          id: refund.id,
          kind: 'fee',
          title: refund.reason || 'Refund',
          total: part.total,
          taxes: [],
        },
        productId: feeProduct(refs),
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
  const givenRefs: OdooRefs = {
    ...refs,
    lines: lines.map(({ components }) => components),
    charges: charges.map(({ productId }) => productId),
    warnings: [],
  };
  const { value: wire, warnings: more } = toWire(given, givenRefs, reference, route);
  const { vals } = wire;
  const partnerId = vals.partner_invoice_id ?? vals.partner_id;
  const move: AccountMoveVals = {
    move_type: 'out_refund',
    ...(partnerId !== undefined && { partner_id: partnerId }),
    ...(vals.partner_shipping_id !== undefined && { partner_shipping_id: vals.partner_shipping_id }),
    ref: reference,
    ...(document.name !== undefined && { invoice_origin: document.name }),
    ...(refund.refundedAt !== undefined && { invoice_date: odooDatetime(refund.refundedAt).slice(0, 10) }),
    company_id: wire.companyId,
    currency_id: wire.expected.currency.id,
    invoice_line_ids: vals.order_line.map(([, , line]) => [
      0,
      0,
      {
        product_id: line.product_id,
        name: line.name,
        quantity: line.product_uom_qty,
        price_unit: line.price_unit,
        discount: 0,
        tax_ids: (line.tax_id ?? line.tax_ids) || [[6, 0, []]],
      },
    ]),
  };
  const { destination, companyId, companyChosen, expected, rounding } = wire;
  return {
    value: {
      destination,
      companyId,
      companyChosen,
      vals: move,
      orderId: Number(document.id),
      expected,
      rounding,
      post: route.refunds === 'credit-note',
      lockedPeriod: route.lockedPeriod,
    },
    warnings: [...warnings, ...more],
  };
};

/** @throws PermanentError MISSING_SERVICE_PRODUCT */
const feeProduct = ({ fee, destination }: OdooRefs): number => {
  if (fee?.productId !== undefined) return fee.productId;
  throw new PermanentError('MISSING_SERVICE_PRODUCT', { purpose: 'fee', sku: fee?.sku ?? '', destination });
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
