import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ShopListing, StockWrite, StorefrontStock } from '../../../shared/connectors/stock-contract.ts';
import { manifest } from '../../../shared/connectors/woocommerce/manifest.ts';
import { woocommerceStock } from '../../../shared/connectors/woocommerce/stock.ts';
import { type FakeProduct, type FakeWooCommerce, startFakeWooCommerce } from '../../fakes/woocommerce.ts';

const KEYS = { consumerKey: 'ck_0123456789abcdef', consumerSecret: 'cs_0123456789abcdef' };
const call = { signal: AbortSignal.timeout(60_000) };
let now: number;
let shop: FakeWooCommerce;
let stock: StorefrontStock;

beforeEach(() => {
  now = Date.parse('2026-11-20T10:00:00Z');
});
afterEach(() => shop.stop());

const skuOf = (index: number): string => `SKU-${String(index).padStart(5, '0')}`;
const simple = (count: number): FakeProduct[] =>
  Array.from({ length: count }, (_, index) => ({ sku: skuOf(index), name: 'Tea', price: '9.90', stock: 10 }));
const SHIRT: readonly FakeProduct[] = [
  { sku: 'SHIRT', name: 'Shirt', price: '', type: 'variable' },
  { sku: 'SHIRT-M', name: 'Shirt - M', price: '20', type: 'variation', parentSku: 'SHIRT', stock: 4 },
  { sku: 'SHIRT-L', name: 'Shirt - L', price: '20', type: 'variation', parentSku: 'SHIRT', stock: 5 },
];
const open = async (products: readonly FakeProduct[]): Promise<void> => {
  shop = await startFakeWooCommerce({ currency: 'EUR', nowMs: () => now, products, ...KEYS });
  stock = woocommerceStock.openStock({
    connection: 'acme-woo',
    settings: manifest.settings.parse({ url: shop.url }),
    credentials: async () => ({ webhookSecrets: ['wc_0123456789abcdef'], ...KEYS }),
    nowMs: () => now,
  });
};
const listed = async (): Promise<ShopListing[]> => {
  const all: ShopListing[] = [];
  for await (const page of stock.listings(call)) all.push(...page);
  return all;
};
const writesTo = (listings: readonly ShopListing[], to: number): StockWrite[] =>
  listings.map(({ sku, location, ref, quantity }) => ({ sku, location, ref, from: quantity, to, key: sku }));
const kinds = (told: readonly { readonly kind: string }[]) => [...new Set(told.map(({ kind }) => kind))];
const paths = () => shop.batches.map(({ path, entries }) => `${path} ${entries}`);

it('10,000 SKUs, 500 changed: 5 writes, each looked at right before', async () => {
  await open(simple(10_000));
  const changed = simple(500).map(({ sku }, index): StockWrite => {
    const ref = { id: String(10 + index) };
    return { sku, location: 'default', ref, from: 10, to: 3, key: sku };
  });
  const told = await stock.write(changed, call);
  expect([told.length, kinds(told)]).toEqual([500, ['written']]);
  expect(paths()).toEqual(Array.from({ length: 5 }, () => '/products/batch 100'));
  expect(shop.server.requests).toHaveLength(10);
  expect([shop.product(skuOf(499)).stock, shop.product(skuOf(500)).stock]).toEqual([3, 10]);
}, 30_000);

describe('variations', () => {
  it('are written at their product, the others among the products', async () => {
    await open([...SHIRT, ...simple(2)]);
    const listings = await listed();
    expect(listings.map(({ sku }) => sku)).toEqual([skuOf(0), skuOf(1), 'SHIRT-M', 'SHIRT-L']);
    expect(kinds(await stock.write(writesTo(listings, 2), call))).toEqual(['written']);
    expect(paths()).toEqual(['/products/batch 2', '/products/10/variations/batch 2']);
    expect(shop.product('SHIRT-L').stock).toBe(2);
  });

  it('one that is taken for a product is written at its parent, and the others where they are', async () => {
    await open([...SHIRT, ...simple(2)]);
    const writes = writesTo(await listed(), 2).map((each) =>
      each.sku === 'SHIRT-L' ? { ...each, ref: { id: '12' } } : each,
    );
    const told = await stock.write(writes, call);
    expect([told.length, kinds(told)]).toEqual([4, ['written']]);
    expect([
      shop.product('SHIRT-L').stock,
      shop.product('SHIRT-M').stock,
      shop.product(skuOf(0)).stock,
    ]).toEqual([2, 2, 2]);
  });

  it('one whose price is sent to the products: refused there, written at its parent', async () => {
    await open([...SHIRT, ...simple(2)]);
    const price = { minor: 1_500, currency: 'EUR' };
    const writes = (await listed()).map(({ sku, ref }) => ({
      sku,
      ref: sku === 'SHIRT-L' ? { id: '12' } : ref,
      price,
    }));
    expect(kinds((await stock.writePrices?.(writes, call)) ?? [])).toEqual(['written']);
    expect([shop.product('SHIRT-L').price, shop.product(skuOf(0)).price]).toEqual(['15.00', '15.00']);
    expect(paths()).toEqual([
      '/products/batch 3',
      '/products/10/variations/batch 1',
      '/products/10/variations/batch 1',
    ]);
  });

  it('counted with their product: the product is what is written', async () => {
    await open([
      { sku: 'MUG', name: 'Mug', price: '', type: 'variable', stock: 9 },
      { sku: '', name: 'Mug - red', price: '8', type: 'variation', parentSku: 'MUG' },
      { sku: 'MUG-B', name: 'Mug - blue', price: '8', type: 'variation', parentSku: 'MUG' },
    ]);
    const listings = await listed();
    expect(listings.map(({ sku, quantity, duplicates }) => [sku, quantity, duplicates])).toEqual([
      ['MUG', 9, 1],
      ['MUG-B', undefined, 1],
    ]);
    const told = await stock.write(writesTo(listings, 6), call);
    expect(told).toMatchObject([
      { sku: 'MUG', kind: 'written' },
      { sku: 'MUG-B', kind: 'refused', code: 'NOT_MUTABLE' },
    ]);
    expect(shop.product('MUG').stock).toBe(6);
  });
});

it('a product that has another SKU by now is not written', async () => {
  await open(simple(3));
  const writes = writesTo(await listed(), 2).map((each) =>
    each.sku === skuOf(1) ? { ...each, sku: 'RENAMED' } : each,
  );
  const told = await stock.write(writes, call);
  expect(told.find(({ sku }) => sku === 'RENAMED')).toMatchObject({ kind: 'refused', code: 'LISTING_GONE' });
  expect([shop.product(skuOf(1)).stock, shop.product(skuOf(2)).stock]).toEqual([10, 2]);
});

it('stock management that was switched off since', async () => {
  await open(simple(3));
  const writes = writesTo(await listed(), 2);
  shop.setStock(skuOf(1), undefined);
  const told = await stock.write(writes, call);
  expect(told.find(({ sku }) => sku === skuOf(1))).toMatchObject({ kind: 'refused', code: 'TRACKING_OFF' });
  expect(shop.product(skuOf(2)).stock).toBe(2);
});

it('a batch that is refused as a whole is split until the culprit stands alone', async () => {
  await open(simple(100));
  const writes = writesTo(await listed(), 2);
  shop.server.fault({
    times: Number.POSITIVE_INFINITY,
    when: ({ method, body }) => method === 'POST' && String(body).includes('"id":52,'),
    effect: { kind: 'answer', status: 400, body: '{"code":"rest_invalid_param","message":"x","data":null}' },
  });
  const told = await stock.write(writes, call);
  expect(told.filter(({ kind }) => kind === 'written')).toHaveLength(99);
  expect(told.filter(({ kind }) => kind === 'refused')).toEqual([
    {
      sku: skuOf(42),
      location: 'default',
      kind: 'refused',
      code: 'REFUSED',
      detail: 'HTTP 400 rest_invalid_param',
    },
  ]);
});

it('an entry without an answer: unknown', async () => {
  await open(simple(3));
  const writes = writesTo(await listed(), 2);
  const body = '{"update":[{"id":10},{"id":12,"error":{"code":"product_x","message":"No.","data":{}}}]}';
  shop.server.fault({
    when: ({ method }) => method === 'POST',
    effect: { kind: 'answer', status: 200, headers: { 'content-type': 'application/json' }, body },
  });
  expect(await stock.write(writes, call)).toMatchObject([
    { sku: skuOf(0), kind: 'written' },
    { sku: skuOf(1), kind: 'unknown' },
    { sku: skuOf(2), kind: 'refused', code: 'REFUSED', detail: 'No.' },
  ]);
});

it('nothing is written where the number is right already', async () => {
  await open(simple(3));
  const writes = writesTo(await listed(), 10);
  expect(kinds(await stock.write(writes, call))).toEqual(['written']);
  expect(shop.batches).toEqual([]);
});

it('products that are deleted while pages are turned: the list is no list', async () => {
  await open(simple(250));
  let pages = 0;
  shop.server.fault({
    times: Number.POSITIVE_INFINITY,
    when: ({ url }) => {
      pages += url.includes('/products?') ? 1 : 0;
      if (pages === 2) shop.removeProduct(skuOf(0));
      return false;
    },
    effect: { kind: 'drop-before' },
  });
  await expect(listed()).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
});

describe('test orders', () => {
  it('take one piece, are marked, name nobody, and give it back when they are cancelled', async () => {
    await open(SHIRT);
    const [listing] = await stock.find(['SHIRT-M'], call);
    if (!listing || !stock.testOrders) throw new Error('WooCommerce takes test orders');
    const id = await stock.testOrders.place(listing, call);
    expect(shop.product('SHIRT-M').stock).toBe(3);
    expect(shop.order(Number(id))).toMatchObject({
      status: 'on-hold',
      date_paid_gmt: null,
      billing: { first_name: 'Waybill', email: '' },
      line_items: [{ sku: 'SHIRT-M', quantity: 1 }],
      meta_data: expect.arrayContaining([expect.objectContaining({ key: '_waybill_test', value: 'yes' })]),
    });
    await stock.testOrders.cancel(id, call);
    await stock.testOrders.cancel(id, call);
    expect(shop.product('SHIRT-M').stock).toBe(4);
    await expect(stock.testOrders.cancel('999', call)).resolves.toBeUndefined();
  });
});
