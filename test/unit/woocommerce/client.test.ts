import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type WooCommerceClientOptions,
  wooCommerceClient,
} from '../../../shared/connectors/woocommerce/client.ts';
import { manifest } from '../../../shared/connectors/woocommerce/manifest.ts';
import { toOrder } from '../../../shared/connectors/woocommerce/orders.mapper.ts';
import { CredentialsError, RetryableError, UnknownOutcomeError } from '../../../shared/core/errors.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../../fakes/woocommerce.ts';

const KEYS = { consumerKey: 'ck_test', consumerSecret: 'cs_0123456789abcdef' };
const call = { signal: new AbortController().signal };
let shop: FakeWooCommerce;
beforeEach(async () => {
  shop = await startFakeWooCommerce({
    currency: 'TWD',
    ...KEYS,
    products: [{ sku: 'TEA', name: 'Tea', price: '420.00', stock: 5 }],
  });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await shop.stop();
});

const client = (options: Partial<WooCommerceClientOptions> = {}) =>
  wooCommerceClient({ settings: { url: shop.url }, credentials: KEYS, nowMs: Date.now, ...options });
const failure = (promise: Promise<unknown>): Promise<RetryableError> =>
  promise.then(
    () => expect.unreachable('should have failed'),
    (error: unknown) => error as RetryableError,
  );
const fault = (status: number, body = '', headers: Record<string, string> = {}) =>
  shop.server.fault({ effect: { kind: 'answer', status, body, headers } });

it('reads one order, signed by OAuth over plain http, and it maps', async () => {
  const placed = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 2 }], paymentMethod: 'cod' });
  const order = await client().order(String(placed.id), call);
  expect(order).toMatchObject({ id: String(placed.id), total: '840', status: 'processing' });
  if (!order) return;
  const settings = manifest.settings.parse({ url: shop.url });
  expect(toOrder(order, { connection: 'woo', settings }).value.total).toEqual({
    minor: 84000,
    currency: 'TWD',
  });
});

it('says undefined for an order that the shop does not have', async () => {
  expect(await client().order('999999', call)).toBeUndefined();
});

it('escapes the id', async () => {
  expect(await client().order('../products', call)).toBeUndefined();
  expect(shop.server.requests[0]).toMatch(/^GET \/wp-json\/wc\/v3\/orders\/\.\.%2Fproducts\?oauth_/);
});

it('reads a page of products with how many there are', async () => {
  expect(await client().products(1, call)).toMatchObject({
    products: [{ id: '10', sku: 'TEA', stock_quantity: '5', manage_stock: true }],
    totalPages: 1,
  });
  expect((await client().products(2, call)).products).toEqual([]);
});

it('over https: Basic, nothing in the address', async () => {
  const seen: [string, RequestInit][] = [];
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    seen.push([url, init]);
    return new Response(
      '{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{}}',
      { status: 404 },
    );
  });
  const https = client({ settings: { url: 'https://shop.acme.example' } });
  expect(await https.order('7', call)).toBeUndefined();
  expect(seen[0]?.[0]).toBe('https://shop.acme.example/wp-json/wc/v3/orders/7');
  expect(seen[0]?.[1].headers).toMatchObject({ authorization: 'Basic Y2tfdGVzdDpjc18wMTIzNDU2Nzg5YWJjZGVm' });
});

describe('refused credentials', () => {
  it.each([
    ['another secret', { consumerKey: 'ck_test', consumerSecret: 'cs_other' }, 'CREDENTIALS_REFUSED'],
    ['another key', { consumerKey: 'ck_other', consumerSecret: KEYS.consumerSecret }, 'CREDENTIALS_REFUSED'],
    ['no secret', { consumerKey: 'ck_test' }, 'CREDENTIALS_MISSING'],
    ['none', {}, 'CREDENTIALS_MISSING'],
  ])('%s', async (_name, credentials, code) => {
    const error = await failure(client({ credentials }).order('1', call));
    expect(error).toBeInstanceOf(CredentialsError);
    expect(error.code).toBe(code);
  });

  it.each([401, 403])('HTTP %i, even as HTML', async (status) => {
    fault(status, '<html>Forbidden by the firewall</html>');
    expect(await failure(client().order('1', call))).toBeInstanceOf(CredentialsError);
  });
});

describe('anything else may work later', () => {
  it.each<[string, number, string, Record<string, string>, Record<string, unknown>]>([
    ['429 with seconds', 429, '', { 'retry-after': '7' }, { code: 'RATE_LIMITED', retryAfterMs: 7000 }],
    [
      '503 with a date',
      503,
      '',
      { 'retry-after': 'Mon, 05 Jan 2026 02:00:30 GMT' },
      { code: 'PEER_FAILED', retryAfterMs: 30_000 },
    ],
    ['500', 500, 'Fatal error', {}, { code: 'PEER_FAILED', retryAfterMs: undefined }],
    ['502 of a proxy', 502, '<html>', {}, { code: 'PEER_FAILED' }],
    ['404 as HTML', 404, '<html>Not found</html>', {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    [
      '404 of WordPress without WooCommerce',
      404,
      '{"code":"rest_no_route","message":"No route","data":{"status":404}}',
      {},
      { message: expect.stringContaining('HTTP 404 rest_no_route') },
    ],
    [
      '400',
      400,
      '{"code":"rest_invalid_param","message":"x","data":{}}',
      {},
      { message: expect.stringContaining('HTTP 400 rest_invalid_param') },
    ],
    ['200 as HTML', 200, '<html>Maintenance</html>', {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ['200 with a notice before the JSON', 200, '<br />{"id":1}', {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    ['200 with another thing', 200, '{"id":1}', {}, { message: expect.stringContaining('status: missing') }],
    ['200, empty', 200, '', {}, { code: 'ANSWER_NOT_UNDERSTOOD' }],
    [
      'moved',
      301,
      '',
      { location: 'https://www.acme.example/wp-json/wc/v3/orders/1?x=secret' },
      { message: expect.stringContaining('redirects to https://www.acme.example: correct "url"') },
    ],
  ])('%s', async (_name, status, body, headers, expected) => {
    fault(status, body, headers);
    const nowMs = () => Date.parse('2026-01-05T02:00:00Z');
    const error = await failure(client({ nowMs }).order('1', call));
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).not.toBeInstanceOf(CredentialsError);
    expect(error).not.toBeInstanceOf(UnknownOutcomeError);
    expect(error).toMatchObject(expected);
  });

  it.each([
    ['dropped', { kind: 'drop-before' } as const, 'PEER_DISCONNECTED'],
    ['slow', { kind: 'slow', delayMs: 3000 } as const, 'PEER_TIMEOUT'],
  ])('%s', async (_name, effect, code) => {
    shop.server.fault({ effect });
    expect(await failure(client({ deadlineMs: 60 }).order('1', call))).toMatchObject({ code });
  });

  it('too large', async () => {
    const { id } = await shop.placeOrder({ lines: [{ sku: 'TEA', quantity: 1 }] });
    expect(await failure(client({ maxBytes: 500 }).order(String(id), call))).toMatchObject({
      code: 'ANSWER_TOO_LARGE',
    });
  });

  it('a listing without its page count', async () => {
    fault(200, '[]');
    expect(await failure(client().products(1, call))).toMatchObject({
      message: expect.stringContaining('X-WP-TotalPages'),
    });
  });

  it('a shop that is not there', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const error = await failure(client({ settings: { url: `http://127.0.0.1:${port}` } }).order('1', call));
    expect(error.code).toBe('PEER_UNREACHABLE');
  });

  it('never says a key, a secret or a signature', async () => {
    fault(500);
    const error = await failure(client().order('1', call));
    expect(JSON.stringify([error.message, error.context])).not.toMatch(/ck_|cs_|oauth/);
  });
});
