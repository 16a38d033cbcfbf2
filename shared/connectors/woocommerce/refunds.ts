import { type Money, negate } from '../../core/money.ts';
import { optionals } from '../../core/optionals.ts';
import { scalar } from '../../core/order-attributes.ts';
import type { AmountReader } from '../../core/read-amounts.ts';
import type { OrderCharge, OrderLine, OrderRefund, OrderTax } from '../../events/order-changed.ts';
import { instant } from './moment.ts';
import type { WcLineItem, WcMeta, WcOrder, WcRefund } from './wire.ts';

export interface RefundContext {
  readonly lines: readonly OrderLine[];
  readonly charges: readonly OrderCharge[];
  readonly amounts: AmountReader;
  readonly taxesOf: (of: Omit<WcRefund['line_items'][number], 'quantity'>, path: string) => OrderTax[];
  readonly warnings: string[];
}

/**
 * What went back to the buyer. An order names its refunds with their sum; what each is for stands in `details`, which
 * have to be asked for. A part without a line of the order is left to the sum.
 */
export const refundsOf = (
  wire: WcOrder,
  details: readonly WcRefund[] | undefined,
  { lines, charges, amounts, taxesOf, warnings }: RefundContext,
): OrderRefund[] => {
  if (wire.refunds.length > 0 && !details) {
    warnings.push('refunds: what they are for is known only with a REST key: taken as sums');
  }
  return wire.refunds.map(({ id, reason, total }, index) => {
    const path = `refunds[${index}]`;
    const sum = amounts.exact(total ?? '0', `${path}.total`);
    const detail = details?.find((each) => each.id === id);
    const refund = { id, ...optionals({ reason }), total: sum.minor < 0 ? negate(sum) : sum };
    if (!detail) return refund;

    const parts = [
      ...detail.line_items.map((part, n) => ({
        part,
        pieces: Math.abs(part.quantity),
        at: `line_items[${n}]`,
      })),
      ...detail.shipping_lines.map((part, n) => ({ part, pieces: 0, at: `shipping_lines[${n}]` })),
      ...detail.fee_lines.map((part, n) => ({ part, pieces: 0, at: `fee_lines[${n}]` })),
    ].map(({ part, pieces, at }) => {
      const of = refundedItemOf(part.meta_data);
      const where = `${path}.${at}`;
      const taxes = taxesOf(part, where).map((tax) => ({ ...tax, amount: negate(tax.amount) }));
      const amount: Money | undefined = amounts.optional(part.total, `${where}.total`);
      return { of, where, pieces, total: negate(amount ?? { minor: 0, currency: sum.currency }), taxes };
    });

    const given = parts.flatMap(({ of, pieces, total: amount, taxes }) => {
      if (!lines.some((line) => line.id === of)) return [];
      const restock = pieces > 0 ? restockOf(wire.line_items, details ?? [], of) : undefined;
      return [{ lineId: of, quantity: pieces, total: amount, taxes, ...optionals({ restock }) }];
    });
    const charged = parts.flatMap(({ of, total: amount, taxes }) =>
      charges.some((charge) => charge.id === of) ? [{ chargeId: of, total: amount, taxes }] : [],
    );
    for (const { of, where } of parts) {
      if (![...lines, ...charges].some((item) => item.id === of)) {
        warnings.push(`${where} belongs to no line of the order: taken as an amount`);
      }
    }
    return {
      ...refund,
      ...optionals({ refundedAt: instant(detail.date_created_gmt, detail.date_created) }),
      ...(given.length > 0 && { lines: given }),
      ...(charged.length > 0 && { charges: charged }),
    };
  });
};

const metaOf = (meta: readonly WcMeta[], key: string): string =>
  scalar(meta.find((entry) => entry.key === key)?.value) ?? '';

const refundedItemOf = (meta: readonly WcMeta[]): string => metaOf(meta, '_refunded_item_id');

/**
 * WooCommerce keeps, on the order's item, how many refunded pieces went back into stock, over all refunds
 * (wc_restock_refunded_items). undefined: some did, or no stock is kept of the product; nobody knows of which refund.
 */
const restockOf = (
  items: readonly WcLineItem[],
  details: readonly WcRefund[],
  id: string,
): boolean | undefined => {
  const meta = items.find((item) => item.id === id)?.meta_data ?? [];
  const restocked = Number(metaOf(meta, '_restock_refunded_items'));
  if (!restocked) return metaOf(meta, '_reduced_stock') === '' ? undefined : false;
  const refunded = details
    .flatMap(({ line_items }) => line_items)
    .filter((part) => refundedItemOf(part.meta_data) === id)
    .reduce((pieces, { quantity }) => pieces + Math.abs(quantity), 0);
  return restocked >= refunded || undefined;
};
