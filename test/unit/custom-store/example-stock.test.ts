import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { manifest } from '../../../shared/connectors/custom-store/manifest.ts';
import { customStoreStock } from '../../../shared/connectors/custom-store/stock.ts';
import type { ShopListing, StorefrontStock } from '../../../shared/connectors/stock-contract.ts';

const EXAMPLE = fileURLToPath(
  new URL('../../../shared/connectors/custom-store/example-stock.ts', import.meta.url),
);
const TOKEN = 'token_0123456789abcdef';
const call = { signal: AbortSignal.timeout(30_000) };

/** The example as a merchant's developer runs it: a process of its own, with Node and nothing else. */
let example: ChildProcess;
let stock: StorefrontStock;

beforeEach(async () => {
  example = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', EXAMPLE, '0', TOKEN], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(example.stdout ?? process.stdout, 'data')) as [Buffer];
  stock = open(String(line).trim(), TOKEN);
});
afterEach(async () => {
  const closed = once(example, 'close');
  example.kill();
  await closed;
});

const open = (url: string, apiToken: string): StorefrontStock =>
  customStoreStock.openStock({
    connection: 'acme-store',
    settings: manifest.settings.parse({ url }),
    credentials: async () => ({ webhookSecrets: ['whsec_'], apiToken }),
    nowMs: Date.now,
  });
const listed = async (): Promise<ShopListing[]> => {
  const all: ShopListing[] = [];
  for await (const page of stock.listings(call)) all.push(...page);
  return all;
};

it('lists, takes stock as it was expected, refuses the rest, and takes prices', async () => {
  const listings = await listed();
  expect(listings.map(({ sku, quantity, price }) => [sku, quantity, price?.minor])).toEqual([
    ['MUG-01', 5, 1190],
    ['MUG-02', 3, 1190],
    ['VOUCHER', undefined, 1190],
  ]);
  const froms = [5, 9, 0];
  const writes = listings.map(({ sku, location, ref }, index) => ({
    sku,
    location,
    ref,
    from: froms[index],
    to: 2,
    key: sku,
  }));
  const gone = { ...writes[0], sku: 'GONE', location: 'default', ref: { id: 'x' }, from: 1, to: 1, key: 'x' };
  const told = [
    { sku: 'MUG-01', kind: 'written' },
    { sku: 'MUG-02', kind: 'stale', actual: 3 },
    { sku: 'VOUCHER', kind: 'refused', code: 'TRACKING_OFF' },
    { sku: 'GONE', kind: 'refused', code: 'LISTING_GONE' },
  ];
  expect(await stock.write([...writes, gone], call)).toMatchObject(told);
  // The very same once more: answered as it was.
  expect(await stock.write([...writes, gone], call)).toMatchObject(told);

  const price = { minor: 990, currency: 'EUR' };
  const sale = { price: { minor: 790, currency: 'EUR' }, until: '2026-12-01T00:00:00Z' };
  const prices = listings.map(({ sku, ref }) => ({ sku, ref, price, sale, status: 'hidden' as const }));
  expect(await stock.writePrices?.(prices, call)).toMatchObject(prices.map(() => ({ kind: 'written' })));
  expect(await stock.find(['MUG-01'], call)).toMatchObject([
    { quantity: 2, status: 'hidden', price, sale, priceIncludesTax: true },
  ]);
});
