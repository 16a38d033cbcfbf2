import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { StockRoute } from '../../shared/settings/stock-route.ts';
import { date, decimal, TrytonRpc } from './rpc.ts';
import { type RunningTryton, startTryton } from './server.ts';
import { A, B, ERP, twoShops } from './two-shops.ts';

/**
 * Two shops, one stock: a Tryton of its own, whose staff receive and count by its own means, and what the shops show after
 * each step.
 */
const TEA = 'TEA-OOL-150';
const MUG = 'MUG-TH-01';
let tryton: RunningTryton;
let rpc: TrytonRpc;
let flow: Awaited<ReturnType<typeof twoShops>>;

beforeAll(async () => {
  tryton = await startTryton(undefined, inject('tryton').backup);
  rpc = new TrytonRpc(tryton.url, tryton.database);
  await rpc.login(tryton.admin.login, tryton.admin.password);
  const route = StockRoute.parse({
    from: ERP,
    to: [A, B],
    policy: 'shared',
    rules: [{ skus: [MUG], policy: { partitionedBelow: 5 } }],
  });
  flow = await twoShops(tryton, route, [
    { sku: TEA, inA: 3, inB: 99 },
    { sku: MUG, inA: 0, inB: 0 },
  ]);
  await flow.learn();
  await nextSecond();
});
/** WordPress keeps whole seconds: what happens in one of them cannot be told apart. */
const nextSecond = async (): Promise<void> => {
  const second = () => Math.floor(Date.now() / 1_000);
  const before = second();
  await vi.waitFor(() => expect(second()).toBeGreaterThan(before), { timeout: 2_000 });
};
afterAll(async () => {
  await flow?.stop();
  await tryton?.stop();
});

// --- what the staff of the warehouse do ---------------------------------------------------------------------------

const productOf = (sku: string) => rpc.one('product.product', [['code', '=', sku]]);
const place = (code: string) => rpc.one('stock.location', [['code', '=', code]]);

/** They count what lies there. */
const count = async (sku: string, quantity: number): Promise<void> => {
  // Of the company's calendar, by which Tryton dates what is moved.
  const today = date(new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10));
  const lines = [['create', [{ product: await productOf(sku), quantity }]]];
  const inventory = await rpc.create('stock.inventory', {
    location: await place('STO'),
    date: today,
    company: await rpc.one('company.company', []),
    lines,
  });
  await rpc.model('stock.inventory', 'confirm', [[inventory]]);
};

/** A supplier's delivery is received and put away. */
const receive = async (sku: string, quantity: number): Promise<void> => {
  const company = await rpc.one('company.company', []);
  const move = {
    product: await productOf(sku),
    uom: await rpc.one('product.uom', [['symbol', '=', 'u']]),
    quantity,
    company,
    currency: await rpc.one('currency.currency', [['code', '=', 'TWD']]),
    unit_price: decimal('5'),
    from_location: await place('SUP'),
    to_location: await place('IN'),
  };
  const shipment = await rpc.create('stock.shipment.in', {
    supplier: await rpc.create('party.party', { name: 'Supplier' }),
    company,
    warehouse: await place('WH'),
    incoming_moves: [['create', [move]]],
  });
  for (const button of ['receive', 'done']) await rpc.model('stock.shipment.in', button, [[shipment]]);
};

/** What stands in Tryton, in the order in which it was sold. */
const sales = async (sku: string): Promise<string[]> => {
  const found = (await rpc.model('sale.sale', 'search_read', [
    [['lines.product.code', '=', sku]],
    0,
    null,
    [['id', 'ASC']],
    ['state', 'lines.quantity', 'lines.product.code', 'shipments.state'],
  ])) as {
    readonly state: string;
    readonly 'lines.': readonly {
      readonly quantity: number;
      readonly 'product.': { readonly code: string };
    }[];
    readonly 'shipments.': readonly { readonly state: string }[];
  }[];
  return found.map(({ state, 'lines.': lines, 'shipments.': shipments }) => {
    const pieces = lines.map(({ quantity, 'product.': { code } }) => `${quantity} ${code}`);
    return `${pieces}: ${state}, shipment ${shipments.map((shipment) => shipment.state)}`;
  });
};

// --- what the shops do --------------------------------------------------------------------------------------------

const BUYER = { first_name: 'Lin', last_name: 'Test', country: 'TW', email: 'lin@example.test' };
const HOME = { first_name: 'Lin', last_name: 'Test', address1: 'Road 1', city: 'Taipei', country_code: 'TW' };
const buyInA = async (sku: string, quantity: number): Promise<number> => {
  const { id } = await flow.a.placeOrder({
    lines: [{ sku, quantity }],
    paymentMethod: 'stripe',
    paid: true,
    billing: BUYER,
  });
  await flow.told();
  return id;
};
const buyInB = async (sku: string, quantity: number): Promise<void> => {
  await flow.b.placeOrder({ lines: [{ sku, quantity }], email: BUYER.email, shippingAddress: HOME });
  await flow.told();
};
const cancelInA = async (order: number): Promise<void> => {
  await nextSecond();
  flow.a.updateOrder(order, { status: 'cancelled' });
  await flow.told();
};
const pollAndFlow = async (): Promise<void> => {
  expect(await flow.poll()).toMatchObject({ kind: 'done' });
  await flow.stockFlows();
};
const both = (pieces: number) => ({ a: pieces, b: pieces });

it('goods receipt, sale in either shop, cancellation, correction: both shops show what there is after each', async () => {
  await count(TEA, 10);
  await pollAndFlow();
  expect(flow.shown(TEA), 'start').toEqual(both(10));

  await receive(TEA, 6);
  await flow.stockFlows();
  expect(flow.shown(TEA), 'received, not polled yet').toEqual(both(10));
  await pollAndFlow();
  expect(flow.shown(TEA), 'received').toEqual(both(16));

  const order = await buyInA(TEA, 3);
  expect(flow.shown(TEA), 'sold in A, which has told').toEqual({ a: 13, b: 16 });
  await flow.stockFlows();
  expect(flow.shown(TEA), 'sold in A, Tryton does not know yet').toEqual(both(13));
  expect(await sales(TEA)).toEqual([]);
  // A poll that comes in between tells nothing new.
  await pollAndFlow();
  expect(flow.shown(TEA), 'polled meanwhile').toEqual(both(13));
  await flow.ordersFlow();
  expect(await sales(TEA)).toEqual(['3 TEA-OOL-150: processing, shipment waiting']);
  await flow.stockFlows();
  expect(flow.shown(TEA), 'sold in A, promised by Tryton').toEqual(both(13));
  await pollAndFlow();
  expect(flow.shown(TEA), 'sold in A, and polled').toEqual(both(13));

  await buyInB(TEA, 2);
  expect(flow.shown(TEA), 'sold in B, which has told').toEqual({ a: 13, b: 11 });
  await flow.stockFlows();
  expect(flow.shown(TEA), 'sold in B, Tryton does not know yet').toEqual(both(11));
  await flow.ordersFlow();
  await pollAndFlow();
  expect(flow.shown(TEA), 'sold in B, promised by Tryton').toEqual(both(11));

  await cancelInA(order);
  // WooCommerce puts the pieces on sale again by itself.
  expect(flow.shown(TEA), 'cancelled in A, which has told').toEqual({ a: 14, b: 11 });
  await flow.stockFlows();
  expect(flow.shown(TEA), 'cancelled in A, still promised by Tryton').toEqual(both(11));
  await flow.ordersFlow();
  expect(await sales(TEA)).toEqual([
    '3 TEA-OOL-150: done, shipment cancelled',
    '2 TEA-OOL-150: processing, shipment waiting',
  ]);
  await flow.stockFlows();
  expect(flow.shown(TEA), 'cancelled in Tryton, too').toEqual(both(14));
  await pollAndFlow();
  expect(flow.shown(TEA), 'cancelled, and polled').toEqual(both(14));

  // Two of them are B's buyer's.
  await count(TEA, 3);
  await pollAndFlow();
  expect(flow.shown(TEA), 'counted: one is left').toEqual(both(1));

  await buyInA(TEA, 1);
  await flow.stockFlows();
  expect(flow.shown(TEA), 'the last one sold in A, Tryton does not know yet').toEqual(both(0));
  await flow.ordersFlow();
  await pollAndFlow();
  expect(flow.shown(TEA), 'the last one sold in A, promised by Tryton').toEqual(both(0));
  expect(await sales(TEA)).toEqual([
    '3 TEA-OOL-150: done, shipment cancelled',
    '2 TEA-OOL-150: processing, shipment waiting',
    '1 TEA-OOL-150: processing, shipment waiting',
  ]);
});

it('the last pieces are divided: what the shops show together is what there is', async () => {
  await count(MUG, 3);
  await pollAndFlow();
  expect(flow.shown(MUG), 'counted').toEqual({ a: 1, b: 2 });

  const order = await buyInA(MUG, 1);
  expect(flow.shown(MUG), 'sold out in A, which has told').toEqual({ a: 0, b: 2 });
  await flow.stockFlows();
  expect(flow.shown(MUG), 'B has given one').toEqual({ a: 1, b: 1 });
  await flow.ordersFlow();
  await pollAndFlow();
  expect(flow.shown(MUG), 'promised by Tryton').toEqual({ a: 1, b: 1 });

  await buyInA(MUG, 1);
  await flow.stockFlows();
  expect(flow.shown(MUG), 'the last one is in B').toEqual({ a: 0, b: 1 });
  await buyInB(MUG, 1);
  await flow.stockFlows();
  expect(flow.shown(MUG), 'sold out').toEqual(both(0));
  await flow.ordersFlow();
  await pollAndFlow();
  expect(flow.shown(MUG), 'sold out in Tryton, too').toEqual(both(0));

  await cancelInA(order);
  await flow.stockFlows();
  expect(flow.shown(MUG), 'cancelled in A, still promised by Tryton').toEqual(both(0));
  await flow.ordersFlow();
  await flow.stockFlows();
  expect(flow.shown(MUG), 'cancelled in Tryton, too').toEqual({ a: 0, b: 1 });
  expect(await sales(MUG)).toEqual([
    '1 MUG-TH-01: done, shipment cancelled',
    '1 MUG-TH-01: processing, shipment waiting',
    '1 MUG-TH-01: processing, shipment waiting',
  ]);
  await receive(MUG, 9);
  await pollAndFlow();
  expect(flow.shown(MUG), 'received: enough for all').toEqual(both(10));
});
