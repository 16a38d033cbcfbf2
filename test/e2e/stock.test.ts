import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { beginStock } from '../../infra/cli/begin-stock.ts';
import { addAuditCommand } from '../../infra/cli/commands/audit.ts';
import { addStockCommands } from '../../infra/cli/commands/stock.ts';
import { addStockTestCommand } from '../../infra/cli/commands/stock-test.ts';
import { type LocalRun, runLocally } from '../../infra/cli/run-local.ts';
import { settings } from '../../infra/settings.ts';
import { dynamoDb } from '../../shared/aws/clients.ts';
import { invokeFunction } from '../../shared/aws/lambda-api.ts';
import { type FakeCustomStore, startFakeCustomStore } from '../fakes/custom-store.ts';
import { type FakeOdoo, startFakeOdoo } from '../fakes/odoo.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../fakes/woocommerce.ts';

/**
 * Two shops that sell from one ERP's stock, through the templates and bundles as they would be deployed. One stack for all
 * cases: each works on SKUs of its own, and the last one on all of them.
 */
const SECRET = 'another-webhook-secret';
const KEYS = { consumerKey: 'ck_second', consumerSecret: 'cs_second' };
const STORE_SECRET = `whsec_${Buffer.from('stock-webhook-signing-key-000001').toString('base64')}`;
const API_TOKEN = 'stock-store-api-token';
const ODOO = { login: 'bot@acme.example', apiKey: 'second-api-key' };
const STOCK = 20;
/** More than guard.atLeast: fewer are never held. */
const SKUS = Array.from({ length: 26 }, (_, index) => `SKU-${String(index + 1).padStart(2, '0')}`);

let folder: string;
let woo: FakeWooCommerce;
let store: FakeCustomStore;
let erp: FakeOdoo;
let run: LocalRun;

const stage = () =>
  settings({
    name: 'sandbox-stock',
    region: 'eu-central-1',
    timeZone: 'Europe/Berlin',
    timeScale: 0.1,
    connections: {
      'acme-woo': { connector: 'woocommerce', url: woo.url },
      'acme-store': { connector: 'custom-store', url: store.url },
      'acme-odoo': { connector: 'odoo', url: erp.url, database: 'acme' },
    },
    orders: ['acme-woo', 'acme-store'].map((from) => ({
      from,
      to: 'acme-odoo',
      startAt: '2026-01-01T00:00:00+01:00',
      ...(from === 'acme-woo' && { accept: { test: 'confirm' as const } }),
    })),
    // Polled by hand: the schedule's first run is later than the last case.
    stock: [
      {
        from: 'acme-odoo',
        to: ['acme-woo', 'acme-store'],
        every: '15 minutes',
        prices: {},
        rules: [{ skus: ['SKU-09'], policy: 'shared' }],
        testSkus: ['SKU-09'],
      },
    ],
  });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'waybill-stock-'));
  woo = await startFakeWooCommerce({
    ...KEYS,
    currency: 'EUR',
    products: SKUS.map((sku) => ({ sku, name: sku, price: '10.00', stock: STOCK })),
  });
  store = await startFakeCustomStore({
    apiToken: API_TOKEN,
    currency: 'EUR',
    products: SKUS.map((sku) => ({ sku, title: sku, price: '10.00', stock: STOCK })),
  });
  erp = await startFakeOdoo({
    version: 18,
    database: 'acme',
    ...ODOO,
    companies: [{ name: 'Acme GmbH', currency: 'EUR' }],
    products: SKUS.map((sku) => ({ sku, name: sku, price: 10, stock: STOCK })),
    taxes: [],
  });
  const stock = stage();
  run = await runLocally({
    settings: stock,
    secrets: {
      'acme-woo': { webhookSecrets: [SECRET], ...KEYS },
      'acme-store': { webhookSecrets: [STORE_SECRET], apiToken: API_TOKEN },
      'acme-odoo': ODOO,
    },
    dataDir: folder,
    scratch: folder,
    processes: () => 1,
    onLine: () => undefined,
  });
  const deliveryUrl = run.webhookUrls.get('acme-woo') ?? '';
  await woo.registerWebhook({ topic: 'order.updated', deliveryUrl, secret: SECRET });
  store.registerWebhook({ deliveryUrl: run.webhookUrls.get('acme-store') ?? '', secret: STORE_SECRET });
  await beginStock(run, stock);
}, 120_000);
afterAll(async () => {
  await run?.stop();
  await Promise.all([woo?.stop(), store?.stop(), erp?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const shown = (sku: string) => ({ woo: woo.product(sku).stock, store: store.listing(sku).quantity });
const both = (pieces: number) => ({ woo: pieces, store: pieces });
const shows = (sku: string, expected: { readonly woo: number; readonly store: number }): Promise<void> =>
  expect.poll(() => shown(sku), { timeout: 20_000, interval: 50 }).toEqual(expected);

/** What an operator types; in this process, because it starts in a second of its own. */
const waybill = (...words: string[]) => command('stock', ...words);
const command = async (...words: string[]): Promise<{ code: number; out: string }> => {
  const program = new Command('waybill');
  addStockCommands(program);
  addAuditCommand(program);
  addStockTestCommand(program);
  let out = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await program.parseAsync([...words, '--data', folder], { from: 'user' });
    return { code: Number(process.exitCode ?? 0), out: stripVTControlCharacters(out) };
  } finally {
    write.mockRestore();
    process.exitCode = 0;
  }
};

const productOf = (sku: string): number =>
  Number(erp.records('product.product').find((row) => row['default_code'] === sku)?.id);
/** Somebody counts: a receipt, or a loss. */
const count = (sku: string, pieces: number): void => {
  const [quant] = erp.records('stock.quant').filter((row) => row['product_id'] === productOf(sku));
  erp.call('stock.quant', 'write', [[quant?.id], { inventory_quantity: pieces }]);
  erp.call('stock.quant', 'action_apply_inventory', [[quant?.id]]);
};
const poll = (...words: string[]) => waybill('poll', 'acme-odoo', ...words);

describe('two shops, one stock', () => {
  it('what one shop sells the other one no longer shows', async () => {
    await woo.placeOrder({
      via: 'checkout',
      lines: [{ sku: 'SKU-01', quantity: 3 }],
      paymentMethod: 'stripe',
      paid: true,
      billing: { first_name: 'Ada', last_name: 'Beispiel', country: 'DE', email: 'ada@example.test' },
    });
    await shows('SKU-01', both(17));
    store.placeOrder({ lines: [{ sku: 'SKU-02', quantity: 4 }] });
    await shows('SKU-02', both(16));
    await expect.poll(() => erp.orders().length, { timeout: 20_000 }).toBe(2);
    // Once it is in the ERP it is not taken off twice.
    expect(await poll()).toMatchObject({ code: 0 });
    await shows('SKU-01', both(17));
    await shows('SKU-02', both(16));
  });

  it('what arrives at the ERP appears in every shop with the next poll', async () => {
    count('SKU-03', 45);
    expect(await poll()).toMatchObject({
      code: 0,
      out: expect.stringMatching(/SKUs read, [1-9]\d* told that are new/),
    });
    await shows('SKU-03', both(45));
  });

  it('one command says why a shop shows what it shows', async () => {
    const { code, out } = await waybill('show', 'SKU-01');
    expect(code).toBe(0);
    // Shops come in the order in which they were listed.
    expect(out.trimEnd().split('\n').toSorted()).toEqual([
      '  0 in orders that the ERP does not hold yet',
      '  acme-store SKU-01  shows 17  should show 17  available 17',
      '  acme-woo SKU-01    shows 17  should show 17  available 17',
      '  warehouse WH  20 on hand  17 free  read 0 min ago',
      'SKU-01 in acme-odoo',
    ]);
  });

  it('a number that was changed by hand is put right by a resync', async () => {
    woo.setStock('SKU-04', 90);
    store.listing('SKU-05').quantity = 75;
    expect(await waybill('resync', 'acme-woo')).toMatchObject({ code: 0 });
    expect(await waybill('resync', 'acme-store')).toMatchObject({ code: 0 });
    await shows('SKU-04', both(STOCK));
    await shows('SKU-05', both(STOCK));
  });

  it('a price that falls by half is held, the others are written, and a person lets it pass', async () => {
    erp.call('product.product', 'write', [[productOf('SKU-06')], { list_price: 5 }]);
    erp.call('product.product', 'write', [[productOf('SKU-07')], { list_price: 9 }]);
    await poll();
    const prices = (sku: string) => [woo.product(sku).price, store.listing(sku).price];
    await expect.poll(() => prices('SKU-07'), { timeout: 20_000 }).toEqual(['9.00', '9.00']);
    await expect
      .poll(async () => (await waybill('held')).out, { timeout: 20_000 })
      .toMatch(/^acme-woo: 1 price held\n {4}SKU-06 .*\nacme-store: 1 price held\n {4}SKU-06 .* PRICE_DROP /);
    expect(prices('SKU-06')).toEqual(['10.00', '10.00']);
    expect(
      await waybill('approve', 'acme-odoo', '--prices', '--by', 'ada', '--why', 'sale', '--yes'),
    ).toEqual({
      code: 0,
      out: '2 of 2 prices: written within a minute\n',
    });
    await expect.poll(() => prices('SKU-06'), { timeout: 20_000 }).toEqual(['5.00', '5.00']);
    expect(await waybill('held')).toEqual({ code: 0, out: 'nothing is held\n' });
  });

  it('the daily audit finds what nothing explains, and one command prints it', async () => {
    store.listing('SKU-08').quantity = 70;
    const name = run.stack.outputs['waybill-sandbox-stock-acme-odoo.AuditFunctionName'] ?? '';
    expect(await invokeFunction(dynamoDb(), name, {})).toMatchObject({
      outcome: 'differs',
      looked: SKUS.length,
      unsure: 1,
      skus: ['SKU-08 stock drift'],
    });
    const { code, out } = await command('audit', '--last');
    expect(code).toBe(1);
    expect(out).toContain(
      '1 to be mended\n  stock  drift  acme-store  SKU-08  ERP: 20, shop: 70  it should show 20\n',
    );
    await waybill('resync', 'acme-store');
    await shows('SKU-08', both(STOCK));
    expect(await invokeFunction(dynamoDb(), name, {})).toMatchObject({ outcome: 'clean' });
    expect((await command('audit', '--last')).code).toBe(0);
  });

  it('the last piece is sold in a test, and everything is put back', async () => {
    const before = erp.records('sale.order').length;
    const { code, out } = await command('stock-test', 'SKU-09', '--wait', '20');
    expect(out.replace(/ordered in acme-woo: \d+/, 'ordered in acme-woo: ID').split('\n')).toEqual([
      '  one piece of SKU-09 is available in acme-odoo',
      '  acme-woo shows 1, acme-store shows 1',
      '  ordered in acme-woo: ID',
      '  acme-odoo has reserved it',
      '  every shop shows 0',
      '  putting everything back …',
      'passed: the last piece was sold once, and everything is as it was',
      '',
    ]);
    expect(code).toBe(0);
    expect(shown('SKU-09')).toEqual(both(STOCK));
    const made = erp.records('sale.order').slice(before);
    expect(made.map(({ state }) => state)).toEqual(['cancel']);
    expect(woo.orders().at(-1)).toMatchObject({ status: 'cancelled', date_paid_gmt: null });
    expect(erp.records('account.move')).toEqual([]);
    await expect(command('stock-test', 'SKU-10')).rejects.toThrow('"SKU-10" is no test SKU');
  });

  it('an ERP that has nothing any more is not believed until a person says so', async () => {
    const before = SKUS.map(shown);
    for (const sku of SKUS) count(sku, 0);
    expect(await poll()).toEqual({ code: 1, out: 'acme-odoo is held: waybill stock held says why\n' });
    // The schedule tries again, and holds again.
    expect(await poll()).toMatchObject({ code: 1 });
    const { code, out } = await waybill('held');
    expect(code).toBe(1);
    expect(
      out.match(/^acme-odoo: held since .*, MASS_ZERO: too many SKUs would fall to zero$/gm),
    ).toHaveLength(1);
    expect(out).toContain('of 26 SKUs: 26 read, 26 would change, 26 would fall to zero, 0 missing');
    expect(SKUS.map(shown)).toEqual(before);
    expect(await waybill('approve', 'acme-odoo', '--by', 'ada', '--why', 'sold out', '--yes')).toEqual({
      code: 0,
      out: 'acme-odoo: the next cycle of this kind passes\nacme-odoo: 26 SKUs read, 26 told that are new\n',
    });
    for (const sku of SKUS) await shows(sku, both(0));
    expect(await waybill('held')).toEqual({ code: 0, out: 'nothing is held\n' });
  });
});
