import { afterAll, beforeAll, expect, it } from 'vitest';
import { dynamoPollStates } from '../../shared/aws/dynamo-poll-states.ts';
import { dynamoPrices } from '../../shared/aws/dynamo-prices.ts';
import { dynamoStock } from '../../shared/aws/dynamo-stock.ts';
import { dynamoWatermarks } from '../../shared/aws/dynamo-watermarks.ts';
import { claimId, type ListingRow } from '../../shared/core/stock/rows.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';

let tables: DynamoTables;
let table: string;

beforeAll(async () => {
  tables = await startDynamoTables();
  table = await tables.create({ sortKey: true });
});
afterAll(() => tables.stop());

const flat = async <T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> => {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
};

it('says of what nobody knows yet that it is version 0', async () => {
  const rows = await dynamoStock(tables.client, table).rows('new-erp', ['A']);
  expect([...rows.values()]).toEqual([
    { erp: 'new-erp', sku: 'A', version: 0, levels: {}, demand: {}, claims: {}, sold: {} },
  ]);
});

it('lets one of two writers win', async () => {
  const store = dynamoStock(tables.client, table);
  const read = async () => (await store.rows('acme-odoo', ['A'])).get('A') ?? expect.fail('there is no row');
  const first = await read();
  expect(await store.put({ ...first, category: 'mine' })).toBe(true);
  expect(await store.put({ ...first, category: 'yours' })).toBe(false);
  const second = await read();
  expect(second).toMatchObject({ version: 1, category: 'mine' });
  expect(await store.put({ ...second, category: 'later' })).toBe(true);
  expect(await store.put({ ...second, category: 'late' })).toBe(false);
  expect(await read()).toMatchObject({ version: 2, category: 'later' });
});

it('reads more rows than one request holds, and lists them', async () => {
  const store = dynamoStock(tables.client, table);
  const skus = Array.from({ length: 205 }, (_, index) => `S${index}`);
  const none = await store.rows('many', skus);
  for (const row of none.values()) await store.put({ ...row, category: row.sku });
  const rows = await store.rows('many', skus);
  expect(skus.filter((sku) => rows.get(sku)?.category !== sku)).toEqual([]);
  expect((await flat(store.allRows('many'))).map(({ sku }) => sku).sort()).toEqual(skus.sort());
  expect(await flat(store.allRows('nobody'))).toEqual([]);
});

it('keeps listings by shop, location and SKU', async () => {
  const store = dynamoStock(tables.client, table);
  const row: ListingRow = {
    shop: 'acme-woo',
    location: 'L1',
    sku: 'A',
    version: 0,
    erp: 'acme-odoo',
    components: [{ sku: 'A', quantity: 1 }],
    ref: { id: 7 },
    shown: undefined,
  };
  expect(await store.putListing(row)).toBe(true);
  expect(await store.putListing({ ...row, location: 'L2' })).toBe(true);
  expect(await store.putListing({ ...row, shown: 3 })).toBe(false);
  const keys = [
    { sku: 'A', location: 'L1' },
    { sku: 'A', location: 'L3' },
  ];
  const listings = await store.listings('acme-woo', keys);
  expect([...listings.keys()]).toEqual([claimId('acme-woo', 'L1', 'A')]);
  expect(listings.get(claimId('acme-woo', 'L1', 'A'))).toMatchObject({ version: 1, ref: { id: 7 } });
  expect(await flat(store.allListings('acme-woo'))).toHaveLength(2);
});

it('knows orders as far as the run before the last one read', async () => {
  const marks = dynamoWatermarks(tables.client, await tables.create());
  expect(await marks.of('acme-woo')).toBeUndefined();
  await marks.read('acme-woo', 1_000);
  expect(await marks.of('acme-woo')).toBe(0);
  await marks.read('acme-woo', 2_000);
  expect(await marks.of('acme-woo')).toBe(1_000);
  expect(await marks.of('acme-shopify')).toBeUndefined();
});

it('lets one of two who change the state of a poll win', async () => {
  const states = dynamoPollStates(tables.client, table);
  const state = await states.load('acme-odoo');
  expect(state).toEqual({ erp: 'acme-odoo', version: 0, known: 0 });
  expect(await states.save({ ...state, known: 3 })).toBe(true);
  expect(await states.save({ ...state, known: 4 })).toBe(false);
  expect(await states.load('acme-odoo')).toEqual({ erp: 'acme-odoo', version: 1, known: 3 });
});

it('keeps prices by shop and SKU', async () => {
  const store = dynamoPrices(tables.client, table);
  const row = { shop: 'acme-woo', sku: 'A', version: 0, asOfMs: 1, shown: undefined };
  expect(await store.putPrice(row)).toBe(true);
  expect(await store.putPrice(row)).toBe(false);
  expect([...(await store.prices('acme-woo', ['A', 'B'])).keys()]).toEqual(['A']);
  expect(await flat(store.allPrices('acme-woo'))).toMatchObject([{ sku: 'A', version: 1 }]);
  expect(await flat(store.allPrices('acme-shopify'))).toEqual([]);
});
