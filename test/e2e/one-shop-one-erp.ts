import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect } from 'vitest';
import { LocalAddress } from '../../infra/cli/address.ts';
import { invokeFunction } from '../../shared/aws/lambda-api.ts';
import { type FakeOdoo, startFakeOdoo } from '../fakes/odoo.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../fakes/woocommerce.ts';

const CLI = new URL('../../infra/cli/', import.meta.url).pathname;
const QUIET = '--disable-warning=ExperimentalWarning';
const ODOO = { login: 'bot@acme.example', apiKey: 'second-api-key' };
const KEYS = { consumerKey: 'ck_second', consumerSecret: 'cs_second' };

/** What the shop signs with. */
export const SECRET = 'another-webhook-secret';

/** Anew for each test: a shop, an ERP, and between them the local stack that an operator started with `npm start`. */
export interface OneShopOneErp {
  readonly shop: FakeWooCommerce;
  readonly erp: FakeOdoo;
  start(route?: { readonly mode?: 'shadow' }): Promise<void>;
  /** Waits until the runner has said so. */
  says(pattern: RegExp): Promise<void>;
  /** A buyer orders and pays; returns the shop's id. */
  buy(): Promise<number>;
  waybill(...args: string[]): Promise<{ readonly code: number; readonly out: string }>;
  address(): Promise<LocalAddress>;
  /** One run of the controller, as its schedule does once a minute. */
  control(): Promise<unknown>;
}

export const oneShopOneErp = (): OneShopOneErp => {
  let folder: string;
  let shop: FakeWooCommerce;
  let erp: FakeOdoo;
  let child: ChildProcess | undefined;
  let heard = '';

  beforeEach(async () => {
    heard = '';
    folder = await mkdtemp(path.join(tmpdir(), 'waybill-e2e-'));
    shop = await startFakeWooCommerce({
      ...KEYS,
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

  const save = async (name: string, content: unknown): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, JSON.stringify(content));
    return file;
  };
  const says = (pattern: RegExp): Promise<void> =>
    expect.poll(() => heard, { timeout: 60_000, interval: 50 }).toMatch(pattern);
  const address = async () =>
    LocalAddress.parse(JSON.parse(await readFile(path.join(folder, 'local.json'), 'utf8')));

  return {
    get shop() {
      return shop;
    },
    get erp() {
      return erp;
    },
    says,
    address,
    start: async (route = {}) => {
      const settings = await save('acme.json', {
        name: 'acme',
        region: 'eu-central-1',
        timeZone: 'Europe/Berlin',
        connections: {
          'acme-woo': { connector: 'woocommerce', url: shop.url },
          'acme-odoo': { connector: 'odoo', url: erp.url, database: 'acme' },
        },
        orders: [{ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-01-01T00:00:00+01:00', ...route }],
        timeScale: 0.01,
      });
      const secrets = await save('secrets.json', {
        'acme-woo': { webhookSecrets: [SECRET] },
        'acme-odoo': ODOO,
      });
      const args = [QUIET, `${CLI}start.ts`, '--settings', settings, '--secrets', secrets, '--data', folder];
      const runner = spawn(process.execPath, args, {
        env: { ...process.env, NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = runner;
      for (const stream of [runner.stdout, runner.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          heard += chunk.toString();
        });
      }
      const webhook = /http:\/\/127\.0\.0\.1:\d+\/webhooks\/acme-woo/;
      await says(webhook);
      const [deliveryUrl = ''] = webhook.exec(heard) ?? [];
      await shop.registerWebhook({ topic: 'order.updated', deliveryUrl, secret: SECRET });
    },
    buy: async () => {
      const { id } = await shop.placeOrder({
        via: 'checkout',
        lines: [{ sku: 'LAMP-1', quantity: 1 }],
        paymentMethod: 'stripe',
        paid: true,
        billing: { first_name: 'Ada', last_name: 'Beispiel', country: 'DE', email: 'ada@example.test' },
      });
      await shop.settled();
      return id;
    },
    waybill: async (...args) => {
      const command = [QUIET, `${CLI}waybill.ts`, ...args, '--data', folder];
      const env = { ...process.env, NO_COLOR: '1' };
      try {
        const { stdout } = await promisify(execFile)(process.execPath, command, { env });
        return { code: 0, out: stdout };
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, out: stdout + stderr };
      }
    },
    control: async () => {
      const { env, functions } = await address();
      process.env['AWS_ENDPOINT_URL_LAMBDA'] = env['AWS_ENDPOINT_URL_LAMBDA'];
      const client = new DynamoDBClient({
        region: 'eu-central-1',
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      });
      return invokeFunction(client, functions['acme-odoo']?.control ?? '', {});
    },
  };
};
