import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { wooCommerceClient } from '../../shared/connectors/woocommerce/client.ts';
import { type PeerServer, startPeerServer } from '../fakes/peer-server.ts';
import {
  type FakeOrderJson,
  type FakeOrderSpec,
  type FakeWooCommerce,
  type FakeWooCommerceOptions,
  startFakeWooCommerce,
} from '../fakes/woocommerce.ts';
import { capture, receive, SECRET } from './woocommerce/deliveries.ts';

const TEA = { sku: 'TEA-OOL-150', name: '高山烏龍茶 Oolong 150g', price: '420.00', stock: 50 };
const MUG = { sku: 'MUG-TH-01', name: 'แก้วเซรามิก “Siam”', price: '149.50', stock: 20 };
const STICKER = { sku: 'STICKER', name: 'No SKU sticker', price: '15.00' };
const RATES = [
  { country: 'TW', percent: '5', name: '營業稅' },
  { country: 'TH', percent: '7', name: 'VAT ไทย' },
  { country: 'JP', percent: '10', name: '消費税' },
  { country: 'US', state: 'CA', percent: '7.25', name: 'CA State', shipping: false },
  { country: 'US', state: 'CA', percent: '1.25', name: 'District', compound: true, shipping: false },
];
const COUPONS = [
  { code: 'save10', type: 'percent', amount: '10' },
  { code: '折五十', type: 'fixed_cart', amount: '50' },
] as const;
const KEYS = { consumerKey: 'ck_test', consumerSecret: 'cs_test' };

let shop: FakeWooCommerce;
let hook: PeerServer;
const received: { path: string; headers: Record<string, string | undefined>; body: Buffer }[] = [];
let answer: () => number = () => 200;

const open = async (options: Partial<FakeWooCommerceOptions> = {}) => {
  received.length = 0;
  answer = () => 200;
  shop = await startFakeWooCommerce({
    currency: 'TWD',
    taxRates: RATES,
    products: [TEA, MUG, STICKER],
    coupons: COUPONS,
    ...KEYS,
    ...options,
  });
  hook = await startPeerServer((app) => {
    app.post('/*', async (request, reply) => {
      const headers = request.headers as Record<string, string | undefined>;
      received.push({ path: request.url, headers, body: request.body as Buffer });
      return reply.code(answer()).send('');
    });
  });
};
const subscribe = async (...topics: string[]) => {
  for (const topic of topics)
    await shop.registerWebhook({ topic, deliveryUrl: `${hook.url}/${topic}`, secret: SECRET });
};
const sent = () =>
  shop.deliveries
    .filter(({ topic }) => topic !== 'ping')
    .map(({ topic, body }) => `${topic} ${(JSON.parse(body) as { status?: string }).status ?? ''}`.trim());
afterEach(async () => {
  await shop.stop();
  await hook.stop();
});

describe('amounts, as the real shop computed them', () => {
  const amounts = (order: Record<string, unknown>) => {
    const pick = (list: unknown, ...keys: string[]) =>
      (list as Record<string, unknown>[]).map((entry) => keys.map((key) => entry[key]));
    const taxes = (list: unknown) =>
      (list as { taxes: { total: string; subtotal: string }[] }[]).map((entry) =>
        entry.taxes.map((tax) => [tax.total, tax.subtotal]),
      );
    const { total, total_tax, cart_tax, shipping_tax, shipping_total, discount_total, discount_tax } = order;
    return {
      totals: { total, total_tax, cart_tax, shipping_tax, shipping_total, discount_total, discount_tax },
      lines: pick(order['line_items'], 'quantity', 'subtotal', 'subtotal_tax', 'total', 'total_tax'),
      lineTaxes: taxes(order['line_items']),
      charges: [
        ...pick(order['shipping_lines'], 'total', 'total_tax'),
        ...pick(order['fee_lines'], 'total', 'total_tax'),
      ],
      chargeTaxes: [...taxes(order['shipping_lines']), ...taxes(order['fee_lines'])],
      taxLines: pick(
        order['tax_lines'],
        'rate_code',
        'label',
        'compound',
        'tax_total',
        'shipping_tax_total',
        'rate_percent',
      ),
      coupons: pick(
        order['coupon_lines'],
        'code',
        'discount',
        'discount_tax',
        'discount_type',
        'nominal_amount',
      ),
    };
  };
  const flat = (title: string, total: string) => ({ method: 'flat_rate', title, total });
  const TW = { country: 'TW' };

  it.each<[string, Partial<FakeWooCommerceOptions>, FakeOrderSpec]>([
    [
      '025-order-created-pending-tax-shipping-chinese--order-created',
      {},
      {
        billing: TW,
        lines: [
          { sku: TEA.sku, quantity: 2 },
          { sku: MUG.sku, quantity: 1 },
        ],
        shipping: flat('宅配', '60'),
      },
    ],
    [
      '036-order-created-paid-thai-guest-coupon-fee--order-created',
      {},
      {
        billing: { country: 'TH' },
        lines: [{ sku: MUG.sku, quantity: 3 }],
        shipping: flat('宅配', '45.50'),
        fees: [{ name: 'COD', total: '20.00' }],
        coupons: ['save10'],
      },
    ],
    [
      '045-order-created-two-coupons-and-no-sku-line--order-created',
      {},
      {
        billing: TW,
        lines: [
          { sku: TEA.sku, quantity: 1 },
          { sku: STICKER.sku, quantity: 7 },
        ],
        shipping: flat('宅配', '0'),
        coupons: ['save10', '折五十'],
      },
    ],
    [
      '048-order-created-negative-fee--order-created',
      {},
      {
        billing: TW,
        lines: [{ sku: TEA.sku, quantity: 3 }],
        fees: [{ name: 'Loyalty', total: '-100', taxable: false }],
      },
    ],
    [
      '089-order-created-prices-include-tax-coupon--order-created',
      { pricesIncludeTax: true, products: [{ ...TEA, price: '430' }, MUG] },
      {
        billing: TW,
        lines: [
          { sku: TEA.sku, quantity: 3 },
          { sku: MUG.sku, quantity: 1 },
        ],
        shipping: flat('宅配', '57.14'),
        coupons: ['save10'],
      },
    ],
    [
      '093-order-created-jpy-0-decimals--order-created',
      { decimals: 0, currency: 'JPY', products: [{ ...TEA, price: '430' }, MUG] },
      {
        billing: { country: 'JP' },
        lines: [
          { sku: TEA.sku, quantity: 3 },
          { sku: MUG.sku, quantity: 1 },
        ],
        shipping: flat('配送', '605'),
        coupons: ['save10'],
      },
    ],
    [
      '108-order-created-twd-0-decimals-fractional-price--order-created',
      { decimals: 0 },
      { billing: TW, lines: [{ sku: MUG.sku, quantity: 3 }], shipping: flat('Shipping', '60') },
    ],
  ])('%s', async (name, options, spec) => {
    await open(options);
    const expected = amounts(JSON.parse(capture(name).body) as Record<string, unknown>);
    expect(amounts(await shop.placeOrder(spec))).toEqual(expected);
  });

  it('061: a compound tax on top of another, shipping untaxed', async () => {
    await open();
    const order = await shop.placeOrder({
      billing: { country: 'US', state: 'CA' },
      lines: [
        { sku: MUG.sku, quantity: 3 },
        { sku: TEA.sku, quantity: 1 },
      ],
      shipping: flat('宅配', '12.34'),
    });
    const real = JSON.parse(
      capture('061-order-created-us-compound-tax--order-created').body,
    ) as FakeOrderJson;
    expect([order.total, order.total_tax, order.cart_tax]).toEqual([
      real.total,
      real.total_tax,
      real.cart_tax,
    ]);
    expect(order.line_items.map((line) => line.taxes.map((tax) => tax.total))).toEqual(
      real.line_items.map((line) => line.taxes.map((tax) => tax.total)),
    );
    expect(order.line_items.map((line) => line.price)).toEqual([149.5, 420]);
  });

  it('057: a changed quantity leaves the amounts, a new line is added, quantity 0 removes one', async () => {
    await open({ products: [TEA, MUG, { sku: 'EBOOK-1', name: 'E-book PDF', price: '99', virtual: true }] });
    const order = await shop.placeOrder({
      billing: TW,
      lines: [
        { sku: TEA.sku, quantity: 1 },
        { sku: MUG.sku, quantity: 2 },
      ],
      shipping: flat('宅配', '60'),
    });
    const [tea, mug] = order.line_items;
    const changed = shop.updateOrder(order.id, {
      lines: [
        { id: tea?.id ?? 0, quantity: 4 },
        { id: mug?.id ?? 0, quantity: 0 },
        { sku: 'EBOOK-1', quantity: 1 },
      ],
    });
    const real = JSON.parse(capture('057-order-edit-1-lines-changed-removed-added--order-updated').body);
    expect(amounts(changed)).toEqual(amounts(real as Record<string, unknown>));
  });

  it('a price is a quotient of floats, noise and all', async () => {
    await open();
    const order = await shop.placeOrder({
      billing: { country: 'TH' },
      lines: [{ sku: MUG.sku, quantity: 3 }],
      coupons: ['save10'],
    });
    expect(order.line_items[0]?.price).toBe(134.54999999999998);
  });
});

describe('JSON', () => {
  const keysOf = (value: unknown): string[] => Object.keys(value as object).sort();
  const real = JSON.parse(
    capture('036-order-created-paid-thai-guest-coupon-fee--order-created').body,
  ) as FakeOrderJson;

  it('has the keys of a real order, in its order, and those of its parts', async () => {
    await open();
    const order = await shop.placeOrder({
      lines: [{ sku: MUG.sku, quantity: 3, meta: [{ key: 'color', value: 'Red' }] }],
      shipping: { method: 'flat_rate', title: 'Flat', total: '45.5' },
      fees: [{ name: 'COD', total: '20' }],
      coupons: ['save10'],
      paid: true,
    });
    shop.refund(order.id, { amount: '1' });
    const body = shop.order(order.id);
    expect(Object.keys(body ?? {})).toEqual(Object.keys(real));
    for (const key of ['billing', 'shipping'] as const)
      expect(keysOf(body?.[key])).toEqual(keysOf(real[key]));
    for (const key of ['line_items', 'tax_lines', 'shipping_lines', 'fee_lines', 'coupon_lines'] as const) {
      expect(keysOf(body?.[key][0]), key).toEqual(keysOf(real[key][0]));
    }
    expect(keysOf(body?.line_items[0]?.meta_data[0])).toEqual(keysOf(real.line_items[0]?.meta_data[0]));
    expect(keysOf(body?.refunds[0])).toEqual(['id', 'reason', 'total']);
  });

  it('is written as PHP does: slashes and everything beyond ASCII escaped', async () => {
    await open();
    await subscribe('order.created');
    await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }], note: '謝謝 🙏 <b>/</b>' });
    await shop.settled();
    const body = received.at(-1)?.body.toString('latin1') ?? '';
    expect(body).toContain('"customer_note":"\\u8b1d\\u8b1d \\ud83d\\ude4f <b>\\/<\\/b>"');
    expect(body).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe('webhooks', () => {
  it('saving one sends the unsigned ping, as a form', async () => {
    await open();
    await subscribe('order.created');
    expect(received).toHaveLength(1);
    expect(received[0]?.body.toString()).toBe('webhook_id=1');
    expect(received[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(Object.keys(received[0]?.headers ?? {}).filter((name) => name.startsWith('x-wc'))).toEqual([]);
    expect(shop.webhooks[0]?.pendingDelivery).toBe(false);
  });

  it('a ping that is not answered with exactly 200 stays due (and is sent again when the webhook is saved)', async () => {
    await open();
    answer = () => 202;
    await subscribe('order.created');
    expect(shop.webhooks[0]?.pendingDelivery).toBe(true);
  });

  it('deliveries carry the captured headers, and the connector takes them', async () => {
    await open();
    await subscribe('order.created');
    const order = await shop.placeOrder({
      lines: [{ sku: MUG.sku, quantity: 1 }],
      paymentMethod: 'stripe',
      paid: true,
    });
    await shop.settled();
    const delivery = received.at(-1);
    const captured = capture('036-order-created-paid-thai-guest-coupon-fee--order-created').headers;
    for (const name of Object.keys(captured)) expect(delivery?.headers, name).toHaveProperty([name]);
    expect(delivery?.headers['user-agent']).toBe(captured['user-agent']);
    const result = receive({
      method: 'POST',
      headers: delivery?.headers ?? {},
      body: delivery?.body ?? Buffer.of(),
    });
    expect(result).toMatchObject({
      kind: 'order',
      warnings: [],
      order: {
        orderId: String(order.id),
        status: 'open',
        total: { minor: 15698, currency: 'TWD' },
        rounding: { minor: 0 },
      },
    });
  });

  it('a secret is signed with after its entities are decoded', async () => {
    await open();
    const secret = 'a&amp;b&lt;c&quot;d&#039;e-0123456789';
    await shop.registerWebhook({ topic: 'order.created', deliveryUrl: `${hook.url}/x`, secret });
    await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }] });
    await shop.settled();
    const last = received.at(-1);
    const headers: Record<string, string | undefined> = last?.headers ?? {};
    const body = last?.body ?? Buffer.of();
    const wanted = createHmac('sha256', 'a&b<c"d\'e-0123456789').update(body).digest('base64');
    expect(headers['x-wc-webhook-signature']).toBe(wanted);
    expect(receive({ method: 'POST', headers, body }, [secret]).kind).toBe('order');
  });

  it('an order made over REST or at the classic checkout sends created and updated', async () => {
    await open();
    await subscribe('order.created', 'order.updated');
    await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }], paymentMethod: 'cod' });
    await shop.settled();
    expect(sent()).toEqual(['order.created processing', 'order.updated processing']);
  });

  it('the block checkout updates a draft before it creates anything', async () => {
    await open();
    await subscribe('order.created', 'order.updated');
    await shop.placeOrder({
      via: 'store-api',
      lines: [{ sku: TEA.sku, quantity: 1 }],
      paymentMethod: 'bacs',
    });
    await shop.settled();
    expect(sent()).toEqual([
      'order.updated checkout-draft',
      'order.created on-hold',
      'order.updated on-hold',
    ]);
    const kinds = received
      .slice(2)
      .map(({ headers, body }) => receive({ method: 'POST', headers, body }).kind);
    expect(kinds).toEqual(['ignored', 'order', 'order']);
  });

  it('a body is built when it is sent: a burst of changes arrives once, as the last', async () => {
    await open({ deliveryDelayMs: 50 });
    await subscribe('order.created', 'order.updated');
    const order = await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }], paymentMethod: 'cod' });
    for (const status of ['on-hold', 'processing', 'completed']) shop.updateOrder(order.id, { status });
    await shop.settled();
    expect(sent()).toEqual(['order.created completed', 'order.updated completed']);
  });

  it('the bin sends only the id, coming back sends the order', async () => {
    await open();
    await subscribe('order.deleted', 'order.restored');
    const { id } = await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }], paymentMethod: 'cod' });
    shop.trash(id);
    await shop.settled();
    expect(received.at(-1)?.body.toString()).toBe(`{"id":${id}}`);
    expect(shop.order(id)?.status).toBe('trash');
    shop.restore(id);
    await shop.settled();
    expect(sent().at(-1)).toBe('order.restored processing');
  });

  it('stock that moves sends product.updated', async () => {
    await open();
    await subscribe('product.updated');
    const { id } = await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 3 }], paymentMethod: 'cod' });
    await shop.settled();
    shop.updateOrder(id, { status: 'cancelled' });
    await shop.settled();
    const stock = shop.deliveries
      .slice(1)
      .map(({ body }) => (JSON.parse(body) as { stock_quantity: number }).stock_quantity);
    expect(stock).toEqual([47, 50]);
  });

  it('a failed delivery is not repeated; the seventh failure in a row disables, later changes send nothing', async () => {
    await open();
    await subscribe('order.created');
    answer = () => 500;
    const statuses: string[] = [];
    for (let index = 0; index < 8; index += 1) {
      await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }] });
      await shop.settled();
      statuses.push(shop.webhooks[0]?.status ?? '');
    }
    expect(statuses).toEqual([...Array(6).fill('active'), 'disabled', 'disabled']);
    expect(sent()).toHaveLength(7);
  });

  it('a success in between starts the count anew; 302 counts as one, 303 does not, nor does no answer', async () => {
    await open();
    await subscribe('order.created');
    const failures: (number | undefined)[] = [];
    for (const status of [500, 303, 302, 404, 200]) {
      answer = () => status;
      await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }] });
      await shop.settled();
      failures.push(shop.webhooks[0]?.failures);
    }
    hook.fault({ effect: { kind: 'drop-before' } });
    await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }] });
    await shop.settled();
    expect([...failures, shop.webhooks[0]?.failures]).toEqual([1, 2, 0, 1, 0, 1]);
    expect(shop.deliveries.map(({ status }) => status)).toEqual([200, 500, 303, 302, 404, 200, 0]);
  });

  it('the same bytes again', async () => {
    await open();
    await subscribe('order.created');
    await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }] });
    await shop.settled();
    expect(await shop.redeliver(1)).toBe(200);
    expect(received[2]?.body.equals(received[1]?.body ?? Buffer.of())).toBe(true);
    expect(received[2]?.headers['x-wc-webhook-signature']).toBe(
      received[1]?.headers['x-wc-webhook-signature'],
    );
    expect(shop.deliveries).toHaveLength(3);
  });
});

describe('life of an order', () => {
  it.each([
    ['bacs', 'checkout', false, 'on-hold', null],
    ['cheque', 'checkout', false, 'on-hold', null],
    ['cod', 'checkout', false, 'processing', null],
    ['stripe', 'checkout', false, 'pending', null],
    ['stripe', 'checkout', true, 'processing', 'paid'],
    ['bacs', 'rest-api', false, 'pending', null],
    ['bacs', 'rest-api', true, 'processing', 'paid'],
    ['cod', 'rest-api', true, 'completed', 'paid'],
  ] as const)('%s by %s, paid %s: %s', async (paymentMethod, via, paid, status, paidAt) => {
    await open();
    const order = await shop.placeOrder({ via, paymentMethod, paid, lines: [{ sku: TEA.sku, quantity: 1 }] });
    expect([order.status, order.date_paid_gmt === null ? null : 'paid']).toEqual([status, paidAt]);
  });

  it('cash on delivery is paid when it is completed, others when they are processing', async () => {
    await open();
    const cod = await shop.placeOrder({ paymentMethod: 'cod', lines: [{ sku: TEA.sku, quantity: 1 }] });
    expect(shop.updateOrder(cod.id, { status: 'completed' }).date_paid_gmt).not.toBeNull();
    const bacs = await shop.placeOrder({ paymentMethod: 'bacs', lines: [{ sku: TEA.sku, quantity: 1 }] });
    expect(shop.updateOrder(bacs.id, { status: 'processing' }).date_paid_gmt).not.toBeNull();
  });

  it('refunds: newest first, negative; the last one turns the status; more than is left is refused', async () => {
    await open();
    const { id, line_items } = await shop.placeOrder({
      billing: { country: 'TW' },
      lines: [{ sku: TEA.sku, quantity: 2 }],
      paymentMethod: 'stripe',
      paid: true,
    });
    shop.refund(id, {
      amount: '441',
      reason: '一罐破損',
      lines: [{ id: line_items[0]?.id ?? 0, quantity: 1 }],
    });
    expect(() => shop.refund(id, { amount: '441.01' })).toThrow('Invalid refund amount.');
    const order = shop.refund(id);
    expect(order.refunds.map(({ total, reason }) => [total, reason])).toEqual([
      ['-441.00', ''],
      ['-441.00', '一罐破損'],
    ]);
    expect([order.status, order.total]).toEqual(['refunded', '882.00']);
  });

  it('numbers of a sequential-numbers plug-in differ from ids', async () => {
    await open({ sequentialNumbers: true });
    const order = await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }] });
    expect([order.number, String(order.id) === order.number]).toEqual(['1001', false]);
  });

  it('variations carry the parent as product, a deleted product nothing', async () => {
    await open({
      products: [
        { sku: 'TEE', name: 'T恤', price: '0', type: 'variable' },
        { sku: 'TEE-M', name: 'T恤 - M', price: '590', type: 'variation', parentSku: 'TEE' },
      ],
    });
    const order = await shop.placeOrder({
      lines: [
        { sku: 'TEE-M', quantity: 1 },
        { sku: '', name: 'Gone', price: '5', quantity: 1 },
      ],
    });
    expect(order.line_items.map((line) => [line.product_id, line.variation_id, line.sku])).toEqual([
      [10, 11, 'TEE-M'],
      [0, 0, ''],
    ]);
  });
});

describe('REST', () => {
  const call = { signal: new AbortController().signal };
  const client = (credentials: { consumerKey: string; consumerSecret: string } = KEYS) =>
    wooCommerceClient({ settings: { url: shop.url }, credentials, nowMs: Date.now });
  /** Signed by the client's own library, sent with another method or path. */
  const rest = async (method: string, path: string, body?: unknown) => {
    const { default: OAuth } = await import('oauth-1.0a');
    const oauth = new OAuth({
      consumer: { key: KEYS.consumerKey, secret: KEYS.consumerSecret },
      signature_method: 'HMAC-SHA256',
      hash_function: (text, key) => createHmac('sha256', key).update(text).digest('base64'),
    });
    const url = new URL(`${shop.url}/wp-json/wc/v3${path}`);
    for (const [name, value] of Object.entries(oauth.authorize({ url: url.href, method }))) {
      url.searchParams.set(name, String(value));
    }
    const response = await fetch(url, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
  };

  it('takes a good signature, and refuses Basic, a wrong secret, a wrong key, a stale clock and a used nonce', async () => {
    await open();
    const order = await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }] });
    expect((await client().order(String(order.id), call))?.number).toBe(order.number);
    const basic = await fetch(`${shop.url}/wp-json/wc/v3/orders`, {
      headers: { authorization: `Basic ${Buffer.from('ck_test:cs_test').toString('base64')}` },
    });
    expect([basic.status, await basic.json()]).toEqual([
      401,
      JSON.parse(
        '{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot list resources.","data":{"status":401}}',
      ),
    ]);
    for (const keys of [
      { ...KEYS, consumerSecret: 'cs_other' },
      { ...KEYS, consumerKey: 'ck_other' },
    ]) {
      await expect(client(keys).order('1', call)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    }
    const late = wooCommerceClient({
      settings: { url: shop.url },
      credentials: KEYS,
      nowMs: () => Date.now() - 16 * 60_000,
    });
    await expect(late.order('1', call)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    const again = wooCommerceClient({
      settings: { url: shop.url },
      credentials: KEYS,
      nowMs: Date.now,
      nonce: () => 'same',
    });
    expect(await again.order('999999', call)).toBeUndefined();
    await expect(again.order('999999', call)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
  });

  it('creates, reads, changes, refunds and bins orders', async () => {
    await open();
    await subscribe('order.created', 'order.updated', 'order.deleted');
    const { data: created } = await rest('POST', '/orders', {
      payment_method: 'bacs',
      set_paid: true,
      billing: { first_name: 'สมชาย', country: 'TH', email: 'somchai@example.test' },
      line_items: [{ product_id: 11, quantity: 3 }],
      shipping_lines: [{ method_id: 'flat_rate', method_title: 'Flat', total: '45.50' }],
      fee_lines: [{ name: 'COD', total: '20.00' }],
      coupon_lines: [{ code: 'save10' }],
    }).then(({ status, body }) => ({ status, data: body as FakeOrderJson }));
    expect([created.status, created.total, created.created_via, created.shipping.country]).toEqual([
      'processing',
      '502.00',
      'rest-api',
      '',
    ]);
    expect((await rest('PUT', `/orders/${created.id}`, { status: 'cancelled' })).body.status).toBe(
      'cancelled',
    );
    expect((await rest('PUT', `/orders/${created.id}`, { status: 'nonsense' })).status).toBe(400);
    const refund = await rest('POST', `/orders/${created.id}/refunds`, {
      amount: '10.00',
      reason: 'goodwill',
      api_refund: false,
    });
    expect([refund.status, refund.body.amount]).toEqual([201, '10.00']);
    expect((await rest('POST', `/orders/${created.id}/refunds`, { amount: '1000.00' })).status).toBe(400);
    expect((await rest('GET', `/orders/${created.id}/refunds`)).body).toHaveLength(1);
    expect((await rest('DELETE', `/orders/${created.id}`)).body.status).toBe('trash');
    await shop.settled();
    expect(sent().at(-1)).toBe('order.deleted');
    const before = shop.deliveries.length;
    expect((await rest('DELETE', `/orders/${created.id}?force=true`)).status).toBe(200);
    await shop.settled();
    expect(shop.deliveries).toHaveLength(before);
    expect(await client().order(String(created.id), call)).toBeUndefined();
    expect((await rest('GET', '/nonsense')).body.code).toBe('rest_no_route');
  });

  it('lists orders by change, in pages', async () => {
    let nowMs = Date.parse('2026-01-05T02:00:00Z');
    await open({ nowMs: () => nowMs });
    const ids: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      nowMs += 1000;
      ids.push((await shop.placeOrder({ lines: [{ sku: TEA.sku, quantity: 1 }] })).id);
    }
    nowMs += 1000;
    shop.updateOrder(ids[0] ?? 0, { note: 'changed last' });
    vi.useFakeTimers({ now: nowMs, toFake: ['Date'] });
    try {
      const first = await rest(
        'GET',
        '/orders?modified_after=2026-01-05T02:00:02&orderby=modified&order=asc&per_page=2',
      );
      expect(first.body.map((order: FakeOrderJson) => order.id)).toEqual([ids[2], ids[3]]);
      expect([first.headers.get('x-wp-total'), first.headers.get('x-wp-totalpages')]).toEqual(['4', '2']);
      expect(first.headers.get('link')).toContain('page=2');
      const second = await rest(
        'GET',
        '/orders?modified_after=2026-01-05T02:00:02&orderby=modified&order=asc&per_page=2&page=2',
      );
      expect(second.body.map((order: FakeOrderJson) => order.id)).toEqual([ids[4], ids[0]]);
      expect(second.headers.get('link')).toBeNull();
      expect((await rest('GET', '/orders?per_page=101')).status).toBe(400);
      expect((await rest('GET', '/orders?status=cancelled')).body).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('products: by SKU, changed one by one and in a batch that answers 200 though one fails', async () => {
    await open();
    const { products, totalPages } = await client().products(1, call);
    expect([products.map((product) => product.sku), totalPages]).toEqual([
      ['TEA-OOL-150', 'MUG-TH-01', 'STICKER'],
      1,
    ]);
    expect((await rest('GET', '/products?sku=MUG-TH-01')).body[0].stock_quantity).toBe(20);
    expect((await rest('PUT', '/products/10', { stock_quantity: 77 })).body.stock_quantity).toBe(77);
    const batch = await rest('POST', '/products/batch', {
      update: [
        { id: 10, stock_quantity: 60 },
        { id: 999999, stock_quantity: 1 },
      ],
    });
    expect([batch.status, batch.body.update[0].stock_quantity, batch.body.update[1].error.code]).toEqual([
      200,
      60,
      'woocommerce_rest_product_invalid_id',
    ]);
    expect((await rest('POST', '/products', { sku: TEA.sku, name: 'dup' })).body.code).toBe(
      'product_invalid_sku',
    );
    expect((await rest('POST', '/products', { sku: 'NEW', name: 'New', regular_price: '1' })).status).toBe(
      201,
    );
    expect((await rest('DELETE', '/products/10')).status).toBe(200);
    expect((await rest('GET', '/products/10')).status).toBe(404);
  });

  it('variations: listed and changed at their product, refused among the products; a hundred and no more', async () => {
    await open({
      products: [
        { sku: 'SHIRT', name: 'Shirt', price: '', type: 'variable' },
        { sku: 'SHIRT-M', name: 'M', price: '20', type: 'variation', parentSku: 'SHIRT', stock: 4 },
        { sku: 'CAP', name: 'Cap', price: '9', stock: 2 },
      ],
    });
    const skus = (rows: { sku: string }[]) => rows.map(({ sku }) => sku);
    expect(skus((await rest('GET', '/products?order=asc')).body)).toEqual(['SHIRT', 'CAP']);
    expect(skus((await rest('GET', '/products?include=11,12')).body)).toEqual(['CAP']);
    expect(skus((await rest('GET', '/products/10/variations')).body)).toEqual(['SHIRT-M']);
    expect(skus((await rest('GET', '/products?sku=shirt-m,CAP')).body).toSorted()).toEqual([
      'CAP',
      'SHIRT-M',
    ]);
    const update = [{ id: 11, stock_quantity: 3 }];
    expect((await rest('POST', '/products/batch', { update })).body.update[0].error.code).toBe(
      'woocommerce_rest_invalid_product_id',
    );
    expect((await rest('POST', '/products/10/variations/batch', { update })).body.update[0]).toMatchObject({
      stock_quantity: 3,
      parent_id: 10,
    });
    const many = { update: Array.from({ length: 101 }, () => ({ id: 12 })) };
    expect(await rest('POST', '/products/batch', many)).toMatchObject({
      status: 413,
      body: { code: 'woocommerce_rest_request_entity_too_large' },
    });
    expect((await rest('GET', '/settings/general/woocommerce_currency')).body.value).toBe('TWD');
  });

  it('webhooks: saved, listed, switched on again', async () => {
    await open();
    const saved = await rest('POST', '/webhooks', {
      topic: 'order.updated',
      delivery_url: `${hook.url}/x`,
      secret: SECRET,
    });
    expect([saved.status, saved.body.status, saved.body.topic]).toEqual([201, 'active', 'order.updated']);
    expect(received).toHaveLength(1);
    const [webhook] = shop.webhooks;
    if (webhook) Object.assign(webhook, { status: 'disabled', pendingDelivery: true });
    expect((await rest('GET', '/webhooks?status=disabled')).body).toHaveLength(1);
    expect((await rest('PUT', '/webhooks/1', { status: 'active' })).body.status).toBe('active');
    expect([received.length, webhook?.pendingDelivery]).toEqual([2, false]);
    expect((await rest('GET', '/webhooks/7')).status).toBe(404);
  });
});
