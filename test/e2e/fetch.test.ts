import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeOdoo, startFakeOdoo } from '../fakes/odoo.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../fakes/woocommerce.ts';

/**
 * WooCommerce counts versions in seconds: an order that is opened and cancelled within one sends two copies of one
 * version. Through the templates and bundles as they would be deployed, on this machine.
 */
const START = new URL('../../infra/cli/start.ts', import.meta.url).pathname;
const SECRET = 'another-webhook-secret';
const KEYS = { consumerKey: 'ck_second', consumerSecret: 'cs_second' };
const ODOO = { login: 'bot@acme.example', apiKey: 'second-api-key' };

let folder: string;
let shop: FakeWooCommerce;
let erp: FakeOdoo;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'waybill-fetch-'));
  const oneSecond = Math.floor(Date.now() / 1000) * 1000;
  shop = await startFakeWooCommerce({
    ...KEYS,
    currency: 'EUR',
    products: [{ sku: 'LAMP-1', name: 'Lamp', price: '39.90', stock: 5 }],
    nowMs: () => oneSecond,
  });
  erp = await startFakeOdoo({
    version: 18,
    database: 'acme',
    ...ODOO,
    companies: [{ name: 'Acme GmbH', currency: 'EUR' }],
    products: [
      { sku: 'LAMP-1', name: 'Lampe', price: 35 },
      { sku: 'FEE', name: 'Fee', service: true },
    ],
    taxes: [],
  });
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await shop.stop();
  await erp.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Starts the stack against both peers; what it tells can be waited for. */
const start = async (keys: object) => {
  const save = async (name: string, content: unknown) => {
    const file = path.join(folder, name);
    await writeFile(file, JSON.stringify(content));
    return file;
  };
  const settings = await save('acme.json', {
    name: 'acme',
    region: 'eu-central-1',
    timeZone: 'Europe/Berlin',
    connections: {
      'acme-woo': { connector: 'woocommerce', url: shop.url },
      'acme-odoo': { connector: 'odoo', url: erp.url, database: 'acme' },
    },
    orders: [{ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-01-01T00:00:00+01:00' }],
  });
  const secrets = await save('secrets.json', {
    'acme-woo': { webhookSecrets: [SECRET], ...keys },
    'acme-odoo': ODOO,
  });
  const args = ['--disable-warning=ExperimentalWarning', START, '--settings', settings, '--secrets', secrets];
  const runner = spawn(process.execPath, args, {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = runner;
  let heard = '';
  for (const stream of [runner.stdout, runner.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
  }
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    await expect.poll(() => heard, { timeout: 60_000, interval: 50 }).toMatch(pattern);
    return pattern.exec(heard) as RegExpExecArray;
  };
  const [, deliveryUrl = ''] = await says(/(http:\/\/127\.0\.0\.1:\d+\/webhooks\/acme-woo)/);
  await shop.registerWebhook({ topic: 'order.updated', deliveryUrl, secret: SECRET });
  return { says };
};
const buy = async () => {
  const { id } = await shop.placeOrder({
    via: 'checkout',
    lines: [{ sku: 'LAMP-1', quantity: 1 }],
    paymentMethod: 'stripe',
    paid: true,
    billing: { first_name: 'Ada', last_name: 'Beispiel', country: 'DE', email: 'ada@example.test' },
  });
  await shop.settled();
  return id;
};

it('opened and cancelled in one second: the shop is asked, and what it says is done', async () => {
  const { says } = await start(KEYS);
  const id = await buy();
  await says(/written as S00001, confirmed/);
  shop.updateOrder(id, { status: 'cancelled' });
  await says(/two copies of one version differ: the shop is asked/);
  await says(/read at the shop, on the bus/);
  await says(/S00001 changed: cancelled/);
  expect(erp.orders()).toMatchObject([{ name: 'S00001', state: 'cancel' }]);
  expect(shop.server.requests.filter((request) => request.startsWith('GET'))).toEqual([
    expect.stringContaining(`/wp-json/wc/v3/orders/${id}`),
  ]);
}, 120_000);

it('refunded: the shop is asked what for, and the credit note says so', async () => {
  const { says } = await start(KEYS);
  const id = await buy();
  await says(/written as S00001, confirmed/);
  const [line] = shop.order(id)?.line_items ?? [];
  shop.refund(id, { lines: [{ id: line?.id ?? 0, quantity: 1 }], amount: '29.90' });
  await says(/read at the shop, on the bus/);
  await says(/S00001 changed: refund/);
  expect(erp.records('account.move')).toMatchObject([{ state: 'posted', amount_total: 29.9 }]);
  // Ten were kept.
  const prices = erp.records('account.move.line').map((each) => [each['quantity'], each['price_unit']]);
  expect(prices).toEqual([
    [1, 39.9],
    [1, -10],
  ]);
}, 120_000);

it('without a key for reading it is parked, and says what to do', async () => {
  const { says } = await start({});
  const id = await buy();
  await says(/written as S00001, confirmed/);
  shop.updateOrder(id, { status: 'cancelled' });
  await says(new RegExp(`parked, STOREFRONT_CREDENTIALS_MISSING: Order ${id} has to be read at acme-woo`));
  await says(/what to do: Create an API key that may read orders/);
}, 120_000);
