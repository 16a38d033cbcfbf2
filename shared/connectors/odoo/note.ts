import { moneyText } from '../../core/money.ts';
import type { OrderChangedV1 } from '../../events/order-changed.ts';

/** Odoo holds stock for confirmed orders only, so a reserved order is confirmed and says this to the warehouse. */
export const PAYMENT_PENDING = 'Payment pending: do not ship.';

/** What staff should read on the order, as HTML: everything a buyer typed is escaped. */
export const noteOf = (order: OrderChangedV1): string => {
  const { payment } = order;
  const lines = [
    order.buyerNote?.trim(),
    ...order.attributes.map(({ name, value }) => `${name}: ${value}`),
    ...order.lines.filter(({ gift }) => gift).map(({ title }) => `Gift: ${title}`),
    ...order.lines
      .filter(({ availableAt }) => availableAt)
      .map(({ title, availableAt }) => `Pre-order, not before ${availableAt?.slice(0, 10)}: ${title}`),
    order.requestedDelivery && `Requested delivery: ${order.requestedDelivery}`,
    ...order.charges
      .filter(({ kind, total }) => kind === 'shipping' && total.minor === 0)
      .map(({ title }) => `Shipping: ${title}`),
    ...order.giftCards.map(({ amount }) => `Paid with a gift card: ${moneyText(amount)}`),
    `Payment: ${payment.title || payment.method}${payment.reference ? ` (${payment.reference})` : ''}`,
  ];
  return lines.map((line) => (line ? `<p>${html(line)}</p>` : '')).join('');
};

/** `note` with or without the words that keep the warehouse from shipping. */
export const withPaymentPending = (note: string, pending: boolean): string => {
  // Odoo's editor may add attributes to the paragraph.
  const bare = note.replace(/<p[^>]*>Payment pending: do not ship\.<\/p>/g, '');
  return pending ? `<p>${PAYMENT_PENDING}</p>${bare}` : bare;
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const html = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c).replace(/\r\n?|\n/g, '<br>');
