import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LocalAddress } from '../../infra/cli/address.ts';
import { invokeFunction } from '../../shared/aws/lambda-api.ts';
import { type FakeOdoo, startFakeOdoo } from '../fakes/odoo.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../fakes/woocommerce.ts';

/**
 * An ERP that is unplugged, through the templates and bundles as they would be deployed. The schedule calls the controller
 * once a minute; here it is called as soon as there is something to see.
 */
const CLI = new URL('../../infra/cli/', import.meta.url).pathname;
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;
const SECRET = 'another-webhook-secret';
const ODOO = { login: 'bot@acme.example', apiKey: 'second-api-key' };

let folder: string;
let shop: FakeWooCommerce;
let erp: FakeOdoo;
let child: ChildProcess | undefined;
let heard = '';

beforeEach(async () => {
  heard = '';
  folder = await mkdtemp(path.join(tmpdir(), 'waybill-outage-'));
  shop = await startFakeWooCommerce({
    consumerKey: 'ck_second',
    consumerSecret: 'cs_second',
    currency: 'EUR',
    products: [{ sku: 'LAMP-1', name: 'Lamp', price: '39.90', stock: 50 }],
  });
  erp = await startFakeOdoo({
    version: 18,
    database: 'acme',
    ...ODOO,
    companies: [{ name: 'Acme GmbH', currency: 'EUR' }],
    products: [{ sku: 'LAMP-1', name: 'Lampe', price: 35 }],
    taxes: [],
  });
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await shop.stop();
  await erp.stop();
  await rm(folder, { recursive: true, force: true });
});

const says = (pattern: RegExp): Promise<void> =>
  expect.poll(() => heard, { timeout: 60_000, interval: 50 }).toMatch(pattern);

const start = async (): Promise<void> => {
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
    timeScale: 0.01,
  });
  const secrets = await save('secrets.json', { 'acme-woo': { webhookSecrets: [SECRET] }, 'acme-odoo': ODOO });
  const [node, quiet] = NODE;
  const args = [quiet, `${CLI}start.ts`, '--settings', settings, '--secrets', secrets, '--data', folder];
  const runner = spawn(node, args, {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = runner;
  for (const stream of [runner.stdout, runner.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
  }
  await says(/http:\/\/127\.0\.0\.1:\d+\/webhooks\/acme-woo/);
  const [deliveryUrl = ''] = /http:\/\/127\.0\.0\.1:\d+\/webhooks\/acme-woo/.exec(heard) ?? [];
  await shop.registerWebhook({ topic: 'order.updated', deliveryUrl, secret: SECRET });
};

const buy = async (): Promise<void> => {
  await shop.placeOrder({
    via: 'checkout',
    lines: [{ sku: 'LAMP-1', quantity: 1 }],
    paymentMethod: 'stripe',
    paid: true,
    billing: { first_name: 'Ada', last_name: 'Beispiel', country: 'DE', email: 'ada@example.test' },
  });
  await shop.settled();
};

/** What the schedule does. */
const control = async (): Promise<unknown> => {
  const file = path.join(folder, 'local.json');
  const { env, functions } = LocalAddress.parse(JSON.parse(await readFile(file, 'utf8')));
  process.env['AWS_ENDPOINT_URL_LAMBDA'] = env['AWS_ENDPOINT_URL_LAMBDA'];
  const client = new DynamoDBClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return invokeFunction(client, functions['acme-odoo']?.control ?? '', {});
};
const controlUntil = (outcome: string): Promise<void> =>
  expect.poll(control, { timeout: 30_000, interval: 100 }).toMatchObject({ outcome });

const waybill = async (...args: string[]): Promise<{ code: number; out: string }> => {
  const [node, quiet] = NODE;
  const command = [quiet, `${CLI}waybill.ts`, ...args, '--data', folder];
  try {
    const { stdout } = await promisify(execFile)(node, command, { env: { ...process.env, NO_COLOR: '1' } });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
};
const ofOdoo = async () => {
  const { code, out } = await waybill('status', '--json');
  const { connections } = JSON.parse(out) as {
    connections: { connection: string; state?: { state: string }; queue?: object }[];
  };
  return { code, ...connections.find(({ connection }) => connection === 'acme-odoo') };
};

it('the ERP is unplugged: paused; plugged in again: resumed; every order arrives, nothing is parked', async () => {
  await start();
  await buy();
  await says(/written as S00001/);
  expect(await control()).toMatchObject({ outcome: 'unchanged' });

  const plugIn = await erp.server.goDown();
  await buy();
  await says(/failed, PEER_UNREACHABLE/);
  await controlUntil('paused');
  await says(/acme-odoo +paused, its orders wait: .*ECONNREFUSED/);
  await buy(); // nobody tries this one
  expect(await ofOdoo()).toMatchObject({
    code: 1,
    state: { state: 'paused', by: 'controller', code: 'PEER_UNREACHABLE' },
    queue: { parked: 0 },
  });
  await controlUntil('probed');

  await plugIn();
  await controlUntil('resumed');
  await expect.poll(() => erp.orders().length, { timeout: 60_000 }).toBe(3);
  await says(/written as S00003/);
  await expect
    .poll(ofOdoo, { timeout: 20_000, interval: 200 })
    .toMatchObject({ code: 0, state: { state: 'running' }, queue: { visible: 0, inFlight: 0, parked: 0 } });
}, 150_000);

it('paused by a person: nothing is written until a person resumes it', async () => {
  await start();
  const paused = await waybill('pause', 'acme-odoo', '--by', 'ada', '--why', 'stock-taking');
  expect(paused).toMatchObject({ code: 0, out: expect.stringContaining('acme-odoo is paused now: done') });
  await buy();
  await expect
    .poll(ofOdoo, { timeout: 20_000, interval: 200 })
    .toMatchObject({ code: 1, state: { by: 'ada', why: 'stock-taking' }, queue: { visible: 1 } });
  expect(await control()).toMatchObject({ outcome: 'unchanged' });
  expect(erp.orders()).toEqual([]);
  expect((await waybill('status')).out).toMatch(/paused since .* by ada, BY_HAND: stock-taking/);

  const resumed = await waybill('resume', 'acme-odoo', '--by', 'bob', '--why', 'counted');
  expect(resumed).toMatchObject({ code: 0, out: expect.stringContaining('acme-odoo is running now: done') });
  await says(/written as S00001/);
}, 150_000);
