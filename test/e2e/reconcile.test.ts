import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LocalRun, runLocally } from '../../infra/cli/run-local.ts';
import { settings } from '../../infra/settings.ts';
import { type FakeOdoo, startFakeOdoo } from '../fakes/odoo.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../fakes/woocommerce.ts';

/**
 * A shop whose webhook was never switched on, or is switched off: the orders come to the ERP all the same. Through the
 * templates and bundles as they would be deployed, on this machine.
 */
const SECRET = 'another-webhook-secret';
const KEYS = { consumerKey: 'ck_second', consumerSecret: 'cs_second' };
const ODOO = { login: 'bot@acme.example', apiKey: 'second-api-key' };

let folder: string;
let shop: FakeWooCommerce;
let erp: FakeOdoo;
let run: LocalRun | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'waybill-reconcile-'));
  shop = await startFakeWooCommerce({
    ...KEYS,
    currency: 'EUR',
    products: [{ sku: 'LAMP-1', name: 'Lamp', price: '39.90', stock: 5 }],
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
  await run?.stop();
  await shop.stop();
  await erp.stop();
  await rm(folder, { recursive: true, force: true });
});

const start = async (): Promise<LocalRun> => {
  const stage = settings({
    name: 'sandbox-reconcile',
    region: 'eu-central-1',
    timeZone: 'Europe/Berlin',
    // Five minutes in which a webhook may be late are six seconds.
    timeScale: 0.02,
    connections: {
      'acme-woo': { connector: 'woocommerce', url: shop.url },
      'acme-odoo': { connector: 'odoo', url: erp.url, database: 'acme' },
    },
    orders: [{ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-01-01T00:00:00+01:00' }],
  });
  run = await runLocally({
    settings: stage,
    secrets: { 'acme-woo': { webhookSecrets: [SECRET], ...KEYS }, 'acme-odoo': ODOO },
    dataDir: folder,
    scratch: folder,
    onLine: () => undefined,
  });
  return run;
};
interface Ran {
  readonly outcome?: string;
  readonly found?: number;
  /** Largest change seen. */
  readonly readUpTo?: string;
}

/** As `aws lambda invoke`: the schedule's next run is minutes away. */
const reconcile = async ({ stack }: LocalRun): Promise<Ran> => {
  const name = stack.outputs['waybill-sandbox-reconcile-acme-woo.ReconcileFunctionName'] ?? '';
  const url = `${stack.endpoints.lambda}/2015-03-31/functions/${encodeURIComponent(name)}/invocations`;
  const answer = await fetch(url, { method: 'POST', body: '{}' });
  expect(answer.headers.get('x-amz-function-error')).toBeNull();
  return (await answer.json()) as Ran;
};
const buy = async (name = 'Ada'): Promise<number> => {
  const { id } = await shop.placeOrder({
    via: 'checkout',
    lines: [{ sku: 'LAMP-1', quantity: 1 }],
    paymentMethod: 'stripe',
    paid: true,
    billing: {
      first_name: name,
      last_name: 'Beispiel',
      country: 'DE',
      email: `${name.toLowerCase()}@example.test`,
    },
  });
  await shop.settled();
  return id;
};
const references = () => erp.orders().map(({ client_order_ref }) => client_order_ref);

it('a webhook that is lost: found in the list, written once, and not found again', async () => {
  const local = await start();
  const lost = await buy();
  expect(await waybill('poll', 'acme-woo', '--now')).toEqual({
    code: 0,
    out: 'acme-woo: 0 orders looked at, 0 found that no webhook had brought\n',
  });

  await expect.poll(() => reconcile(local), { timeout: 30_000, interval: 500 }).toMatchObject({ found: 1 });
  await expect.poll(references, { timeout: 30_000 }).toEqual([`acme-woo:${lost}`]);

  const deliveryUrl = local.webhookUrls.get('acme-woo') ?? '';
  await shop.registerWebhook({ topic: 'order.updated', deliveryUrl, secret: SECRET });
  const brought = await buy();
  const both = [`acme-woo:${lost}`, `acme-woo:${brought}`];
  await expect.poll(references, { timeout: 30_000 }).toEqual(both);
  const changedAt = `${shop.orders().at(-1)?.date_modified_gmt}.000Z`;
  await expect
    .poll(
      async () => {
        const { found, readUpTo } = await reconcile(local);
        expect(found).toBe(0);
        return readUpTo;
      },
      { timeout: 30_000, interval: 500 },
    )
    .toBe(changedAt);
  expect(references()).toEqual(both);
}, 120_000);

const WAYBILL = new URL('../../infra/cli/waybill.ts', import.meta.url).pathname;

/** The command as an operator types it, in a process of its own. */
const waybill = async (...args: string[]): Promise<{ code: number; out: string }> => {
  const all = ['--disable-warning=ExperimentalWarning', WAYBILL, ...args, '--data', folder];
  const { code, stdout, stderr } = await promisify(execFile)(process.execPath, all).then(
    (done) => ({ code: 0, ...done }),
    (failed: { code: number; stdout: string; stderr: string }) => failed,
  );
  expect(stderr).toBe('');
  return { code, out: stdout };
};

it('an ERP restored from a backup: what it has forgotten comes back once, and to the right customer', async () => {
  const local = await start();
  const deliveryUrl = local.webhookUrls.get('acme-woo') ?? '';
  await shop.registerWebhook({ topic: 'order.updated', deliveryUrl, secret: SECRET });
  const written = async (...ids: number[]) =>
    expect.poll(references, { timeout: 30_000 }).toEqual(ids.map((id) => `acme-woo:${id}`));

  const kept = await buy('Ada');
  await written(kept);
  const restore = erp.backup();
  const forgotten = [await buy('Ada'), await buy('Bob')];
  await written(kept, ...forgotten);
  expect(await waybill('orders', 'repair')).toEqual({ code: 0, out: '3 orders looked for, 0 missing\n' });

  restore();
  // Staff go on working: the new record gets the id that Bob had.
  erp.call('res.partner', 'create', [{ name: 'Somebody else' }]);
  const listed = await waybill('orders', 'repair');
  expect(listed.code).toBe(1);
  for (const id of forgotten) expect(listed.out).toContain(`acme-woo:${id}`);
  expect(listed.out).toContain(
    '3 orders looked for, 2 missing; write them again: waybill orders repair --data',
  );
  await written(kept);

  const repaired = await waybill('orders', 'repair', '--yes', '--by', 'ada', '--why', 'restored');
  expect(repaired.out).toContain('3 orders looked for, 2 missing; 2 sent again');
  expect(repaired.code).toBe(0);
  await expect
    .poll(() => references().toSorted(), { timeout: 30_000 })
    .toEqual([kept, ...forgotten].map((id) => `acme-woo:${id}`).toSorted());
  const again = await waybill('orders', 'repair', '--yes', '--by', 'ada', '--why', 'restored');
  expect(again.out).toContain(', 0 missing');
  expect(references()).toHaveLength(3);

  const customerOf = (id: number) => {
    const order = erp.records('sale.order').find((row) => row['client_order_ref'] === `acme-woo:${id}`);
    return erp.records('res.partner').find((partner) => partner.id === order?.['partner_id'])?.['name'];
  };
  const [adas, bobs] = forgotten as [number, number];
  expect([customerOf(adas), customerOf(bobs)]).toEqual(['Ada Beispiel', 'Bob Beispiel']);
}, 180_000);
