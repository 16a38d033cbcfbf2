import { parse } from 'graphql';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ShopifyClientOptions, shopifyClient } from '../../../shared/connectors/shopify/client.ts';
import { DOCUMENTS } from '../../../shared/connectors/shopify/documents.ts';
import { toOrder } from '../../../shared/connectors/shopify/orders.mapper.ts';
import { ShOrder } from '../../../shared/connectors/shopify/wire.ts';
import { CredentialsError, RetryableError } from '../../../shared/core/errors.ts';
import { assertAddsUp } from '../../../shared/core/order-totals.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { parseJson } from '../../../shared/http/json.ts';
import { MAX_QUERY_COST, queryCost } from '../../fakes/shopify/cost.ts';
import { schema } from '../../fakes/shopify/graphql.ts';
import {
  type FakeOrderSpec,
  type FakeShopify,
  type FakeShopifyOptions,
  startFakeShopify,
} from '../../fakes/shopify/index.ts';
import { shopifyJson } from '../../fakes/shopify/shop.ts';
import { SECRET, SHOP, settings } from './deliveries.ts';

const TOKEN = 'shpat_0123456789abcdef';
const call = { signal: new AbortController().signal };
let now: number;
let shop: FakeShopify;

const PRODUCTS = [
  { sku: 'TEA', title: '高山烏龍茶', price: '420.00', grams: 150 },
  { sku: 'MUG', title: 'แก้ว “Siam”', price: '149.50', grams: 420, hsCode: '691110', origin: 'TH' },
  { sku: 'GIFT', title: 'Gift Card', price: '1000.00', giftCard: true },
  { sku: 'EBOOK', title: 'E-book', price: '99.00', requiresShipping: false },
];
const open = async (options: Partial<FakeShopifyOptions> = {}) => {
  await shop?.stop();
  shop = await startFakeShopify({
    nowMs: () => now,
    clientSecret: SECRET,
    accessToken: TOKEN,
    currency: 'TWD',
    utcOffset: '+08:00',
    taxRates: [{ country: 'TW', title: 'VAT', rate: 0.05 }],
    products: PRODUCTS,
    bucket: { maximum: 100_000, restorePerSecond: 50 },
    ...options,
  });
};
beforeEach(async () => {
  now = Date.parse('2026-11-20T10:04:05Z');
  await open();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await shop.stop();
});

const client = (options: Partial<ShopifyClientOptions> = {}) =>
  shopifyClient({
    settings: { shop: SHOP, url: shop.url },
    credentials: { accessToken: TOKEN },
    nowMs: () => now,
    ...options,
  });
const failure = (promise: Promise<unknown>): Promise<RetryableError> =>
  promise.then(
    () => expect.unreachable('should have failed'),
    (error: unknown) => error as RetryableError,
  );
const context = { connection: 'acme-shopify', settings: settings() };
const pushed = (id: string): OrderChangedV1 => {
  const body = shopifyJson(shop.order(id)?.json);
  return toOrder(ShOrder.parse(parseJson(body)), context).value;
};
const fetched = async (id: string): Promise<OrderChangedV1> => {
  const found = await client().order(id, call);
  if (!found) throw new Error('no order');
  return toOrder(found.order, context).value;
};
const answer = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  shop.server.fault({
    effect: {
      kind: 'answer',
      status,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    },
  });

/** Without the captures, which only GraphQL names. */
const asPushed = ({ payments: _, presentment, ...order }: OrderChangedV1): OrderChangedV1 => {
  if (!presentment) return order;
  const { payments: _payments, ...rest } = presentment;
  return { ...order, presentment: rest };
};

describe('an order read is the order that was pushed', () => {
  const lines = [
    { sku: 'TEA', quantity: 3 },
    { sku: 'MUG', quantity: 1, properties: [{ name: '刻字', value: '祝福' }] },
  ];
  const shipping = { code: 'STD', title: '宅配', price: '60.00' };
  it.each<[string, FakeOrderSpec, Partial<FakeShopifyOptions>?]>([
    ['plain', { lines, shipping, email: 'ming@example.test', note: '急件 & gift' }],
    ['prices with tax', { lines, shipping, discounts: [{ percent: '7.5' }] }, { taxesIncluded: true }],
    [
      'code and automatic discount',
      {
        lines,
        discounts: [
          { code: 'TEN', percent: '10' },
          { title: '茶葉折扣', percent: '3' },
        ],
      },
    ],
    [
      "the buyer's currency",
      { lines, shipping, presentment: { currency: 'USD', rate: '0.0312' }, tip: '50' },
    ],
    [
      "the buyer's currency, prices with tax, without decimals",
      {
        lines,
        shipping,
        presentment: { currency: 'JPY', rate: '4.71' },
        discounts: [{ code: 'X', percent: '13' }],
      },
      { taxesIncluded: true },
    ],
    ['tip and duties', { lines, tip: '30', dutyRate: 0.12 }],
    [
      'gift card sold, digital goods',
      {
        lines: [
          { sku: 'GIFT', quantity: 1 },
          { sku: 'EBOOK', quantity: 2 },
        ],
      },
    ],
    ['cash on delivery', { lines, gateway: 'Cash on Delivery (COD)' }],
    ['authorised', { lines, financialStatus: 'authorized' }],
    ['a test', { lines, test: true, gateway: 'bogus' }],
    [
      'a company on account',
      {
        lines,
        company: { name: '測試股份有限公司' },
        billing: { company: '測試股份有限公司', country_code: 'TW', last_name: '王' },
        poNumber: 'PO-1',
        paymentTerms: 'Net 30',
        attributes: [{ name: 'tax_id', value: '04595257' }],
      },
    ],
    [
      'pickup by nobody known',
      { lines, customer: null, shippingAddress: null, shipping: { ...shipping, price: '0' } },
    ],
  ])('%s', async (_case, spec, options) => {
    if (options) await open(options);
    const { id } = await shop.placeOrder(spec);
    const { payment, giftCards, ...read } = asPushed(await fetched(id));
    const { payment: pushedPayment, giftCards: pushedCards, ...told } = pushed(id);
    expect(read).toEqual(told);
    expect(payment).toMatchObject(pushedPayment);
    expect(giftCards).toEqual(pushedCards);
    expect(() => assertAddsUp({ ...read, payment, giftCards })).not.toThrow();
    expect(read.rounding.minor).toBe(0);
  });

  it.each<[string, (id: string) => void]>([
    [
      'edited',
      (id) =>
        void shop.edit(id, [
          { sku: 'TEA', quantity: 1 },
          { sku: 'MUG', quantity: 0 },
        ]),
    ],
    ['edited, a line more', (id) => void shop.edit(id, [{ sku: 'EBOOK', quantity: 2 }])],
    [
      'refunded in part',
      (id) => void shop.refund(id, { lines: [{ sku: 'TEA', quantity: 1 }], note: 'Damaged' }),
    ],
    ['goodwill', (id) => void shop.refund(id, { amount: '10' })],
    ['a refund that is under way', (id) => void shop.refund(id, { amount: '10', status: 'pending' })],
    [
      'refunded with shipping',
      (id) => void shop.refund(id, { lines: [{ sku: 'MUG', quantity: 1 }], shipping: true }),
    ],
    [
      'refunded without restock',
      (id) => void shop.refund(id, { lines: [{ sku: 'TEA', quantity: 2 }], restock: 'no_restock' }),
    ],
    [
      'exchanged',
      (id) =>
        void shop.exchange(id, {
          returned: [{ sku: 'MUG', quantity: 1 }],
          instead: [{ sku: 'EBOOK', quantity: 1 }],
        }),
    ],
    [
      'edited and paid back',
      (id) => {
        shop.edit(id, [{ sku: 'MUG', quantity: 0 }]);
        shop.refund(id, { amount: '156.98' });
      },
    ],
    ['cancelled', (id) => void shop.cancel(id)],
    ['fulfilled', (id) => void shop.fulfil(id)],
  ])('%s', async (_case, change) => {
    const presentment = { currency: 'USD', rate: '0.0312' };
    const { id } = await shop.placeOrder({ lines, shipping, presentment });
    now += 60_000;
    change(id);
    const read = asPushed(await fetched(id));
    const told = pushed(id);
    expect({ ...read, payment: undefined }).toEqual({ ...told, payment: undefined });
    expect(read.payment).toMatchObject(told.payment);
    expect(() => assertAddsUp(read)).not.toThrow();
    expect(read.sourceVersion).toBe(now);
  });

  it('and says what a gift card paid, with the reference and the time of payment', async () => {
    const { id } = await shop.placeOrder({ lines, giftCardPays: '100' });
    const read = await fetched(id);
    expect(read.giftCards).toEqual([{ id: expect.any(String), amount: { minor: 10000, currency: 'TWD' } }]);
    expect(read.payment).toMatchObject({ reference: '#1001.2', paidAt: '2026-11-20T10:04:05Z' });
    expect(pushed(id)).toMatchObject({ giftCards: [], contentHash: read.contentHash });
    const rest = read.total.minor - 10000;
    expect(read.payments).toMatchObject([{ reference: '#1001.2', amount: { minor: rest, currency: 'TWD' } }]);
    expect(pushed(id)).not.toHaveProperty('payments');
  });
});

it.each<[string, (id: string) => void, number | undefined]>([
  ['goodwill', (id) => void shop.refund(id, { amount: '10' }), 1],
  [
    'edited and paid back: what was paid is less than what was captured, and no refund says so',
    (id) => {
      shop.edit(id, [{ sku: 'MUG', quantity: 0 }]);
      shop.refund(id, { amount: '156.98' });
    },
    undefined,
  ],
])('captures, %s', async (_case, change, count) => {
  const { id } = await shop.placeOrder({
    lines: [
      { sku: 'TEA', quantity: 3 },
      { sku: 'MUG', quantity: 1 },
    ],
  });
  change(id);
  expect((await fetched(id)).payments?.length).toBe(count);
});

it('says what webhooks do not: held, and waiting for a day', async () => {
  const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 1 }] });
  shop.hold(id);
  expect([(await fetched(id)).status, pushed(id).status]).toEqual(['on-hold', 'open']);
  shop.release(id);
  expect((await fetched(id)).status).toBe('open');

  const preOrder = await shop.placeOrder({
    lines: [
      { sku: 'TEA', quantity: 1 },
      { sku: 'EBOOK', quantity: 1 },
    ],
    fulfillAt: '2026-12-24T00:00:00Z',
  });
  expect((await fetched(preOrder.id)).lines.map(({ availableAt }) => availableAt)).toEqual([
    '2026-12-24T00:00:00Z',
    undefined,
  ]);
});

it('pages through more lines than one answer holds', async () => {
  const lines = Array.from({ length: 45 }, (_, n) => ({ sku: 'TEA', quantity: 1, price: `${n + 1}.00` }));
  const { id } = await shop.placeOrder({ lines });
  const read = await fetched(id);
  expect(read.lines.map(({ subtotal }) => subtotal.minor)).toEqual(lines.map((_, n) => (n + 1) * 100));
  expect(shop.server.requests).toHaveLength(4);
});

it('pages through the lines of a refund', async () => {
  const lines = Array.from({ length: 130 }, () => ({ sku: 'TEA', quantity: 1 }));
  const { id } = await shop.placeOrder({ lines });
  shop.cancel(id);
  const { refunds } = await fetched(id);
  expect(refunds[0]?.lines).toHaveLength(130);
  expect(refunds).toEqual(pushed(id).refunds);
});

it('asks only what there is to ask', async () => {
  const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 2 }] });
  const count = async () => {
    const before = shop.server.requests.length;
    await fetched(id);
    return shop.server.requests.length - before;
  };
  expect(await count()).toBe(2); // the order, its fulfilment
  shop.refund(id, { amount: '10' });
  expect(await count()).toBe(3);
  shop.fulfil(id);
  expect(await count()).toBe(2);
});

it('reads the refunds of an order that lost pieces, though no money moved and its state says nothing', async () => {
  const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 2 }], gateway: 'Bank Deposit' });
  shop.edit(id, [{ sku: 'TEA', quantity: 1 }]);
  const found = await client().order(id, call);
  expect(found?.order.refunds).toHaveLength(1);
  expect(found?.order.refunds[0]?.refund_line_items).toHaveLength(1);
});

it('undefined: no such order', async () => {
  expect(await client().order('1', call)).toBeUndefined();
});

describe('an order that would be read in part or mixed is not read', () => {
  it('changed between two calls', async () => {
    const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 2 }] });
    let seen = 0;
    shop.server.fault({
      when: () => {
        seen += 1;
        if (seen === 2) {
          now += 1000;
          shop.setNote(id, 'now');
        }
        return false;
      },
      effect: { kind: 'drop-before' },
    });
    expect(await failure(client().order(id, call))).toMatchObject({ code: 'CHANGED_WHILE_READ' });
    expect((await fetched(id)).buyerNote).toBe('now');
  });

  it('changed while its refunds were read', async () => {
    const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 2 }] });
    shop.refund(id, { amount: '1' });
    // Nothing else is asked after its refunds.
    shop.fulfil(id);
    let seen = 0;
    shop.server.fault({
      when: () => {
        seen += 1;
        if (seen === 2) {
          now += 1000;
          shop.refund(id, { amount: '2' });
        }
        return false;
      },
      effect: { kind: 'drop-before' },
    });
    expect(await failure(client().order(id, call))).toMatchObject({ code: 'CHANGED_WHILE_READ' });
    expect((await fetched(id)).refunds.map(({ total }) => total.minor)).toEqual([100, 200]);
  });

  it('fifty refunds', async () => {
    const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 3 }] });
    for (let n = 0; n < 49; n += 1) shop.refund(id, { amount: '1' });
    expect((await fetched(id)).refunds).toHaveLength(49);
    shop.refund(id, { amount: '1' });
    expect(await failure(client().order(id, call))).toMatchObject({ code: 'ANSWER_NOT_COMPLETE' });
  });
});

describe('orders changed since', () => {
  it('oldest change first, 100 a page, until there are no more', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 230; n += 1) {
      now += 1000;
      ids.push((await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 1 }], test: n === 3 })).id);
    }
    now += 1000;
    shop.setNote(ids[0] ?? '', 'changed');
    const expected = [...ids.slice(1), ids[0]];
    const seen: string[] = [];
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await client().ordersUpdatedSince(0, cursor, call);
      seen.push(...page.orders.map(({ id }) => id));
      sizes.push(page.orders.length);
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toEqual(expected);
    expect(sizes).toEqual([100, 100, 30]);
  });

  it('from the second that was asked for, that one included', async () => {
    const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 1 }] });
    const placedMs = now;
    const page = await client().ordersUpdatedSince(placedMs, undefined, call);
    expect(page.orders).toEqual([{ id, number: '1001', updatedAtMs: placedMs, test: false }]);
    expect(page.nextCursor).toBeUndefined();
    expect((await client().ordersUpdatedSince(placedMs + 1000, undefined, call)).orders).toEqual([]);
  });

  it('with the state of the cost bucket', async () => {
    await open({ bucket: { maximum: 1000, restorePerSecond: 50 } });
    const { throttle } = await client().ordersUpdatedSince(0, undefined, call);
    expect(throttle).toEqual({ maximum: 1000, available: 997, restorePerSecond: 50 });
  });
});

describe('cost', () => {
  it.each(Object.entries(DOCUMENTS))('%s costs what it says, and may be asked', (_name, { text, cost }) => {
    expect(queryCost(schema, parse(text))).toBe(cost);
    expect(cost).toBeLessThanOrEqual(MAX_QUERY_COST);
  });

  it('an empty bucket says when the points are back', async () => {
    await open({ bucket: { maximum: 800, restorePerSecond: 50 } });
    const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 1 }] });
    for (let n = 0; n < 3; n += 1) await client().ordersUpdatedSince(now + 1000, undefined, call);
    for (let spent = 0; spent < 20; spent += 1) {
      const error = await client()
        .order(id, call)
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
      if (!error) continue;
      expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
      const { retryAfterMs = 0 } = error as RetryableError;
      expect(retryAfterMs).toBeGreaterThan(0);
      now += retryAfterMs;
      // Enough for what was refused, no more.
      expect((await client().ordersUpdatedSince(now + 1000, undefined, call)).throttle).toBeDefined();
      return;
    }
    expect.unreachable('the bucket was never empty');
  });
});

describe('errors', () => {
  const THROTTLED = {
    errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
    extensions: {
      cost: {
        requestedQueryCost: 101,
        actualQueryCost: null,
        throttleStatus: { maximumAvailable: 1000, currentlyAvailable: 26, restoreRate: 50 },
      },
    },
  };
  const error = (code: string) => ({
    errors: [{ message: 'about ming@example.test', extensions: { code } }],
  });

  it.each<[string, unknown, number, Record<string, unknown>]>([
    ['throttled, in a 200', THROTTLED, 200, { code: 'RATE_LIMITED', retryAfterMs: 1500 }],
    ['throttled, in a 429', THROTTLED, 429, { code: 'RATE_LIMITED', retryAfterMs: 1500 }],
    [
      'throttled without a cost',
      { errors: THROTTLED.errors },
      200,
      { code: 'RATE_LIMITED', retryAfterMs: undefined },
    ],
    ['internal error', error('INTERNAL_SERVER_ERROR'), 200, { code: 'PEER_FAILED' }],
    ['shop closed', error('SHOP_INACTIVE'), 200, { code: 'PEER_FAILED' }],
    [
      'our own mistake',
      error('undefinedField'),
      200,
      { code: 'QUERY_REFUSED', message: `${SHOP}: refused the query (undefinedField)` },
    ],
    ['without a code', { errors: [{ message: 'x' }] }, 200, { code: 'QUERY_REFUSED' }],
    [
      'frozen',
      { errors: 'Unavailable Shop' },
      402,
      { code: 'ANSWER_NOT_UNDERSTOOD', message: expect.stringContaining('frozen') },
    ],
    [
      'no such shop or version',
      { errors: 'Not Found' },
      404,
      { message: expect.stringContaining('2026-10 is withdrawn') },
    ],
    ['locked', { errors: 'Locked' }, 423, { message: expect.stringContaining('locked') }],
    ['security', '', 430, { message: expect.stringContaining('security') }],
    ['500', '', 500, { code: 'PEER_FAILED' }],
    ['HTML', '<html>', 200, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ['no data', { data: null }, 200, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    [
      'an order of another shape',
      { data: { order: { id: 1 } } },
      200,
      { code: 'ANSWER_NOT_UNDERSTOOD', message: expect.stringContaining('order.id') },
    ],
  ])('%s: to be tried again', async (_case, body, status, expected) => {
    answer(body, status);
    const failed = await failure(client().order('1', call));
    expect(failed).toBeInstanceOf(RetryableError);
    expect(failed).not.toBeInstanceOf(CredentialsError);
    expect(failed).toMatchObject(expected);
    expect(failed.message).not.toContain('@example.test');
  });

  it.each<[string, unknown, number, string]>([
    ['wrong token', { errors: '[API] Invalid API key or access token' }, 401, 'CREDENTIALS_REFUSED'],
    ['forbidden', { errors: 'Forbidden' }, 403, 'CREDENTIALS_REFUSED'],
    ['a missing scope', error('ACCESS_DENIED'), 200, 'SCOPE_MISSING'],
  ])('%s: credentials', async (_case, body, status, code) => {
    answer(body, status);
    const failed = await failure(client().order('1', call));
    expect(failed).toBeInstanceOf(CredentialsError);
    expect(failed.code).toBe(code);
  });

  it('no token: nothing is sent', async () => {
    expect(await failure(client({ credentials: {} }).order('1', call))).toMatchObject({
      code: 'CREDENTIALS_MISSING',
    });
    expect(shop.server.requests).toEqual([]);
  });

  it('the token of another app', async () => {
    const failed = await failure(client({ credentials: { accessToken: 'shpat_other' } }).order('1', call));
    expect(failed).toBeInstanceOf(CredentialsError);
  });
});

it("without a stand-in it asks the shop's own domain, the version of the manifest, with the token as a header", async () => {
  const seen: [string, RequestInit][] = [];
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    seen.push([url, init]);
    return new Response('{"data":{"order":null}}');
  });
  expect(await client({ settings: { shop: SHOP } }).order('7', call)).toBeUndefined();
  expect(seen[0]?.[0]).toBe('https://acme.myshopify.com/admin/api/2026-10/graphql.json');
  expect(seen[0]?.[1].headers).toMatchObject({ 'x-shopify-access-token': TOKEN });
  expect(JSON.parse(String(seen[0]?.[1].body)).variables).toEqual({ id: 'gid://shopify/Order/7' });
});
