import { afterEach, expect, it } from 'vitest';
import type { ErpProduct, ErpProducts } from '../../../shared/connectors/stock-contract.ts';
import { tryton } from '../../../shared/connectors/tryton/index.ts';
import { StockRoute } from '../../../shared/settings/stock-route.ts';
import { FAKE, type FakeTryton, type FakeTrytonOptions, startFakeTryton } from '../../fakes/tryton.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const call = { signal: new AbortController().signal };
const routeOf = (pricelist?: string): StockRoute =>
  StockRoute.parse({
    from: 'acme-tryton',
    to: ['acme-woo'],
    prices: { ...(pricelist !== undefined && { pricelist }) },
  });
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const decimal = (value: string) => ({ __class__: 'Decimal', decimal: value });
const date = (iso: string) => {
  const [year, month, day] = iso.split('-').map(Number);
  return { __class__: 'date', year, month, day };
};

const start = async (options: FakeTrytonOptions = {}) => {
  const clock = { nowMs: Date.parse('2026-11-23T08:00:00Z') };
  const nowMs = () => clock.nowMs;
  const fake = await startFakeTryton({ nowMs, today: '2026-11-23', ...options });
  stops.push(() => fake.stop());
  const { products } = tryton.open({
    connection: 'acme-tryton',
    settings: tryton.manifest.settings.parse({ url: fake.url, database: FAKE.database }) as never,
    credentials: async () => ({ login: FAKE.login, password: FAKE.password }),
    nowMs,
  });
  if (!products) throw new Error('Tryton reads products');
  return { fake, clock, products };
};

const collect = async (pages: AsyncIterable<readonly ErpProduct[]>): Promise<readonly ErpProduct[]> => {
  const found: ErpProduct[] = [];
  for await (const page of pages) found.push(...page);
  return found;
};
const everything = async (products: ErpProducts, route = routeOf()) =>
  new Map((await collect(products.all(route, call))).map((product) => [product.sku, product]));

const make = (fake: FakeTryton, model: string, values: object): number => {
  const [id] = fake.call(`model.${model}.create`, [[values]]) as [number];
  return id;
};
const write = (fake: FakeTryton, model: string, id: number, values: object) =>
  fake.call(`model.${model}.write`, [[id], values]);
/** Products 1 to 3 are goods, and so are their templates. */
const [TEA, MUG, TEE] = [1, 2, 3];

it('says what it sells, and for how much', async () => {
  const { fake, products } = await start();
  const fixed = make(fake, 'account.tax', { name: 'Fee', type: 'fixed', rate: null, childs: [] });
  const group = make(fake, 'account.tax', { name: 'Both', type: 'none', rate: null, childs: [1, 2] });
  const drinks = make(fake, 'product.category', { name: 'Drinks', parent: null });
  const tea = make(fake, 'product.category', { name: 'Tea', parent: drinks });
  const taxed = (taxes: number[]) =>
    make(fake, 'product.category', { name: 'Taxed', parent: null, customer_taxes_used: taxes });
  write(fake, 'product.template', TEA, {
    name: 'Oolong',
    list_price: decimal('12.345'),
    categories: [tea],
    account_category: taxed([group]),
  });
  write(fake, 'product.template', MUG, { salable: false, account_category: taxed([fixed]) });
  write(fake, 'product.template', TEE, { list_price: null, account_category: null });
  const found = await everything(products);
  expect([...found.keys()]).toEqual(['TEA-OOL-150', 'MUG-TH-01', 'TEE-BLUE-M', 'OLD-TEA']);
  expect(found.get('TEA-OOL-150')).toEqual({
    sku: 'TEA-OOL-150',
    title: 'Oolong',
    category: 'Drinks / Tea',
    status: 'active',
    price: twd(1235),
    priceIncludesTax: false,
    taxPercent: '13',
  });
  expect(found.get('MUG-TH-01')).toEqual({
    sku: 'MUG-TH-01',
    title: 'MUG-TH-01',
    category: 'Taxed',
    status: 'archived',
    price: twd(1000),
    priceIncludesTax: false,
  });
  expect(found.get('TEE-BLUE-M')).toEqual({
    sku: 'TEE-BLUE-M',
    title: 'TEE-BLUE-M',
    status: 'active',
    price: undefined,
    priceIncludesTax: false,
    taxPercent: '0',
  });
  expect(found.get('OLD-TEA')).toMatchObject({ status: 'archived' });
});

it('of products with one code the active one counts, and of two active ones none', async () => {
  const { fake, products } = await start({ goods: ['AGAIN', 'AGAIN', 'TWICE', 'TWICE'] });
  const [first, second] = fake.records('product.product').filter(({ code }) => code === 'AGAIN');
  write(fake, 'product.product', first?.id ?? 0, { active: false });
  write(fake, 'product.template', Number(second?.['template']), { name: 'Anew' });
  const found = await everything(products);
  expect(found.get('AGAIN')).toMatchObject({ title: 'Anew', status: 'active' });
  expect(found.has('TWICE')).toBe(false);
});

it('prices by a price list as Tryton works it out', async () => {
  const { fake, products } = await start();
  const list = make(fake, 'product.price_list', { name: 'Web', company: 1, tax_included: true });
  make(fake, 'product.price_list', { name: 'Web', company: 2, tax_included: false });
  const line = (values: object) => make(fake, 'product.price_list.line', { price_list: list, ...values });
  line({ sequence: 1, product: TEA, quantity: 5, formula: "Decimal('1')" });
  line({ sequence: 2, product: TEA, formula: "unit_price * Decimal('0.5')" });
  line({ sequence: 3, formula: "unit_price * Decimal('0.9')" });
  const box = make(fake, 'product.uom', { name: 'Box of five', factor: 5 });
  write(fake, 'product.product', MUG, { sale_uom: box });
  write(fake, 'product.template', TEE, { salable: false });
  const found = await everything(products, routeOf('Web'));
  expect(found.get('TEA-OOL-150')).toMatchObject({ price: twd(500), priceIncludesTax: true });
  // Of the unit in which it is sold.
  expect(found.get('MUG-TH-01')).toMatchObject({ price: twd(4500) });
  expect((await everything(products)).get('MUG-TH-01')).toMatchObject({ price: twd(5000) });
  // Tryton fails to work out the price of what is not salable, and of what has no list price.
  expect(found.get('TEE-BLUE-M')).toMatchObject({ price: undefined, status: 'archived' });
});

it.each<[string, FakeTrytonOptions, readonly object[]]>([
  ['is not there', {}, []],
  ['is another company’s', {}, [{ name: 'Web', company: 2 }]],
  [
    'is there twice',
    {},
    [
      { name: 'Web', company: 1 },
      { name: 'Web', company: 1 },
    ],
  ],
  ['cannot be, without its module', { priceLists: false }, [{ name: 'Web', company: 1 }]],
])('a price list that %s', async (_title, options, lists) => {
  const { fake, products } = await start(options);
  for (const list of lists) make(fake, 'product.price_list', { tax_included: false, ...list });
  await expect(everything(products, routeOf('Web'))).rejects.toMatchObject({
    code: 'UNKNOWN_PRICELIST',
    params: { pricelist: 'Web' },
  });
});

it('tells what changed, and asks twice when nothing has', async () => {
  const { fake, clock, products } = await start();
  const list = make(fake, 'product.price_list', { name: 'Web', company: 1, tax_included: false });
  const line = (values: object) =>
    make(fake, 'product.price_list.line', { price_list: list, formula: 'unit_price', ...values });
  const tea = line({ product: TEA });
  line({ product: MUG, start_date: date('2026-12-01'), end_date: date('2026-12-05') });
  const route = routeOf('Web');
  const within = async (fromMs: number, untilMs: number) => {
    const before = fake.server.requests.length;
    const told = (await collect(products.changed({ fromMs, untilMs }, route, call))).map(({ sku }) => sku);
    return { told: told.sort(), requests: fake.server.requests.length - before };
  };
  const later = () => {
    clock.nowMs += 60_000;
    return clock.nowMs;
  };
  const since = (fromMs: number) => within(fromMs, clock.nowMs);
  await everything(products, route);
  await within(Date.parse('2026-11-30T23:55:00Z'), Date.parse('2026-12-01T00:05:00Z'));
  let from = later();
  expect(await since(from)).toEqual({ told: [], requests: 2 });
  write(fake, 'product.template', TEE, { list_price: decimal('11') });
  expect((await since(from)).told).toEqual(['TEE-BLUE-M']);
  from = later();
  write(fake, 'product.price_list.line', tea, { formula: "Decimal('7')" });
  expect((await since(from)).told).toEqual(['TEA-OOL-150']);
  from = later();
  write(fake, 'product.price_list', list, { tax_included: true });
  expect((await since(from)).told).toEqual(['MUG-TH-01', 'TEA-OOL-150']);
  from = later();
  line({});
  expect((await since(from)).told).toEqual(['MUG-TH-01', 'OLD-TEA', 'TEA-OOL-150', 'TEE-BLUE-M']);
  // Days begin in Taipei eight hours earlier than in UTC; Tryton goes by the one or the other.
  const around = (iso: string) => within(Date.parse(iso) - 60_000, Date.parse(iso) + 60_000);
  for (const [moment, told] of [
    ['2026-11-30T16:00:00Z', ['MUG-TH-01']],
    ['2026-11-30T20:00:00Z', []],
    ['2026-12-01T00:00:00Z', ['MUG-TH-01']],
    ['2026-12-01T04:00:00Z', []],
    ['2026-12-02T00:00:00Z', []],
    ['2026-12-05T00:00:00Z', []],
    ['2026-12-06T00:00:00Z', ['MUG-TH-01']],
  ] as const) {
    expect((await around(moment)).told, moment).toEqual(told);
  }
});

it('reads many products in few requests, and a failed page fails them all', async () => {
  const goods = Array.from({ length: 2_100 }, (_, n) => `SKU-${n}`);
  const { fake, products } = await start({ goods });
  await everything(products);
  const before = fake.server.requests.length;
  expect((await everything(products)).size).toBe(2_104);
  expect(fake.server.requests.length - before).toBe(4);
  fake.server.fault({
    when: (request) => String(request.body).includes('SKU-2099'),
    times: Number.POSITIVE_INFINITY,
    effect: { kind: 'answer', status: 500 },
  });
  await expect(everything(products)).rejects.toMatchObject({ name: 'RetryableError' });
});
