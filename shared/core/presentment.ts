import type { OrderChangedV1, OrderTax, Presentment } from '../events/order-changed.ts';
import type { Money } from './money.ts';

/**
 * The order with the amounts that the buyer saw; `presentment` stays, so the rate is kept. Pure, throws nothing.
 *
 * The order itself where it is in that currency already, or the storefront does not state every amount: an order
 * whose amounts are of two currencies could not be booked at all. A provider's fee keeps its own currency.
 */
export const inBuyerCurrency = (order: OrderChangedV1): OrderChangedV1 => {
  const { presentment } = order;
  if (!presentment || presentment.currency === order.currency || !isComplete(order, presentment))
    return order;
  const { currency, total, lines, charges, discounts, giftCards, refunds, rounding, tax } = presentment;
  const { payments, ...rest } = order;
  const isListed = payments !== undefined && presentment.payments?.length === payments.length;
  return {
    ...rest,
    // A list in the shop's currency only says no more than that it was paid.
    ...(isListed && {
      payments: payments.map((each, i) => ({ ...each, amount: presentment.payments?.[i] ?? each.amount })),
    }),
    currency,
    total,
    rounding: rounding ?? order.rounding,
    tax: tax ?? order.tax,
    lines: order.lines.map((line, i) => ({ ...line, ...lines?.[i], taxes: taxes(line.taxes, lines?.[i]) })),
    charges: order.charges.map((charge, i) => ({
      ...charge,
      ...charges?.[i],
      taxes: taxes(charge.taxes, charges?.[i]),
    })),
    discounts: order.discounts.map((discount, i) => ({
      ...discount,
      amount: discounts?.[i] ?? discount.amount,
    })),
    giftCards: order.giftCards.map((card, i) => ({ ...card, amount: giftCards?.[i] ?? card.amount })),
    // Their parts are stated in the shop's currency only: a refund in the buyer's is one amount.
    refunds: order.refunds.map(({ lines: _lines, charges: _charges, ...refund }, i) => ({
      ...refund,
      total: refunds?.[i] ?? refund.total,
    })),
  };
};

const taxes = (list: readonly OrderTax[], stated: { readonly taxes: readonly Money[] } | undefined) =>
  list.map((tax, i) => ({ ...tax, amount: stated?.taxes[i] ?? tax.amount }));

const isComplete = (order: OrderChangedV1, presentment: Presentment): boolean => {
  const lists = ['lines', 'charges', 'discounts', 'giftCards', 'refunds'] as const;
  const taxed = ['lines', 'charges'] as const;
  return (
    presentment.rounding !== undefined &&
    presentment.tax !== undefined &&
    lists.every((name) => (presentment[name]?.length ?? 0) === order[name].length) &&
    taxed.every((name) =>
      order[name].every((part, i) => presentment[name]?.[i]?.taxes.length === part.taxes.length),
    )
  );
};
