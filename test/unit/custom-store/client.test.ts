import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { customStoreClient } from '../../../shared/connectors/custom-store/client.ts';
import { customStore } from '../../../shared/connectors/custom-store/index.ts';
import { CredentialsError, RetryableError } from '../../../shared/core/errors.ts';
import { type FakeCustomStore, startFakeCustomStore } from '../../fakes/custom-store.ts';

const TOKEN = 'store-token-0123456789';
const call = { signal: new AbortController().signal };
let now: number;
let store: FakeCustomStore;

beforeEach(async () => {
  now = Date.parse('2026-11-21T22:55:57Z');
  store = await startFakeCustomStore({
    nowMs: () => now,
    currency: 'EUR',
    pricesIncludeTax: true,
    taxes: [{ key: 'de-19', title: 'VAT 19 %', percent: '19' }],
    products: [{ sku: 'MUG', title: 'Mug', price: '11.90' }],
    apiToken: TOKEN,
  });
});
afterEach(() => store.stop());

const client = (
  options: { apiToken?: string; url?: string; deadlineMs?: number; maxBytes?: number } = {},
) => {
  const { apiToken = TOKEN, url = store.url, ...limits } = options;
  return customStoreClient({ settings: { url }, credentials: { apiToken }, nowMs: () => now, ...limits });
};
const reads = () =>
  customStore.open({
    connection: 'acme-store',
    settings: { url: store.url },
    credentials: async () => ({ webhookSecrets: [], apiToken: TOKEN }),
    nowMs: () => now,
  });
const place = (more: Record<string, unknown> = {}) =>
  store.placeOrder({ lines: [{ sku: 'MUG', quantity: 2 }], more });
const answer = (status: number, body: unknown = '', headers: Record<string, string> = {}) =>
  store.server.fault({
    effect: {
      kind: 'answer',
      status,
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    },
  });
const failure = (promise: Promise<unknown>): Promise<RetryableError> =>
  promise.then(
    () => expect.unreachable('should have failed'),
    (error: unknown) => error as RetryableError,
  );

describe('one order', () => {
  it('as the store has it now, normalised like a webhook', async () => {
    const { id } = place();
    now += 60_000;
    store.updateOrder(id, { status: 'completed' });
    expect(await reads().order(id, call)).toMatchObject({
      kind: 'order',
      warnings: [],
      order: {
        source: 'acme-store',
        orderId: id,
        status: 'completed',
        sourceVersion: now,
        total: { minor: 2380, currency: 'EUR' },
        tax: { minor: 380, currency: 'EUR' },
      },
    });
    expect(store.server.requests).toEqual([`GET /orders/${id}`]);
  });

  it('undefined: the store says that there is none', async () => {
    expect(await reads().order('ord_000000000000', call)).toBeUndefined();
  });

  it('the id is one part of the path, whatever is in it', async () => {
    expect(await client().order('../orders?x=1', call)).toBeUndefined();
    expect(store.server.requests).toEqual(['GET /orders/..%2Forders%3Fx%3D1']);
  });

  it('that breaks the contract: said, with the fields, and not asked again and again', async () => {
    const { id } = place({ currency: 'euro', payment: null });
    expect(await reads().order(id, call)).toMatchObject({
      kind: 'unreadable',
      reason: 'currency: must be an ISO 4217 code in capitals, e.g. "EUR"; payment: missing: an object',
    });
  });

  it('that contradicts itself: said, with the difference', async () => {
    const { id } = place({ total: '30.00' });
    expect(await reads().order(id, call)).toEqual({
      kind: 'unreadable',
      reason:
        'total: The shop says the order costs 30.00 EUR, but its lines, shipping, fees and taxes make 23.80 EUR: 6.20 EUR are unexplained.',
    });
  });

  it('another order than the one that was asked for is no answer', async () => {
    const [one, other] = [place(), place()];
    answer(200, other);
    expect(await failure(reads().order(one.id, call))).toMatchObject({ code: 'ANSWER_NOT_UNDERSTOOD' });
  });
});

describe('errors', () => {
  it.each<[string, number, unknown, Record<string, string>, Record<string, unknown>]>([
    ['429 with a hint', 429, '', { 'retry-after': '7' }, { code: 'RATE_LIMITED', retryAfterMs: 7_000 }],
    ['429 without', 429, '', {}, { code: 'RATE_LIMITED', retryAfterMs: undefined }],
    ['503 with a hint', 503, '', { 'retry-after': '120' }, { code: 'PEER_FAILED', retryAfterMs: 120_000 }],
    ['500', 500, { code: 'internal_error' }, {}, { code: 'PEER_FAILED' }],
    ['502, HTML', 502, '<html>Bad gateway</html>', {}, { code: 'PEER_FAILED' }],
    ['HTML with status 200', 200, '<html>', {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ['nothing with status 200', 200, '', {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ['a list', 200, [], {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ['an order without its id', 200, { total: '1.00' }, {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ["a framework's own 404", 404, '<html>Not found</html>', {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ['a 404 for another reason', 404, { code: 'no_route' }, {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ['410', 410, { code: 'order_not_found' }, {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    [
      'a redirect',
      308,
      '',
      { location: 'https://www.elsewhere.example/x?token=1' },
      { message: expect.stringMatching(/redirects to https:\/\/www\.elsewhere\.example: correct "url"/) },
    ],
  ])('%s: to be tried again', async (_case, status, body, headers, expected) => {
    answer(status, body, headers);
    const failed = await failure(client().order('ord_1', call));
    expect(failed).toBeInstanceOf(RetryableError);
    expect(failed).not.toBeInstanceOf(CredentialsError);
    expect(failed).toMatchObject(expected);
    expect(store.server.requests).toHaveLength(1);
  });

  it.each([401, 403])('%i: credentials', async (status) => {
    answer(status, { code: 'unauthorized' });
    expect(await failure(client().order('ord_1', call))).toBeInstanceOf(CredentialsError);
  });

  it('another token', async () => {
    expect(await failure(client({ apiToken: 'another-token-01234' }).order('ord_1', call))).toBeInstanceOf(
      CredentialsError,
    );
  });

  it('no token: nothing is sent', async () => {
    expect(await failure(client({ apiToken: '' }).order('ord_1', call))).toMatchObject({
      code: 'CREDENTIALS_MISSING',
    });
    expect(store.server.requests).toEqual([]);
  });

  it('no answer in time', async () => {
    store.server.fault({ effect: { kind: 'hang', at: 'before', hung: () => undefined } });
    expect(await failure(client({ deadlineMs: 50 }).order('ord_1', call))).toMatchObject({
      code: 'PEER_TIMEOUT',
    });
  });

  it('an answer without an end', async () => {
    const { id } = place({ buyerNote: 'x'.repeat(5_000) });
    expect(await failure(client({ maxBytes: 4_096 }).order(id, call))).toMatchObject({
      code: 'ANSWER_TOO_LARGE',
    });
  });
});

it("the store's clock is the date of its answer, to the second", async () => {
  answer(200, { data: [], nextCursor: null }, { date: 'Sat, 21 Nov 2026 22:55:57 GMT' });
  expect(await client().clock(call)).toBe(Date.parse('2026-11-21T22:55:57Z'));
  expect(store.server.requests).toEqual(['GET /orders?updatedSince=2026-11-21T22%3A55%3A57.000Z&limit=1']);
});

describe('orders changed since', () => {
  const all = async (sinceMs: number) => {
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await client().changedSince(sinceMs, cursor, call);
      pages.push(
        page.orders.map((read) => (read.kind === 'order' ? read.order.id : `unreadable ${read.id}`)),
      );
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return pages;
  };

  it('oldest change first, a hundred a page, until there are no more', async () => {
    const ids = Array.from({ length: 250 }, () => place().id);
    const pages = await all(0);
    expect(pages.map((page) => page.length)).toEqual([100, 100, 50]);
    expect(pages.flat()).toEqual(ids);
    expect(store.server.requests[0]).toBe('GET /orders?updatedSince=1970-01-01T00%3A00%3A00.000Z&limit=100');
  });

  it('the moment that was asked for is included, what changed before it is not', async () => {
    const before = place();
    now += 1_000;
    const at = place();
    expect(Date.parse(at.updatedAt) - Date.parse(before.updatedAt)).toBe(1_000);
    expect(await all(Date.parse(at.updatedAt))).toEqual([[at.id]]);
    expect(await all(Date.parse(at.updatedAt) + 1)).toEqual([[]]);
  });

  it('a change while the list is read hides no other order', async () => {
    const ids = Array.from({ length: 150 }, () => place().id);
    const first = await client().changedSince(0, undefined, call);
    store.updateOrder(ids[0] ?? '', { status: 'completed' });
    const second = await client().changedSince(0, first.nextCursor, call);
    const told = [...first.orders, ...second.orders].map((read) => read.kind === 'order' && read.order.id);
    expect(told).toEqual([...ids, ids[0]]);
  });

  it('an order that breaks the contract is told, and hides no other', async () => {
    const [one, broken, other] = [place(), place({ status: 'packed' }), place()];
    const { orders } = await client().changedSince(0, undefined, call);
    expect(orders.map((read) => (read.kind === 'order' ? read.order.id : read.kind))).toEqual([
      one.id,
      'unreadable',
      other.id,
    ]);
    expect(orders[1]).toEqual({
      kind: 'unreadable',
      id: broken.id,
      reason:
        'status: must be one of "pending", "on-hold", "open", "completed", "cancelled", "failed", "refunded"',
    });
  });

  it.each<[string, unknown]>([
    ['without a cursor nobody knows whether it is whole', { data: [] }],
    ['an empty cursor would begin again', { data: [], nextCursor: '' }],
    ['no list', { data: {}, nextCursor: null }],
  ])('%s: to be tried again', async (_case, page) => {
    answer(200, page);
    expect(await failure(client().changedSince(0, undefined, call))).toMatchObject({
      code: 'ANSWER_NOT_UNDERSTOOD',
    });
  });
});
