import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../infra/cli/report.ts';
import { type FakeOdoo, startFakeOdoo } from '../fakes/odoo.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../fakes/woocommerce.ts';

const START = new URL('../../infra/cli/start.ts', import.meta.url).pathname;
const WAYBILL = new URL('../../infra/cli/waybill.ts', import.meta.url).pathname;

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'waybill-start-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** A real process, as `npm start -- ...` runs it; what it says can be waited for. */
const run = (script: string, args: readonly string[]) => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let heard = '';
  const hear = (chunk: Buffer) => {
    heard += chunk.toString();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const stdout = text(child.stdout);
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    child,
    stdout,
    exit,
    heard: () => heard,
    says: async (pattern: RegExp): Promise<RegExpExecArray> => {
      await expect.poll(() => heard, { timeout: 60_000, interval: 50 }).toMatch(pattern);
      return pattern.exec(heard) as RegExpExecArray;
    },
  };
};
const save = async (name: string, content: unknown) => {
  const file = path.join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};

describe('the sandbox', () => {
  it('places orders at three shops, replays every delivery, and finds each once in every ERP it is routed to', async () => {
    const { exit, stdout, heard } = run(START, ['--once', '--json', '--quiet']);
    expect(await exit, heard()).toBe(0);
    const report = JSON.parse(await stdout) as Report;
    expect(report).toMatchObject({ duplicates: 0, failed: 0 });
    const rows = report.orders.map(({ storefront, orderNumber, erp, total }) =>
      [storefront, orderNumber, erp, total.minor, total.currency].join(' '),
    );
    expect(rows).toEqual([
      'sandbox-woo 1001 sandbox-odoo 147000 TWD',
      'sandbox-woo 1002 sandbox-odoo 50200 THB',
      'sandbox-woo 1003 sandbox-odoo 1650 JPY',
      'sandbox-woo 1004 sandbox-odoo 130200 TWD',
      'sandbox-woo 1005 sandbox-odoo 44100 TWD',
      'sandbox-shopify 1001 sandbox-odoo-19 5306 USD',
      // The buyer's currency, with tip, duties and a gift card.
      'sandbox-shopify 1002 sandbox-odoo-19 12665 EUR',
      'sandbox-shopify 1003 sandbox-odoo-19 7488 JPY',
      'sandbox-shopify 1004 sandbox-odoo-19 1496 USD',
      // Edited before it was paid.
      'sandbox-shopify 1006 sandbox-odoo-19 3368 USD',
      // One shop, two ERPs.
      'sandbox-store 1001 sandbox-odoo 2856 EUR',
      'sandbox-store 1001 sandbox-odoo-19 2856 EUR',
      'sandbox-store 1002 sandbox-odoo 11010 EUR',
      'sandbox-store 1002 sandbox-odoo-19 11010 EUR',
      'sandbox-store 1003 sandbox-odoo 10430 EUR',
      'sandbox-store 1003 sandbox-odoo-19 10430 EUR',
    ]);
    expect(report.orders.map(({ erpTotal }) => erpTotal)).toEqual(report.orders.map(({ total }) => total));
    expect(report.orders.map(({ orderId }) => orderId)).toContain('820982911946154508');
    for (const { events } of report.orders) expect(events.map(({ what }) => what)).toContain('duplicate');
    expect(report.ignored).toEqual([
      {
        storefront: 'sandbox-shopify',
        orderId: '820982911946154512',
        orderNumber: '1005',
        erp: 'sandbox-odoo-19',
        erpOrderId: null,
        code: 'IGNORED_BY_POLICY',
      },
    ]);
    expect(report.connections.map(({ connector, dialects }) => [connector, dialects])).toEqual([
      ['woocommerce', null],
      ['shopify', null],
      ['custom-store', null],
      ['odoo', ['JSON-RPC']],
      ['odoo', ['JSON-2']],
      ['stripe', null],
    ]);
    // Told by shop and provider, twice each, in any order: in the books once.
    expect(report.payments?.['sandbox-odoo']?.map(Object.values).toSorted()).toEqual([
      ['in', '1470', 'TWD', 'pi_sandbox_1'],
      ['in', '1650', 'JPY', 'pi_sandbox_3'],
      ['in', '502', 'THB', 'chrg_sandbox_2'],
    ]);
    expect(report.repeated).toBeGreaterThanOrEqual(30);
  }, 120_000);
});

describe('flags that cannot be meant are refused with what to do', () => {
  it.each<[string, readonly string[], number, string]>([
    ['misspelt', ['--onse'], 1, '(Did you mean --once?)'],
    ['without its other half', ['--json'], 1, '--json prints the report of --once: give both'],
    ['settings alone', ['--settings', 'x.json'], 2, '--settings and --secrets belong together'],
    ['a sandbox that is kept', ['--data', 'x'], 2, '--data needs --settings and --secrets'],
    ['no number', ['--port', 'http'], 1, 'a whole number from 0 to 65535 is needed'],
    ['no file', ['--settings', 'nope.json', '--secrets', 'x'], 2, 'nope.json: 1 problem'],
  ])('%s', async (_, args, code, text) => {
    const { exit, heard } = run(START, args);
    expect(await exit).toBe(code);
    expect(heard()).toContain(text);
    expect(heard()).not.toContain('    at ');
  });

  it('a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const { exit, heard } = run(START, ['--port', String(port)]);
      expect(await exit).toBe(1);
      expect(heard()).toContain(`the HTTP API cannot listen on port ${port}`);
      expect(heard()).toContain('address already in use');
    } finally {
      server.close();
    }
  }, 60_000);
});

describe('a settings file and a secrets file of one’s own', () => {
  let shop: FakeWooCommerce;
  let erp: FakeOdoo;
  const secret = 'another-webhook-secret';
  const keys = { consumerKey: 'ck_second', consumerSecret: 'cs_second' };
  const odoo = { login: 'bot@acme.example', apiKey: 'second-api-key' };

  beforeEach(async () => {
    shop = await startFakeWooCommerce({
      ...keys,
      currency: 'EUR',
      decimals: 2,
      taxRates: [{ country: 'DE', percent: '19', name: 'MwSt.', shipping: true }],
      products: [
        { sku: 'LAMP-1', name: 'Lamp', price: '39.90', stock: 5 },
        { sku: 'VASE-1', name: 'Vase', price: '19.90', stock: 5 },
      ],
    });
    erp = await startFakeOdoo({
      version: 16,
      database: 'acme',
      ...odoo,
      companies: [{ name: 'Acme GmbH', currency: 'EUR' }],
      products: [
        { sku: 'LAMP-1', name: 'Lampe', price: 35 },
        { sku: 'SHIP', name: 'Versand', service: true },
      ],
      taxes: [{ name: '19% USt', amount: 19 }],
      pricelists: [{ name: 'Public', currency: 'EUR' }],
    });
  });
  afterEach(async () => {
    await shop.stop();
    await erp.stop();
  });

  const files = async () => ({
    settings: await save('acme.json', {
      name: 'acme',
      region: 'eu-central-1',
      timeZone: 'Europe/Berlin',
      connections: {
        'acme-woo': { connector: 'woocommerce', url: shop.url },
        'acme-odoo': { connector: 'odoo', url: erp.url, database: 'acme' },
      },
      orders: [{ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-01-01T00:00:00+01:00' }],
    }),
    secrets: await save('secrets.json', {
      'acme-woo': { webhookSecrets: [secret], ...keys },
      'acme-odoo': odoo,
    }),
    mappings: await save(
      'mappings.csv',
      'kind,source,destination,key,to\ntax,acme-woo,acme-odoo,1,19% USt\n',
    ),
  });
  const buy = (sku = 'LAMP-1') =>
    shop.placeOrder({
      via: 'checkout',
      lines: [{ sku, quantity: 1 }],
      shipping: { method: 'flat_rate', title: 'Versand', total: '4.90' },
      paymentMethod: 'stripe',
      paid: true,
      billing: { first_name: 'Ada', last_name: 'Beispiel', country: 'DE', email: 'ada@example.test' },
    });

  it('point at another WooCommerce and another Odoo, without touching code', async () => {
    const { settings, secrets, mappings } = await files();
    const started = run(START, [
      '--settings',
      settings,
      '--secrets',
      secrets,
      '--mappings',
      mappings,
      '--once',
      '--json',
    ]);
    const [, deliveryUrl] = await started.says(/(http:\/\/127\.0\.0\.1:\d+\/webhooks\/acme-woo)/);
    await shop.registerWebhook({ topic: 'order.updated', deliveryUrl: deliveryUrl ?? '', secret });
    const { id } = await buy();
    expect(await started.exit, started.heard()).toBe(0);
    const report = JSON.parse(await started.stdout) as Report;
    const total = { minor: 5331, currency: 'EUR' };
    expect(report).toMatchObject({
      duplicates: 0,
      failed: 0,
      orders: [{ orderId: String(id), total, erpTotal: total }],
    });
    expect(erp.orders()).toHaveLength(1);
  }, 120_000);

  it('parks an unmapped tax with a sentence; a row imported while it runs mends it, by one command', async () => {
    const { settings, secrets, mappings } = await files();
    const data = path.join(folder, 'data');
    const started = run(START, ['--settings', settings, '--secrets', secrets, '--data', data]);
    const [, deliveryUrl] = await started.says(/(http:\/\/127\.0\.0\.1:\d+\/webhooks\/acme-woo)/);
    await shop.registerWebhook({ topic: 'order.updated', deliveryUrl: deliveryUrl ?? '', secret });
    await buy();
    await started.says(/parked, UNMAPPED_TAX: Line 1 .* carries the tax "1" of acme-woo/);
    expect(erp.orders()).toHaveLength(0);

    const wrong = run(WAYBILL, [
      'mapping',
      'import',
      await save('wrong.csv', 'kind,source,destination,key,to\ntax,acme-wo,acme-odoo,1,19% USt\n'),
      '--data',
      data,
    ]);
    expect(await wrong.exit).toBe(1);
    expect(wrong.heard()).toContain('line 2, source: there is no storefront "acme-wo"; known: acme-woo, *');

    const imported = run(WAYBILL, ['mapping', 'import', mappings, '--data', data]);
    expect(await imported.exit, imported.heard()).toBe(0);
    expect(imported.heard()).toContain('1 rows were added, 0 changed, 0 are as they were');
    const exported = run(WAYBILL, ['mapping', 'export', '--data', data]);
    expect(await exported.stdout).toBe(
      'kind,source,destination,key,to,quantity,share\ntax,acme-woo,acme-odoo,1,19% USt,1,1\n',
    );

    // The command that the import offered, and what it does.
    const [, offered] = await imported.says(/npx waybill (parked redrive ([0-9a-f-]+) --data \S+)/);
    const parked = async (...args: string[]) => {
      const command = run(WAYBILL, ['parked', ...args, '--data', data]);
      return { code: await command.exit, heard: command.heard() };
    };
    expect(offered).toContain(data);
    const listed = await parked('list', '--lang', 'zh-Hant');
    expect(listed.code, listed.heard).toBe(0);
    expect(listed.heard).toMatch(
      /^acme-odoo: 1 message\n {2}[0-9a-f]{8} {2}order \d+ {2}UNMAPPED_TAX {2}since /,
    );
    expect(listed.heard).toContain('→ 請在對照表新增一列');
    const id = /^ {2}([0-9a-f]{8})/m.exec(listed.heard)?.[1] ?? '';
    const dryRun = await parked('redrive', '--all');
    expect(dryRun.heard).toContain('dry run: nothing was moved or deleted. redrive would take 1 message:');
    expect(erp.orders()).toHaveLength(0);
    const redriven = await parked('redrive', id, '--yes', '--by', 'Ada', '--why', 'the tax is mapped now');
    expect(redriven.code, redriven.heard).toBe(0);
    expect(redriven.heard).toMatch(new RegExp(`^ {2}${id} {2}order \\d+ {2}moved back to its queue$`, 'm'));
    expect(redriven.heard).toContain('1 message redriven, 0 remain');
    expect(redriven.heard).toMatch(new RegExp(`^ {2}${id} {2}order \\d+ {2}written S00001 http`, 'm'));
    expect(erp.orders()).toHaveLength(1);
    const shown = await parked('show', id);
    expect(shown.heard).toMatch(/redrive by Ada: the tax is mapped now/);
    expect(shown.heard).toMatch(/the order in the journal: done, S00001/);

    // Nobody wants a product of another shop in this ERP: a person gives that order up.
    await buy('VASE-1');
    await started.says(/parked, UNKNOWN_SKU/);
    const other = /^ {2}([0-9a-f]{8})/m.exec((await parked('list')).heard)?.[1] ?? '';
    const given = await parked('discard', other, '--yes', '--by', 'Ada', '--why', 'sold by another company');
    expect(given.code, given.heard).toBe(0);
    expect((await parked('show', other)).heard).toMatch(/the order in the journal: discarded/);
    expect(await parked('list')).toEqual({ code: 0, heard: 'nothing is parked\n' });
    expect(erp.orders()).toHaveLength(1);

    started.child.kill('SIGINT');
    expect(await started.exit).toBe(0);
  }, 120_000);

  it('go on where they were after the whole runner was killed', async () => {
    const { settings, secrets, mappings } = await files();
    const data = path.join(folder, 'data');
    const args = ['--settings', settings, '--secrets', secrets, '--mappings', mappings, '--data', data];
    const first = run(START, args);
    const [, deliveryUrl] = await first.says(/(http:\/\/127\.0\.0\.1:\d+\/webhooks\/acme-woo)/);
    await shop.registerWebhook({ topic: 'order.updated', deliveryUrl: deliveryUrl ?? '', secret });
    // The ERP does not answer: the order is accepted, on disk, and not written.
    const unplugged = erp.server.fault({ times: Number.POSITIVE_INFINITY, effect: { kind: 'drop-before' } });
    await buy();
    await first.says(/attempt 1 failed/);
    first.child.kill('SIGKILL');
    await first.exit;
    unplugged();
    const second = run(START, args);
    await second.says(/written as S00001, confirmed/);
    expect(erp.orders()).toHaveLength(1);
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
  }, 120_000);

  it('are refused before anything is started, every problem with path and hint', async () => {
    const { settings, secrets } = await files();
    const broken = await save('broken.json', {
      name: 'acme',
      region: 'eu-central-1',
      timeZone: 'Europe/Berlin',
      connections: { 'acme-woo': { connector: 'woocommerce', ulr: 'https://shop.acme.example' } },
      orders: [{ from: 'acme-woo', to: 'acme-odo', startAt: '2026-01-01T00:00:00+01:00' }],
    });
    const typo = run(START, ['--settings', broken, '--secrets', secrets]);
    expect(await typo.exit).toBe(2);
    expect(typo.heard()).toContain('connections.acme-woo.ulr: unknown key; did you mean "url"?');
    expect(typo.heard()).toContain('orders.0.to: there is no connection "acme-odo"');
    expect(typo.heard()).not.toContain('ready');

    const half = await save('half.json', { 'acme-woo': { webhookSecrets: [secret] } });
    const missing = run(START, ['--settings', settings, '--secrets', half]);
    expect(await missing.exit).toBe(2);
    expect(missing.heard()).toContain('acme-odoo: missing; Odoo needs login, apiKey');
    expect(missing.heard()).not.toContain(secret);
  }, 120_000);
});
