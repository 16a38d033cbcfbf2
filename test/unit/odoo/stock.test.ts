import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { odoo } from '../../../shared/connectors/odoo/index.ts';
import type { ErpLevel, ErpStock, LevelPage } from '../../../shared/connectors/stock-contract.ts';
import { StockRoute } from '../../../shared/settings/stock-route.ts';
import { type FakeOdoo, type FakeOdooOptions, startFakeOdoo } from '../../fakes/odoo.ts';
import { startPeerServer } from '../../fakes/peer-server.ts';
import { SHOP } from './harness.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const call = { signal: new AbortController().signal };
const HOUR = 3_600_000;

const routeOf = (override: object = {}): StockRoute =>
  StockRoute.parse({ from: 'acme-odoo', to: ['acme-woo'], ...override });
/** Only these warehouses. */
const onlyFrom = (...codes: readonly string[]): StockRoute =>
  routeOf({ warehouses: Object.fromEntries(codes.map((code) => [code, { 'acme-woo': 'default' }])) });

const stockAt = (url: string, nowMs: () => number = Date.now): ErpStock => {
  const { stock } = odoo.open({
    connection: 'acme-odoo',
    settings: odoo.manifest.settings.parse({ url, database: SHOP.database }) as never,
    credentials: async () => ({ login: SHOP.login, apiKey: SHOP.apiKey }),
    nowMs,
  });
  if (!stock) throw new Error('Odoo reads stock');
  return stock;
};

const start = async (options: Partial<FakeOdooOptions> = {}) => {
  const clock = { nowMs: Date.parse('2026-11-23T08:00:00Z') };
  const nowMs = () => clock.nowMs;
  const fake = await startFakeOdoo({ version: 18, ...SHOP, nowMs, ...options });
  stops.push(() => fake.stop());
  return { fake, clock, stock: stockAt(fake.url, nowMs) };
};

const collect = async <T>(pages: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const page of pages) all.push(page);
  return all;
};
const levelsOf = (pages: readonly LevelPage[]): string[] =>
  pages.flatMap(({ levels }) => levels.map(shown)).sort();
const shown = ({ sku, warehouse, onHand, free }: ErpLevel) => `${sku} ${warehouse} ${onHand} ${free}`;

const read = async (stock: ErpStock, skus: readonly string[], route = routeOf()) =>
  levelsOf(await collect(stock.levels(skus, route, call)));
const changedSince = async (stock: ErpStock, fromMs: number, untilMs: number, route = routeOf()) =>
  (await collect(stock.changed({ fromMs, untilMs }, route, call))).flat().sort();

/** A confirmed order of some pieces; its delivery. */
const sell = (fake: FakeOdoo, product: number, quantity: number, vals: object = {}) => {
  const partner_id = fake.call('res.partner', 'create', [{ name: 'Lin' }]);
  const line = { product_id: product, product_uom_qty: quantity, name: 'x' };
  const order = fake.call('sale.order', 'create', [
    { partner_id, order_line: [[0, 0, line]], ...vals },
  ]) as number;
  fake.call('sale.order', 'action_confirm', [[order]]);
  const [picking] = fake.records('stock.picking').filter((each) => each['sale_id'] === order);
  return { order, picking: picking?.id as number };
};

describe.each([16, 17, 18, 19] as const)('Odoo %i', (version) => {
  it('says what is free after each step of a product’s life', async () => {
    const { fake, stock } = await start({
      version,
      warehouses: [
        { code: 'WH', reservation: 'manual' },
        { code: 'SEA', reservation: 'at_confirm' },
      ],
    });
    const tea = 1;
    const route = onlyFrom('WH');
    const now = () => read(stock, ['TEA-OOL-150'], route);
    expect(await now()).toEqual(['TEA-OOL-150 WH 50 50']);

    // A quotation promises nothing.
    const partner_id = fake.call('res.partner', 'create', [{ name: 'Lin' }]);
    const line = { product_id: tea, product_uom_qty: 4, name: 'x' };
    fake.call('sale.order', 'create', [{ partner_id, order_line: [[0, 0, line]] }]);
    expect(await now()).toEqual(['TEA-OOL-150 WH 50 50']);

    // Confirmed, and nobody has reserved it: Odoo's own free quantity is still 50.
    const { picking } = sell(fake, tea, 3);
    expect(
      fake.call('product.product', 'read', [[tea]], {
        fields: ['free_qty'],
        context: { warehouse: 1, warehouse_id: 1 },
      }),
    ).toEqual([{ id: tea, free_qty: 50 }]);
    expect(await now()).toEqual(['TEA-OOL-150 WH 50 47']);
    fake.call('stock.picking', 'action_assign', [[picking]]);
    expect(await now()).toEqual(['TEA-OOL-150 WH 50 47']);
    fake.call('stock.picking', 'button_validate', [[picking]]);
    expect(await now()).toEqual(['TEA-OOL-150 WH 47 47']);

    // Cancelled before it was shipped.
    const { order } = sell(fake, tea, 10);
    expect(await now()).toEqual(['TEA-OOL-150 WH 47 37']);
    fake.call('sale.order', 'action_cancel', [[order]], { context: { disable_cancel_warning: true } });
    expect(await now()).toEqual(['TEA-OOL-150 WH 47 47']);

    // On its way from a supplier, then in.
    const [shelf] = fake.records('stock.warehouse').map((each) => each['lot_stock_id']);
    const supplier = fake.call('stock.location', 'create', [
      { complete_name: 'Partners/Vendors', usage: 'supplier' },
    ]);
    const move = { product_id: tea, product_uom_qty: 20, location_id: supplier, location_dest_id: shelf };
    const receipt = fake.call('stock.picking', 'create', [
      { picking_type_code: 'incoming', move_ids: [[0, 0, move]] },
    ]);
    fake.call('stock.picking', 'action_confirm', [[receipt]]);
    expect(await now()).toEqual(['TEA-OOL-150 WH 47 47']);
    fake.call('stock.picking', 'button_validate', [[receipt]]);
    expect(await now()).toEqual(['TEA-OOL-150 WH 67 67']);

    // Counted: none left, and Odoo deletes the quant.
    const [quant] = fake.records('stock.quant').filter((each) => each['product_id'] === tea);
    fake.call('stock.quant', 'write', [[quant?.id], { inventory_quantity: 0 }]);
    fake.call('stock.quant', 'action_apply_inventory', [[quant?.id]]);
    expect(fake.records('stock.quant').filter((each) => each['product_id'] === tea)).toEqual([]);
    expect(await now()).toEqual(['TEA-OOL-150 WH 0 0']);

    // Sold what is not there.
    sell(fake, tea, 2);
    expect(await now()).toEqual(['TEA-OOL-150 WH 0 -2']);
  });

  it('keeps warehouses and companies apart', async () => {
    const { fake, stock } = await start({
      version,
      companies: [
        { name: 'Acme Taiwan', currency: 'TWD' },
        { name: 'Acme Japan', currency: 'JPY' },
      ],
      warehouses: [{ code: 'WH' }, { code: 'SEA' }, { code: 'TYO', company: 'Acme Japan' }],
      products: [
        { sku: 'TEA-OOL-150', name: 'Tea', stock: { WH: 5, SEA: 7, TYO: 1000 } },
        { sku: 'MUG-TH-01', name: 'Mug', stock: { TYO: 1000 }, company: 'Acme Japan' },
      ],
    });
    sell(fake, 1, 2, { warehouse_id: 2 });
    const own = ['TEA-OOL-150 SEA 7 5', 'TEA-OOL-150 WH 5 5'];
    expect(await read(stock, ['TEA-OOL-150'])).toEqual(own);
    expect(await read(stock, ['TEA-OOL-150'], onlyFrom('SEA'))).toEqual(['TEA-OOL-150 SEA 7 5']);
    expect(levelsOf(await collect(stock.all(routeOf(), call)))).toEqual(own);
    const [page] = await collect(stock.levels(['MUG-TH-01'], routeOf(), call));
    expect(page).toMatchObject({ levels: [], missing: ['MUG-TH-01'] });

    const abroad = routeOf({ company: 'Acme Japan' });
    expect(await read(stock, ['TEA-OOL-150', 'MUG-TH-01'], abroad)).toEqual([
      'MUG-TH-01 TYO 1000 1000',
      'TEA-OOL-150 TYO 1000 1000',
    ]);
    expect(await stock.identify(abroad, call)).toEqual({ company: '2 Acme Japan', warehouses: ['TYO'] });
    await expect(collect(stock.levels(['TEA-OOL-150'], onlyFrom('TYO'), call))).rejects.toMatchObject({
      code: 'UNKNOWN_WAREHOUSE',
    });
  });

  it('tells what may have changed, and asks once when nothing has', async () => {
    const { fake, clock, stock } = await start({
      version,
      warehouses: [{ code: 'WH', reservation: 'manual' }],
    });
    const later = () => {
      clock.nowMs += 60_000;
      return clock.nowMs;
    };
    const ask = async (fromMs: number) => {
      const before = fake.server.requests.length;
      const told = await changedSince(stock, fromMs, clock.nowMs + 1);
      return { told, requests: fake.server.requests.length - before };
    };
    await ask(clock.nowMs - HOUR);
    let from = later();
    expect(await ask(from)).toEqual({ told: [], requests: 1 });
    expect(await changedSince(stock, from - HOUR, from)).toContain('MUG-TH-01');

    const { picking } = sell(fake, 1, 3);
    expect((await ask(from)).told).toEqual(['TEA-OOL-150']);
    from = later();
    // Reserving writes lines of the move, and its state.
    fake.call('stock.picking', 'action_assign', [[picking]]);
    expect(await ask(from)).toEqual({ told: ['TEA-OOL-150'], requests: 1 });
    from = later();
    const [line] = fake.records('stock.move.line');
    fake.call('stock.move.line', 'write', [[line?.id], { quantity: 2 }]);
    expect((await ask(from)).told).toEqual(['TEA-OOL-150']);
    from = later();
    const [quant] = fake.records('stock.quant').filter((each) => each['product_id'] === 2);
    fake.call('stock.quant', 'write', [[quant?.id], { inventory_quantity: 0 }]);
    fake.call('stock.quant', 'action_apply_inventory', [[quant?.id]]);
    expect((await ask(from)).told).toEqual(['MUG-TH-01']);
    from = later();
    fake.call('product.product', 'write', [[2], { active: false }]);
    expect((await ask(from)).told).toEqual(['MUG-TH-01']);
    expect(await ask(later())).toEqual({ told: [], requests: 1 });
  });
});

it('what a transfer within the warehouse has reserved is nobody else’s', async () => {
  const { fake, stock } = await start();
  const shelf = fake.call('stock.location', 'create', [{ complete_name: 'WH/Shelf', warehouse_id: 1 }]);
  const [from] = fake.records('stock.warehouse').map((each) => each['lot_stock_id']);
  const move = { product_id: 1, product_uom_qty: 5, location_id: from, location_dest_id: shelf };
  const transfer = fake.call('stock.picking', 'create', [
    { picking_type_code: 'internal', move_ids: [[0, 0, move]] },
  ]);
  fake.call('stock.picking', 'action_assign', [[transfer]]);
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 50 45']);
  fake.call('stock.picking', 'button_validate', [[transfer]]);
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 50 50']);
});

it('says which SKUs it has no level for', async () => {
  const { stock } = await start({
    products: [
      { sku: 'TEA', name: 'Tea', stock: 1, category: 'All / Tea' },
      { sku: 'TWICE', name: 'One', stock: 1 },
      { sku: 'TWICE', name: 'Another', stock: 2 },
      { sku: 'AGAIN', name: 'Old', stock: 1, archived: true },
      { sku: 'AGAIN', name: 'New', stock: 4 },
      { sku: 'OLD', name: 'Gone', stock: 1, archived: true },
      { sku: 'SHIP', name: 'Shipping', service: true },
      { sku: 'BAG', name: 'Bag', untracked: true },
      { sku: 'SET', name: 'Tea and mug', kit: true, stock: 9 },
    ],
  });
  const skus = ['TEA', 'TEA', 'TWICE', 'AGAIN', 'OLD', 'SHIP', 'BAG', 'SET', 'NOPE', 'tea'];
  const [page, ...others] = await collect(stock.levels(skus, routeOf(), call));
  expect(others).toEqual([]);
  expect(page).toEqual({
    asOfMs: Date.parse('2026-11-23T08:00:00Z'),
    levels: [
      { sku: 'TEA', warehouse: 'WH', onHand: 1, free: 1, category: 'All / Tea' },
      { sku: 'AGAIN', warehouse: 'WH', onHand: 4, free: 4, category: 'All' },
    ],
    missing: ['OLD', 'SHIP', 'BAG', 'SET', 'NOPE', 'tea'],
    ambiguous: ['TWICE'],
  });
  expect(await collect(stock.all(routeOf(), call))).toMatchObject([
    { levels: [], ambiguous: ['TWICE'] },
    { levels: page?.levels, missing: [], ambiguous: [] },
  ]);
});

it('reads 10,000 SKUs in few requests, and a failed page fails them all', { timeout: 60_000 }, async () => {
  const products = Array.from({ length: 10_000 }, (_, n) => ({ sku: `SKU-${n}`, name: 'x', stock: 1 }));
  const { fake, stock, clock } = await start({ products });
  await stock.identify(routeOf(), call);
  const before = fake.server.requests.length;
  const pages = await collect(stock.all(routeOf(), call));
  expect(pages.flatMap(({ levels }) => levels)).toHaveLength(10_000);
  // What products are called (twice: the first page was full), then quantities; fields and warehouses are remembered.
  expect(fake.server.requests.length - before).toBe(14);

  clock.nowMs += 60_000;
  for (let n = 1; n <= 500; n += 1) fake.call('product.product', 'write', [[n], { name: 'y' }]);
  const since = fake.server.requests.length;
  const told = await changedSince(stock, clock.nowMs, clock.nowMs + 1);
  expect(told).toHaveLength(500);
  expect(await collect(stock.levels(told, routeOf(), call))).toHaveLength(1);
  expect(fake.server.requests.length - since).toBe(2);

  const broken = { kind: 'answer', status: 500, body: '' } as const;
  const quantities: unknown[] = [];
  fake.server.fault({
    when: (request) => String(request.body).includes('qty_available') && quantities.push(1) > 3,
    times: Number.POSITIVE_INFINITY,
    effect: broken,
  });
  await expect(collect(stock.all(routeOf(), call))).rejects.toMatchObject({ name: 'RetryableError' });
});

it('names company and warehouses as they are now', async () => {
  const { fake, stock } = await start({
    companies: [
      { name: 'Acme Taiwan', currency: 'TWD' },
      { name: 'Acme Japan', currency: 'JPY' },
    ],
    warehouses: [{ code: 'WH' }, { code: 'SEA' }, { code: 'TYO', company: 'Acme Japan' }],
  });
  expect(await stock.identify(routeOf(), call)).toEqual({
    company: '1 Acme Taiwan',
    warehouses: ['WH', 'SEA'],
  });
  const before = fake.server.requests.length;
  fake.call('res.company', 'write', [[1], { name: 'Acme Formosa' }]);
  fake.call('stock.warehouse', 'write', [[2], { company_id: 2 }]);
  expect(await stock.identify(routeOf(), call)).toEqual({ company: '1 Acme Formosa', warehouses: ['WH'] });
  expect(fake.server.requests.length - before).toBe(1);
  await expect(stock.identify(onlyFrom('WH', 'SEA'), call)).rejects.toMatchObject({
    code: 'UNKNOWN_WAREHOUSE',
    params: { warehouse: 'SEA' },
  });
  await expect(stock.identify(routeOf({ company: 'Nobody' }), call)).rejects.toMatchObject({
    code: 'UNKNOWN_COMPANY',
  });
});

it.each([18, 19] as const)('reads the clock of Odoo %i, and again after ten minutes', async (version) => {
  const { fake, clock, stock } = await start({ version });
  const real = await stock.clock?.(call);
  expect(Math.abs((real ?? 0) - Date.now())).toBeLessThan(5000);
  const before = fake.server.requests.length;
  clock.nowMs += 60_000;
  expect(await stock.clock?.(call)).toBe((real ?? 0) + 60_000);
  expect(fake.server.requests.length).toBe(before);
  clock.nowMs += 600_000;
  await stock.clock?.(call);
  expect(fake.server.requests.length).toBeGreaterThan(before);
});

describe('what a real Odoo 18 answered', () => {
  const captured = (name: string): unknown => {
    const path = new URL(`../../fixtures/odoo18/${name}.json`, import.meta.url);
    return JSON.parse(JSON.parse(readFileSync(path, 'utf8')).response.body).result;
  };
  const rows = (name: string) => captured(name) as Record<string, unknown>[];

  it.each([
    ['47-product-qty-after-confirm', ['MUG-TH-01 WH 3 2', 'TEA-OOL-150 WH 50 48']],
    ['61-product-qty-after-delivery', ['MUG-TH-01 WH 2 2', 'TEA-OOL-150 WH 48 48']],
  ])('%s', async (name, expected) => {
    const answers: Readonly<Record<string, () => unknown>> = {
      version: () => captured('01-common-version'),
      authenticate: () => captured('02-authenticate-ok'),
      'res.users': () => [{ id: 2, company_id: [1, 'My Company (San Francisco)'] }],
      'res.company': () => rows('09-companies').filter(({ id }) => id === 1),
      // Not asked for when they were captured: this location, kind and category of the two products.
      'stock.warehouse': () =>
        rows('32-warehouses')
          .filter(({ id }) => id === 1)
          .map((row) => ({ ...row, view_location_id: [7, 'WH'] })),
      'product.product': () =>
        rows(name).map((row) => ({ ...row, type: 'consu', is_storable: true, categ_id: [1, 'All'] })),
    };
    const server = await startPeerServer((app) => {
      app.post('/jsonrpc', async (request) => {
        const { id, params } = JSON.parse(String(request.body));
        const [, , , model, method] = params.service === 'object' ? params.args : [];
        const fields = { is_storable: { type: 'boolean' } };
        const result =
          method === 'fields_get'
            ? model === 'product.product'
              ? fields
              : {}
            : answers[model ?? params.method]?.();
        return { jsonrpc: '2.0', id, result };
      });
    });
    stops.push(() => server.stop());
    expect(await read(stockAt(server.url), ['TEA-OOL-150', 'MUG-TH-01'])).toEqual(expected);
  });
});

describe('adjust', () => {
  it.each([16, 17, 18, 19] as const)('counts one product in one warehouse, Odoo %i', async (version) => {
    const { fake, stock } = await start({
      version,
      warehouses: [{ code: 'WH' }, { code: 'EU' }],
      products: [
        { sku: 'TEA', name: 'Tea', stock: { WH: 5, EU: 7 } },
        { sku: 'CUP', name: 'Cup' },
        { sku: 'TWICE', name: 'A', stock: 1 },
        { sku: 'TWICE', name: 'B', stock: 1 },
      ],
    });
    const count = (sku: string, warehouse: string, onHand: number) =>
      stock.adjust?.({ sku, warehouse, onHand, reason: 'test' }, routeOf(), call);
    await count('TEA', 'EU', 1);
    await count('TEA', 'EU', 1);
    expect(await read(stock, ['TEA'])).toEqual(['TEA EU 1 1', 'TEA WH 5 5']);
    await count('CUP', 'WH', 3); // nothing of it was there
    expect(await read(stock, ['CUP'], onlyFrom('WH'))).toEqual(['CUP WH 3 3']);
    await count('TEA', 'EU', 0);
    expect(await read(stock, ['TEA'], onlyFrom('EU'))).toEqual(['TEA EU 0 0']);
    const moves = fake.records('stock.move').length;
    await count('TEA', 'EU', 0);
    expect(fake.records('stock.move')).toHaveLength(moves);
    await expect(count('TWICE', 'WH', 3)).rejects.toMatchObject({ code: 'ERP_REFUSED' });
    await expect(count('NONE', 'WH', 3)).rejects.toMatchObject({ code: 'ERP_REFUSED' });
    await expect(count('TEA', 'XX', 3)).rejects.toMatchObject({ code: 'UNKNOWN_WAREHOUSE' });
  });
});
