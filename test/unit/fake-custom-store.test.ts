import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type FakeCustomStore,
  type FakeCustomStoreOptions,
  RETRY_DELAYS_MS,
  startFakeCustomStore,
} from '../fakes/custom-store.ts';
import { type PeerServer, startPeerServer } from '../fakes/peer-server.ts';
import { OTHER_SECRET, receive, SECRET } from './custom-store/deliveries.ts';

let now: number;
let store: FakeCustomStore;
let hook: PeerServer;
let answers: { status: number; retryAfter?: string }[] = [];
const waits: number[] = [];
const received: { headers: Record<string, string>; body: Buffer }[] = [];

const open = async (options: Partial<FakeCustomStoreOptions> = {}) => {
  await store?.stop();
  store = await startFakeCustomStore({
    nowMs: () => now,
    wait: async (ms) => {
      waits.push(ms);
      now += ms;
    },
    currency: 'EUR',
    pricesIncludeTax: true,
    taxes: [{ key: 'de-19', title: 'VAT 19 %', percent: '19' }],
    products: [{ sku: 'MUG', title: 'Mug', price: '11.90', weightG: 420 }],
    apiToken: 'store-token-0123456789',
    ...options,
  });
};
beforeEach(async () => {
  now = Date.parse('2026-11-21T22:55:57Z');
  answers = [];
  waits.length = 0;
  received.length = 0;
  await open();
  hook = await startPeerServer((app) => {
    app.post('/*', async (request, reply) => {
      received.push({ headers: request.headers as Record<string, string>, body: request.body as Buffer });
      const { status, retryAfter } = answers.shift() ?? { status: 202 };
      if (retryAfter) reply.header('retry-after', retryAfter);
      return reply.code(status).send('');
    });
  });
});
afterEach(async () => {
  await store.stop();
  await hook.stop();
});
const place = () =>
  store.placeOrder({
    lines: [{ sku: 'MUG', quantity: 2 }],
    shipping: { method: 'standard', title: 'Standard', total: '4.76' },
  });
const subscribe = (secret: string | readonly string[] = SECRET) =>
  store.registerWebhook({ deliveryUrl: `${hook.url}/hook`, secret });

describe('amounts', () => {
  const amountsOf = (order: Record<string, unknown>) => {
    const { lines, charges, total } = order as {
      lines: { total: string; taxes: { amount: string }[] }[];
      charges: { total: string; taxes: { amount: string }[] }[];
      total: string;
    };
    const texts = (parts: typeof lines) =>
      parts.map((part) => [part.total, ...part.taxes.map((tax) => tax.amount)]);
    return [texts(lines), texts(charges), total];
  };

  it('with tax in the prices', () => {
    expect(amountsOf(place())).toEqual([[['23.80', '3.80']], [['4.76', '0.76']], '28.56']);
  });

  it('without, and two taxes side by side', async () => {
    await open({
      pricesIncludeTax: false,
      taxes: [
        { key: 'state', title: 'State', percent: '6' },
        { key: 'county', title: 'County', percent: '1.25' },
      ],
    });
    // 6 % of 23.80 is 1.428, 1.25 % is 0.2975; of 4.76 0.2856 and 0.0595.
    expect(amountsOf(place())).toEqual([[['23.80', '1.43', '0.30']], [['4.76', '0.29', '0.06']], '30.64']);
  });

  it('without decimals', async () => {
    await open({ currency: 'JPY', decimals: 0, products: [{ sku: 'MUG', title: 'Mug', price: '1090' }] });
    expect(amountsOf(place())).toEqual([[['2180', '348']], [['5', '1']], '2185']);
  });
});

describe('webhooks', () => {
  it('every change is sent with the whole order, signed, and the connector takes it', async () => {
    subscribe();
    const { id } = place();
    now += 60_000;
    store.updateOrder(id, { status: 'completed', type: 'order.fulfilled' });
    now += 60_000;
    store.refund(id, { amount: '11.90', reason: 'chipped', more: { refundedAt: '2026-11-21T23:00:00Z' } });
    await store.settled();
    expect(store.deliveries.map(({ type, status, attempt }) => [type, status, attempt])).toEqual([
      ['order.created', 202, 1],
      ['order.fulfilled', 202, 1],
      ['order.refunded', 202, 1],
    ]);
    const orders = received.map(({ headers, body }) => {
      const at = Number(headers['webhook-timestamp']) * 1000;
      return receive({ method: 'POST', headers, body }, [SECRET], at);
    });
    expect(orders).toMatchObject([
      { kind: 'order', deliveryId: 'msg_1', order: { orderId: id, status: 'open', refunds: [] } },
      { kind: 'order', deliveryId: 'msg_2', order: { orderId: id, status: 'completed' } },
      {
        kind: 'order',
        deliveryId: 'msg_3',
        order: {
          payment: { state: 'partially-refunded' },
          refunds: [{ total: { minor: 1190 }, refundedAt: '2026-11-21T23:00:00Z' }],
        },
      },
    ]);
  });

  it('versions grow, though the clock stands still', () => {
    const { id, version } = place();
    expect(store.updateOrder(id, { status: 'completed' }).version).toBe(version + 1);
    expect(store.updateOrder(id, { status: 'cancelled' }).version).toBe(version + 2);
  });

  it('are sent again as the standard recommends: the same id and body, signed anew', async () => {
    answers = [{ status: 503 }, { status: 500 }, { status: 429, retryAfter: '60' }];
    subscribe();
    place();
    await store.settled();
    expect(store.deliveries.map(({ status }) => status)).toEqual([503, 500, 429, 202]);
    expect(waits).toEqual([5_000, 300_000, 60_000]);
    expect(new Set(received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['msg_1']));
    expect(new Set(received.map(({ body }) => body.toString())).size).toBe(1);
    expect(received.map(({ headers }) => Number(headers['webhook-timestamp']))).toEqual([
      1795301757, 1795301762, 1795302062, 1795302122,
    ]);
    expect(new Set(received.map(({ headers }) => headers['webhook-signature'])).size).toBe(4);
  });

  it('end after nine repetitions, and the webhook is switched off', async () => {
    answers = Array.from({ length: 20 }, () => ({ status: 500 }));
    const webhook = subscribe();
    place();
    await store.settled();
    expect(store.deliveries).toHaveLength(1 + RETRY_DELAYS_MS.length);
    expect(webhook.status).toBe('disabled');
    place();
    await store.settled();
    expect(store.deliveries).toHaveLength(10);
  });

  it('410 says that nobody wants them any more', async () => {
    answers = [{ status: 410 }];
    const webhook = subscribe();
    place();
    await store.settled();
    expect([webhook.status, store.deliveries.length]).toEqual(['disabled', 1]);
  });

  it('are signed with both secrets while one replaces the other', async () => {
    subscribe([OTHER_SECRET, SECRET]);
    place();
    await store.settled();
    const [sent] = received;
    const header = sent?.headers['webhook-signature'] ?? '';
    expect(header).toMatch(/^v1,\S{44} v1,\S{44}$/);
    for (const secret of [SECRET, OTHER_SECRET]) {
      const delivery = { method: 'POST', headers: sent?.headers ?? {}, body: sent?.body ?? Buffer.of() };
      expect(receive(delivery, [secret], now).kind).toBe('order');
    }
  });

  it('can be sent once more, byte for byte', async () => {
    subscribe();
    place();
    await store.settled();
    expect(await store.redeliver(0)).toBe(202);
    expect(received[1]).toEqual({
      headers: expect.objectContaining(received[0]?.headers ?? {}),
      body: received[0]?.body,
    });
  });
});

it('refuses what the contract does not have', async () => {
  const get = async (path: string, token = 'store-token-0123456789') => {
    const response = await fetch(`${store.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return [response.status, await response.json()];
  };
  expect(await get('/orders/ord_1')).toEqual([404, { code: 'order_not_found' }]);
  expect(await get('/orders/ord_1', 'x')).toEqual([401, { code: 'unauthorized' }]);
  expect(await get('/orders')).toEqual([400, { code: 'invalid_parameter' }]);
  expect(await get('/orders?updatedSince=2026-01-01T00:00:00Z&limit=101')).toEqual([
    400,
    { code: 'invalid_parameter' },
  ]);
  expect(await get('/orders?updatedSince=2026-01-01T00:00:00Z')).toEqual([
    200,
    { data: [], nextCursor: null },
  ]);
});

it('stock: compared and set in one step, one result for each, and a key is answered as it was', async () => {
  await store.stop();
  store = await startFakeCustomStore({
    currency: 'EUR',
    apiToken: 'store-token-0123456789',
    products: [
      { sku: 'MUG', title: 'Mug', price: '11.90', stock: 5 },
      { sku: 'CARD', title: 'Card', price: '5.00' },
    ],
  });
  const post = async (key: string, ...updates: object[]) => {
    const response = await fetch(`${store.url}/stock`, {
      method: 'POST',
      headers: { authorization: 'Bearer store-token-0123456789', 'idempotency-key': key },
      body: JSON.stringify({ updates }),
    });
    return [response.status, await response.json()];
  };
  const update = (id: string, expected: number | null, quantity: number) => ({
    id,
    location: null,
    expected,
    quantity,
  });
  const [mug, card] = ['prd_00000', 'prd_00001'];
  const first = [update(mug, 5, 4), update(card, null, 1), update('prd_9', 1, 1)];
  const answered = [
    200,
    {
      results: [
        { id: mug, location: null, result: 'written' },
        { id: card, location: null, result: 'refused', code: 'not_counted' },
        { id: 'prd_9', location: null, result: 'refused', code: 'not_found' },
      ],
    },
  ];
  expect(await post('a', ...first)).toEqual(answered);
  expect(await post('a', ...first)).toEqual(answered);
  expect(await post('a', update(mug, 4, 3))).toEqual([422, { code: 'idempotency_key_reused' }]);
  expect(await post('b', update(mug, 5, 3))).toMatchObject([
    200,
    { results: [{ result: 'stale', quantity: 4 }] },
  ]);
  store.placeOrder({ lines: [{ sku: 'MUG', quantity: 1 }] });
  expect(store.listing('MUG').quantity).toBe(3);
});
