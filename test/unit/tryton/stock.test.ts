import { afterEach, expect, it } from 'vitest';
import type { ErpStock } from '../../../shared/connectors/stock-contract.ts';
import { tryton } from '../../../shared/connectors/tryton/index.ts';
import { StockRoute } from '../../../shared/settings/stock-route.ts';
import { FAKE, type FakeTryton, type FakeTrytonOptions, startFakeTryton } from '../../fakes/tryton.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const call = { signal: new AbortController().signal };
const routeOf = (override: object = {}): StockRoute =>
  StockRoute.parse({ from: 'acme-tryton', to: ['acme-woo'], ...override });
const onlyFrom = (...codes: readonly string[]): StockRoute =>
  routeOf({ warehouses: Object.fromEntries(codes.map((code) => [code, { 'acme-woo': 'default' }])) });

const start = async (options: FakeTrytonOptions = {}) => {
  const clock = { nowMs: Date.parse('2026-11-24T08:00:00Z') };
  const nowMs = () => clock.nowMs;
  const fake = await startFakeTryton({ nowMs, ...options });
  stops.push(() => fake.stop());
  const { stock } = tryton.open({
    connection: 'acme-tryton',
    settings: tryton.manifest.settings.parse({ url: fake.url, database: FAKE.database }) as never,
    credentials: async () => ({ login: FAKE.login, password: FAKE.password }),
    nowMs,
  });
  if (!stock) throw new Error('Tryton reads stock');
  return { fake, clock, stock };
};

const collect = async <T>(pages: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const page of pages) all.push(page);
  return all;
};
const read = async (stock: ErpStock, skus: readonly string[], route = routeOf()): Promise<string[]> =>
  (await collect(stock.levels(skus, route, call)))
    .flatMap(({ levels }) => levels)
    .map(({ sku, warehouse, onHand, free }) => `${sku} ${warehouse} ${onHand} ${free}`)
    .sort();

const rowOf = (fake: FakeTryton, model: string, id: number) => {
  const [row] = fake.records(model).filter((each) => each.id === id);
  if (!row) throw new Error(`no ${model} ${id}`);
  return row;
};
const sell = (fake: FakeTryton, product: number, quantity: number, values: object = {}, unit = 1) => {
  const price = { __class__: 'Decimal', decimal: '10' };
  const line = { type: 'line', product, quantity, unit, unit_price: price };
  const addresses = { invoice_address: 1, shipment_address: 1 };
  const sale = { party: 1, currency: 1, ...addresses, lines: [['create', [line]]], ...values };
  const [id] = fake.call('model.sale.sale.create', [[sale]]) as [number];
  fake.call('model.sale.sale.quote', [[id]]);
  fake.call('model.sale.sale.confirm', [[id]]);
  return { id, shipments: () => rowOf(fake, 'sale.sale', id)['shipments'] as number[] };
};
const press = (fake: FakeTryton, button: string, shipments: readonly number[]) =>
  fake.call(`model.stock.shipment.out.${button}`, [shipments]);

// The same life on a real Tryton: test/tryton/stock.spec.ts.
it('says what is free after each step of a product’s life', async () => {
  const { fake, stock } = await start({ stock: 0 });
  const now = () => read(stock, ['TEA-OOL-150']);
  expect(await now()).toEqual(['TEA-OOL-150 WH 0 0']);
  fake.count('TEA-OOL-150', 10);
  expect(await now()).toEqual(['TEA-OOL-150 WH 10 10']);
  const arrive = fake.order('TEA-OOL-150', 5);
  expect(await now()).toEqual(['TEA-OOL-150 WH 10 10']);
  arrive();
  expect(await now()).toEqual(['TEA-OOL-150 WH 15 15']);

  const { shipments } = sell(fake, 1, 4);
  expect(await now()).toEqual(['TEA-OOL-150 WH 15 11']);
  for (const button of ['assign_try', 'pick', 'pack']) {
    press(fake, button, shipments());
    expect(await now(), button).toEqual(['TEA-OOL-150 WH 15 11']);
  }
  press(fake, 'done', shipments());
  expect(await now()).toEqual(['TEA-OOL-150 WH 11 11']);

  const held = sell(fake, 1, 6);
  press(fake, 'draft', held.shipments());
  expect(await now()).toEqual(['TEA-OOL-150 WH 11 5']);
  press(fake, 'cancel', held.shipments());
  expect(await now()).toEqual(['TEA-OOL-150 WH 11 11']);
  fake.count('TEA-OOL-150', 3);
  sell(fake, 1, 5);
  expect(await now()).toEqual(['TEA-OOL-150 WH 3 -2']);
});

it('what is confirmed and has no moves yet is promised, too, in the product’s own unit', async () => {
  const { fake, stock } = await start({ worker: true });
  const [box] = fake.call('model.product.uom.create', [[{ name: 'Box of five', factor: 5 }]]) as [number];
  const sale = sell(fake, 1, 3);
  expect(sale.shipments()).toEqual([]);
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 1000 997']);
  sell(fake, 1, 2, {}, box);
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 1000 987']);
  // By hand: whatever is shipped, people decide.
  sell(fake, 1, 9, { shipment_method: 'manual' });
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 1000 987']);
  fake.work();
  expect(sale.shipments()).toHaveLength(1);
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 1000 987']);
});

it('counts pieces of the unit in which orders are written', async () => {
  const { fake, stock } = await start();
  const [box] = fake.call('model.product.uom.create', [[{ name: 'Box of five', factor: 5 }]]) as [number];
  fake.call('model.product.product.write', [[1], { sale_uom: box }]);
  sell(fake, 1, 3, {}, box);
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 200 197']);
  sell(fake, 1, 4);
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 200 196.2']);
});

it('what is shipped or promised while it reads can only make too little of it', async () => {
  const { fake, stock } = await start({ stock: 10 });
  const { shipments } = sell(fake, 1, 4);
  for (const button of ['assign_try', 'pick', 'pack']) press(fake, button, shipments());
  await read(stock, ['TEA-OOL-150']);
  // Shipped after the first of promises and pieces was read: 6 are left, and all of them are free.
  let asked = 0;
  fake.server.fault({
    when: (request) => {
      const body = String(request.body);
      if (body.includes('model.stock.move') || body.includes('["quantity"]')) asked += 1;
      if (asked === 2) press(fake, 'done', shipments());
      return false;
    },
    effect: { kind: 'drop-before' },
  });
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 6 2']);
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(['TEA-OOL-150 WH 6 6']);
});

it('keeps warehouses and companies apart', async () => {
  const { fake, stock } = await start({ warehouses: ['WH', 'SEA'], stock: 4 });
  fake.count('TEA-OOL-150', 6, 'SEA');
  fake.count('TEA-OOL-150', 500, 'WH', 2);
  const [, sea] = fake.records('stock.location').filter(({ type }) => type === 'warehouse');
  sell(fake, 1, 1, { warehouse: sea?.id });
  const both = ['TEA-OOL-150 SEA 6 5', 'TEA-OOL-150 WH 4 4'];
  expect(await read(stock, ['TEA-OOL-150'])).toEqual(both);
  expect(await read(stock, ['TEA-OOL-150'], onlyFrom('SEA'))).toEqual(['TEA-OOL-150 SEA 6 5']);
  expect(await stock.identify(routeOf(), call)).toEqual({
    company: '1 Acme Trading',
    warehouses: ['WH', 'SEA'],
  });
  fake.call('model.stock.location.write', [[sea?.id], { code: 'LAKE' }]);
  fake.call('model.party.party.write', [[1], { name: 'Acme Formosa' }]);
  const before = fake.server.requests.length;
  expect(await stock.identify(routeOf(), call)).toEqual({
    company: '1 Acme Formosa',
    warehouses: ['WH', 'LAKE'],
  });
  expect(fake.server.requests.length - before).toBe(2);
  const unknown = { code: 'UNKNOWN_WAREHOUSE', params: { warehouse: 'SEA' } };
  await expect(stock.identify(onlyFrom('SEA'), call)).rejects.toMatchObject(unknown);
  await expect(collect(stock.levels(['TEA-OOL-150'], onlyFrom('SEA'), call))).rejects.toMatchObject(unknown);
  // Two of one code: never guess.
  fake.call('model.stock.location.write', [[sea?.id], { code: 'WH' }]);
  await expect(stock.identify(onlyFrom('WH'), call)).rejects.toMatchObject({ code: 'UNKNOWN_WAREHOUSE' });
});

it('tells what may have changed, and asks twice when nothing has', async () => {
  const { fake, clock, stock } = await start();
  const later = () => {
    clock.nowMs += 60_000;
    return clock.nowMs;
  };
  const ask = async (fromMs: number) => {
    const before = fake.server.requests.length;
    const told = (await collect(stock.changed({ fromMs, untilMs: clock.nowMs + 1 }, routeOf(), call))).flat();
    return { told, requests: fake.server.requests.length - before };
  };
  await ask(later());
  expect(await ask(clock.nowMs)).toEqual({ told: [], requests: 2 });
  let from = later();
  const { shipments } = sell(fake, 1, 4);
  expect(await ask(from)).toEqual({ told: ['TEA-OOL-150'], requests: 2 });
  from = later();
  press(fake, 'assign_try', shipments());
  expect((await ask(from)).told).toEqual(['TEA-OOL-150']);
  from = later();
  fake.count('MUG-TH-01', 0);
  expect((await ask(from)).told).toEqual(['MUG-TH-01']);
  // Confirmed, and without moves.
  const sale = fake.call('model.sale.sale.create', [
    [{ party: 1, currency: 1, lines: [['create', [{ type: 'line', product: 3, quantity: 1 }]]] }],
  ]);
  from = later();
  fake.call('model.sale.sale.write', [sale, { state: 'confirmed' }]);
  expect((await ask(from)).told).toEqual(['TEE-BLUE-M']);
  expect(await ask(later())).toEqual({ told: [], requests: 2 });
});

it('says which SKUs it has no level for, and reads many in few requests', async () => {
  const goods = Array.from({ length: 2_100 }, (_, n) => `SKU-${n}`);
  const { fake, stock } = await start({ goods: [...goods, 'TWICE', 'TWICE'] });
  const [page] = await collect(
    stock.levels(['TWICE', 'SHIP', 'OLD-TEA', 'NOPE', 'MUG-TH-01'], routeOf(), call),
  );
  expect(page).toEqual({
    asOfMs: Date.parse('2026-11-24T08:00:00Z'),
    levels: [{ sku: 'MUG-TH-01', warehouse: 'WH', onHand: 1000, free: 1000, category: 'Everything' }],
    missing: ['SHIP', 'OLD-TEA', 'NOPE'],
    ambiguous: ['TWICE'],
  });
  const before = fake.server.requests.length;
  const pages = await collect(stock.all(routeOf(), call));
  expect(pages.map(({ levels }) => levels.length)).toEqual([0, 1000, 1000, 103]);
  expect(pages[0]?.ambiguous).toEqual(['TWICE']);
  // What products are called; then promises (two) and pieces of each thousand.
  expect(fake.server.requests.length - before).toBe(10);

  fake.server.fault({
    when: (request) => String(request.body).includes('["quantity"]'),
    times: Number.POSITIVE_INFINITY,
    effect: { kind: 'answer', status: 500 },
  });
  await expect(collect(stock.all(routeOf(), call))).rejects.toMatchObject({ name: 'RetryableError' });
});

it('reads the clock of the server, and again after ten minutes', async () => {
  const { fake, clock, stock } = await start();
  const real = await stock.clock?.(call);
  expect(Math.abs((real ?? 0) - Date.now())).toBeLessThan(5000);
  clock.nowMs += 60_000;
  expect(await stock.clock?.(call)).toBe((real ?? 0) + 60_000);
  expect(fake.server.requests).toHaveLength(1);
  clock.nowMs += 600_000;
  await stock.clock?.(call);
  expect(fake.server.requests).toHaveLength(2);
});

it('adjust: counts one product in one warehouse', async () => {
  const { fake, stock } = await start({ warehouses: ['WH', 'EU'], stock: 5 });
  const count = (sku: string, warehouse: string, onHand: number) =>
    stock.adjust?.({ sku, warehouse, onHand, reason: 'test' }, routeOf(), call);
  fake.order('MUG-TH-01', 2)(); // in the input zone of WH, and not put away
  await count('MUG-TH-01', 'WH', 3);
  await count('MUG-TH-01', 'EU', 4);
  expect(await read(stock, ['MUG-TH-01'])).toEqual(['MUG-TH-01 EU 4 4', 'MUG-TH-01 WH 3 3']);
  const moves = fake.records('stock.move').length;
  await count('MUG-TH-01', 'WH', 3);
  expect(fake.records('stock.move')).toHaveLength(moves);
  await expect(count('MUG-TH-01', 'WH', 1)).rejects.toMatchObject({ code: 'ERP_REFUSED' });
  await expect(count('NONE', 'WH', 3)).rejects.toMatchObject({ code: 'ERP_REFUSED' });
  await expect(count('MUG-TH-01', 'XX', 3)).rejects.toMatchObject({ code: 'UNKNOWN_WAREHOUSE' });
});
