import { expect, it } from 'vitest';
import type {
  Delivery,
  Received,
  ReceivedPayment,
  StorefrontConnector,
} from '../../../shared/connectors/contract.ts';
import {
  type AcceptWebhookPorts,
  acceptWebhook,
  type QuarantinedDelivery,
} from '../../../shared/core/accept-webhook.ts';
import { RetryableError } from '../../../shared/core/errors.ts';
import type { Envelope } from '../../../shared/events/envelope.ts';
import type { Metric, WideLine } from '../../../shared/observability/wide-event.ts';
import { anOrder } from '../../fakes/orders.ts';

interface Settings {
  readonly url: string;
}
interface Credentials {
  readonly secret: string;
}
const NOW_MS = 1_764_000_000_000;
const nowMs = () => NOW_MS;
const delivery: Delivery = {
  method: 'POST',
  url: 'https://api.example/webhooks/acme-woo?x=1',
  headers: {
    'content-type': 'application/json',
    'x-wc-webhook-topic': 'order.updated',
    'x-wc-webhook-signature': 'c2lnbmF0dXJl',
    authorization: 'Basic hunter2',
    'proxy-authorization': 'Basic hunter2',
    cookie: 'session=hunter2',
    'set-cookie': 'session=hunter2',
    'x-api-key': 'hunter2',
    'x-shop-access-token': 'hunter2',
    'X-Amz-Security-Token': 'hunter2',
    'x-client-secret': 'hunter2',
  },
  body: Buffer.from('{"billing":{"email":"ming.wang@example.test"}}'),
};

/** A storefront whose status codes are all different, so that each shows where it comes from. */
const storefront = (received: Received | ReceivedPayment | Error) => {
  const calls: { delivery: Delivery; context: unknown }[] = [];
  const connector = {
    manifest: { name: 'woocommerce' } as StorefrontConnector<Settings, Credentials>['manifest'],
    replies: { accepted: 202, ping: 200, ignored: 203, quarantined: 207 },
    receive: (given: Delivery, context: unknown) => {
      calls.push({ delivery: given, context });
      if (received instanceof Error) throw received;
      return received;
    },
  };
  return { connector, calls };
};

const accept = async (
  received: Received | ReceivedPayment | Error,
  override: Partial<AcceptWebhookPorts<Settings, Credentials>> = {},
  given: Delivery = delivery,
) => {
  const { connector, calls } = storefront(received);
  const published: ({ name: string } & Envelope<unknown>)[] = [];
  const quarantined: QuarantinedDelivery[] = [];
  const lines: { line: WideLine; metrics: readonly Metric[] }[] = [];
  let now = NOW_MS;
  const reply = await acceptWebhook<Settings, Credentials>(
    {
      connector,
      connection: 'acme-woo',
      maxBodyBytes: 1_000,
      nowMs: () => {
        now += 5;
        return now - 5;
      },
      newId: () => 'event-1',
      context: async () => ({
        connection: 'acme-woo',
        settings: { url: 'https://shop.test' },
        credentials: { secret: 'hunter2' },
        nowMs,
      }),
      publish: async (name, event) => {
        published.push({ name, ...event });
      },
      quarantine: async (kept) => {
        quarantined.push(kept);
      },
      line: (line, metrics = []) => {
        lines.push({ line, metrics });
      },
      ...override,
    },
    given,
  );
  expect(lines).toHaveLength(1);
  const text = JSON.stringify([lines, reply]);
  for (const personal of ['ming.wang', '王小明', 'hunter2']) expect(text).not.toContain(personal);
  const { line, metrics } = lines[0] ?? {};
  return { reply, published, quarantined, line, metrics, calls };
};

const order = anOrder();
const anOrderReceived: Received = { kind: 'order', order, warnings: [], deliveryId: 'd1' };

it('publishes an order once, with what follows it through every log line', async () => {
  const { reply, published, line, metrics, calls } = await accept(anOrderReceived);
  expect(reply).toEqual({ statusCode: 202, body: { status: 'accepted' } });
  expect(published).toEqual([
    {
      name: 'order.changed.v1',
      meta: {
        id: 'event-1',
        connection: 'acme-woo',
        correlationId: 'acme-woo:1001',
        receivedAtMs: NOW_MS,
        deliveryId: 'd1',
        via: 'webhook',
      },
      data: order,
    },
  ]);
  expect(line).toEqual({
    what: 'ingest-webhook',
    connection: 'acme-woo',
    source: 'acme-woo',
    correlationId: 'acme-woo:1001',
    orderId: '1001',
    orderNumber: '1001',
    sourceVersion: 1_795_301_771_000,
    outcome: 'accepted',
    status: 202,
    bytes: 46,
    totalMs: 5,
    warnings: undefined,
  });
  expect(metrics).toEqual([{ name: 'WebhooksAccepted', value: 1 }]);
  expect(calls).toEqual([
    {
      delivery,
      context: {
        connection: 'acme-woo',
        settings: { url: 'https://shop.test' },
        credentials: { secret: 'hunter2' },
        nowMs,
      },
    },
  ]);
});

it('passes on an id without content, to be fetched', async () => {
  const { reply, published, line, metrics } = await accept({
    kind: 'notified',
    orderId: '1001',
    deliveryId: 'd1',
  });
  expect(reply).toEqual({ statusCode: 202, body: { status: 'notified' } });
  expect(published).toEqual([
    {
      name: 'order.notified.v1',
      meta: {
        id: 'event-1',
        connection: 'acme-woo',
        correlationId: 'acme-woo:1001',
        receivedAtMs: NOW_MS,
        deliveryId: 'd1',
        via: 'webhook',
      },
      data: { source: 'acme-woo', orderId: '1001', why: 'push' },
    },
  ]);
  expect(line).toMatchObject({ outcome: 'notified', orderId: '1001', status: 202 });
  expect(metrics).toEqual([{ name: 'WebhooksAccepted', value: 1 }]);
});

it('publishes no more than which payment something happened to', async () => {
  const { reply, published, line, metrics } = await accept({
    kind: 'payment',
    paymentId: 'pi_1',
    why: 'dispute',
    deliveryId: 'evt_1',
  });
  expect(reply).toEqual({ statusCode: 202, body: { status: 'notified' } });
  expect(published).toMatchObject([
    {
      name: 'payment.notified.v1',
      meta: { connection: 'acme-woo', correlationId: 'acme-woo:pi_1', deliveryId: 'evt_1', via: 'webhook' },
      data: { source: 'acme-woo', paymentId: 'pi_1', why: 'dispute' },
    },
  ]);
  expect(line).toMatchObject({ outcome: 'notified', correlationId: 'acme-woo:pi_1', status: 202 });
  expect(metrics).toEqual([{ name: 'WebhooksAccepted', value: 1 }]);
});

it('tells warnings of the mapping', async () => {
  const { line } = await accept({ ...anOrderReceived, warnings: ['line 2 has no SKU'] });
  expect(line?.warnings).toEqual(['line 2 has no SKU']);
});

it.each<[Received, object, object, readonly Metric[]]>([
  [
    { kind: 'rejected', reason: 'SIGNATURE_WRONG' },
    { statusCode: 401, body: { status: 'rejected', reason: 'the signature does not match' } },
    { outcome: 'rejected', status: 401, code: 'SIGNATURE_WRONG' },
    [{ name: 'WebhooksRejected', value: 1, reason: 'SIGNATURE_WRONG' }],
  ],
  [
    { kind: 'rejected', reason: 'SIGNATURE_MISSING' },
    { statusCode: 401, body: { status: 'rejected', reason: 'the signature does not match' } },
    { outcome: 'rejected', status: 401, code: 'SIGNATURE_MISSING' },
    [{ name: 'WebhooksRejected', value: 1, reason: 'SIGNATURE_MISSING' }],
  ],
  [
    { kind: 'rejected', reason: 'TIMESTAMP_OUT_OF_TOLERANCE' },
    {
      statusCode: 401,
      body: {
        status: 'rejected',
        reason: "the timestamp is too far from now: sign every attempt anew, and check the sender's clock",
      },
    },
    { outcome: 'rejected', status: 401, code: 'TIMESTAMP_OUT_OF_TOLERANCE' },
    [{ name: 'WebhooksRejected', value: 1, reason: 'TIMESTAMP_OUT_OF_TOLERANCE' }],
  ],
  [{ kind: 'ping' }, { statusCode: 200, body: { status: 'pong' } }, { outcome: 'pong', code: 'PING' }, []],
  [
    { kind: 'ignored', reason: 'DRAFT_ORDER' },
    { statusCode: 203, body: { status: 'ignored', reason: 'DRAFT_ORDER' } },
    { outcome: 'ignored', status: 203, code: 'DRAFT_ORDER' },
    [{ name: 'WebhooksIgnored', value: 1, reason: 'DRAFT_ORDER' }],
  ],
])('neither publishes nor keeps %o', async (received, reply, line, metrics) => {
  const accepted = await accept(received);
  expect(accepted.reply).toEqual(reply);
  expect(accepted.line).toMatchObject(line);
  expect(accepted.metrics).toEqual(metrics);
  expect(accepted.published).toEqual([]);
  expect(accepted.quarantined).toEqual([]);
});

it('keeps what it does not understand, raw, without credentials, and answers success', async () => {
  const { reply, published, quarantined, line, metrics } = await accept({
    kind: 'unreadable',
    reason: 'line_items.0.total: invalid_type',
  });
  expect(reply).toEqual({
    statusCode: 207,
    body: { status: 'quarantined', reason: 'line_items.0.total: invalid_type' },
  });
  expect(quarantined).toEqual([
    {
      connection: 'acme-woo',
      connector: 'woocommerce',
      reason: 'line_items.0.total: invalid_type',
      receivedAtMs: NOW_MS,
      method: 'POST',
      url: 'https://api.example/webhooks/acme-woo?x=1',
      headers: {
        'content-type': 'application/json',
        'x-wc-webhook-topic': 'order.updated',
        'x-wc-webhook-signature': 'c2lnbmF0dXJl',
      },
      body: Buffer.from(delivery.body).toString('base64'),
    },
  ]);
  expect(published).toEqual([]);
  expect(line).toMatchObject({ outcome: 'quarantined', code: 'NOT_UNDERSTOOD' });
  expect(metrics).toEqual([{ name: 'WebhooksQuarantined', value: 1, reason: 'NOT_UNDERSTOOD' }]);
});

it('keeps bytes that are no text as they are', async () => {
  const body = Uint8Array.from([0xff, 0x00, 0xfe]);
  const { quarantined } = await accept({ kind: 'unreadable', reason: 'not JSON' }, {}, { ...delivery, body });
  expect(quarantined[0]?.body).toBe('/wD+');
});

it.each([
  [1_000, 202],
  [1_001, 413],
])('a body of %i bytes: %i, before anything is read', async (bytes, statusCode) => {
  let secretsRead = 0;
  const { reply, calls, published, line, metrics } = await accept(
    anOrderReceived,
    {
      context: async () => {
        secretsRead += 1;
        return { connection: 'acme-woo', settings: { url: '' }, credentials: { secret: '' }, nowMs };
      },
    },
    { ...delivery, body: Buffer.alloc(bytes, 'x') },
  );
  expect(reply.statusCode).toBe(statusCode);
  const isAccepted = statusCode === 202;
  expect([calls.length, secretsRead, published.length]).toEqual(isAccepted ? [1, 1, 1] : [0, 0, 0]);
  if (isAccepted) return;
  expect(reply.body).toEqual({ status: 'rejected', reason: 'larger than 1000 bytes' });
  expect(line).toMatchObject({ outcome: 'rejected', code: 'BODY_TOO_LARGE', status: 413, bytes: 1_001 });
  expect(metrics).toEqual([{ name: 'WebhooksRejected', value: 1, reason: 'BODY_TOO_LARGE' }]);
});

const failing = async (): Promise<never> => {
  throw Object.assign(new Error('refused: ming.wang@example.test, hunter2'), { name: 'ThrottlingException' });
};

it.each<[string, Received | Error, Partial<AcceptWebhookPorts<Settings, Credentials>>, string]>([
  ['the bus fails', anOrderReceived, { publish: failing }, 'ThrottlingException'],
  [
    'the bus answers 200 with a failed entry inside',
    anOrderReceived,
    { publish: () => Promise.reject(new RetryableError('NOT_PUBLISHED', 'the bus refused the event')) },
    'RetryableError',
  ],
  [
    'the quarantine fails',
    { kind: 'unreadable', reason: 'r' },
    { quarantine: failing },
    'ThrottlingException',
  ],
  ['the secret cannot be read', anOrderReceived, { context: failing }, 'ThrottlingException'],
  ['the connector has no usable secret', new RangeError('hunter2 is too short'), {}, 'RangeError'],
  ['something else is thrown', anOrderReceived, { publish: () => Promise.reject('王小明') }, 'unknown'],
])('asks for the delivery again when %s', async (_case, received, override, name) => {
  const { reply, line, metrics } = await accept(received, override);
  const reason = `not stored (${name}); send it again`;
  expect(reply).toEqual({ statusCode: 503, body: { status: 'unavailable', reason } });
  expect(line).toMatchObject({ outcome: 'unavailable', status: 503, code: 'NOT_STORED', reason });
  expect(metrics).toEqual([]);
});
