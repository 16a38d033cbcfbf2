import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acceptWebhook } from '../../shared/core/accept-webhook.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { fetchOrder } from '../../shared/core/fetch-order.ts';
import type { Publish } from '../../shared/events/catalogue.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import type { OrderNotifiedV1 } from '../../shared/events/order-notified.ts';
import { type FakeMarketplace, startFakeMarketplace } from '../fakes/marketplace.ts';
import { orderDesk } from '../fakes/order-desk.ts';
import { type PeerServer, startPeerServer } from '../fakes/peer-server.ts';
import { marketplace } from './marketplace/connector.ts';
import { KEYS, PRODUCTS, SHOP } from './testbeds/marketplace.ts';

/**
 * From the push of a bare id to the ERP, over the real use-cases: a marketplace and its HTTP, a bus that hands events on
 * at once, an ERP in memory.
 */
const SOURCE = 'acme-mall';
const PUSH_KEY = 'push-key-0123456789';
let now: number;
const nowMs = () => now;
let mall: FakeMarketplace;
let hook: PeerServer;
let desk: ReturnType<typeof orderDesk>;
let changed: Envelope<OrderChangedV1>[];
let outcomes: string[];

beforeEach(async () => {
  now = Date.parse('2026-11-21T22:55:57Z');
  changed = [];
  outcomes = [];
  desk = orderDesk({ sources: [SOURCE], fetchable: [SOURCE] });
  mall = await startFakeMarketplace({ ...SHOP, ...KEYS, nowMs, products: PRODUCTS });
  const settings = marketplace.manifest.settings.parse({
    url: mall.url,
    ...SHOP,
    includedTax: { title: '營業稅', percent: '5' },
  }) as Parameters<typeof marketplace.open>[0]['settings'];
  const credentials = { webhookSecrets: [PUSH_KEY], ...KEYS };

  let ids = 0;
  const newId = () => {
    ids += 1;
    return `e${ids}`;
  };
  const reads = marketplace.open({
    connection: SOURCE,
    settings,
    credentials: async () => credentials,
    nowMs,
  });
  const call = { signal: new AbortController().signal, receive: 1, isUrgent: false };
  const recent = new Map<string, number>();
  const publish: Publish = async (name, event) => {
    if (name === 'order.notified.v1') {
      now += 100;
      const notified = event as Envelope<OrderNotifiedV1>;
      const outcome = await fetchOrder(
        { reads, publish, nowMs, newId, timeScale: 1, recent },
        notified,
        call,
      );
      outcomes.push(outcome.kind === 'fetched' ? 'fetched' : outcome.reason);
      return;
    }
    const envelope = event as Envelope<OrderChangedV1>;
    changed.push(envelope);
    const outcome = await desk.push(envelope.data, {}, envelope.meta).catch((error: unknown) => error);
    if (outcome instanceof PermanentError) outcomes.push(`parked ${outcome.code}`);
    else if (outcome instanceof Error) throw outcome;
    else {
      const { kind, ...rest } = outcome as { kind: string; reason?: string };
      outcomes.push(rest.reason ?? kind);
    }
  };
  hook = await startPeerServer((app) => {
    app.post('/webhooks/acme-mall', async (request, reply) => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join()]),
      );
      const answer = await acceptWebhook(
        {
          connector: marketplace,
          connection: SOURCE,
          context: async () => ({ connection: SOURCE, settings, credentials, nowMs }),
          publish,
          quarantine: async () => undefined,
          line: () => undefined,
          nowMs,
          newId,
          maxBodyBytes: 100_000,
        },
        {
          method: 'POST',
          url: `http://${request.headers.host}${request.url}`,
          headers,
          body: request.body as Buffer,
        },
      );
      return reply.code(answer.statusCode).send(answer.body ? JSON.stringify(answer.body) : '');
    });
  });
  mall.subscribe(`${hook.url}/webhooks/acme-mall`, PUSH_KEY);
});
afterEach(async () => {
  await mall.stop();
  await hook.stop();
});

const place = async () => {
  const order = mall.placeOrder({
    lines: [
      { modelSku: 'TEA-OOL-150', quantity: 2 },
      { modelSku: 'MUG-TH-01', quantity: 1 },
    ],
    platformVoucher: 100,
    note: '請下午送達',
  });
  await mall.settled();
  return order.order_sn;
};

it('an id is pushed, the order is fetched, and it is in the ERP', async () => {
  const id = await place();
  expect(outcomes).toEqual(['written', 'fetched']);
  // Shopee takes no answer but an empty one for a success.
  expect(mall.pushes.map(({ status, answer }) => [status, answer])).toEqual([[200, '']]);
  expect(desk.orders).toMatchObject([{ reference: `acme-mall:${id}`, level: 'confirm' }]);
  expect(desk.journal(SOURCE, id)).toMatchObject({ state: 'done' });

  const [event] = changed;
  expect(event?.meta).toMatchObject({ via: 'fetch', connection: SOURCE, correlationId: `acme-mall:${id}` });
  // 2 x 420 + 150 + 60 shipping; 100 of it are the platform's.
  expect(event?.data).toMatchObject({
    total: { minor: 105_000, currency: 'TWD' },
    giftCards: [{ id: 'platform-voucher', amount: { minor: 10_000, currency: 'TWD' } }],
    tax: { minor: 5_000 },
    rounding: { minor: 0 },
    buyer: { id: '258065', masked: true },
    buyerNote: '請下午送達',
  });
  expect(JSON.stringify(event?.data)).not.toContain('****');
});

it("the platform's tracking number and what it keeps come with later pushes, and change nothing in the ERP", async () => {
  const id = await place();
  now += 60_000;
  mall.arrange(id);
  await mall.settled();
  now += 60_000;
  mall.complete(id);
  await mall.settled();
  expect(outcomes).toEqual(['written', 'fetched', 'ALREADY_DONE', 'fetched', 'ALREADY_DONE', 'fetched']);
  const [, arranged, completed] = changed.map(({ data }) => data);
  expect(arranged?.attributes).toEqual([{ name: 'Tracking number', value: 'TW21000001' }]);
  // 6 % commission and 2 % for the payment: no charge, the buyer's total stays what it was.
  expect(completed?.payment.fee).toEqual({ minor: 8_400, currency: 'TWD' });
  expect(completed?.total).toEqual({ minor: 105_000, currency: 'TWD' });
  expect(completed?.charges).toHaveLength(1);
});

it('cancelled in the same second as it was placed: what is fetched is the truth', async () => {
  const id = await place();
  // Versions are whole seconds.
  mall.cancel(id);
  await mall.settled();
  const [first, second] = changed.map(({ data }) => data);
  expect(second?.sourceVersion).toBe(first?.sourceVersion);
  expect(outcomes).toEqual(['written', 'fetched', 'parked ORDER_CHANGED_AFTER_WRITE', 'fetched']);
});

it('a push for another shop of the same app is none of ours', async () => {
  mall.push(3, { ordersn: 'X', status: 'READY_TO_SHIP', update_time: 1 }, 1);
  await mall.settled();
  expect(mall.pushes[0]?.status).toBe(200);
  expect(outcomes).toEqual([]);
});

it('an order that is gone when it is asked for', async () => {
  mall.push(3, { ordersn: '260105ZZZZ9999', status: 'CANCELLED', update_time: 1 });
  await mall.settled();
  expect(outcomes).toEqual(['ORDER_GONE']);
});

it('a marketplace that is down: the push is not lost, it is sent again', async () => {
  mall.server.fault({ effect: { kind: 'answer', status: 503 } });
  await place();
  // This bus hands on at once, so the storefront sees the failure; in AWS the queue keeps the id.
  expect(mall.pushes[0]?.status).toBe(503);
  expect(outcomes).toEqual([]);
});

it('stock: the platform refuses less than a promotion holds, with status 200', async () => {
  const path = '/api/v2/product/update_stock';
  const timestamp = String(Math.floor(now / 1000));
  const sign = createHmac('sha256', KEYS.partnerKey)
    .update(`${SHOP.partnerId}${path}${timestamp}${KEYS.accessToken}${SHOP.shopId}`)
    .digest('hex');
  const set = async (stock: number): Promise<string> => {
    const query = new URLSearchParams({ timestamp, sign, access_token: KEYS.accessToken });
    const response = await fetch(`${mall.url}${path}?${query}`, {
      method: 'POST',
      body: JSON.stringify({ model_sku: 'MUG-TH-01', stock }),
    });
    return `${response.status} ${((await response.json()) as { error: string }).error}`.trim();
  };
  expect(await set(3)).toBe('200');
  expect(await set(2)).toBe('200 error_cannt_edit_stock_in_promotion');
});
