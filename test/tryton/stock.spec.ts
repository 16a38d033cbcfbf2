import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ErpStock } from '../../shared/connectors/stock-contract.ts';
import { tryton } from '../../shared/connectors/tryton/index.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';
import { date, decimal, TrytonRpc } from './rpc.ts';
import { SEED } from './seed.ts';
import { type RunningTryton, startTryton } from './server.ts';

const call = { signal: new AbortController().signal };
/** Of the company's calendar, by which Tryton dates what is moved. */
const today = () => date(new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10));
const routeOf = (override: object = {}): StockRoute =>
  StockRoute.parse({ from: 'acme-tryton', to: ['acme-woo'], ...override });

// One of its own: with a second warehouse no sale has a warehouse by itself any more, whoever makes it.
let own: RunningTryton;
let rpc: TrytonRpc;
let stock: ErpStock;
beforeAll(async () => {
  own = await startTryton(undefined, inject('tryton').backup);
  rpc = new TrytonRpc(own.url, own.database);
  await rpc.login(own.admin.login, own.admin.password);
  stock = connect();
});
afterAll(() => own?.stop());

const connect = (): ErpStock => {
  const { stock: opened } = tryton.open({
    connection: 'acme-tryton',
    settings: tryton.manifest.settings.parse({ url: own.url, database: own.database }) as never,
    credentials: async () => ({ login: SEED.login, password: SEED.password }),
    nowMs: Date.now,
  });
  if (!opened) throw new Error('Tryton reads stock');
  return opened;
};

const readFrom = async (from: ErpStock, route: StockRoute, ...skus: string[]): Promise<string[]> => {
  const found: string[] = [];
  for await (const { levels } of from.levels(skus, route, call)) {
    found.push(...levels.map(({ sku, warehouse, onHand, free }) => `${sku} ${warehouse} ${onHand} ${free}`));
  }
  return found.sort();
};
const read = (...skus: string[]) => readFrom(stock, routeOf(), ...skus);
const changedSince = async (fromMs: number): Promise<string[]> => {
  const told = new Set<string>();
  for await (const skus of stock.changed({ fromMs, untilMs: Date.now() + 60_000 }, routeOf(), call)) {
    for (const sku of skus) told.add(sku);
  }
  return [...told].sort();
};

/** What the tests make, by code; nothing that other files count on. */
const template = async (sku: string, values: object = {}): Promise<number> => {
  const [like] = await rpc.read<Record<string, number>>(
    'product.template',
    await rpc.search('product.template', [['name', '=', 'TEA-OOL-150']]),
    ['default_uom', 'sale_uom', 'account_category'],
  );
  const { default_uom, sale_uom, account_category } = like ?? {};
  return rpc.create('product.template', {
    name: `Name of ${sku}`,
    type: 'goods',
    default_uom,
    sale_uom,
    salable: true,
    list_price: decimal('12.34'),
    cost_price_method: 'fixed',
    account_category,
    products: [['create', [{ suffix_code: sku, cost_price: decimal('5') }]]],
    ...values,
  });
};
const productOf = (sku: string) => rpc.one('product.product', [['code', '=', sku]]);

/** Staff count what lies in a place. */
const count = async (product: number, quantity: number, place = 'STO', company = 1): Promise<void> => {
  const inventory = await rpc.create('stock.inventory', {
    location: await rpc.one('stock.location', [['code', '=', place]]),
    date: today(),
    company,
    lines: [['create', [{ product, quantity }]]],
  });
  await rpc.model('stock.inventory', 'confirm', [[inventory]]);
};

const sell = async (product: number, quantity: number, values: object = {}, line: object = {}) => {
  const party = await rpc.create('party.party', {
    name: 'Lin',
    addresses: [['create', [{ street: 'Road 1' }]]],
  });
  const [{ addresses: [home] = [] } = {}] = await rpc.read<{ addresses?: number[] }>(
    'party.party',
    [party],
    ['addresses'],
  );
  const [{ sale_uom: unit } = {}] = await rpc.read<{ sale_uom?: number }>(
    'product.product',
    [product],
    ['sale_uom'],
  );
  const sale = await rpc.create('sale.sale', {
    party,
    invoice_address: home,
    shipment_address: home,
    currency: await rpc.one('currency.currency', [['code', '=', 'TWD']]),
    warehouse: await rpc.one('stock.location', [
      ['type', '=', 'warehouse'],
      ['code', '=', 'WH'],
    ]),
    invoice_method: 'order',
    shipment_method: 'order',
    lines: [['create', [{ type: 'line', product, quantity, unit, unit_price: decimal('12.34'), ...line }]]],
    ...values,
  });
  await rpc.model('sale.sale', 'quote', [[sale]]);
  return sale;
};
const shipmentsOf = async (sale: number): Promise<number[]> => {
  const [row] = await rpc.read<{ shipments: number[] }>('sale.sale', [sale], ['shipments']);
  return row?.shipments ?? [];
};
const press = (button: string, shipments: readonly number[]) =>
  rpc.model('stock.shipment.out', button, [shipments]);

it('says what is free after each step of a product’s life', async () => {
  await template('FREE-1');
  const product = await productOf('FREE-1');
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 0 0']);

  await count(product, 10);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 10 10']);

  // Awaited from a supplier, then received, then put away.
  const supplier = await rpc.create('party.party', { name: 'Supplier' });
  const place = (code: string) => rpc.one('stock.location', [['code', '=', code]]);
  const unit = await rpc.one('product.uom', [['symbol', '=', 'u']]);
  const company = await rpc.one('company.company', []);
  const receipt = await rpc.create('stock.shipment.in', {
    supplier,
    company,
    warehouse: await rpc.one('stock.location', [
      ['type', '=', 'warehouse'],
      ['code', '=', 'WH'],
    ]),
    incoming_moves: [
      [
        'create',
        [
          {
            product,
            uom: unit,
            quantity: 5,
            company,
            currency: await rpc.one('currency.currency', [['code', '=', 'TWD']]),
            unit_price: decimal('5'),
            from_location: await place('SUP'),
            to_location: await place('IN'),
          },
        ],
      ],
    ],
  });
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 10 10']);
  await rpc.model('stock.shipment.in', 'receive', [[receipt]]);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 15 15']);
  await rpc.model('stock.shipment.in', 'done', [[receipt]]);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 15 15']);

  // A quotation promises nothing; confirmed and not assigned, it does.
  const sale = await sell(product, 4);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 15 15']);
  await rpc.model('sale.sale', 'confirm', [[sale]]);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 15 11']);
  const shipments = await shipmentsOf(sale);
  expect(await press('assign_try', shipments)).toBe(true);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 15 11']);
  await press('pick', shipments);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 15 11']);
  await press('pack', shipments);
  await press('done', shipments);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 11 11']);

  // Held back (the level "reserve"), then cancelled.
  const held = await sell(product, 6);
  await rpc.model('sale.sale', 'confirm', [[held]]);
  await press('draft', await shipmentsOf(held));
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 11 5']);
  await press('cancel', await shipmentsOf(held));
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 11 11']);

  // Counted again; then sold what is not there.
  await count(product, 3);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 3 3']);
  await rpc.model('sale.sale', 'confirm', [[await sell(product, 5)]]);
  expect(await read('FREE-1')).toEqual(['FREE-1 WH 3 -2']);
});

it('what is confirmed and has no moves yet is promised, too, in the product’s own unit', async () => {
  await template('FREE-2');
  const product = await productOf('FREE-2');
  await count(product, 100);
  // Shipped when it is paid: Tryton makes no move before.
  const sale = await sell(product, 3, { shipment_method: 'invoice' });
  await rpc.model('sale.sale', 'confirm', [[sale]]);
  expect(await shipmentsOf(sale)).toEqual([]);
  expect(await read('FREE-2')).toEqual(['FREE-2 WH 100 97']);
  // Two boxes of five.
  const unit = await rpc.one('product.uom', [['symbol', '=', 'u']]);
  const [{ category } = {}] = await rpc.read<{ category?: number }>('product.uom', [unit], ['category']);
  const box = await rpc.create('product.uom', {
    name: 'Box of five',
    symbol: 'b5',
    category,
    factor: 5,
    rate: 0.2,
    rounding: 1,
    digits: 0,
  });
  const another = await sell(product, 2, { shipment_method: 'invoice' }, { unit: box });
  await rpc.model('sale.sale', 'confirm', [[another]]);
  expect(await read('FREE-2')).toEqual(['FREE-2 WH 100 87']);
  // Sold by the box: told in boxes.
  await template('FREE-8', { sale_uom: box });
  const boxed = await productOf('FREE-8');
  await count(boxed, 100);
  await rpc.model('sale.sale', 'confirm', [[await sell(boxed, 3)]]);
  expect(await read('FREE-8')).toEqual(['FREE-8 WH 20 17']);
  // By hand: whatever is shipped, people decide.
  const byHand = await sell(product, 9, { shipment_method: 'manual' });
  await rpc.model('sale.sale', 'confirm', [[byHand]]);
  expect(await read('FREE-2')).toEqual(['FREE-2 WH 100 87']);
});

it('tells what may have changed, and what has not', async () => {
  await template('FREE-3');
  await template('FREE-4');
  const product = await productOf('FREE-3');
  await count(await productOf('FREE-4'), 9);
  const nextSecond = async (): Promise<number> => {
    const fromMs = Date.now() + 1;
    await expect.poll(() => Date.now()).toBeGreaterThan(fromMs);
    return fromMs;
  };
  const nothing = await nextSecond();
  expect(await changedSince(nothing)).toEqual([]);
  const steps: readonly (() => Promise<unknown>)[] = [
    () => count(product, 10),
    async () => rpc.model('sale.sale', 'confirm', [[await sell(product, 1, { shipment_method: 'invoice' })]]),
    async () => {
      const sale = await sell(product, 2);
      await rpc.model('sale.sale', 'confirm', [[sale]]);
      shipped = await shipmentsOf(sale);
    },
    () => press('assign_try', shipped),
    () => press('pick', shipped),
    () => press('cancel', shipped),
    () => count(product, 0),
  ];
  let shipped: readonly number[] = [];
  for (const [index, step] of steps.entries()) {
    const fromMs = await nextSecond();
    await step();
    expect(await changedSince(fromMs), `step ${index}`).toEqual(['FREE-3']);
  }
});

describe('products', () => {
  it('says which SKUs it has no level for', async () => {
    // Two active products of one code: Tryton 6.0 refuses them.
    await template('FREE-5');
    await expect(template('FREE-5')).rejects.toThrow('Code of active product must be unique');
    await template('FREE-6', {
      products: [['create', [{ suffix_code: 'FREE-6', cost_price: decimal('5') }]]],
    });
    await rpc.write('product.product', [await productOf('FREE-6')], { active: false });
    const pages = [];
    const skus = ['FREE-6', 'SHIP', 'OLD-TEA', 'NOPE'];
    for await (const page of stock.levels(skus, routeOf(), call)) pages.push(page);
    expect(pages).toMatchObject([
      { levels: [], missing: ['FREE-6', 'SHIP', 'OLD-TEA', 'NOPE'], ambiguous: [] },
    ]);
    const all = [];
    for await (const page of stock.all(routeOf(), call)) all.push(page);
    const told = all.flatMap(({ levels }) => levels.map(({ sku }) => sku));
    expect(told).toContain('MUG-TH-01');
    expect(told.filter((sku) => ['FREE-6', 'SHIP', 'OLD-TEA'].includes(sku))).toEqual([]);
    expect(all[0]).toMatchObject({ levels: [], ambiguous: [] });
  });
});

it('counts, as staff who make an inventory', async () => {
  await template('FREE-9');
  const product = await productOf('FREE-9');
  const set = (onHand: number) =>
    stock.adjust?.({ sku: 'FREE-9', warehouse: 'WH', onHand, reason: 'test' }, routeOf(), call);
  await count(product, 9);
  await set(1);
  await set(1);
  expect(await read('FREE-9')).toEqual(['FREE-9 WH 1 1']);
  await rpc.model('sale.sale', 'confirm', [[await sell(product, 1)]]);
  await set(9);
  expect(await read('FREE-9')).toEqual(['FREE-9 WH 9 8']);
});

it('keeps warehouses and companies apart', async () => {
  await template('FREE-7');
  const product = await productOf('FREE-7');
  await count(product, 4);
  const zone = (code: string) =>
    rpc.create('stock.location', { name: `Zone ${code}`, type: 'storage', code });
  const [{ lost_found_location } = {}] = await rpc.read<{ lost_found_location?: number }>(
    'stock.location',
    [await rpc.one('stock.location', [['type', '=', 'warehouse']])],
    ['lost_found_location'],
  );
  const sea = await rpc.create('stock.location', {
    name: 'Sea',
    type: 'warehouse',
    code: 'SEA',
    input_location: await zone('SEA-IN'),
    output_location: await zone('SEA-OUT'),
    storage_location: await zone('SEA-STO'),
    lost_found_location,
  });
  await count(product, 6, 'SEA-STO');
  const sale = await sell(product, 1, { warehouse: sea });
  await rpc.model('sale.sale', 'confirm', [[sale]]);
  const afresh = connect();
  expect(await readFrom(afresh, routeOf(), 'FREE-7')).toEqual(['FREE-7 SEA 6 5', 'FREE-7 WH 4 4']);
  const onlySea = routeOf({ warehouses: { SEA: { 'acme-woo': 'default' } } });
  expect(await readFrom(afresh, onlySea, 'FREE-7')).toEqual(['FREE-7 SEA 6 5']);
  expect(await afresh.identify(routeOf(), call)).toEqual({
    company: `1 ${SEED.company}`,
    warehouses: ['WH', 'SEA'],
  });

  // Another company keeps pieces in the same warehouse.
  const other = await rpc.create('company.company', {
    party: await rpc.create('party.party', { name: 'Acme Japan' }),
    currency: await rpc.one('currency.currency', [['code', '=', 'JPY']]),
    timezone: 'Asia/Taipei',
  });
  const [first] = await rpc.search('company.company', []);
  await rpc.write('res.user', [rpc.userId], { companies: [['add', [other]]], company: other });
  await rpc.reload();
  await count(product, 500, 'STO', other);
  await rpc.write('res.user', [rpc.userId], { company: first });
  await rpc.reload();
  expect(await readFrom(afresh, routeOf(), 'FREE-7')).toEqual(['FREE-7 SEA 6 5', 'FREE-7 WH 4 4']);
  await expect(afresh.identify(routeOf({ company: 'Acme Nowhere' }), call)).rejects.toMatchObject({
    code: 'UNKNOWN_COMPANY',
  });
  await rpc.write('stock.location', [sea], { code: null });
  await expect(
    connect().identify(routeOf({ warehouses: { SEA: { 'acme-woo': 'default' } } }), call),
  ).rejects.toMatchObject({ code: 'UNKNOWN_WAREHOUSE' });
});
