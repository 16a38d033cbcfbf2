import { beforeAll, expect, inject, it } from 'vitest';
import type { ErpProduct } from '../../shared/connectors/stock-contract.ts';
import { tryton } from '../../shared/connectors/tryton/index.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';
import { date, decimal, TrytonRpc } from './rpc.ts';
import { SEED } from './seed.ts';

const address = inject('tryton');
const call = { signal: new AbortController().signal };
const routeOf = (pricelist?: string): StockRoute =>
  StockRoute.parse({
    from: 'acme-tryton',
    to: ['acme-woo'],
    prices: { ...(pricelist !== undefined && { pricelist }) },
  });

const rpc = new TrytonRpc(address.url, address.database);
beforeAll(() => rpc.login(address.admin.login, address.admin.password));

const { products } = tryton.open({
  connection: 'acme-tryton',
  settings: tryton.manifest.settings.parse({ url: address.url, database: address.database }) as never,
  credentials: async () => ({ login: SEED.login, password: SEED.password }),
  nowMs: Date.now,
});
if (!products) throw new Error('Tryton reads products');

const collect = async (pages: AsyncIterable<readonly ErpProduct[]>): Promise<Map<string, ErpProduct>> => {
  const found = new Map<string, ErpProduct>();
  for await (const page of pages) for (const product of page) found.set(product.sku, product);
  return found;
};
const everything = (route = routeOf()) => collect(products.all(route, call));
const changedSince = async (fromMs: number, route = routeOf()): Promise<string[]> => {
  const window = { fromMs, untilMs: Date.now() + 60_000 };
  return [...(await collect(products.changed(window, route, call))).keys()].sort();
};
/** The next second: what was written before is not in a window from here on. */
const fromHere = async (): Promise<number> => {
  const fromMs = Date.now() + 1;
  await expect.poll(() => Date.now()).toBeGreaterThan(fromMs);
  return fromMs;
};

const make = async (sku: string, values: object = {}): Promise<number> => {
  const unit = await rpc.one('product.uom', [['symbol', '=', 'u']]);
  const category = await rpc.one('product.category', [['accounting', '=', true]]);
  return rpc.create('product.template', {
    name: `Name of ${sku}`,
    type: 'goods',
    default_uom: unit,
    sale_uom: unit,
    salable: true,
    list_price: decimal('12.34'),
    cost_price_method: 'fixed',
    account_category: category,
    products: [['create', [{ suffix_code: sku, cost_price: decimal('5') }]]],
    ...values,
  });
};
const productOf = (sku: string) => rpc.one('product.product', [['code', '=', sku]]);
const twd = (minor: number) => ({ minor, currency: 'TWD' });

it('says what it sells, and for how much', async () => {
  const tax = await rpc.one('account.tax', [['name', '=', '5%']]);
  const [like] = await rpc.read<Record<string, unknown>>(
    'product.category',
    await rpc.search('product.category', [['accounting', '=', true]]),
    ['account_expense', 'account_revenue'],
  );
  const taxed = await rpc.create('product.category', {
    name: 'Taxed',
    accounting: true,
    account_expense: like?.['account_expense'],
    account_revenue: like?.['account_revenue'],
    customer_taxes: [['add', [tax]]],
  });
  const parent = await rpc.create('product.category', { name: 'Drinks' });
  const child = await rpc.create('product.category', { name: 'Tea', parent });
  await make('PRICE-1', { account_category: taxed, categories: [['add', [child]]] });
  await make('PRICE-2', { list_price: decimal('99'), salable: false });
  await make('PRICE-3');
  await rpc.write('product.product', [await productOf('PRICE-3')], { active: false });
  const found = await everything();
  expect(found.get('PRICE-1')).toEqual({
    sku: 'PRICE-1',
    title: 'Name of PRICE-1',
    category: 'Drinks / Tea',
    status: 'active',
    price: twd(1234),
    priceIncludesTax: false,
    taxPercent: '5',
  });
  const plain = { category: 'Everything', priceIncludesTax: false, taxPercent: '0' };
  expect(found.get('PRICE-2')).toEqual({
    sku: 'PRICE-2',
    title: 'Name of PRICE-2',
    status: 'archived',
    price: twd(9900),
    ...plain,
  });
  expect(found.get('PRICE-3')).toMatchObject({ status: 'archived' });
  expect(found.get('OLD-TEA')).toMatchObject({ status: 'archived' });
  expect([...SEED.services].filter((sku) => found.has(sku))).toEqual([]);
});

it('prices by a price list as Tryton works it out', async () => {
  const box = await rpc.create('product.uom', {
    name: 'Box of ten',
    symbol: 'b10',
    category: (
      await rpc.read<{ category: number }>(
        'product.uom',
        [await rpc.one('product.uom', [['symbol', '=', 'u']])],
        ['category'],
      )
    )[0]?.category,
    factor: 10,
    rate: 0.1,
    rounding: 1,
    digits: 0,
  });
  await make('PRICE-4', { list_price: decimal('200') });
  await make('PRICE-5', { list_price: decimal('300'), sale_uom: box });
  await make('PRICE-6', { list_price: decimal('400'), salable: false, sale_uom: null });
  const list = await rpc.create('product.price_list', {
    name: 'Web',
    company: 1,
    tax_included: true,
    lines: [
      [
        'create',
        [
          { sequence: 1, product: await productOf('PRICE-4'), quantity: 5, formula: 'Decimal(1)' },
          {
            sequence: 2,
            product: await productOf('PRICE-4'),
            formula: "unit_price * Decimal('0.75') + cost_price",
          },
          { sequence: 3, formula: "unit_price * Decimal('0.9')" },
        ],
      ],
    ],
  });
  const route = routeOf('Web');
  const found = await everything(route);
  expect(found.get('PRICE-4')).toMatchObject({ price: twd(15500), priceIncludesTax: true });
  // Of the unit in which it is sold.
  expect(found.get('PRICE-5')).toMatchObject({ price: twd(270000), status: 'active' });
  expect((await everything()).get('PRICE-5')).toMatchObject({ price: twd(300000) });
  expect(found.get('PRICE-6')).toMatchObject({ price: undefined, status: 'archived' });

  let fromMs = await fromHere();
  expect(await changedSince(fromMs, route)).toEqual([]);
  const template = await rpc.one('product.template', [['name', '=', 'Name of PRICE-5']]);
  await rpc.write('product.template', [template], { list_price: decimal('310') });
  expect(await changedSince(fromMs, route)).toEqual(['PRICE-5']);
  expect((await everything(route)).get('PRICE-5')).toMatchObject({ price: twd(279000) });

  fromMs = await fromHere();
  const [line] = await rpc.search('product.price_list.line', [['sequence', '=', 2]]);
  await rpc.write('product.price_list.line', [line ?? 0], { formula: 'unit_price' });
  expect(await changedSince(fromMs, route)).toEqual(['PRICE-4']);
  fromMs = await fromHere();
  await rpc.write('product.price_list', [list], { name: 'Web' });
  expect((await changedSince(fromMs, route)).length).toBeGreaterThan(5);
  await expect(everything(routeOf('Nope'))).rejects.toMatchObject({ code: 'UNKNOWN_PRICELIST' });
});

it('a line with dates is the price as long as it holds', async () => {
  const DAY = 86_400_000;
  const dayOf = (ms: number) => date(new Date(ms).toISOString().slice(0, 10));
  await make('PRICE-7', { list_price: decimal('200') });
  await make('PRICE-8', { list_price: decimal('200') });
  const now = Date.now();
  const half = "unit_price * Decimal('0.5')";
  await rpc.create('product.price_list', {
    name: 'Dated',
    company: 1,
    lines: [
      [
        'create',
        [
          { product: await productOf('PRICE-7'), formula: half, end_date: dayOf(now + 20 * DAY) },
          { product: await productOf('PRICE-8'), formula: half, start_date: dayOf(now + 10 * DAY) },
        ],
      ],
    ],
  });
  const route = routeOf('Dated');
  const found = await everything(route);
  expect(found.get('PRICE-7')).toMatchObject({ price: twd(10000) });
  expect(found.get('PRICE-8')).toMatchObject({ price: twd(20000) });
  const midnight = Date.parse(new Date(now).toISOString().slice(0, 10));
  const told = async (days: number, hours = 0) => {
    const atMs = midnight + days * DAY + hours * 3_600_000;
    const window = { fromMs: atMs - 60_000, untilMs: atMs + 60_000 };
    return [...(await collect(products.changed(window, route, call))).keys()];
  };
  expect(await told(10)).toEqual(['PRICE-8']);
  expect(await told(10, 3)).toEqual([]);
  // Midnight in Taipei, the evening before in UTC.
  expect(await told(9, 16)).toEqual(['PRICE-8']);
  expect(await told(20)).toEqual([]);
  expect(await told(21)).toEqual(['PRICE-7']);
});
