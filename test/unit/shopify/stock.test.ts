import { parse } from 'graphql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StockOptions } from '../../../shared/connectors/contract.ts';
import {
  manifest,
  type ShopifyCredentials,
  type ShopifySettings,
} from '../../../shared/connectors/shopify/manifest.ts';
import { shopifyStock } from '../../../shared/connectors/shopify/stock.ts';
import { STOCK_DOCUMENTS } from '../../../shared/connectors/shopify/stock-documents.ts';
import type { ShopListing, StockWrite, StorefrontStock } from '../../../shared/connectors/stock-contract.ts';
import { memoryRateBudget } from '../../../shared/core/rate-budget.ts';
import { type PeerServer, startPeerServer } from '../../fakes/peer-server.ts';
import { MAX_QUERY_COST, queryCost } from '../../fakes/shopify/cost.ts';
import { schema } from '../../fakes/shopify/graphql.ts';
import { type FakeShopify, type FakeShopifyOptions, startFakeShopify } from '../../fakes/shopify/index.ts';

const TOKEN = 'shpat_0123456789abcdef';
const SHOP = 'acme.myshopify.com';
const call = { signal: AbortSignal.timeout(60_000) };
let now: number;
let shop: FakeShopify;
let scripted: PeerServer | undefined;

beforeEach(() => {
  now = Date.parse('2026-11-20T10:00:00Z');
  scripted = undefined;
});
afterEach(async () => {
  await shop?.stop();
  await scripted?.stop();
});

const skuOf = (index: number): string => `SKU-${String(index).padStart(5, '0')}`;
const products = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    sku: skuOf(index),
    title: `Tea ${index}`,
    price: '9.90',
    stock: 10,
  }));
const start = async (options: Partial<FakeShopifyOptions> = {}): Promise<void> => {
  shop = await startFakeShopify({
    shop: SHOP,
    nowMs: () => now,
    clientSecret: 'shpss_0123456789abcdef',
    accessToken: TOKEN,
    currency: 'EUR',
    ...options,
  });
};
const open = (
  more: Partial<
    Pick<StockOptions<ShopifySettings, ShopifyCredentials>, 'budget' | 'locations' | 'pause'>
  > = {},
  url = shop.url,
): StorefrontStock =>
  shopifyStock.openStock({
    connection: 'acme-shopify',
    settings: manifest.settings.parse({ shop: SHOP, url }),
    credentials: async () => ({ webhookSecrets: ['shpss_0123456789abcdef'], accessToken: TOKEN }),
    nowMs: () => now,
    pause: async (ms) => {
      now += ms;
    },
    ...more,
  });
const listed = async (stock: StorefrontStock): Promise<ShopListing[]> => {
  const all: ShopListing[] = [];
  for await (const page of stock.listings(call)) all.push(...page);
  return all;
};
const writesTo = (listings: readonly ShopListing[], to: number): StockWrite[] =>
  listings.map(({ sku, location, ref, quantity }) => ({
    sku,
    location,
    ref,
    from: quantity,
    to,
    key: `${sku}#${to}`,
  }));
const stockWrites = () => shop.inventory.writes.filter(({ kind }) => kind === 'stock');
const kinds = (told: readonly { readonly kind: string }[]) => [...new Set(told.map(({ kind }) => kind))];

describe('documents', () => {
  it.each(Object.entries(STOCK_DOCUMENTS))('%s costs what it says', (_name, { text, cost }) => {
    expect(queryCost(schema, parse(text))).toBe(cost);
    expect(cost).toBeLessThanOrEqual(MAX_QUERY_COST);
  });
});

describe('10,000 SKUs', () => {
  it('a full resync on the smallest bucket: 40 writes, not one throttled call', async () => {
    await start({ products: products(10_000), bucket: { maximum: 1_000, restorePerSecond: 50 } });
    const began = now;
    const stock = open();
    const listings = await listed(stock);
    expect(listings).toHaveLength(10_000);
    const told = await stock.write(writesTo(listings, 3), call);
    expect([told.length, kinds(told)]).toEqual([10_000, ['written']]);
    expect(stockWrites().map(({ entries }) => entries)).toEqual(Array.from({ length: 40 }, () => 250));
    expect(shop.throttled()).toBe(0);
    // 5 points for each SKU come back at 50 a second: it did wait, and no longer than that.
    const minutes = (now - began) / 60_000;
    expect(minutes).toBeGreaterThan(15);
    expect(minutes).toBeLessThan(18);
  }, 60_000);

  it('500 changed: 2 writes', async () => {
    await start({ products: products(500) });
    const stock = open();
    const listings = await listed(stock);
    const told = await stock.write(writesTo(listings, 4), call);
    expect([told.length, kinds(told)]).toEqual([500, ['written']]);
    expect(stockWrites().map(({ entries }) => entries)).toEqual([250, 250]);
  });
});

describe('the cost bucket', () => {
  it('four workers at once share it: nobody is throttled', async () => {
    await start({ products: products(400), bucket: { maximum: 1_000, restorePerSecond: 50 } });
    const budget = memoryRateBudget(() => now);
    // Time passes when all of them wait, until the first one need not.
    const asleep: { readonly atMs: number; wake(): void }[] = [];
    let workers = 4;
    const passTime = () => {
      if (asleep.length < workers) return;
      asleep.sort((a, b) => b.atMs - a.atMs);
      const next = asleep.pop();
      now = Math.max(now, next?.atMs ?? 0);
      next?.wake();
    };
    const pause = (ms: number) =>
      new Promise<void>((wake) => {
        asleep.push({ atMs: now + ms, wake });
        passTime();
      });
    const work = Array.from({ length: workers }, async () => {
      const { length } = await listed(open({ budget, pause }));
      workers -= 1;
      passTime();
      return length;
    });
    expect(await Promise.all(work)).toEqual([400, 400, 400, 400]);
    expect(shop.throttled()).toBe(0);
  });

  it('each for itself they are', async () => {
    await start({ products: products(400), bucket: { maximum: 1_000, restorePerSecond: 50 } });
    const work = Array.from({ length: 4 }, () => listed(open()).catch((error: unknown) => error));
    const errors = (await Promise.all(work)).filter((each) => each instanceof Error);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors[0]).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
    expect(shop.throttled()).toBeGreaterThan(0);
  });

  it('no time left to wait for it: the delay is told, and what was taken is given back', async () => {
    await start({ products: products(400), bucket: { maximum: 1_000, restorePerSecond: 50 } });
    const budget = memoryRateBudget(() => now);
    const stop = new AbortController();
    const stock = shopifyStock.openStock({
      connection: 'acme-shopify',
      settings: manifest.settings.parse({ shop: SHOP, url: shop.url }),
      credentials: async () => ({ webhookSecrets: ['shpss_0123456789abcdef'], accessToken: TOKEN }),
      nowMs: () => now,
      budget,
      pause: async (_ms, signal) => {
        stop.abort();
        signal.throwIfAborted();
      },
    });
    const read = async () => {
      for await (const _page of stock.listings({ signal: stop.signal }));
    };
    await expect(read()).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: expect.any(Number),
    });
    // Some 450 are left after one page and the shop's facts; the page that waited took nothing.
    expect(await budget.take(390)).toBe(0);
  });
});

describe('locations', () => {
  const TWO = { locations: ['1', '2'], products: products(3) };
  const gid = (id: number) => `gid://shopify/Location/${id}`;

  it('without a name: the main one', async () => {
    await start(TWO);
    const listings = await listed(open());
    expect(listings.map(({ sku, location, quantity }) => [sku, location, quantity])).toEqual(
      [0, 1, 2].map((index) => [skuOf(index), 'default', 10]),
    );
  });

  it('those that settings name, as they name them, each once', async () => {
    await start(TWO);
    const named = await listed(open({ locations: ['2', 'default', gid(1), 'elsewhere'] }));
    expect(
      named.filter(({ sku }) => sku === skuOf(0)).map(({ location, quantity }) => [location, quantity]),
    ).toEqual([
      ['2', 0],
      ['default', 10],
    ]);
  });

  it('one where it is not sold yet: the number first, then it is made sellable, once', async () => {
    await start(TWO);
    const stock = open({ locations: ['2'] });
    const listings = await listed(stock);
    expect(kinds(await stock.write(writesTo(listings, 6), call))).toEqual(['written']);
    const { inventory } = shop;
    expect(inventory.level(inventory.find(skuOf(0)), '2')).toEqual({ available: 6, isActive: true });
    expect(inventory.level(inventory.find(skuOf(0)), '1')).toEqual({ available: 10, isActive: true });
    expect(inventory.writes.map(({ kind }) => kind)).toEqual(['stock', 'activate', 'activate', 'activate']);
    expect((await listed(stock)).map(({ quantity }) => quantity)).toEqual([6, 6, 6]);
    // Known as sellable from its next listing on.
    await stock.write(writesTo(await listed(stock), 5), call);
    expect(inventory.writes.filter(({ kind }) => kind === 'activate')).toHaveLength(3);
  });

  it('an inactive level shows nothing, whatever number it kept', async () => {
    await start(TWO);
    Object.assign(shop.inventory.level(shop.inventory.find(skuOf(1)), '1'), { isActive: false });
    const stock = open({ locations: ['1'] });
    const [listing] = await stock.find([skuOf(1)], call);
    expect(listing?.quantity).toBe(0);
    const told = await stock.write(writesTo(listing ? [listing] : [], 4), call);
    expect(told).toMatchObject([{ kind: 'stale', actual: 10 }]);
    expect(shop.inventory.level(shop.inventory.find(skuOf(1)), '1').isActive).toBe(false);
  });
});

describe('what Shopify refuses', () => {
  it('a bundle: Shopify computes it; the others are written', async () => {
    await start({
      products: [...products(5), { sku: 'SET', title: 'Set', price: '1.00', stock: 2, bundle: true }],
    });
    const stock = open();
    const told = await stock.write(writesTo(await listed(stock), 3), call);
    expect(told.filter(({ kind }) => kind === 'refused')).toMatchObject([
      { sku: 'SET', code: 'NOT_MUTABLE' },
    ]);
    expect(told.filter(({ kind }) => kind === 'written')).toHaveLength(5);
  });

  it('one item twice in a call: never in one batch', async () => {
    await start({ products: products(2) });
    const stock = open();
    const writes = writesTo(await listed(stock), 3);
    const told = await stock.write(
      [...writes, ...writes.map((each) => ({ ...each, from: 3, to: 2, key: 'x' }))],
      call,
    );
    expect(kinds(told)).toEqual(['written']);
    expect(stockWrites().map(({ entries }) => entries)).toEqual([2, 2]);
    expect(shop.inventory.level(shop.inventory.find(skuOf(0))).available).toBe(2);
  });

  it('a key that was used up by a request that failed: another one', async () => {
    await start({ products: products(5) });
    const stock = open();
    const writes = writesTo(await listed(stock), 3);
    const first = writes[0] ? [writes[0]] : [];
    shop.inventory.level(shop.inventory.find(skuOf(0))).available = 9;
    expect(await stock.write(first, call)).toMatchObject([{ kind: 'stale', actual: 9 }]);
    shop.inventory.level(shop.inventory.find(skuOf(0))).available = 10;
    expect(await stock.write(first, call)).toMatchObject([{ kind: 'written' }]);
  });

  it('the same request again is answered, not done again', async () => {
    await start({ products: products(5) });
    const stock = open();
    const writes = writesTo(await listed(stock), 3);
    expect(kinds(await stock.write(writes, call))).toEqual(['written']);
    shop.inventory.level(shop.inventory.find(skuOf(0))).available = 2;
    expect(kinds(await stock.write(writes, call))).toEqual(['written']);
    expect(shop.inventory.level(shop.inventory.find(skuOf(0))).available).toBe(2);
  });
});

// --- answers that the fake shop never gives ------------------------------------------------------------------

interface Asked {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** A shop that answers what it is told to. */
const answering = async (answer: (asked: Asked) => unknown): Promise<StorefrontStock> => {
  scripted = await startPeerServer((app) => {
    app.post('/*', async (request) => {
      const asked = JSON.parse(String(request.body)) as Asked;
      const cost = {
        requestedQueryCost: 10,
        actualQueryCost: 10,
        throttleStatus: { maximumAvailable: 20_000, currentlyAvailable: 20_000, restoreRate: 1_000 },
      };
      const data = asked.query.startsWith('query Shop')
        ? {
            shop: { currencyCode: 'EUR', taxesIncluded: true },
            location: { id: 'gid://shopify/Location/1' },
          }
        : answer(asked);
      return { data, extensions: { cost } };
    });
  });
  return open({}, scripted.url);
};
const refFor = (index: number) => ({
  variant: `gid://shopify/ProductVariant/${index}`,
  product: `gid://shopify/Product/${index}`,
  item: `gid://shopify/InventoryItem/${index}`,
  tracked: true,
  active: true,
});
const someWrites = (count: number): StockWrite[] =>
  Array.from({ length: count }, (_, index) => ({
    sku: skuOf(index),
    location: 'default',
    ref: refFor(index),
    from: 10,
    to: 3,
    key: `${index}`,
  }));

describe('answers', () => {
  it('an error that names no entry: the batch is split until the culprit stands alone', async () => {
    const sizes: number[] = [];
    const stock = await answering(({ variables }) => {
      const { quantities } = (variables as { input: { quantities: { inventoryItemId: string }[] } }).input;
      sizes.push(quantities.length);
      const isBad = quantities.some(({ inventoryItemId }) => inventoryItemId.endsWith('/77'));
      return {
        inventorySetQuantities: {
          inventoryAdjustmentGroup: isBad ? null : { id: 'gid://shopify/InventoryAdjustmentGroup/1' },
          userErrors: isBad ? [{ code: 'INVALID_REASON', field: null, message: 'not this one' }] : [],
        },
      };
    });
    const told = await stock.write(someWrites(250), call);
    expect(told.filter(({ kind }) => kind === 'refused')).toEqual([
      { sku: skuOf(77), location: 'default', kind: 'refused', code: 'REFUSED', detail: 'not this one' },
    ]);
    expect(told.filter(({ kind }) => kind === 'written')).toHaveLength(249);
    expect(sizes.slice(0, 3)).toEqual([250, 125, 63]);
    expect(sizes.length).toBeLessThanOrEqual(17);
  });

  it.each([
    ['adjusted, and refused', { id: 'x' }, { code: 'CHANGE_FROM_QUANTITY_STALE', field: ['0'], message: '' }],
    [
      'under way already',
      null,
      { code: 'IDEMPOTENCY_CONCURRENT_REQUEST', field: null, message: 'in progress' },
    ],
  ])('%s: unknown', async (_case, group, error) => {
    const stock = await answering(() => ({
      inventorySetQuantities: { inventoryAdjustmentGroup: group, userErrors: [error] },
    }));
    expect(kinds(await stock.write(someWrites(3), call))).toEqual(['unknown']);
  });

  it('stale, and back at what was expected when it is read: left out, for nothing was sent for it', async () => {
    let asked = 0;
    const stock = await answering(({ query }) => {
      asked += 1;
      if (query.startsWith('query Levels')) {
        const inventoryLevel = { isActive: true, quantities: [{ quantity: 10 }] };
        return { i0: { tracked: true, inventoryLevel } };
      }
      const error = {
        code: 'CHANGE_FROM_QUANTITY_STALE',
        field: ['input', 'quantities', '0'],
        message: 'stale',
      };
      const isFirst = asked === 1;
      return {
        inventorySetQuantities: {
          inventoryAdjustmentGroup: isFirst ? null : { id: 'x' },
          userErrors: isFirst ? [error] : [],
        },
      };
    });
    const told = await stock.write(someWrites(2), call);
    expect(told).toEqual([{ sku: skuOf(1), location: 'default', kind: 'written' }]);
  });

  it('a list ends at 25,000: it is begun again behind the last one', async () => {
    const TOTAL = 20_300;
    let furthest = 0;
    const stock = await answering(({ query, variables }) => {
      const first = Number(/first: (\d+)/.exec(query)?.[1]);
      const from = Number(/^id:>(\d+)$/.exec(String(variables['query'] ?? ''))?.[1] ?? 0);
      const start = from + Number(variables['after'] ?? 0);
      furthest = Math.max(furthest, start - from);
      const count = Math.min(first, TOTAL - start);
      return {
        productVariants: {
          pageInfo: { hasNextPage: start + count < TOTAL, endCursor: String(start - from + count) },
          nodes: Array.from({ length: count }, (_, index) => ({
            id: `gid://shopify/ProductVariant/${start + index + 1}`,
            sku: `S${start + index + 1}`,
            displayName: 'Tea',
            price: '1.00',
            compareAtPrice: null,
            product: { id: 'gid://shopify/Product/1', status: 'ACTIVE' },
            inventoryItem: { id: 'gid://shopify/InventoryItem/1', tracked: true, l0: null },
          })),
        },
      };
    });
    const skus = new Set((await listed(stock)).map(({ sku }) => sku));
    expect(skus.size).toBe(TOTAL);
    expect(furthest).toBeLessThan(20_000);
  });
});
