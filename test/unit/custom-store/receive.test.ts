import { describe, expect, it } from 'vitest';
import { customStore } from '../../../shared/connectors/custom-store/index.ts';
import { changed, message, payload, receive, signed } from './deliveries.ts';

const PLAIN = 'usd-several-taxes-discount';

it('every reply is a 2xx, so nothing that was taken is sent again', () => {
  expect(customStore.replies).toEqual({ accepted: 202, ping: 200, ignored: 200, quarantined: 202 });
});

describe('type', () => {
  it.each(['created', 'paid', 'updated', 'cancelled', 'refunded', 'fulfilled'])(
    'order.%s carries the order, and says nothing else',
    (event) => {
      const received = receive(signed(message(payload(PLAIN), `order.${event}`)));
      expect(received).toEqual(receive(signed(message(payload(PLAIN), 'order.updated'))));
      expect(received).toMatchObject({
        kind: 'order',
        deliveryId: 'msg_1',
        order: { orderId: 'ord_05', status: 'open' },
      });
    },
  );

  it.each<[string, unknown]>([
    ['ping', { kind: 'ping' }],
    ['inventory.updated', { kind: 'ignored', reason: 'TYPE_INVENTORY', deliveryId: 'msg_1' }],
    ['product.created', { kind: 'ignored', reason: 'TYPE_PRODUCT', deliveryId: 'msg_1' }],
    ['price.updated', { kind: 'ignored', reason: 'TYPE_PRICE', deliveryId: 'msg_1' }],
    ['customer.deleted', { kind: 'ignored', reason: 'TYPE_CUSTOMER', deliveryId: 'msg_1' }],
  ])('%s', (type, becomes) => expect(receive(signed(message({}, type)))).toEqual(becomes));

  // A slip of the merchant's own code: an order may hang on it.
  it.each(['order.placed', 'order', 'orders.updated', 'invoice.paid', 'Order.updated'])(
    '%s is kept: nobody agreed on it',
    (type) => {
      expect(receive(signed(message(payload(PLAIN), type)))).toEqual({
        kind: 'unreadable',
        deliveryId: 'msg_1',
        reason: `type: "${type}" is none of the contract's; orders come as order.created, order.paid, order.updated, order.cancelled, order.refunded, order.fulfilled`,
      });
    },
  );
});

describe('what breaks the contract is kept, with the field and what is wrong', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['no JSON', '{"type":"order.updated"', 'body: is no JSON'],
    ['nothing', '', 'body: is no JSON'],
    ['a list', '[]', 'body: must be an object'],
    ['null', 'null', 'body: missing: an object'],
    ['no type', '{}', 'type: missing: an event type such as "order.updated"'],
    [
      'a type that is a sentence',
      '{"type":"an order"}',
      'type: must be an event type such as "order.updated"',
    ],
    ['no order', '{"type":"order.updated"}', 'data: missing: an object'],
    ['an id only', '{"type":"order.updated","data":"ord_1"}', 'data: must be an object'],
  ])('%s', (_case, body, reason) => {
    expect(receive(signed(body))).toMatchObject({ kind: 'unreadable', reason });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an id that is a number', { id: 5 }, 'data.id: must be a string, also where it is a number'],
    [
      'no version',
      { version: undefined },
      'data.version: missing: a whole number that grows with every change',
    ],
    [
      'a version of half a change',
      { version: 1.5 },
      'data.version: must be a whole number that grows with every change',
    ],
    ['a version below zero', { version: -1 }, 'data.version: must not be negative'],
    [
      'a version that is a time',
      { version: '2026-01-05T02:04:05Z' },
      'data.version: must be a whole number that grows with every change',
    ],
    [
      'a time without a zone',
      { placedAt: '2026-01-05T02:04:05' },
      'data.placedAt: must be an ISO 8601 time with a zone, e.g. "2026-01-05T02:04:05.123Z"',
    ],
    [
      'a status of its own',
      { status: 'packed' },
      'data.status: must be one of "pending", "on-hold", "open", "completed", "cancelled", "failed", "refunded"',
    ],
    [
      'a currency in small letters',
      { currency: 'usd' },
      'data.currency: must be an ISO 4217 code in capitals, e.g. "EUR"',
    ],
    ['a currency that is none', { currency: 'XXQ' }, 'data.currency: is no ISO 4217 currency'],
    ['no word about tax', { pricesIncludeTax: undefined }, 'data.pricesIncludeTax: missing: true or false'],
    ['tax as text', { pricesIncludeTax: 'yes' }, 'data.pricesIncludeTax: must be true or false'],
    ['no lines', { lines: undefined }, 'data.lines: missing: a list'],
    [
      'a total that is a number',
      { total: 96.53 },
      'data.total: must be a decimal string such as "12.30", zero or positive',
    ],
    [
      'a total with a comma',
      { total: '96,53' },
      'data.total: must be a decimal string such as "12.30", zero or positive',
    ],
    [
      'a total with an exponent',
      { total: '1e2' },
      'data.total: must be a decimal string such as "12.30", zero or positive',
    ],
    [
      'a total below zero',
      { total: '-1' },
      'data.total: must be a decimal string such as "12.30", zero or positive',
    ],
    ['a fraction of a cent', { total: '96.531' }, 'data.total: "96.531" has more decimals than USD (2)'],
    ['no payment', { payment: undefined }, 'data.payment: missing: an object'],
    ['no buyer', { buyer: undefined }, 'data.buyer: missing: an object'],
    [
      'a country by name',
      { shipping: { country: 'Germany' } },
      'data.shipping.country: must be an ISO 3166-1 alpha-2 code in capitals, e.g. "TW"',
    ],
    [
      'a link that is none',
      { adminUrl: 'javascript:alert(1)' },
      'data.adminUrl: must be an http or https address',
    ],
  ])('%s', (_case, fields, reason) => {
    expect(changed(PLAIN, (order) => Object.assign(order, fields))).toEqual({
      kind: 'unreadable',
      reason,
      deliveryId: 'msg_1',
    });
  });

  it('names what is wrong all at once, up to eight, so that one attempt shows them', () => {
    expect(receive(signed(message({})))).toMatchObject({
      reason: [
        'data.id: missing: a string, also where it is a number',
        'data.version: missing: a whole number that grows with every change',
        'data.placedAt: missing: an ISO 8601 time with a zone, e.g. "2026-01-05T02:04:05.123Z"',
        'data.updatedAt: missing: an ISO 8601 time with a zone, e.g. "2026-01-05T02:04:05.123Z"',
        'data.status: missing: one of "pending", "on-hold", "open", "completed", "cancelled", "failed", "refunded"',
        'data.currency: missing: an ISO 4217 code in capitals, e.g. "EUR"',
        'data.pricesIncludeTax: missing: true or false',
        'data.lines: missing: a list',
        'and 3 more',
      ].join('; '),
    });
  });
});

describe('leniency', () => {
  it('fields that nobody asked for are ignored, and do not make another order', () => {
    const plain = changed(PLAIN, () => undefined);
    const more = changed(PLAIN, (order) =>
      Object.assign(order, { internalNotes: 'x', lines: order['lines'] }),
    );
    expect(more).toEqual(plain);
    expect(plain.kind).toBe('order');
  });

  it('the version is no part of the content: the same order told twice has one hash', () => {
    const one = changed(PLAIN, () => undefined);
    const two = changed(PLAIN, (order) => Object.assign(order, { version: 1795301799999 }));
    if (one.kind !== 'order' || two.kind !== 'order') return expect.unreachable();
    expect(two.order.sourceVersion).toBe(1795301799999);
    expect(two.order.contentHash).toBe(one.order.contentHash);
  });
});
