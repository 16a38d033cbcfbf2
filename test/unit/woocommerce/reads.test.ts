import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ListedOrder } from '../../../shared/connectors/contract.ts';
import { manifest } from '../../../shared/connectors/woocommerce/manifest.ts';
import { open } from '../../../shared/connectors/woocommerce/reads.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../../fakes/woocommerce.ts';

const KEYS = { consumerKey: 'ck_test', consumerSecret: 'cs_0123456789abcdef' };
const call = { signal: new AbortController().signal };
let now: number;
let shop: FakeWooCommerce;
beforeEach(async () => {
  now = Date.parse('2026-11-21T10:00:00Z');
  shop = await startFakeWooCommerce({
    ...KEYS,
    currency: 'TWD',
    nowMs: () => now,
    taxRates: [{ country: 'TW', percent: '5', name: '營業稅' }],
    products: [
      { sku: 'TEA', name: 'Tea', price: '420.00', stock: 5 },
      { sku: 'BOOK', name: 'E-book', price: '99.00' },
    ],
  });
});
afterEach(() => shop.stop());

const reads = () =>
  open({
    connection: 'woo',
    settings: manifest.settings.parse({ url: shop.url }),
    credentials: async () => ({ webhookSecrets: ['0123456789abcdef'], ...KEYS }),
    nowMs: () => now,
  });
const place = () =>
  shop.placeOrder({
    lines: [
      { sku: 'TEA', quantity: 3 },
      { sku: 'BOOK', quantity: 2 },
    ],
    shipping: { method: 'flat_rate', title: '宅配', total: '60.00' },
    fees: [{ name: 'Gift wrapping', total: '20.00' }],
    billing: { country: 'TW' },
    paid: true,
    paymentMethod: 'stripe',
  });
const read = async (id: number): Promise<OrderChangedV1> => {
  const fetched = await reads().order(String(id), call);
  if (fetched?.kind !== 'order') throw new Error(JSON.stringify(fetched));
  expect(fetched.warnings).toEqual([]);
  return fetched.order;
};
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const tax = (minor: number) => [expect.objectContaining({ key: '1', amount: twd(minor) })];

it('says what each refund is for, with and without restock', async () => {
  const { id, line_items, shipping_lines, fee_lines } = await place();
  const [tea, book] = line_items.map((line) => line.id);
  now += 1000;
  shop.refund(id, { lines: [{ id: tea ?? 0, quantity: 1 }], restock: false, reason: 'Broken' });
  expect((await read(id)).refunds).toEqual([
    {
      id: expect.any(String),
      reason: 'Broken',
      total: twd(44100),
      refundedAt: '2026-11-21T10:00:01Z',
      lines: [{ lineId: String(tea), quantity: 1, total: twd(42000), taxes: tax(2100), restock: false }],
    },
  ]);

  shop.refund(id, { charges: [shipping_lines[0]?.id ?? 0, fee_lines[0]?.id ?? 0] });
  shop.refund(id, { amount: '10' });
  shop.refund(id, { lines: [{ id: book ?? 0, quantity: 2 }] });
  const [books, goodwill, charges] = (await read(id)).refunds;
  // No stock is kept of books.
  expect(books?.lines).toEqual([{ lineId: String(book), quantity: 2, total: twd(19800), taxes: tax(990) }]);
  expect(goodwill).toMatchObject({ total: twd(1000) });
  expect(goodwill).not.toHaveProperty('lines');
  expect(charges).toMatchObject({
    total: twd(8400),
    charges: [
      { chargeId: String(shipping_lines[0]?.id), total: twd(6000), taxes: tax(300) },
      { chargeId: String(fee_lines[0]?.id), total: twd(2000), taxes: tax(100) },
    ],
  });
});

it('of pieces of which only some went back into stock nobody knows of which refund', async () => {
  const { id, line_items } = await place();
  const lines = [{ id: line_items[0]?.id ?? 0, quantity: 1 }];
  shop.refund(id, { lines });
  expect((await read(id)).refunds.map((refund) => refund.lines?.[0]?.restock)).toEqual([true]);
  shop.refund(id, { lines, restock: false });
  expect((await read(id)).refunds.map((refund) => refund.lines?.[0]?.restock)).toEqual([
    undefined,
    undefined,
  ]);
});

it('asks for refunds only where there are any', async () => {
  const { id } = await place();
  await read(id);
  expect(shop.server.requests).toHaveLength(1);
});

it('a refund that is made while the order is read belongs to the next version', async () => {
  const { id } = await place();
  shop.refund(id, { amount: '10' });
  shop.server.fault({
    when: ({ url }) => {
      if (url.includes('/refunds')) shop.refund(id, { amount: '20' });
      return false;
    },
    effect: { kind: 'drop-before' },
  });
  expect((await read(id)).refunds.map(({ total }) => total.minor)).toEqual([1000]);
});

it.each<[string, number, string, Record<string, string>]>([
  ['one refund', 200, '[]', { 'x-wp-totalpages': '1' }],
  ['the order', 404, '{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid order ID."}', {}],
])('%s that vanishes while it is read: to be read again', async (_case, status, body, headers) => {
  const { id } = await place();
  shop.refund(id, { amount: '10' });
  shop.server.fault({
    when: ({ url }) => url.includes('/refunds'),
    effect: { kind: 'answer', status, body, headers: { 'content-type': 'application/json', ...headers } },
  });
  await expect(reads().order(String(id), call)).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
  expect((await read(id)).refunds).toHaveLength(1);
});

it('reads more refunds than one page holds', async () => {
  const { id, line_items } = await place();
  const lines = [{ id: line_items[0]?.id ?? 0, quantity: 1 }];
  for (let n = 0; n < 101; n += 1) shop.refund(id, { amount: '1', lines });
  const { refunds } = await read(id);
  expect(refunds).toHaveLength(101);
  expect(refunds.every((refund) => refund.lines?.length === 1)).toBe(true);
});

it('a list of changes leaves orders that gave something back to be read by their ids', async () => {
  const plain = await place();
  const refunded = await place();
  shop.refund(refunded.id, { amount: '10' });
  const rows: ListedOrder[] = [];
  for await (const page of reads().changed({ fromMs: now, untilMs: now + 1000 }, call)) rows.push(...page);
  expect(rows.map(({ id, fetched }) => [id, fetched?.kind])).toEqual([
    [String(plain.id), 'order'],
    [String(refunded.id), undefined],
  ]);
});
