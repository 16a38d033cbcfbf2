import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signatureProblem } from '../../shared/http/signature.ts';
import { type PeerServer, startPeerServer } from '../fakes/peer-server.ts';
import { type FakeShopify, type FakeShopifyOptions, startFakeShopify } from '../fakes/shopify/index.ts';
import { receive, SECRET, SHOP } from './shopify/deliveries.ts';

const TOKEN = 'shpat_0123456789abcdef';
const MINUTE = 60_000;
let now: number;
let shop: FakeShopify;
let hook: PeerServer;
let answer: () => number;
const received: { headers: Record<string, string | undefined>; body: Buffer }[] = [];

const open = async (options: Partial<FakeShopifyOptions> = {}) => {
  shop = await startFakeShopify({
    nowMs: () => now,
    clientSecret: SECRET,
    accessToken: TOKEN,
    currency: 'TWD',
    taxRates: [{ country: 'TW', title: 'VAT', rate: 0.05 }],
    products: [
      { sku: 'TEA', title: 'Tea & <Cup>', price: '420.00' },
      { sku: 'MUG', title: 'Mug', price: '149.50' },
    ],
    ...options,
  });
};
beforeEach(async () => {
  now = Date.parse('2026-11-20T10:04:05Z');
  received.length = 0;
  answer = () => 200;
  hook = await startPeerServer((app) => {
    app.post('/*', async (request, reply) => {
      const headers = request.headers as Record<string, string | undefined>;
      received.push({ headers, body: request.body as Buffer });
      return reply.code(answer()).send('');
    });
  });
});
afterEach(async () => {
  await shop.stop();
  await hook.stop();
});
const subscribe = (...topics: string[]) => {
  for (const topic of topics) shop.registerWebhook({ topic, deliveryUrl: `${hook.url}/${topic}` });
};
const LINES = [
  { sku: 'TEA', quantity: 2 },
  { sku: 'MUG', quantity: 1 },
];

describe('webhooks', () => {
  it('are signed over the bytes, which are escaped as Rails does and hold ids of 64 bits', async () => {
    await open();
    subscribe('orders/create');
    const { id } = await shop.placeOrder({ lines: LINES, note: '急件 & <b>' });
    await shop.settled();
    const [{ headers, body } = { headers: {}, body: Buffer.of() }] = received;
    expect(signatureProblem(body, headers['x-shopify-hmac-sha256'], [SECRET])).toBeUndefined();
    const text = body.toString();
    expect(text).toContain('"note":"急件 \\u0026 \\u003cb\\u003e"');
    expect(text).toContain(`{"id":${id},`);
    expect(Number(id)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    expect(text).not.toContain('\\u0001');
    expect(receive({ method: 'POST', headers, body })).toMatchObject({
      kind: 'order',
      order: { orderId: id, buyerNote: '急件 & <b>', orderNumber: '1001' },
      warnings: [],
    });
  });

  it('of one action share an event id, and have a webhook id each', async () => {
    await open();
    subscribe('orders/create', 'orders/paid', 'orders/updated');
    await shop.placeOrder({ lines: LINES });
    await shop.settled();
    const ids = (name: string) => new Set(received.map(({ headers }) => headers[name])).size;
    expect([received.length, ids('x-shopify-event-id'), ids('x-shopify-webhook-id')]).toEqual([3, 1, 3]);
    expect(received[0]?.headers).toMatchObject({
      'x-shopify-shop-domain': SHOP,
      'x-shopify-api-version': '2026-10',
      'x-shopify-triggered-at': '2026-11-20T10:04:05.000123456Z',
    });
  });

  it('say what each action is', async () => {
    await open();
    const TOPICS = [
      'orders/create',
      'orders/updated',
      'orders/paid',
      'orders/edited',
      'orders/cancelled',
      'orders/fulfilled',
      'refunds/create',
      'fulfillment_orders/placed_on_hold',
      'app/uninstalled',
    ];
    subscribe(...TOPICS);
    const sent = async (action: () => unknown) => {
      const before = shop.deliveries.length;
      await action();
      await shop.settled();
      return shop.deliveries.slice(before).map(({ topic }) => topic);
    };
    let id = '';
    const place = async () => {
      ({ id } = await shop.placeOrder({ lines: LINES, gateway: 'Bank Deposit' }));
    };
    expect(await sent(place)).toEqual(['orders/create', 'orders/updated']);
    expect(await sent(() => shop.markPaid(id))).toEqual(['orders/paid', 'orders/updated']);
    expect(await sent(() => shop.edit(id, [{ sku: 'MUG', quantity: 0 }]))).toEqual([
      'orders/edited',
      'orders/updated',
    ]);
    expect(await sent(() => shop.refund(id, { amount: '10' }))).toEqual(['refunds/create', 'orders/updated']);
    expect(await sent(() => shop.hold(id))).toEqual(['fulfillment_orders/placed_on_hold']);
    expect(await sent(() => shop.fulfil(id))).toEqual(['orders/fulfilled', 'orders/updated']);
    expect(await sent(() => shop.cancel(id))).toEqual(['orders/cancelled', 'orders/updated']);
    expect(await sent(() => shop.send('app/uninstalled', { id: 1 }))).toEqual(['app/uninstalled']);
    const kinds = received.map(({ headers, body }) => receive({ method: 'POST', headers, body }).kind);
    expect(kinds.filter((kind) => kind !== 'order' && kind !== 'ignored')).toEqual([]);
    expect(kinds.filter((kind) => kind === 'ignored')).toHaveLength(4);
  });

  it('are repeated eight times in four hours, with the first bytes, then the subscription is gone', async () => {
    await open();
    answer = () => 503;
    subscribe('orders/create');
    const { id } = await shop.placeOrder({ lines: LINES });
    await shop.settled();
    shop.setNote(id, 'changed meanwhile');
    for (let minute = 0; minute <= 240; minute += 1) {
      now += MINUTE;
      await shop.retryDue();
    }
    expect(shop.deliveries).toHaveLength(9);
    expect(new Set(received.map(({ body }) => body.toString())).size).toBe(1);
    expect(new Set(received.map(({ headers }) => headers['x-shopify-webhook-id'])).size).toBe(1);
    expect(shop.webhooks[0]?.deleted).toBe(true);
    expect(shop.waiting()).toBe(0);
    await shop.placeOrder({ lines: LINES });
    await shop.settled();
    expect(shop.deliveries).toHaveLength(9);
  });

  it('one success, and it starts counting anew', async () => {
    await open();
    let answers = 0;
    answer = () => (++answers < 3 ? 500 : 204);
    subscribe('orders/create');
    await shop.placeOrder({ lines: LINES });
    await shop.settled();
    now += MINUTE;
    await shop.retryDue();
    now += 2 * MINUTE;
    await shop.retryDue();
    expect(shop.deliveries.map(({ status, attempt }) => [status, attempt])).toEqual([
      [500, 1],
      [500, 2],
      [204, 3],
    ]);
    expect(shop.webhooks[0]).toMatchObject({ failures: 0, deleted: false });
    expect(shop.waiting()).toBe(0);
  });

  it('a redirect and a closed connection are failures', async () => {
    await open();
    answer = () => 302;
    subscribe('orders/create');
    await shop.placeOrder({ lines: LINES });
    await shop.settled();
    hook.fault({ effect: { kind: 'drop-before' } });
    now += MINUTE;
    await shop.retryDue();
    expect(shop.deliveries.map(({ status }) => status)).toEqual([302, 0]);
    expect(shop.waiting()).toBe(1);
  });

  it('retry by themselves when real time passes', async () => {
    await shop?.stop();
    shop = await startFakeShopify({
      clientSecret: SECRET,
      accessToken: TOKEN,
      currency: 'TWD',
      products: [{ sku: 'TEA', title: 'Tea', price: '1.00' }],
      retryDelaysMs: [5, 5, 5],
    });
    let answers = 0;
    answer = () => (++answers < 3 ? 500 : 200);
    subscribe('orders/create');
    await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 1 }] });
    await expect.poll(() => shop.deliveries.map(({ status }) => status)).toEqual([500, 500, 200]);
  });

  it('once more, byte for byte', async () => {
    await open();
    subscribe('orders/create');
    await shop.placeOrder({ lines: LINES });
    await shop.settled();
    expect(await shop.redeliver(0)).toBe(200);
    expect(received[1]?.body.equals(received[0]?.body ?? Buffer.of())).toBe(true);
    expect(received[1]?.headers['x-shopify-webhook-id']).toBe(received[0]?.headers['x-shopify-webhook-id']);
  });
});

describe('GraphQL', () => {
  const ask = async (query: string, token = TOKEN, path = '/admin/api/2026-10/graphql.json') => {
    const response = await fetch(`${shop.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-shopify-access-token': token },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const NAMES = '{ orders(first: 250) { nodes { name } } }';

  it('only with the token, only in the version of the app', async () => {
    await open();
    expect((await ask(NAMES, 'shpat_other')).status).toBe(401);
    expect((await ask(NAMES, TOKEN, '/admin/api/2025-10/graphql.json')).status).toBe(404);
    expect(await ask(NAMES)).toMatchObject({ status: 200, body: { data: { orders: { nodes: [] } } } });
  });

  it('refuses what is not in the schema, and what costs more than one query may', async () => {
    await open();
    expect(await ask('{ orders(first: 1) { nodes { mood } } }')).toMatchObject({
      status: 200,
      body: { errors: [{ extensions: { code: 'undefinedField' } }] },
    });
    expect(
      await ask(
        '{ orders(first: 250) { nodes { totalPriceSet { shopMoney { amount } } customer { id } billingAddress { city } } } }',
      ),
    ).toMatchObject({
      body: {
        errors: [{ extensions: { code: 'MAX_COST_EXCEEDED' } }],
        extensions: { cost: { requestedQueryCost: 1250 } },
      },
    });
  });

  it('takes what a query may cost, gives back what it did not, and restores with time', async () => {
    await open({ bucket: { maximum: 300, restorePerSecond: 50 } });
    for (let n = 0; n < 60; n += 1) await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 1 }] });
    const cost = async () => {
      const { body } = await ask(NAMES);
      const { cost: told } = body['extensions'] as {
        cost: { actualQueryCost: number | null; throttleStatus: { currentlyAvailable: number } };
      };
      return [told.actualQueryCost, told.throttleStatus.currentlyAvailable];
    };
    // 60 orders, their connection, and the answer itself.
    expect(await cost()).toEqual([62, 238]);
    expect(await ask(NAMES)).toMatchObject({ body: { errors: [{ extensions: { code: 'THROTTLED' } }] } });
    now += 240; // twelve points
    expect(await cost()).toEqual([62, 188]);
  });

  describe('stock', () => {
    const SHELF = {
      products: [
        { sku: 'TEA', title: 'Tea', price: '420.00', stock: 5 },
        { sku: 'MUG', title: 'Mug', price: '149.50', stock: 2 },
      ],
    };
    const entry = (item: string, more: string) =>
      `{ inventoryItemId: "${item}", locationId: "gid://shopify/Location/1", ${more} }`;
    const setting = (entries: string, directive = '@idempotent(key: "k-1")') => `mutation {
      inventorySetQuantities(input: { name: "available", reason: "correction", quantities: [${entries}] }) ${directive} {
        inventoryAdjustmentGroup { id }
        userErrors { code field }
      }
    }`;
    const shown = (sku: string) => shop.inventory.level(shop.inventory.find(sku)).available;
    const itemOf = (sku: string) => shop.inventory.find(sku).item;

    it('one entry that is not as expected: nothing of the request is set', async () => {
      await open(SHELF);
      const entries = [
        entry(itemOf('TEA'), 'quantity: 4, changeFromQuantity: 5'),
        entry(itemOf('MUG'), 'quantity: 1, changeFromQuantity: 9'),
      ].join(', ');
      expect((await ask(setting(entries))).body['data']).toEqual({
        inventorySetQuantities: {
          inventoryAdjustmentGroup: null,
          userErrors: [
            {
              code: 'CHANGE_FROM_QUANTITY_STALE',
              field: ['input', 'quantities', '1', 'changeFromQuantity'],
            },
          ],
        },
      });
      expect([shown('TEA'), shown('MUG')]).toEqual([5, 2]);
    });

    it('asks for the directive, for the value compared with, and for at most 250 entries', async () => {
      await open(SHELF);
      const one = entry(itemOf('TEA'), 'quantity: 4, changeFromQuantity: null');
      const codeOf = async (query: string) =>
        ((await ask(query)).body as { errors?: { extensions: { code: string } }[] }).errors?.[0]?.extensions
          .code;
      expect(await codeOf(setting(one, ''))).toBe('BAD_REQUEST');
      expect(await codeOf(setting(entry(itemOf('TEA'), 'quantity: 4')))).toBe('INVALID_FIELD_ARGUMENTS');
      expect(await codeOf(setting(Array.from({ length: 251 }, () => one).join(' ')))).toBe(
        'MAX_INPUT_SIZE_EXCEEDED',
      );
      expect(shown('TEA')).toBe(5);
      expect(await codeOf(setting(one))).toBeUndefined();
      expect(shown('TEA')).toBe(4);
    });

    it('a key belongs to one request, is answered again, and is used up by a failure', async () => {
      await open(SHELF);
      const first = entry(itemOf('TEA'), 'quantity: 4, changeFromQuantity: 5');
      const codes = async (entries: string, key: string) =>
        (
          (await ask(setting(entries, `@idempotent(key: "${key}")`))).body as {
            data: { inventorySetQuantities: { userErrors: { code: string }[] } };
          }
        ).data.inventorySetQuantities.userErrors.map(({ code }) => code);
      expect(await codes(first, 'a')).toEqual([]);
      expect(await codes(first, 'a')).toEqual([]);
      expect(await codes(entry(itemOf('MUG'), 'quantity: 1, changeFromQuantity: 2'), 'a')).toEqual([
        'IDEMPOTENCY_KEY_PARAMETER_MISMATCH',
      ]);
      expect(await codes(first, 'b')).toEqual(['CHANGE_FROM_QUANTITY_STALE']);
      expect(await codes(first, 'b')).toEqual(['IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED']);
    });

    it('orders take from it; what is cancelled or put back returns', async () => {
      await open(SHELF);
      const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 3 }] });
      expect(shown('TEA')).toBe(2);
      shop.refund(id, { lines: [{ sku: 'TEA', quantity: 1 }], restock: 'return' });
      expect(shown('TEA')).toBe(3);
      shop.cancel(id);
      expect(shown('TEA')).toBe(5);
    });

    it('a mutation costs ten points, and what it selects', async () => {
      await open(SHELF);
      const { body } = await ask(setting(entry(itemOf('TEA'), 'quantity: 4, changeFromQuantity: 5')));
      expect(body['extensions']).toMatchObject({ cost: { requestedQueryCost: 12, actualQueryCost: 12 } });
    });
  });
});
