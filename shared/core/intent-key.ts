/** Parts may hold anything a peer calls an id; `#` separates them and `%` escapes. */
const part = (text: string): string => text.replace(/[%#]/g, (c) => (c === '%' ? '%25' : '%23'));

/**
 * The key of one thing to be done once at one peer. It names what, never when or which attempt, and both
 * connections: two shops with the same order number, or one shop routed to two ERPs, never share a key.
 * @example intentKey('acme-odoo', 'acme-woo', '1001', 'create') // 'acme-odoo#acme-woo#1001#create'
 */
export const intentKey = (destination: string, source: string, subject: string, intent: string): string =>
  [destination, source, subject, intent].map(part).join('#');

/** The key of one order on its way to one destination, in the order journal. */
export const journeyKey = (destination: string, source: string, orderId: string): string =>
  [destination, source, orderId].map(part).join('#');

/** The parts that a key was made of. */
export const partsOf = (key: string): readonly string[] =>
  key.split('#').map((text) => text.replace(/%2[35]/g, (code) => (code === '%23' ? '#' : '%')));

/** What we write into the peer's own reference field: short, readable for staff, unique per destination. */
export const orderReference = (source: string, orderId: string): string => `${source}:${orderId}`;

/** The same for money that moved, by the id of its booking. */
export const paymentReference = (source: string, orderId: string, bookingId: string): string =>
  `${orderReference(source, orderId)}/payment/${bookingId}`;

/** The same for what gives money back. */
export const refundReference = (source: string, orderId: string, refundId: string): string =>
  `${orderReference(source, orderId)}/refund/${refundId}`;
