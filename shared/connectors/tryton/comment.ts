import { moneyText } from '../../core/money.ts';
import type { OrderChangedV1 } from '../../events/order-changed.ts';

/** Tryton holds stock for processed sales only, so a reserved order is processed and says this to staff. */
export const PAYMENT_PENDING = 'Payment pending: do not ship.';

/** What staff should read on the sale, one thing a line. */
export const commentOf = (order: OrderChangedV1): string => {
  const { payment } = order;
  const phone = order.shipping?.phone ?? order.billing?.phone ?? order.buyer.phone;
  const lines = [
    order.buyerNote?.trim(),
    ...order.attributes.map(({ name, value }) => `${name}: ${value}`),
    ...order.lines.filter(({ gift }) => gift).map(({ title }) => `Gift: ${title}`),
    ...order.lines
      .filter(({ availableAt }) => availableAt)
      .map(({ title, availableAt }) => `Pre-order, not before ${availableAt?.slice(0, 10)}: ${title}`),
    order.requestedDelivery && `Requested delivery: ${order.requestedDelivery}`,
    // Addresses of Tryton have no number of their own.
    phone && `Phone: ${phone.trim()}`,
    ...order.charges
      .filter(({ kind, total }) => kind === 'shipping' && total.minor === 0)
      .map(({ title }) => `Shipping: ${title}`),
    ...order.discounts.map(({ code, amount }) => `Discount${code ? ` ${code}` : ''}: ${moneyText(amount)}`),
    ...order.giftCards.map(({ amount }) => `Paid with a gift card: ${moneyText(amount)}`),
    `Payment: ${payment.title || payment.method}${payment.reference ? ` (${payment.reference})` : ''}`,
    // The sale itself has only a date.
    `Placed: ${new Date(order.placedAt).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
  ];
  return lines.filter(Boolean).join('\n');
};

/** `comment` with or without the words that keep staff from shipping. */
export const withPaymentPending = (comment: string, pending: boolean): string => {
  const bare = comment
    .split('\n')
    .filter((line) => line.trim() !== PAYMENT_PENDING)
    .join('\n');
  return pending ? `${PAYMENT_PENDING}\n${bare}` : bare;
};
