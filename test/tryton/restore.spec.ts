import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { type LocalRun, runLocally } from '../../infra/cli/run-local.ts';
import { settings } from '../../infra/settings.ts';
import { type FakeOrderSpec, type FakeWooCommerce, startFakeWooCommerce } from '../fakes/woocommerce.ts';
import { TrytonRpc } from './rpc.ts';
import { SEED } from './seed.ts';
import { type RunningTryton, startTryton } from './server.ts';

/**
 * A Tryton of its own, put back to yesterday's copy of its SQLite file, behind the local stack: the templates and bundles
 * as they would be deployed. Everything is read back by Tryton's own means.
 */
const KEYS = { consumerKey: 'ck_restore', consumerSecret: 'cs_restore' };
const SECRET = 'the-webhook-secret-of-the-restore';

let folder: string;
let shop: FakeWooCommerce;
let tryton: RunningTryton;
let rpc: TrytonRpc;
let local: LocalRun;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'waybill-restore-'));
  shop = await startFakeWooCommerce({
    ...KEYS,
    currency: 'TWD',
    decimals: 2,
    products: [
      { sku: 'TEA-OOL-150', name: 'Oolong', price: '420.00', stock: 900 },
      { sku: 'MUG-TH-01', name: 'Mug', price: '149.50', stock: 900 },
    ],
  });
  tryton = await startTryton(undefined, inject('tryton').backup);
  await login();
  const stage = settings({
    name: 'sandbox-restore',
    region: 'ap-southeast-1',
    timeZone: 'Asia/Taipei',
    timeScale: 0.02,
    connections: {
      'acme-woo': { connector: 'woocommerce', url: shop.url },
      'acme-tryton': { connector: 'tryton', url: tryton.url, database: tryton.database },
    },
    orders: [{ from: 'acme-woo', to: 'acme-tryton', startAt: '2026-01-01T00:00:00+08:00' }],
  });
  local = await runLocally({
    settings: stage,
    secrets: {
      'acme-woo': { webhookSecrets: [SECRET], ...KEYS },
      'acme-tryton': { login: SEED.login, password: SEED.password },
    },
    dataDir: folder,
    scratch: folder,
    onLine: () => undefined,
  });
  const deliveryUrl = local.webhookUrls.get('acme-woo') ?? '';
  await shop.registerWebhook({ topic: 'order.updated', deliveryUrl, secret: SECRET });
});
afterEach(async () => {
  await local?.stop();
  await shop?.stop();
  await tryton?.stop();
  await rm(folder, { recursive: true, force: true });
});

const login = async (): Promise<void> => {
  rpc = new TrytonRpc(tryton.url, tryton.database);
  await rpc.login(tryton.admin.login, tryton.admin.password);
};

const TEA = { sku: 'TEA-OOL-150', quantity: 2 };
const MUG = { sku: 'MUG-TH-01', quantity: 1 };
const buy = async (name: string, lines: FakeOrderSpec['lines'] = [TEA, MUG]): Promise<number> => {
  const { id } = await shop.placeOrder({
    via: 'checkout',
    lines,
    paymentMethod: 'stripe',
    paid: true,
    billing: {
      first_name: name,
      last_name: 'Test',
      address_1: `${name} Road 1`,
      city: 'Taipei',
      country: 'TW',
      email: `${name.toLowerCase()}@example.test`,
    },
  });
  await shop.settled();
  return id;
};
const edit = async (id: number, quantity: number): Promise<void> => {
  const line = shop.order(id)?.line_items[0];
  if (!line) throw new Error(`order ${id} has a line`);
  const total = (420 * quantity).toFixed(2);
  shop.updateOrder(id, { lines: [{ id: line.id, quantity, total }] });
  await shop.settled();
};
const refundOneTea = async (id: number): Promise<void> => {
  const line = shop.order(id)?.line_items[0];
  if (!line) throw new Error(`order ${id} has a line`);
  shop.refund(id, { lines: [{ id: line.id, quantity: 1 }], reason: 'Too green' });
  await shop.settled();
};
const cancel = async (id: number): Promise<void> => {
  shop.updateOrder(id, { status: 'cancelled' });
  await shop.settled();
};

interface Sale {
  readonly id: number;
  readonly reference: string;
  readonly state: string;
  readonly 'party.': { readonly name: string };
  readonly total_amount: { readonly decimal: string };
  readonly 'invoices.': readonly { readonly state: string }[];
  readonly 'lines.': readonly { readonly quantity: number; readonly 'product.': { readonly code: string } }[];
}
const FIELDS = [
  'reference',
  'state',
  'party.name',
  'total_amount',
  'invoices.state',
  'lines.quantity',
  'lines.product.code',
];
/** What stands in Tryton of one order of the shop, credit notes too: one line for each document. */
const documents = async (id: number): Promise<string[]> => {
  const sales = (await rpc.model('sale.sale', 'search_read', [
    [['reference', 'like', `acme-woo:${id}%`]],
    0,
    null,
    [['id', 'ASC']],
    FIELDS,
  ])) as Sale[];
  return sales
    .filter(({ reference }) => reference === `acme-woo:${id}` || reference.startsWith(`acme-woo:${id}/`))
    .map((sale) => {
      const lines = sale['lines.'].map((line) => `${line.quantity} ${line['product.'].code}`).sort();
      const invoices = sale['invoices.'].map(({ state }) => state).sort();
      const { decimal } = sale.total_amount;
      return `${sale['party.'].name}: ${lines.join(', ')}: ${Number(decimal)}, ${sale.state}, ${invoices}`;
    });
};
const becomes = (id: number, ...wanted: string[]) =>
  expect.poll(() => documents(id), { timeout: 60_000, interval: 250 }).toEqual(wanted);
/** Every document of Tryton's and how often it was written. */
const everything = async (): Promise<unknown> => {
  const all: unknown[] = [];
  for (const model of ['sale.sale', 'account.invoice', 'stock.shipment.out', 'stock.shipment.out.return']) {
    all.push(await rpc.model(model, 'search_read', [[], 0, null, [['id', 'ASC']], ['write_date', 'state']]));
  }
  return all;
};

interface Checked<O = string> {
  readonly looked: number;
  readonly missing: readonly O[];
  readonly outdated: readonly O[];
}
/** As the schedule invokes it, each morning. */
const dailyCheck = async (): Promise<Checked> => {
  const { outputs, endpoints } = local.stack;
  const name = outputs['waybill-sandbox-restore-acme-tryton.CheckFunctionName'] ?? '';
  const url = `${endpoints.lambda}/2015-03-31/functions/${encodeURIComponent(name)}/invocations`;
  const answer = await fetch(url, { method: 'POST', body: '{}' });
  expect(answer.headers.get('x-amz-function-error')).toBeNull();
  const { looked, missing, outdated } = (await answer.json()) as Checked<{ readonly orderId: string }>;
  const ids = (orders: typeof missing) => orders.map(({ orderId }) => orderId).toSorted();
  return { looked, missing: ids(missing), outdated: ids(outdated) };
};

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
const repair = () =>
  waybill('orders', 'repair', '--yes', '--by', 'ada', '--why', "restored to yesterday's copy");

it("Tryton restored to yesterday's copy of its SQLite file: the daily check names the missing orders, orders repair brings each back once", async () => {
  const kept = await buy('Kim');
  const older = [await buy('Eve'), await buy('Rob'), await buy('Cal')] as const;
  const whole = (name: string) => `${name} Test: 1 MUG-TH-01, 2 TEA-OOL-150: 989.5, processing, draft`;
  const [edited1, refunded1, cancelled1] = older;
  await becomes(kept, whole('Kim'));
  await becomes(edited1, whole('Eve'));
  await becomes(refunded1, whole('Rob'));
  await becomes(cancelled1, whole('Cal'));

  const copy = path.join(folder, 'yesterday.sqlite');
  await tryton.halt();
  await tryton.backUp(copy);
  await tryton.resume();

  // The day that will be lost.
  const plain = await buy('Bob');
  await becomes(plain, whole('Bob'));
  const edited = await buy('Dan');
  const refunded = await buy('Fay');
  const cancelled = await buy('Cyd');
  await becomes(edited, whole('Dan'));
  await becomes(refunded, whole('Fay'));
  await becomes(cancelled, whole('Cyd'));
  for (const id of [edited, edited1]) await edit(id, 3);
  for (const id of [refunded, refunded1]) await refundOneTea(id);
  for (const id of [cancelled, cancelled1]) await cancel(id);
  const afterEdit = (name: string) => `${name} Test: 1 MUG-TH-01, 3 TEA-OOL-150: 1409.5, processing, draft`;
  const creditNote = (name: string) => `${name} Test: -1 TEA-OOL-150: -420, processing, posted`;
  const afterCancel = (name: string) => `${name} Test: 1 MUG-TH-01, 2 TEA-OOL-150: 989.5, done, cancelled`;
  await becomes(edited, afterEdit('Dan'));
  await becomes(edited1, afterEdit('Eve'));
  await becomes(refunded, whole('Fay'), creditNote('Fay'));
  await becomes(refunded1, whole('Rob'), creditNote('Rob'));
  await becomes(cancelled, afterCancel('Cyd'));
  await becomes(cancelled1, afterCancel('Cal'));
  // Tryton has it a moment before the ledger says so. What was cancelled is not looked for.
  const NOTHING = { looked: 6, missing: [], outdated: [] };
  await expect.poll(dailyCheck, { timeout: 30_000 }).toEqual(NOTHING);

  await tryton.halt();
  await tryton.restore(copy);
  await tryton.resume();
  await login();
  // Staff go on working: the new party gets the id that Bob's had.
  await rpc.create('party.party', { name: 'Somebody else' });
  for (const id of [plain, edited, refunded, cancelled]) expect(await documents(id)).toEqual([]);

  const lost = [plain, edited, refunded].map(String).toSorted();
  const doubtful = older.map(String).toSorted();
  expect(await dailyCheck()).toEqual({ looked: 6, missing: lost, outdated: doubtful });
  const listed = await waybill('orders', 'repair');
  expect(listed.code).toBe(1);
  for (const id of [...lost, ...doubtful]) expect(listed.out).toContain(`acme-woo:${id} `);
  expect(listed.out.match(/is there, and may lack its last change/g)).toHaveLength(3);
  expect(listed.out).toContain('6 orders looked for, 3 missing; write them again: waybill orders repair');
  for (const id of lost) expect(await documents(Number(id))).toEqual([]);

  const repaired = await repair();
  expect(repaired.out).toContain('6 orders looked for, 3 missing; 3 sent again');
  expect(repaired.code).toBe(0);
  await becomes(plain, whole('Bob'));
  // As the shop says it today, with what was given back; and once.
  await becomes(edited, afterEdit('Dan'));
  await becomes(refunded, whole('Fay'), creditNote('Fay'));
  await becomes(kept, whole('Kim'));
  // It was cancelled before anybody shipped it: nobody misses it.
  await becomes(cancelled);
  // These were named: what they were before stands there again, until people have looked.
  for (const [id, name] of [
    [edited1, 'Eve'],
    [refunded1, 'Rob'],
    [cancelled1, 'Cal'],
  ] as const) {
    await becomes(id, whole(name));
  }

  await expect.poll(dailyCheck, { timeout: 30_000 }).toEqual(NOTHING);
  const before = await everything();
  const again = await repair();
  expect(again).toEqual({ code: 0, out: '6 orders looked for, 0 missing\n' });
  expect(await everything()).toEqual(before);
});
