import { describe, expect, it } from 'vitest';
import { shopify } from '../../../shared/connectors/shopify/index.ts';
import { changed, payload, receive, SECRET, sign, signed } from './deliveries.ts';

const BODY = payload('paid-plain');
const orderOf = (received: ReturnType<typeof receive>) => {
  if (received.kind !== 'order') throw new Error(JSON.stringify(received));
  return received;
};

it('every reply is a 2xx, so nothing that was taken is sent again', () => {
  expect(shopify.replies).toEqual({ accepted: 200, ping: 200, ignored: 200, quarantined: 200 });
});

describe('signature', () => {
  // Computed outside of this program.
  const VECTOR = {
    secret: 'shpss_test_0123456789abcdef',
    body: '{"id":820982911946154508,"name":"#1001","note":"急件 \\u0026 gift","test":true}',
    signature: '4MX2XuVpexp9UOlbWmSMT04vX34AJ3pB9Zv/+kxW0UI=',
  };
  const vector = (body: string, signature: string | undefined = VECTOR.signature, secret = VECTOR.secret) =>
    receive(signed(body, { 'x-shopify-hmac-sha256': signature, 'x-shopify-topic': 'shop/update' }), [secret]);

  it('vector: 80 bytes of UTF-8, the escape is six characters of them', () => {
    expect(Buffer.byteLength(VECTOR.body)).toBe(80);
    expect(vector(VECTOR.body)).toMatchObject({ kind: 'ignored', reason: 'TOPIC_SHOP' });
  });

  it.each([
    ['unescaped as JSON.stringify would write it', VECTOR.body.replace('\\u0026', '&')],
    ['serialised again, digits lost', JSON.stringify(JSON.parse(VECTOR.body))],
    ['one byte more', `${VECTOR.body} `],
    ['empty', ''],
  ])('the vector of another body: %s', (_case, body) => {
    expect(vector(body)).toEqual({ kind: 'rejected', reason: 'SIGNATURE_WRONG' });
  });

  it.each([
    ['missing', undefined, 'SIGNATURE_MISSING'],
    ['empty', '', 'SIGNATURE_MISSING'],
    ['hexadecimal', Buffer.from(VECTOR.signature, 'base64').toString('hex'), 'SIGNATURE_MALFORMED'],
    ['URL-safe base64', '4MX2XuVpexp9UOlbWmSMT04vX34AJ3pB9Zv_-kxW0UI=', 'SIGNATURE_MALFORMED'],
    ['without padding', VECTOR.signature.replace('=', ''), 'SIGNATURE_MALFORMED'],
    ['cut', VECTOR.signature.slice(0, 20), 'SIGNATURE_MALFORMED'],
    ['with a scheme before it', `sha256=${VECTOR.signature}`, 'SIGNATURE_MALFORMED'],
    ['two of them', `${VECTOR.signature}, ${VECTOR.signature}`, 'SIGNATURE_MALFORMED'],
    ['of another body', sign(`${VECTOR.body} `), 'SIGNATURE_WRONG'],
    ['by another secret', sign(VECTOR.body, 'shpss_other_0123456789abcde'), 'SIGNATURE_WRONG'],
  ])('%s', (_case, signature, reason) => {
    const delivery = signed(VECTOR.body, { 'x-shopify-hmac-sha256': signature });
    expect(receive(delivery, [VECTOR.secret])).toEqual({ kind: 'rejected', reason });
  });

  it('is not read from any other header', () => {
    const delivery = signed(BODY, {
      'x-shopify-hmac-sha256': undefined,
      'shopify-hmac-sha256': sign(BODY),
      authorization: sign(BODY),
    });
    expect(receive(delivery)).toEqual({ kind: 'rejected', reason: 'SIGNATURE_MISSING' });
  });

  it('of either client secret for the hour in which one replaces the other', () => {
    for (const secrets of [
      [SECRET, 'shpss_new_0123456789abcdef'],
      ['shpss_new_0123456789abcdef', SECRET],
    ]) {
      expect(receive(signed(BODY), secrets).kind).toBe('order');
    }
    expect(receive(signed(BODY), ['shpss_new_0123456789abcdef'])).toMatchObject({
      reason: 'SIGNATURE_WRONG',
    });
  });

  it('without a secret nothing is accepted', () => {
    expect(() => receive(signed(BODY), [])).toThrow(RangeError);
    expect(() => receive(signed(BODY, {}, ''), [''])).toThrow(RangeError);
  });

  it('comes first: a forged topic or shop says nothing', () => {
    for (const headers of [{ 'x-shopify-topic': 'app/uninstalled' }, { 'x-shopify-shop-domain': 'x' }]) {
      expect(receive(signed(BODY, { ...headers, 'x-shopify-hmac-sha256': sign('x') }))).toEqual({
        kind: 'rejected',
        reason: 'SIGNATURE_WRONG',
      });
    }
  });
});

describe('topic', () => {
  it.each([
    'orders/create',
    'orders/updated',
    'orders/paid',
    'orders/cancelled',
    'orders/fulfilled',
    'orders/partially_fulfilled',
    'ORDERS/Create',
    undefined,
  ])('%s: an order', (topic) => {
    expect(orderOf(receive(signed(BODY, { 'x-shopify-topic': topic }))).order.orderId).toBe('5500000000001');
  });

  it.each([
    ['orders/edited', 'EDIT_WITHOUT_ORDER'],
    ['orders/delete', 'ORDER_DELETED_WITHOUT_CONTENT'],
    ['orders/risk_assessment_changed', 'TOPIC_ORDERS'],
    ['refunds/create', 'REFUND_WITHOUT_ORDER'],
    ['order_transactions/create', 'TRANSACTION_WITHOUT_ORDER'],
    ['fulfillment_orders/placed_on_hold', 'TOPIC_FULFILLMENT_ORDERS'],
    ['fulfillments/create', 'TOPIC_FULFILLMENTS'],
    ['returns/approve', 'TOPIC_RETURNS'],
    ['products/update', 'TOPIC_PRODUCTS'],
    ['inventory_levels/update', 'TOPIC_INVENTORY_LEVELS'],
    ['app/uninstalled', 'APP_UNINSTALLED'],
    ['app/scopes_update', 'TOPIC_APP'],
    ['shop/redact', 'SHOP_REDACT'],
    ['customers/redact', 'CUSTOMERS_REDACT'],
    ['customers/data_request', 'CUSTOMERS_DATA_REQUEST'],
    ['customers/update', 'TOPIC_CUSTOMERS'],
    ['constructor', 'TOPIC_OTHER'],
    ['something/new', 'TOPIC_OTHER'],
  ])('%s: ignored, %s', (topic, reason) => {
    const body = topic === 'customers/redact' ? 'not even JSON' : '{"id":1}';
    expect(receive(signed(body, { 'x-shopify-topic': topic }))).toEqual({
      kind: 'ignored',
      reason,
      deliveryId: '98880550-7158-44d4-b7cd-2c97c8a091b5',
    });
  });
});

describe('headers', () => {
  it('the event id names the delivery; without it the webhook id does', () => {
    expect(receive(signed(BODY))).toMatchObject({ deliveryId: '98880550-7158-44d4-b7cd-2c97c8a091b5' });
    expect(receive(signed(BODY, { 'x-shopify-event-id': undefined }))).toMatchObject({
      deliveryId: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    });
    const neither = { 'x-shopify-event-id': undefined, 'x-shopify-webhook-id': undefined };
    expect(receive(signed(BODY, neither))).not.toHaveProperty('deliveryId');
  });

  it('another shop that installed the app is not this connection', () => {
    expect(receive(signed(BODY, { 'x-shopify-shop-domain': 'other.myshopify.com' }))).toMatchObject({
      kind: 'unreadable',
      reason: "x-shopify-shop-domain: is not acme.myshopify.com; correct the webhook's address",
    });
    expect(receive(signed(BODY, { 'x-shopify-shop-domain': 'ACME.myshopify.com' })).kind).toBe('order');
    expect(receive(signed(BODY, { 'x-shopify-shop-domain': undefined })).kind).toBe('order');
  });

  it('another API version is taken, with a warning', () => {
    expect(orderOf(receive(signed(BODY, { 'x-shopify-api-version': '2026-07' }))).warnings).toEqual([
      "x-shopify-api-version is not 2026-10: set the app's webhook version to it",
    ]);
    expect(orderOf(receive(signed(BODY))).warnings).toEqual([]);
  });

  it('the time it was triggered is the version of an order that names none', () => {
    const { order, warnings } = orderOf(receive(changed('paid-plain', (o) => delete o['updated_at'])));
    expect(order.sourceVersion).toBe(Date.parse('2026-11-20T10:05:00.123Z'));
    expect(warnings).toEqual(['updated_at is missing: the time of the webhook is the version']);
    const bare = changed('paid-plain', (o) => delete o['updated_at']);
    const untimed = { ...bare, headers: { ...bare.headers, 'x-shopify-triggered-at': undefined } };
    expect(receive(untimed)).toMatchObject({ kind: 'unreadable', reason: 'updated_at: holds no moment' });
  });
});

describe('what cannot be understood is kept, with the field and what is wrong', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['no UTF-8', Uint8Array.from([0xff, 0xfe]), 'body: is no UTF-8 text'],
    ['no JSON', '{"id":1', 'body: is no JSON'],
    ['a list', '[]', 'body: Invalid input: expected object, received array'],
    ['null', 'null', 'body: Invalid input: expected object, received null'],
    ['nothing', '{}', 'id: is no id'],
  ])('%s', (_case, body, reason) => {
    expect(receive(signed(body))).toMatchObject({ kind: 'unreadable', reason });
  });

  it.each<[string, (order: Record<string, unknown>) => void, string]>([
    [
      'no lines',
      (o) => delete o['line_items'],
      'line_items: Invalid input: expected array, received undefined',
    ],
    [
      'an unknown currency',
      (o) => Object.assign(o, { currency: 'XXQ' }),
      'currency: is no ISO 4217 currency',
    ],
    [
      'a total in another currency',
      (o) =>
        Object.assign(o, { current_total_price_set: { shop_money: { amount: '1', currency_code: 'USD' } } }),
      'current_total_price: is not in TWD',
    ],
    [
      'a total that is no number',
      (o) => Object.assign(o, { total_price: 'a lot' }),
      'total_price: is no decimal amount',
    ],
    [
      'no total',
      (o) => {
        delete o['total_price'];
        delete o['total_price_set'];
      },
      'total_price: missing',
    ],
    [
      'more decimals than the currency has',
      (o) => Object.assign(o, { current_total_price_set: { shop_money: { amount: '1.005' } } }),
      'current_total_price: "1.005" has more decimals than TWD (2)',
    ],
    [
      'no date',
      (o) => Object.assign(o, { processed_at: null, created_at: '2026-11-20T18:04:05' }),
      'processed_at: holds no moment',
    ],
    [
      'a line without a price',
      (o) => {
        const [line] = o['line_items'] as Record<string, unknown>[];
        delete line?.['price'];
        delete line?.['price_set'];
      },
      'line_items[0].price: missing',
    ],
  ])('%s', (_case, change, reason) => {
    expect(receive(changed('paid-plain', change))).toMatchObject({ kind: 'unreadable', reason });
  });
});

describe('ids of 64 bits', () => {
  it.each(['ids-of-64-bits', 'ids-rounded-before-us'])('%s: not a digit is lost', (name) => {
    const { order } = orderOf(receive(signed(payload(name))));
    expect([order.orderId, order.lines[0]?.id, order.lines[0]?.productId, order.buyer.id]).toEqual([
      '820982911946154508',
      '487817672276298554',
      '788032119674292922',
      '115310627314723954',
    ]);
    expect(order.adminUrl).toBe('https://admin.shopify.com/store/acme/orders/820982911946154508');
  });
});
