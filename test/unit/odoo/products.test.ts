import { afterEach, describe, expect, it } from 'vitest';
import { odoo } from '../../../shared/connectors/odoo/index.ts';
import type { ErpProduct, ErpProducts } from '../../../shared/connectors/stock-contract.ts';
import { StockRoute } from '../../../shared/settings/stock-route.ts';
import { type FakeOdoo, type FakeOdooOptions, startFakeOdoo } from '../../fakes/odoo.ts';
import { SHOP } from './harness.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const NOW = Date.parse('2026-11-23T08:00:00Z');
const DAY = 86_400_000;
const call = { signal: new AbortController().signal };
const routeOf = (pricelist?: string, override: object = {}): StockRoute =>
  StockRoute.parse({
    from: 'acme-odoo',
    to: ['acme-woo'],
    prices: { ...(pricelist !== undefined && { pricelist }) },
    ...override,
  });
const twd = (minor: number) => ({ minor, currency: 'TWD' });
/** As Odoo writes it. */
const at = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

const start = async (options: Partial<FakeOdooOptions> = {}) => {
  const clock = { nowMs: NOW };
  const nowMs = () => clock.nowMs;
  const fake = await startFakeOdoo({
    version: 18,
    ...SHOP,
    nowMs,
    pricelists: [
      { name: 'Web', currency: 'TWD' },
      { name: 'Abroad', currency: 'EUR' },
      { name: 'Basis', currency: 'TWD' },
    ],
    ...options,
  });
  stops.push(() => fake.stop());
  const { products } = odoo.open({
    connection: 'acme-odoo',
    settings: odoo.manifest.settings.parse({ url: fake.url, database: SHOP.database }) as never,
    credentials: async () => ({ login: SHOP.login, apiKey: SHOP.apiKey }),
    nowMs,
  });
  if (!products) throw new Error('Odoo reads products');
  return { fake, clock, products };
};

const collect = async (pages: AsyncIterable<readonly ErpProduct[]>): Promise<readonly ErpProduct[]> => {
  const found: ErpProduct[] = [];
  for await (const page of pages) found.push(...page);
  return found;
};
const everything = (products: ErpProducts, route = routeOf()) => collect(products.all(route, call));
const skusChanged = async (products: ErpProducts, fromMs: number, untilMs: number, route = routeOf()) =>
  (await collect(products.changed({ fromMs, untilMs }, route, call))).map(({ sku }) => sku).sort();

const WEB = 1;
const BASIS = 3;
const TEA = 1;
const rule = (fake: FakeOdoo, vals: object, pricelist_id = WEB): number =>
  fake.call('product.pricelist.item', 'create', [{ pricelist_id, ...vals }]) as number;

describe.each([16, 17, 18, 19] as const)('Odoo %i', (version) => {
  it('says what it sells, and for how much', async () => {
    const { products } = await start({
      version,
      products: [
        { sku: 'TEA', name: 'Oolong', price: 420, taxes: ['5% incl'], category: 'All / Tea / Green' },
        { sku: 'MUG', name: 'Mug', price: 149.5, taxes: ['5%', '7%'] },
        { sku: 'OLD', name: 'Old mug', price: 1, archived: true },
        { sku: 'RAW', name: 'Clay', price: 2, forSale: false },
        { sku: 'AGAIN', name: 'Archived', archived: true },
        { sku: 'AGAIN', name: 'Anew', price: 5 },
        { sku: 'TWICE', name: 'One' },
        { sku: 'TWICE', name: 'Another' },
        { sku: 'SHIP', name: 'Shipping', service: true },
      ],
    });
    const plain = { category: 'All', priceIncludesTax: false, taxPercent: '0' };
    expect(await everything(products)).toEqual([
      {
        sku: 'TEA',
        title: 'Oolong',
        category: 'All / Tea / Green',
        status: 'active',
        price: twd(42000),
        priceIncludesTax: true,
        taxPercent: '5',
      },
      { sku: 'MUG', title: 'Mug', status: 'active', price: twd(14950), ...plain, taxPercent: '12' },
      { sku: 'OLD', title: 'Old mug', status: 'archived', price: twd(100), ...plain },
      { sku: 'RAW', title: 'Clay', status: 'archived', price: twd(200), ...plain },
      { sku: 'AGAIN', title: 'Anew', status: 'active', price: twd(500), ...plain },
    ]);
  });

  it('tells what changed, and asks twice when nothing has', async () => {
    const { fake, clock, products } = await start({ version });
    const route = routeOf('Web');
    const ask = async (fromMs: number) => {
      const before = fake.server.requests.length;
      const told = await skusChanged(products, fromMs, clock.nowMs, route);
      return { told, requests: fake.server.requests.length - before };
    };
    const later = () => {
      clock.nowMs += 60_000;
      return clock.nowMs;
    };
    await everything(products, route);
    let from = later();
    expect(await ask(from)).toEqual({ told: [], requests: 2 });
    fake.call('product.product', 'write', [[TEA], { list_price: 430 }]);
    expect((await ask(from)).told).toEqual(['TEA-OOL-150']);
    from = later();
    const fixed = { compute_price: 'fixed', fixed_price: 1 };
    rule(fake, { applied_on: '0_product_variant', product_id: 2, ...fixed });
    expect((await ask(from)).told).toEqual(['MUG-TH-01']);
    // Begins and ends by itself.
    const begins = clock.nowMs + 10 * 60_000;
    const dates = { date_start: at(begins), date_end: at(begins + 60_000) };
    rule(fake, { applied_on: '1_product', product_tmpl_id: TEA, ...fixed, ...dates });
    from = later();
    expect(await ask(from)).toEqual({ told: [], requests: 2 });
    clock.nowMs = begins;
    expect((await ask(begins - 1000)).told).toEqual(['TEA-OOL-150']);
    clock.nowMs = begins + 61_000;
    expect((await ask(begins + 30_000)).told).toEqual(['TEA-OOL-150']);
    // For everything; and in a pricelist that nobody asked for.
    from = later();
    rule(fake, { applied_on: '3_global', compute_price: 'percentage', percent_price: 1 }, BASIS);
    expect((await ask(from)).told).toEqual([]);
    rule(fake, { applied_on: '3_global', compute_price: 'percentage', percent_price: 1 });
    expect((await ask(from)).told).toEqual(['MUG-TH-01', 'TEA-OOL-150']);
  });
});

describe('a pricelist', () => {
  const tea = '0_product_variant';
  const price = { compute_price: 'fixed' };
  /** `OR` later, rules in the order in which they are made. */
  it.each<[string, readonly object[], object]>([
    ['without rules: the list price', [], { price: twd(42000) }],
    [
      'a fixed price',
      [{ applied_on: tea, product_id: TEA, ...price, fixed_price: 399.9 }],
      { price: twd(39990) },
    ],
    ['a percentage', [{ compute_price: 'percentage', percent_price: 10 }], { price: twd(37800) }],
    [
      'a formula: discount, rounding, surcharge',
      [{ compute_price: 'formula', price_discount: 10, price_round: 10, price_surcharge: -0.1 }],
      { price: twd(37990) },
    ],
    [
      'a formula with margins',
      [{ compute_price: 'formula', price_discount: 50, price_min_margin: -100, price_max_margin: 500 }],
      { price: twd(32000) },
    ],
    [
      'a formula with the most margin',
      [{ compute_price: 'formula', price_discount: -100, price_max_margin: 50 }],
      { price: twd(47000) },
    ],
    [
      'on cost',
      [{ compute_price: 'formula', base: 'standard_price', price_discount: -50 }],
      { price: twd(30000) },
    ],
    [
      'on another pricelist',
      [{ compute_price: 'percentage', percent_price: 50, base: 'pricelist', base_pricelist_id: BASIS }],
      { price: twd(15000) },
    ],
    [
      'on a pricelist in another currency: only Odoo knows the rate',
      [
        { pricelist_id: 2, ...price, fixed_price: 5 },
        { compute_price: 'percentage', percent_price: 50, base: 'pricelist', base_pricelist_id: 2 },
      ],
      { price: undefined },
    ],
    [
      'in a circle',
      [
        { compute_price: 'percentage', percent_price: 50, base: 'pricelist', base_pricelist_id: BASIS },
        {
          pricelist_id: BASIS,
          min_quantity: 1,
          compute_price: 'percentage',
          base: 'pricelist',
          base_pricelist_id: WEB,
        },
      ],
      { price: undefined },
    ],
    ['of a kind that we do not know', [{ compute_price: 'lunar' }], { price: undefined }],
    [
      'the variant before the product, the category, and all',
      [
        { ...price, fixed_price: 4 },
        { applied_on: '2_product_category', categ_id: 2, ...price, fixed_price: 3 },
        { applied_on: '1_product', product_tmpl_id: TEA, ...price, fixed_price: 2 },
        { applied_on: tea, product_id: TEA, ...price, fixed_price: 1 },
      ],
      { price: twd(100) },
    ],
    [
      'the nearer category first, whatever was made last',
      [
        { applied_on: '2_product_category', categ_id: 2, ...price, fixed_price: 2 },
        { applied_on: '2_product_category', categ_id: 1, ...price, fixed_price: 1 },
        { applied_on: '2_product_category', categ_id: 3, ...price, fixed_price: 3 },
      ],
      { price: twd(200) },
    ],
    [
      'of two alike the later one',
      [
        { ...price, fixed_price: 1 },
        { ...price, fixed_price: 2 },
      ],
      { price: twd(200) },
    ],
    [
      'one piece is one, not two',
      [
        { ...price, fixed_price: 7, min_quantity: 2 },
        { ...price, fixed_price: 8, min_quantity: 1 },
        { ...price, fixed_price: 9 },
      ],
      { price: twd(800) },
    ],
    [
      'a sale that goes on',
      [{ ...price, fixed_price: 300, date_start: at(NOW - DAY), date_end: at(NOW + DAY) }],
      {
        price: twd(42000),
        sale: { price: twd(30000), from: '2026-11-22T08:00:00.000Z', until: '2026-11-24T08:00:00.000Z' },
      },
    ],
    [
      'a sale without an end',
      [{ ...price, fixed_price: 300, date_start: at(NOW - DAY) }],
      { price: twd(42000), sale: { price: twd(30000), from: '2026-11-22T08:00:00.000Z' } },
    ],
    [
      'the next sale',
      [
        { ...price, fixed_price: 250, date_start: at(NOW + 5 * DAY) },
        { ...price, fixed_price: 300, date_start: at(NOW + DAY), date_end: at(NOW + 2 * DAY) },
      ],
      {
        price: twd(42000),
        sale: { price: twd(30000), from: '2026-11-24T08:00:00.000Z', until: '2026-11-25T08:00:00.000Z' },
      },
    ],
    [
      'a sale that is over',
      [{ ...price, fixed_price: 300, date_end: at(NOW - 1000) }],
      { price: twd(42000) },
    ],
    [
      'dearer for a time is no sale',
      [{ ...price, fixed_price: 500, date_end: at(NOW + DAY) }],
      { price: twd(50000) },
    ],
    [
      'nor does the next one',
      [
        { applied_on: tea, product_id: TEA, ...price, fixed_price: 400 },
        {
          applied_on: '2_product_category',
          categ_id: 2,
          ...price,
          fixed_price: 300,
          date_start: at(NOW + DAY),
        },
      ],
      { price: twd(40000) },
    ],
    [
      'a sale of the category does not beat the product’s own price',
      [
        { applied_on: tea, product_id: TEA, ...price, fixed_price: 400 },
        {
          applied_on: '2_product_category',
          categ_id: 2,
          ...price,
          fixed_price: 300,
          date_end: at(NOW + DAY),
        },
      ],
      { price: twd(40000) },
    ],
  ])('%s', async (_title, rules, expected) => {
    const { fake, products } = await start({
      products: [
        { sku: 'TEA', name: 'Oolong', price: 420, category: 'All / Tea' },
        { sku: 'MUG', name: 'Mug', price: 1, category: 'All / Mugs' },
      ],
    });
    fake.call('product.product', 'write', [[TEA], { standard_price: 200 }]);
    rule(fake, { ...price, fixed_price: 300 }, BASIS);
    for (const vals of rules) rule(fake, vals);
    const [found] = await everything(products, routeOf('Web'));
    expect({ price: found?.price, ...(found?.sale && { sale: found.sale }) }).toEqual(expected);
  });

  it('in another currency has the prices that it fixes, and no others', async () => {
    const { fake, products } = await start();
    rule(fake, { applied_on: tea, product_id: TEA, ...price, fixed_price: 12.5 }, 2);
    const found = await everything(products, routeOf('Abroad'));
    expect(found.map(({ sku, price: is }) => [sku, is])).toEqual([
      ['TEA-OOL-150', { minor: 1250, currency: 'EUR' }],
      ['MUG-TH-01', undefined],
    ]);
  });

  it('that is not there, or there twice, is never guessed', async () => {
    const { products } = await start({
      pricelists: [
        { name: 'Web', currency: 'TWD' },
        { name: 'Web', currency: 'TWD' },
      ],
    });
    for (const name of ['Web', 'Nope']) {
      await expect(everything(products, routeOf(name))).rejects.toMatchObject({
        code: 'UNKNOWN_PRICELIST',
        params: { pricelist: name },
      });
    }
  });
});

it.each<[string, FakeOdooOptions['taxes'], readonly string[], object]>([
  ['fixed amounts', [{ name: 'A', amount: 1, type: 'fixed' }], ['A'], { priceIncludesTax: false }],
  [
    'a group',
    [
      { name: 'A', amount: 5 },
      { name: 'B', amount: 2.5 },
      { name: 'G', amount: 0, type: 'group', children: ['A', 'B'] },
    ],
    ['G'],
    { priceIncludesTax: false, taxPercent: '7.5' },
  ],
  [
    'one in the price and one on top',
    [
      { name: 'A', amount: 5, included: true },
      { name: 'B', amount: 2 },
    ],
    ['A', 'B'],
    { priceIncludesTax: true },
  ],
  [
    'one on top of another',
    [
      { name: 'A', amount: 5, includeBaseAmount: true },
      { name: 'B', amount: 2 },
    ],
    ['A', 'B'],
    { priceIncludesTax: false },
  ],
  [
    'another company’s',
    [
      { name: 'A', amount: 5 },
      { name: 'B', amount: 19, included: true, company: 'Acme Japan' },
    ],
    ['A', 'B'],
    { priceIncludesTax: false, taxPercent: '5' },
  ],
])('taxes: %s', async (_title, taxes, names, expected) => {
  const { products } = await start({
    taxes,
    companies: [
      { name: 'Acme Taiwan', currency: 'TWD' },
      { name: 'Acme Japan', currency: 'JPY' },
    ],
    products: [{ sku: 'TEA', name: 'Tea', price: 1, taxes: names }],
  });
  const [{ priceIncludesTax, taxPercent } = {}] = await everything(products);
  expect({ priceIncludesTax, ...(taxPercent !== undefined && { taxPercent }) }).toEqual(expected);
});

it('of another company neither products nor prices', async () => {
  const { products } = await start({
    companies: [
      { name: 'Acme Taiwan', currency: 'TWD' },
      { name: 'Acme Japan', currency: 'JPY' },
    ],
    products: [
      { sku: 'TEA', name: 'Tea', price: 5 },
      { sku: 'TEA', name: 'Ocha', price: 7, company: 'Acme Japan' },
    ],
  });
  expect(await everything(products)).toMatchObject([{ title: 'Tea', price: twd(500) }]);
});

it('reads 10,000 products in few requests, and a failed page fails them all', {
  timeout: 60_000,
}, async () => {
  const { fake, products } = await start({
    products: Array.from({ length: 2_100 }, (_, n) => ({ sku: `SKU-${n}`, name: 'x', price: 1 })),
  });
  await collect(products.changed({ fromMs: NOW + 1000, untilMs: NOW + 2000 }, routeOf('Web'), call));
  const before = fake.server.requests.length;
  expect(await everything(products, routeOf('Web'))).toHaveLength(2_100);
  // What they are called, then each thousand and its rules; categories once.
  expect(fake.server.requests.length - before).toBe(8);
  fake.server.fault({
    when: (request) => String(request.body).includes('SKU-2099'),
    times: Number.POSITIVE_INFINITY,
    effect: { kind: 'answer', status: 500, body: '' },
  });
  await expect(everything(products, routeOf('Web'))).rejects.toMatchObject({ name: 'RetryableError' });
});
