import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  loadSettingsFile,
  parseSettings,
  providersOf,
  SettingsError,
  withoutDefaults,
} from '../../infra/settings.ts';
import { manifest as woocommerce } from '../../shared/connectors/woocommerce/manifest.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';

const valid = () => ({
  name: 'acme',
  region: 'ap-southeast-1',
  timeZone: 'Asia/Taipei',
  connections: {
    'acme-woo': { connector: 'woocommerce', url: 'https://shop.acme.example' } as Record<string, unknown>,
    'acme-odoo': { connector: 'odoo', url: 'https://erp.acme.example', database: 'acme' } as Record<
      string,
      unknown
    >,
  } as Record<string, unknown>,
  orders: [{ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-12-01T00:00:00+08:00' }] as Record<
    string,
    unknown
  >[],
});
type Input = ReturnType<typeof valid>;

const problemsOf = (run: () => unknown): readonly string[] => {
  try {
    run();
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

const route = (change: Record<string, unknown>) => (s: Input) => ({
  ...s,
  orders: [{ ...s.orders[0], ...change }],
});
const woo = (change: Record<string, unknown>) => (s: Input) => ({
  ...s,
  connections: { ...s.connections, 'acme-woo': { ...(s.connections['acme-woo'] as object), ...change } },
});

const stock =
  (...routes: Record<string, unknown>[]) =>
  (s: Input) => ({ ...s, stock: routes.map((each) => ({ from: 'acme-odoo', to: ['acme-woo'], ...each })) });

describe('parseSettings', () => {
  it('fills in what is left out', () => {
    expect(parseSettings(valid(), 'acme.ts')).toMatchObject({
      alarms: {},
      timeScale: 1,
      limits: { maxBodyBytes: 700_000, archiveDays: 14 },
      orders: [
        {
          mode: 'live',
          accept: {
            paid: 'confirm',
            cashOnDelivery: 'confirm',
            bankTransferPending: 'ignore',
            onHold: 'ignore',
            test: 'ignore',
          },
          customers: 'per-buyer',
          currency: 'shop',
          roundingTolerance: 1,
        },
      ],
      connections: { 'acme-odoo': { products: { shipping: 'SHIP' } } },
    });
  });

  it('reads its own result as the same settings', () => {
    const once = parseSettings(valid(), 'acme.ts');
    expect(parseSettings(once, 'acme.ts')).toEqual(once);
  });

  it.each<[string, (s: Input) => unknown, string[]]>([
    [
      'an unknown key of a connection',
      woo({ ulr: 'https://shop.acme.example' }),
      ['connections.acme-woo.ulr: unknown key; did you mean "url"?'],
    ],
    [
      'an unknown key that resembles nothing',
      woo({ warehouse: 1 }),
      ['connections.acme-woo.warehouse: unknown key; known: url, taxNumberKeys, statuses, connector'],
    ],
    [
      'an unknown key at the top',
      (s) => ({ ...s, timezone: 'x' }),
      ['timezone: unknown key; did you mean "timeZone"?'],
    ],
    [
      'an unknown payment state',
      route({ accept: { payed: 'confirm' } }),
      ['orders.0.accept.payed: unknown key; did you mean "paid"?'],
    ],
    [
      'a connector with a typing error',
      woo({ connector: 'woocomerce' }),
      [
        'connections.acme-woo.connector: there is no connector "woocomerce"; known: custom-store, odoo, shopify, stripe, tryton, woocommerce; did you mean "woocommerce"?',
      ],
    ],
    [
      'a connector that does not exist',
      woo({ connector: 'magento' }),
      [
        'connections.acme-woo.connector: there is no connector "magento"; known: custom-store, odoo, shopify, stripe, tryton, woocommerce',
      ],
    ],
    [
      'no connector',
      woo({ connector: undefined }),
      [
        'connections.acme-woo.connector: missing (one of custom-store, odoo, shopify, stripe, tryton, woocommerce)',
      ],
    ],
    ['no address', woo({ url: undefined }), ['connections.acme-woo.url: missing (a text)']],
    [
      'plain http to another machine',
      woo({ url: 'http://shop.acme.example' }),
      [
        'connections.acme-woo.url: must be https (plain http only on this machine: localhost, 127.0.0.1, [::1])',
      ],
    ],
    ['plain http to this machine', woo({ url: 'http://127.0.0.1:8080' }), []],
    [
      'no address at all',
      woo({ url: 'shop' }),
      ['connections.acme-woo.url: "shop" is no address, e.g. https://shop.acme.example'],
    ],
    ['a wrong type', woo({ url: 5 }), ['connections.acme-woo.url: must be a text, not a number']],
    [
      'an id that is not kebab-case',
      (s) => ({ ...s, connections: { ...s.connections, Acme_2: s.connections['acme-woo'] } }),
      [
        'connections.Acme_2: the id of a connection must be kebab-case: small letters, digits and hyphens, starting with a letter',
      ],
    ],
    [
      'an id of 33 characters',
      (s) => ({ ...s, connections: { ...s.connections, ['a'.repeat(33)]: s.connections['acme-woo'] } }),
      ['connections.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: must be at most 32 characters'],
    ],
    [
      'the id of the core stack',
      (s) => ({ ...s, connections: { ...s.connections, core: s.connections['acme-woo'] } }),
      ['connections.core: "core" and "journal" are names of what all connections share'],
    ],
    [
      'a name that is too long',
      (s) => ({ ...s, name: 'a'.repeat(21) }),
      ['name: must be at most 20 characters'],
    ],
    ['stock of an ERP in a shop', stock({}), []],
    [
      'stock of nobody',
      stock({ from: 'acme-odo' }),
      ['stock.0.from: there is no connection "acme-odo"; did you mean "acme-odoo"?'],
    ],
    [
      'stock of a shop',
      stock({ from: 'acme-woo' }),
      ['stock.0.from: "acme-woo" is no ERP; stock comes from ERPs'],
    ],
    [
      'stock for nobody',
      stock({ to: ['acme-wo'] }),
      ['stock.0.to.0: there is no connection "acme-wo"; did you mean "acme-woo"?'],
    ],
    [
      'stock for an ERP',
      stock({ to: ['acme-odoo'] }),
      ['stock.0.to.0: the stock of "acme-odoo" (Odoo) cannot be set by Waybill'],
    ],
    [
      'two routes of one ERP, to one shop',
      stock({}, {}),
      [
        'stock.1.from: stock.0 is the route of "acme-odoo" already: name all shops there',
        'stock.1.to.0: "acme-woo" gets its stock from stock.0 already',
      ],
    ],
    [
      'one shop twice in a route',
      stock({ to: ['acme-woo', 'acme-woo'] }),
      ['stock.0.to.1: "acme-woo" gets its stock from stock.0 already'],
    ],
    [
      'warehouses, rules and prices for shops of other routes',
      stock({
        warehouses: { WH: { 'acme-wo': 'default' } },
        rules: [{ safetyStock: 1 }, { shops: ['other'], show: false }],
        prices: { shops: ['acme-wooo'] },
      }),
      [
        'stock.0.warehouses.WH: "acme-wo" is no shop of this route; did you mean "acme-woo"?',
        'stock.0.rules.1.shops: "other" is no shop of this route; known: acme-woo',
        'stock.0.prices.shops: "acme-wooo" is no shop of this route; did you mean "acme-woo"?',
      ],
    ],
    [
      'a rule of one shop that concerns all of them',
      stock({ rules: [{ shops: ['acme-woo'], policy: 'shared', lowStock: 3, safetyStock: 1 }] }),
      ['stock.0.rules.0: policy, lowStock concerns all shops together: leave out "shops"'],
    ],
    [
      'stock that is no route',
      (s) => ({ ...s, stock: ['acme-odoo'] }),
      ['stock.0: must be an object { … }, not a text'],
    ],
    [
      'a city that is no zone',
      (s) => ({ ...s, timeZone: 'Asia/Taipeh' }),
      ['timeZone: "Asia/Taipeh" is no IANA time zone; did you mean "Asia/Taipei"?'],
    ],
    [
      'an offset instead of a zone',
      (s) => ({ ...s, timeZone: '+08:00' }),
      ['timeZone: "+08:00" is no IANA time zone, e.g. Asia/Taipei'],
    ],
    [
      'a region that is none',
      (s) => ({ ...s, region: 'Singapore' }),
      ['region: must be an AWS region, e.g. ap-southeast-1'],
    ],
    [
      'a route to nowhere',
      route({ to: 'acme-odo' }),
      ['orders.0.to: there is no connection "acme-odo"; did you mean "acme-odoo"?'],
    ],
    [
      'a route from nowhere',
      route({ from: 'shopify' }),
      ['orders.0.from: there is no connection "shopify"; known: acme-woo, acme-odoo'],
    ],
    [
      'a route from an ERP',
      route({ from: 'acme-odoo' }),
      ['orders.0.from: "acme-odoo" is an ERP; orders come from storefronts'],
    ],
    [
      'a route to a storefront',
      route({ to: 'acme-woo' }),
      ['orders.0.to: "acme-woo" is a storefront; orders go to ERPs'],
    ],
    [
      'the same route twice',
      (s) => ({ ...s, orders: [s.orders[0], { ...s.orders[0], mode: 'off' }] }),
      ['orders.1: the same route as orders.0 ("acme-woo" to "acme-odoo")'],
    ],
    [
      'payments from nobody, for nobody',
      (s) => ({ ...s, payments: [{ from: 'acme-strip', orders: ['acme-wo'] }] }),
      [
        'payments.0.from: there is no connection "acme-strip"; known: acme-woo, acme-odoo',
        'payments.0.orders.0: there is no connection "acme-wo"; did you mean "acme-woo"?',
      ],
    ],
    [
      'payments from an ERP, for an ERP',
      (s) => ({ ...s, payments: [{ from: 'acme-odoo', orders: ['acme-odoo'] }] }),
      [
        'payments.0.from: "acme-odoo" is an ERP; payments come from payment providers',
        'payments.0.orders.0: "acme-odoo" is an ERP; what is paid are orders of storefronts',
      ],
    ],
    [
      'one provider in two routes',
      (s) => ({
        ...s,
        connections: { ...s.connections, 'acme-stripe': { connector: 'stripe' } },
        payments: [
          { from: 'acme-stripe', orders: ['acme-woo'] },
          { from: 'acme-stripe', orders: ['acme-woo'], hint: 'nummer' },
        ],
      }),
      [
        'payments.1.hint: "nummer" is not one of either, id, number, none; did you mean "number"?',
        'payments.1.from: payments.0 is the route of "acme-stripe" already: name all shops there',
      ],
    ],
    [
      'orders from a payment provider',
      (s) => ({
        ...s,
        connections: { ...s.connections, 'acme-stripe': { connector: 'stripe' } },
        orders: [{ ...s.orders[0], from: 'acme-stripe' }],
      }),
      ['orders.0.from: "acme-stripe" is a payment provider; orders come from storefronts'],
    ],
    [
      'a cut-over without a zone',
      route({ startAt: '2026-12-01T00:00:00' }),
      [
        'orders.0.startAt: "2026-12-01T00:00:00" is no point in time with a zone, e.g. 2026-12-01T00:00:00+08:00 or 2026-11-30T16:00:00Z',
      ],
    ],
    ['no cut-over', route({ startAt: undefined }), ['orders.0.startAt: missing (a text)']],
    [
      'a mode that does not exist',
      route({ mode: 'lve' }),
      ['orders.0.mode: "lve" is not one of off, shadow, live; did you mean "live"?'],
    ],
    [
      'a wrong customer policy',
      route({ customers: { colective: 'X' } }),
      ['orders.0.customers: must be "per-buyer" or { collective }'],
    ],
    ['a company of a wrong type', route({ company: true }), ['orders.0.company: must be a number or a text']],
    [
      'a tolerance that hides errors',
      route({ roundingTolerance: 11 }),
      ['orders.0.roundingTolerance: must be at most 10'],
    ],
    ['a time scale of zero', (s) => ({ ...s, timeScale: 0 }), ['timeScale: must be at least 0.001']],
    [
      'bodies that quarantine cannot carry',
      (s) => ({ ...s, limits: { maxBodyBytes: 700_001 } }),
      ['limits.maxBodyBytes: must be at most 700000'],
    ],
    [
      'an archive of a month',
      (s) => ({ ...s, limits: { archiveDays: 30 } }),
      ['limits.archiveDays: must be at most 14'],
    ],
    [
      'no mail address',
      (s) => ({ ...s, alarms: { email: 'oncall' } }),
      ['alarms.email: "oncall" is no mail address'],
    ],
    ['nothing', () => null, ['(top level): must be an object { … }, not null']],
  ])('%s', (_case, change, problems) => {
    expect(problemsOf(() => parseSettings(change(valid()), 'acme.ts'))).toEqual(problems);
  });

  it('says everything at once, also about routes of a file that has other problems', () => {
    const input = woo({ ulr: 'x' })({
      ...valid(),
      name: 'Acme',
      orders: [{ from: 'acme-wo', to: 'acme-odoo', startAt: 'soon' }],
    });
    expect(() => parseSettings(input, 'infra/stages/acme.ts')).toThrow(
      new SettingsError('infra/stages/acme.ts', [
        'name: the name of a stage must be kebab-case: small letters, digits and hyphens, starting with a letter',
        'connections.acme-woo.ulr: unknown key; did you mean "url"?',
        'orders.0.startAt: "soon" is no point in time with a zone, e.g. 2026-12-01T00:00:00+08:00 or 2026-11-30T16:00:00Z',
        'orders.0.from: there is no connection "acme-wo"; did you mean "acme-woo"?',
      ]),
    );
  });

  it('is readable in a terminal', () => {
    expect(new SettingsError('infra/stages/acme.ts', ['name: missing (a text)', 'x: y']).message).toBe(
      'infra/stages/acme.ts: 2 problems\n  name: missing (a text)\n  x: y',
    );
  });
});

it.each([
  [['acme-woo'], 'number', 'number'],
  // Two shops may number their orders alike.
  [['acme-woo', 'acme-site'], 'number', 'none'],
])('what a payment of %o says of its order is %s: taken as %s', (orders, hint, taken) => {
  const stage = parseSettings(
    {
      ...valid(),
      connections: {
        ...valid().connections,
        'acme-site': { connector: 'custom-store', url: 'https://site.acme.example' },
        'acme-stripe': { connector: 'stripe' },
      },
      payments: [{ from: 'acme-stripe', orders, hint }],
    },
    'acme.ts',
  );
  expect(providersOf(stage, 'acme-woo')).toEqual([{ source: 'acme-stripe', hint: taken }]);
  expect(providersOf(stage, 'acme-odoo')).toEqual([]);
});

describe('withoutDefaults', () => {
  it('leaves out what the schema puts back, at any depth, and nothing else', () => {
    const full = OrderRoute.parse({
      from: 'a',
      to: 'b',
      startAt: '2026-12-01T00:00:00Z',
      accept: { onHold: 'reserve', paid: 'confirm' },
      roundingTolerance: 1,
      warehouse: 'WH',
    });
    const small = withoutDefaults(OrderRoute, full);
    expect(small).toEqual({
      from: 'a',
      to: 'b',
      startAt: '2026-12-01T00:00:00Z',
      accept: { onHold: 'reserve' },
      warehouse: 'WH',
    });
    expect(OrderRoute.parse(small)).toEqual(full);
  });

  it('keeps a list that differs from the default, and an empty one', () => {
    const read = (taxNumberKeys: string[]) =>
      withoutDefaults(
        woocommerce.settings,
        woocommerce.settings.parse({ url: 'https://a.example', taxNumberKeys }),
      );
    expect(read(['x'])).toEqual({ url: 'https://a.example', taxNumberKeys: ['x'] });
    expect(read([])).toEqual({ url: 'https://a.example', taxNumberKeys: [] });
  });
});

describe('loadSettingsFile', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'waybill-settings-'));
  });
  afterAll(() => rm(directory, { recursive: true }));
  const file = async (name: string, text: string) => {
    const at = path.join(directory, name);
    await writeFile(at, text);
    return at;
  };

  it('reads a module and JSON alike', async () => {
    const settingsModule = new URL('../../infra/settings.ts', import.meta.url).href;
    const typed = await file(
      'typed.ts',
      `import { settings } from ${JSON.stringify(settingsModule)};\nexport default settings(${JSON.stringify(valid())} as never);`,
    );
    const plain = await file('plain.mjs', `export default ${JSON.stringify(valid())};`);
    const json = await file('plain.json', JSON.stringify(valid()));
    const wanted = parseSettings(valid(), 'x');
    for (const at of [typed, plain, json]) expect(await loadSettingsFile(at), at).toEqual(wanted);
  });

  it.each([
    ['a.json', '{ "name": ', /a\.json: 1 problem\n {2}is no valid JSON: /],
    [
      'b.mjs',
      'export const settings = {};',
      /b\.mjs: 1 problem\n {2}has no default export; write: export default/,
    ],
    ['c.mjs', 'throw new Error("boom");', /c\.mjs: 1 problem\n {2}cannot be loaded: boom/],
    ['d.yaml', '', /d\.yaml: 1 problem\n {2}"\.yaml" is no settings file; known: \.ts, \.mjs, \.js, \.json/],
    ['e.json', '{}', /e\.json: 4 problems\n {2}name: missing \(a text\)\n/],
  ])('%s', async (name, text, message) => {
    await expect(loadSettingsFile(await file(name, text))).rejects.toThrow(message);
  });

  it('names the file, not the helper, when settings() inside it refuses', async () => {
    const settingsModule = new URL('../../infra/settings.ts', import.meta.url).href;
    const at = await file(
      'refused.ts',
      `import { settings } from ${JSON.stringify(settingsModule)};\nexport default settings({} as never);`,
    );
    await expect(loadSettingsFile(at)).rejects.toThrow(/refused\.ts: 4 problems\n/);
  });

  it('says which file is missing', async () => {
    await expect(loadSettingsFile(path.join(directory, 'none.json'))).rejects.toThrow(
      /none\.json: 1 problem\n {2}cannot be read \(ENOENT\)/,
    );
    await expect(loadSettingsFile(path.join(directory, 'none.ts'))).rejects.toThrow(/none\.ts: 1 problem\n/);
  });
});
