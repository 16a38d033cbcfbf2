import { describe, expect, it } from 'vitest';
import type { Fetched } from '../../../shared/connectors/contract.ts';
import { CredentialsError, PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import { type FetchOrderPorts, fetchOrder } from '../../../shared/core/fetch-order.ts';
import type { Envelope } from '../../../shared/events/envelope.ts';
import type { OrderNotifiedV1 } from '../../../shared/events/order-notified.ts';
import { anOrder } from '../../fakes/orders.ts';

const RECEIVED_MS = Date.parse('2026-11-21T22:56:12Z');
const order = anOrder({ source: 'acme-mall' });
const notified = (
  why: OrderNotifiedV1['why'] = 'push',
  receivedAtMs = RECEIVED_MS,
): Envelope<OrderNotifiedV1> => ({
  meta: {
    id: 'n1',
    connection: 'acme-mall',
    correlationId: 'acme-mall:1001',
    receivedAtMs,
    deliveryId: 'd1',
    via: 'webhook',
  },
  data: { source: 'acme-mall', orderId: '1001', why },
});

const fetching = (told: Fetched | Error | undefined, over: Partial<FetchOrderPorts> = {}) => {
  const published: { name: string; event: unknown }[] = [];
  const asked: string[] = [];
  const clock = { nowMs: RECEIVED_MS + 300 };
  const ports: FetchOrderPorts = {
    reads: {
      order: async (id) => {
        asked.push(id);
        clock.nowMs += 50;
        if (told instanceof Error) throw told;
        return told;
      },
    },
    publish: async (name, event) => void published.push({ name, event }),
    nowMs: () => clock.nowMs,
    newId: () => `e${published.length + 1}`,
    timeScale: 1,
    recent: new Map(),
    ...over,
  };
  const fetch = (event = notified(), receive = 1) =>
    fetchOrder(ports, event, { signal: new AbortController().signal, receive, isUrgent: false });
  return { fetch, published, asked, clock, recent: ports.recent };
};
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error,
  );

const asOrder: Fetched = { kind: 'order', order, warnings: ['line 2 has no SKU'] };

it('publishes the order as it is now, with when reading began, and what the push said of itself', async () => {
  const { fetch, published } = fetching(asOrder);
  expect(await fetch()).toEqual({ kind: 'fetched', order, warnings: ['line 2 has no SKU'] });
  expect(published).toEqual([
    {
      name: 'order.changed.v1',
      event: {
        meta: {
          id: 'e1',
          connection: 'acme-mall',
          correlationId: 'acme-mall:1001',
          receivedAtMs: RECEIVED_MS,
          deliveryId: 'd1',
          via: 'fetch',
          // Before the request left, not when the answer came.
          fetchedAtMs: RECEIVED_MS + 300,
        },
        data: order,
      },
    },
  ]);
});

it.each<[string, Fetched | undefined, object]>([
  ['gone', undefined, { reason: 'ORDER_GONE', why: 'acme-mall has no order 1001 (any more)' }],
  ['no order', { kind: 'ignored', reason: 'STATUS_TRASH' }, { reason: 'STATUS_TRASH' }],
])('%s: says so, and publishes nothing', async (_case, told, outcome) => {
  const { fetch, published } = fetching(told);
  expect(await fetch()).toMatchObject({ kind: 'skipped', ...outcome });
  expect(published).toEqual([]);
});

it('parks what cannot be stated as an order, with the field', async () => {
  const { fetch, published } = fetching({ kind: 'unreadable', reason: 'total: missing' });
  const error = await failureOf(fetch());
  expect(error).toBeInstanceOf(PermanentError);
  expect(error).toMatchObject({
    code: 'ORDER_UNREADABLE',
    params: { source: 'acme-mall', orderId: '1001', problem: 'total: missing' },
  });
  expect(published).toEqual([]);
});

it('parks at once when the secret has no key for reading', async () => {
  const error = await failureOf(fetching(new CredentialsError('CREDENTIALS_MISSING', 'no key')).fetch());
  expect(error).toMatchObject({
    code: 'STOREFRONT_CREDENTIALS_MISSING',
    params: { source: 'acme-mall', orderId: '1001' },
  });
});

it.each([
  ['busy', new RetryableError('RATE_LIMITED', 'HTTP 429', { retryAfterMs: 7_000 })],
  ['refused', new CredentialsError('CREDENTIALS_REFUSED', 'HTTP 401', { status: 401 })],
  ['unforeseen', new TypeError('x is not a function')],
])('passes on what may work later: %s', async (_case, error) => {
  expect(await failureOf(fetching(error).fetch())).toBe(error);
});

it('is tried again when the bus does not take it, and remembers nothing', async () => {
  const down = new RetryableError('NOT_PUBLISHED', 'the bus refused the event');
  const { fetch, recent } = fetching(asOrder, { publish: () => Promise.reject(down) });
  expect(await failureOf(fetch())).toBe(down);
  expect(recent.size).toBe(0);
});

describe('gives up', () => {
  const HOUR = 3_600_000;
  const down = new RetryableError('PEER_FAILED', 'mall answered HTTP 503', { status: 503 });
  it.each([
    ['after eight tries and two hours', 8, 2 * HOUR, 1, true],
    ['not after seven', 7, 9 * HOUR, 1, false],
    ['not when eight receives took no time: most of them were never begun', 8, HOUR, 1, false],
    ['sooner on a laptop', 8, 0.2 * HOUR, 0.1, true],
  ])('%s', async (_case, receive, ageMs, timeScale, parks) => {
    const { fetch, clock } = fetching(down, { timeScale });
    clock.nowMs = RECEIVED_MS + ageMs;
    const error = await failureOf(fetch(notified(), receive));
    if (!parks) return expect(error).toBe(down);
    expect(error).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      params: { attempts: 8, lastCode: 'PEER_FAILED', lastReason: 'mall answered HTTP 503', lastStatus: 503 },
    });
  });
});

describe('several pushes for one order', () => {
  it('are one reading, when that began after they had come', async () => {
    const { fetch, published, asked } = fetching(asOrder);
    await fetch(notified('push', RECEIVED_MS));
    expect(await fetch(notified('push', RECEIVED_MS + 299))).toMatchObject({ reason: 'FETCHED_SINCE' });
    expect(asked).toHaveLength(1);
    expect(published).toHaveLength(1);
  });

  it('are read again when one came since', async () => {
    const { fetch, asked } = fetching(asOrder);
    await fetch(notified('push', RECEIVED_MS));
    await fetch(notified('push', RECEIVED_MS + 300));
    expect(asked).toHaveLength(2);
  });

  it('are always read when two copies contradict each other', async () => {
    const { fetch, asked } = fetching(asOrder);
    await fetch(notified('push', RECEIVED_MS));
    await fetch(notified('same-version', RECEIVED_MS));
    expect(asked).toHaveLength(2);
  });

  it('are forgotten in time', async () => {
    const { fetch, recent } = fetching(asOrder, { recent: new Map([['first', 1]]) });
    for (let n = 0; n < 999; n += 1) recent.set(`o${n}`, 1);
    await fetch();
    expect(recent.size).toBe(1_000);
    expect(recent.has('first')).toBe(false);
    expect(recent.has('1001')).toBe(true);
  });
});
