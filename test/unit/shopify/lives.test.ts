import { beforeEach, describe, expect, it } from 'vitest';
import type { PushOutcome } from '../../../shared/core/push-order.ts';
import { orderDesk } from '../../fakes/order-desk.ts';
import { type FakeOrderSpec, Shop, shopifyJson } from '../../fakes/shopify/shop.ts';
import { receive, signed } from './deliveries.ts';

/** No shop of ours was recorded: the fake shop's deliveries, signed, through the connector to an ERP. */
let now: number;
const life = (spec: Partial<FakeOrderSpec> = {}) => {
  const shop = new Shop({
    shop: 'acme.myshopify.com',
    currency: 'TWD',
    nowMs: () => now,
    taxRates: [{ country: 'TW', title: 'VAT', rate: 0.05 }],
    products: [
      { sku: 'TEA', title: '高山烏龍茶', price: '420.00' },
      { sku: 'MUG', title: 'แก้ว “Siam”', price: '150.00' },
      { sku: 'POT', title: 'Teapot', price: '200.00' },
      { sku: 'CUP', title: 'Cup', price: '100.00' },
    ],
  });
  const desk = orderDesk({ changes: true, sources: ['acme-shopify'] });
  const order = shop.place({
    lines: [
      { sku: 'TEA', quantity: 2 },
      { sku: 'MUG', quantity: 1 },
    ],
    shipping: { code: 'STD', title: '宅配', price: '60.00' },
    ...spec,
  });
  /** What `orders/updated` carries now; delivered when it is called. */
  const delivery = () => {
    const body = shopifyJson(shop.orderJson(order));
    return async (): Promise<PushOutcome> => {
      const received = receive(signed(body));
      if (received.kind !== 'order') throw new Error(JSON.stringify(received));
      desk.wait(1000);
      return desk.push(received.order);
    };
  };
  const after = async (change: () => unknown): Promise<PushOutcome> => {
    now += 60_000;
    change();
    return delivery()();
  };
  const held = () => ({
    orders: desk.orders.map(({ level, state, content }) => {
      const [total, lines] = JSON.parse(content ?? '[]') as [number, [string, number][]];
      const goods = lines.map(([sku, quantity]) => `${quantity} x ${sku}`).join(', ');
      return `${state ?? level} ${total}: ${goods}`;
    }),
    notes: desk.notes.map(({ minor, parts }) => `${minor}: ${parts.join(', ')}`),
  });
  return { shop, desk, order, delivery, after, held };
};
beforeEach(() => {
  now = Date.parse('2026-11-20T10:04:05Z');
});

const PLACED = 'confirm 110250: 2 x TEA, 1 x MUG';

it('refunded by line, with shipping, by amount, and the rest: one credit note for each', async () => {
  const { shop, order, delivery, after, held } = life();
  const placed = delivery();
  expect(await placed()).toMatchObject({ kind: 'written' });
  const restock = 'return';
  await after(() => shop.refund(order, { lines: [{ sku: 'TEA', quantity: 1 }], restock }));
  await after(() => shop.refund(order, { lines: [{ sku: 'MUG', quantity: 1 }], shipping: true, restock }));
  await after(() => shop.refund(order, { amount: '10' }));
  await after(() => shop.refund(order, {}));
  await placed();
  expect(held()).toEqual({
    orders: [PLACED],
    notes: ['44100: 1 x TEA', '22050: 1 x MUG, charge 6000', '1000: amount 1000', '43100: amount 43100'],
  });
});

it('edited: changed in place, and what is paid back for it is no refund', async () => {
  const { shop, desk, order, delivery, after, held } = life();
  await delivery()();
  const edit = () =>
    shop.edit(order, [
      { sku: 'MUG', quantity: 0 },
      { sku: 'POT', quantity: 1 },
    ]);
  expect(await after(edit)).toMatchObject({ kind: 'changed', done: ['edited'] });
  await after(() => shop.edit(order, [{ sku: 'TEA', quantity: 1 }]));
  await after(() => shop.refund(order, { amount: '388.50' }));
  expect(held()).toEqual({ orders: ['confirm 71400: 1 x TEA, 1 x POT'], notes: [] });
  expect(desk.calls.filter((call) => call === 'create')).toHaveLength(1);
});

describe('exchanged after delivery', () => {
  it.each<[string, string, string, number]>([
    ['dearer', 'POT', 'confirm 131250: 2 x TEA, 1 x MUG, 1 x POT', 115500],
    ['of one price', 'MUG', 'confirm 126000: 2 x TEA, 1 x MUG, 1 x MUG', 110250],
    ['cheaper', 'CUP', 'confirm 120750: 2 x TEA, 1 x MUG, 1 x CUP', 105000],
  ])(
    '%s: what came back is credited, what came instead is a line, the difference is settled once',
    async (_case, sku, order1, paid) => {
      const { shop, order, delivery, after, held } = life();
      await delivery()();
      const lines = [{ sku: 'MUG', quantity: 1 }];
      const exchange = () => shop.exchange(order, { returned: lines, instead: [{ sku, quantity: 1 }] });
      expect(await after(exchange)).toMatchObject({ done: ['edited', expect.stringMatching(/^refund /)] });
      expect(held()).toEqual({ orders: [order1], notes: ['15750: 1 x MUG'] });
      expect(shop.totals(order, 'shop').paid.times(100).toNumber()).toBe(paid);
      expect(Number(/\d+/.exec(order1)?.[0]) - 15750).toBe(paid);
    },
  );
});

it('cancelled: once, and nothing is credited', async () => {
  const { shop, desk, order, delivery, after, held } = life();
  const placed = delivery();
  await placed();
  expect(await after(() => shop.cancel(order, 'customer'))).toMatchObject({ done: ['cancelled'] });
  expect(await delivery()()).toMatchObject({ kind: 'skipped' });
  expect(await placed()).toMatchObject({ kind: 'skipped' });
  expect(held()).toEqual({ orders: ['cancelled 110250: 2 x TEA, 1 x MUG'], notes: [] });
  expect(desk.calls.filter((call) => call === 'cancel')).toHaveLength(1);
});

it('a burst that arrives in reverse is the last state, written once', async () => {
  const { shop, desk, order, delivery, held } = life();
  const deliveries = [delivery()];
  for (const quantity of [3, 4, 5]) {
    now += 1000;
    shop.edit(order, [{ sku: 'TEA', quantity }]);
    deliveries.push(delivery(), delivery());
  }
  for (const deliver of deliveries.toReversed()) await deliver();
  expect(held()).toEqual({ orders: ['confirm 242550: 5 x TEA, 1 x MUG'], notes: [] });
  expect(desk.calls.filter((call) => call === 'create')).toHaveLength(1);
});
