import { afterEach, describe, expect, it } from 'vitest';
import { manifest as shopifyManifest } from '../../../../shared/connectors/shopify/manifest.ts';
import { shopifyStock } from '../../../../shared/connectors/shopify/stock.ts';
import type { ShopListing, StorefrontStock } from '../../../../shared/connectors/stock-contract.ts';
import { manifest as wooCommerceManifest } from '../../../../shared/connectors/woocommerce/manifest.ts';
import { woocommerceStock } from '../../../../shared/connectors/woocommerce/stock.ts';
import { UnknownOutcomeError } from '../../../../shared/core/errors.ts';
import type { StockNews } from '../../../../shared/core/stock/project-stock.ts';
import { claimId } from '../../../../shared/core/stock/rows.ts';
import type { WroteStock } from '../../../../shared/core/stock/write-stock.ts';
import { startFakeShopify } from '../../../fakes/shopify/index.ts';
import { startFakeWooCommerce } from '../../../fakes/woocommerce.ts';
import { ERP, key, MINUTE_MS, market, NOW, opened, routeOf, SETTLE_MS, SHOPS, sale } from './harness.ts';

const [SHOPIFY, WOO] = SHOPS;
const SECRET = 'shpss_test_0123456789abcdef';
const TOKEN = 'shpat_scenarios_0123456789';
const KEYS = { consumerKey: 'ck_scenarios', consumerSecret: 'cs_scenarios' };
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `SKU-${100 + index}`);
const all = (skus: readonly string[], pieces: number) => Object.fromEntries(skus.map((sku) => [sku, pieces]));

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** The connector on its fake, as far as scenarios need both. */
const PEERS = {
  [SHOPIFY]: async (skus: readonly string[], clock: { nowMs: number }) => {
    const nowMs = () => clock.nowMs;
    const shop = await startFakeShopify({
      nowMs,
      clientSecret: SECRET,
      accessToken: TOKEN,
      currency: 'EUR',
      products: skus.map((sku) => ({ sku, title: sku, price: '10.00', stock: 10 })),
    });
    const level = (sku: string) => shop.inventory.level(shop.inventory.find(sku));
    return {
      ...shop,
      compare: 'atomic' as const,
      stock: shopifyStock.openStock({
        connection: SHOPIFY,
        nowMs,
        settings: shopifyManifest.settings.parse({ shop: 'acme.myshopify.com', url: shop.url }),
        credentials: async () => ({ webhookSecrets: [SECRET], accessToken: TOKEN }),
        pause: async (ms) => {
          clock.nowMs += ms;
        },
      }),
      shown: (sku: string) => level(sku).available,
      set: (sku: string, pieces: number) => {
        level(sku).available = pieces;
      },
      remove: (sku: string) => shop.inventory.remove(sku),
      written: () => shop.inventory.writes.length,
    };
  },
  [WOO]: async (skus: readonly string[], clock: { nowMs: number }) => {
    const nowMs = () => clock.nowMs;
    const parent = { sku: 'SHIRT', name: 'Shirt', price: '', type: 'variable' } as const;
    const shop = await startFakeWooCommerce({
      ...KEYS,
      nowMs,
      currency: 'EUR',
      products: [
        parent,
        ...skus.map((sku) => ({
          sku,
          name: sku,
          price: '10.00',
          stock: 10,
          ...(sku.startsWith('SHIRT') && { type: 'variation' as const, parentSku: parent.sku }),
        })),
      ],
    });
    return {
      ...shop,
      compare: 'reads-first' as const,
      stock: woocommerceStock.openStock({
        connection: WOO,
        nowMs,
        settings: wooCommerceManifest.settings.parse({ url: shop.url }),
        credentials: async () => ({ webhookSecrets: ['wc_test_0123456789abcdef'], ...KEYS }),
      }),
      shown: (sku: string) => shop.product(sku).stock,
      set: (sku: string, pieces: number | undefined) => shop.setStock(sku, pieces),
      remove: (sku: string) => shop.removeProduct(sku),
      written: () => shop.batches.length,
    };
  },
};

const inWarehouses = (
  skus: readonly string[],
  free: Readonly<Record<string, number>>,
  asOfMs: number,
): StockNews => ({
  name: 'stock.changed.v1',
  event: {
    meta: { id: 'levels', connection: ERP, correlationId: 'levels', receivedAtMs: asOfMs, via: 'derived' },
    data: {
      source: ERP,
      asOfMs,
      levels: skus.flatMap((sku) =>
        Object.entries(free).map(([warehouse, pieces]) => ({ sku, warehouse, onHand: pieces, free: pieces })),
      ),
      missing: [],
    },
  },
});

/** One shop that shows ten of each, as the ERP has them, and has been listed. */
const open = async <N extends keyof typeof PEERS>(
  name: N,
  skus: readonly string[],
  listed: (listing: ShopListing) => ShopListing = (listing) => listing,
  warehouses: object = { WH: { [name]: 'default' } },
) => {
  const clock = { nowMs: NOW };
  const peer = (await PEERS[name](skus, clock)) as Awaited<ReturnType<(typeof PEERS)[N]>>;
  stops.push(() => peer.stop());
  const stock: StorefrontStock = {
    ...peer.stock,
    listings: async function* (call) {
      for await (const page of peer.stock.listings(call)) yield page.map(listed);
    },
  };
  const shops = { [name]: { compare: peer.compare, stock } };
  const at = market({ shops, clock, route: routeOf({ to: [name], warehouses }) });
  await at.learn(name);
  clock.nowMs += 1_000;
  await at.project(inWarehouses(skus, { WH: 10, SEA: 10 }, clock.nowMs));
  await at.flow();
  clock.nowMs = NOW + 2 * MINUTE_MS;
  const before = peer.written();
  return {
    ...at,
    peer,
    /** The ERP has so many of all. */
    erpHas: async (pieces: number, those = skus): Promise<readonly WroteStock[]> => {
      clock.nowMs += MINUTE_MS;
      await at.project(at.levels(all(those, pieces)));
      return at.flow();
    },
    shown: () => skus.map((sku) => peer.shown(sku)),
    writes: () => peer.written() - before,
  };
};

describe.each([SHOPIFY, WOO] as const)('%s', (name) => {
  it('429 storm', async () => {
    const skus = numbered(50);
    const at = await open(name, skus);
    at.peer.server.fault({
      times: 5,
      effect: { kind: 'answer', status: 429, headers: { 'retry-after': '7' }, body: '{}' },
    });
    const [first] = await at.erpHas(8);
    expect(first).toMatchObject({
      written: 0,
      unknown: 0,
      failure: { code: 'RATE_LIMITED' },
      againMs: 7_000,
    });
    expect(at.shown()).toEqual(skus.map(() => 10));
    let wrote = first;
    for (let tries = 0; wrote?.againMs !== undefined && tries < 10; tries += 1) {
      at.clock.nowMs += wrote.againMs;
      wrote = await at.write(name, skus.map(key));
    }
    expect(wrote).toMatchObject({ written: 50, failure: undefined });
    expect(at.shown()).toEqual(skus.map(() => 8));
    expect(at.writes()).toBe(1);
  });

  it('stale compare', async () => {
    const skus = numbered(50);
    const at = await open(name, skus);
    const [sold = '', more = ''] = skus;
    // Three were sold there, and nobody has told yet; of the other one, somebody has put five there.
    at.peer.set(sold, 7);
    at.peer.set(more, 15);
    const [wrote] = await at.erpHas(8);
    expect(wrote).toMatchObject({ written: 50, stale: 2, refused: [] });
    expect(at.peer.shown(sold)).toBe(5);
    expect(at.peer.shown(more)).toBe(8);
    expect(at.shown().slice(2)).toEqual(skus.slice(2).map(() => 8));
    // Told: it was right.
    await at.project(at.ordered(sale(name, '1', { [sold]: 3 })));
    await at.flow();
    expect(at.peer.shown(sold)).toBe(5);
  });

  it('one bad SKU among 250', async () => {
    const skus = numbered(250);
    const at = await open(name, skus);
    at.peer.remove('SKU-177');
    const [wrote] = await at.erpHas(8);
    expect(wrote).toMatchObject({
      written: 249,
      unknown: 0,
      refused: [{ sku: 'SKU-177', code: 'LISTING_GONE' }],
      againMs: undefined,
      failure: undefined,
    });
    expect(skus.filter((sku) => sku !== 'SKU-177' && at.peer.shown(sku) !== 8)).toEqual([]);
    expect(at.claim(name, 'SKU-177')).toBeUndefined();
    // It is not tried again.
    const [next] = await at.erpHas(6);
    expect(next).toMatchObject({ written: 249, refused: [] });
  });
});

it('unknown location', async () => {
  // A warehouse is mapped to a location that the shop has closed since.
  const skus = numbered(20);
  const at = await open(
    SHOPIFY,
    skus,
    (listing) => (listing.sku === 'SKU-103' ? { ...listing, location: '999' } : listing),
    { WH: { [SHOPIFY]: 'default' }, SEA: { [SHOPIFY]: '999' } },
  );
  await at.project(inWarehouses(skus, { WH: 8, SEA: 3 }, at.clock.nowMs));
  const [wrote] = await at.flow();
  expect(wrote).toMatchObject({
    written: 19,
    refused: [{ sku: 'SKU-103', location: '999', code: 'UNKNOWN_LOCATION' }],
  });
  expect(at.held.listings.get(claimId(SHOPIFY, '999', 'SKU-103'))?.refused).toMatchObject({
    code: 'UNKNOWN_LOCATION',
  });
  expect(skus.filter((sku) => at.peer.shown(sku) !== 8)).toEqual(['SKU-103']);
});

it('tracking off', async () => {
  const skus = numbered(20);
  const at = await open(WOO, skus);
  at.peer.set('SKU-103', undefined);
  const [wrote] = await at.erpHas(8);
  expect(wrote).toMatchObject({ written: 19, refused: [{ sku: 'SKU-103', code: 'TRACKING_OFF' }] });
  expect(at.peer.shown('SKU-103')).toBeUndefined();
  // Counted again, and listed again: written again.
  at.peer.set('SKU-103', 12);
  await at.learn(WOO);
  await at.flow();
  expect(at.shown()).toEqual(skus.map(() => 8));
});

it('variation instead of product', async () => {
  const skus = [...numbered(20), 'SHIRT-M'];
  // It was a product of its own when it was listed.
  const at = await open(WOO, skus, (listing) =>
    listing.sku === 'SHIRT-M' ? { ...listing, ref: { id: (listing.ref as { id: string }).id } } : listing,
  );
  expect(await at.erpHas(8)).toMatchObject([{ written: 21, refused: [], failure: undefined }]);
  expect(at.shown()).toEqual(skus.map(() => 8));
});

describe('writers', () => {
  const lowered = async (options: Parameters<typeof opened>[1] = {}) => {
    const at = await opened({ TEA: 10 }, options);
    await at.project(at.levels({ TEA: 6 }, at.clock.nowMs));
    at.due.splice(0);
    return at;
  };

  it('two workers', async () => {
    const at = await lowered();
    const wrote = await Promise.all([1, 2, 3].map(() => at.write(SHOPIFY, [key('TEA')])));
    expect(at.a.writes.flat()).toHaveLength(1);
    expect(wrote.reduce((sum, { written }) => sum + written, 0)).toBe(1);
    expect(at.a.shown.get('TEA')).toBe(6);
    // Whoever was too late comes again, and finds it done.
    expect(await at.write(SHOPIFY, [key('TEA')])).toMatchObject({ written: 0, fine: 1 });
  });

  it('the newest value is written, whatever was told meanwhile', async () => {
    const at = await lowered();
    at.a.instead.push(async (_writes, really) => {
      const answer = really();
      await at.project(at.levels({ TEA: 2 }, at.clock.nowMs + 1));
      return answer;
    });
    await at.write(SHOPIFY, [key('TEA')]);
    expect(at.a.shown.get('TEA')).toBe(2);
    expect(at.a.writes.flat().map(({ from, to }) => [from, to])).toEqual([
      [10, 6],
      [6, 2],
    ]);
  });

  it('own echo: what we wrote comes back as no change', async () => {
    const at = await lowered();
    for (const shop of SHOPS) await at.write(shop, [key('TEA')]);
    expect(await at.learn(SHOPIFY)).toMatchObject({ listed: 1, due: 0 });
    expect(at.claim(SHOPIFY, 'TEA')).not.toHaveProperty('unsure');
  });

  it('own echo: a listing that was read before the write and told after it', async () => {
    const at = await lowered();
    await at.write(WOO, [key('TEA')]);
    at.clock.nowMs += 1;
    at.a.whileListing = async () => {
      at.clock.nowMs += 1;
      await at.write(SHOPIFY, [key('TEA')]);
    };
    expect(await at.learn(SHOPIFY)).toMatchObject({ due: 0 });
    expect(at.claim(SHOPIFY, 'TEA')).toMatchObject({ bound: 6 });
    expect(at.claim(SHOPIFY, 'TEA')).not.toHaveProperty('unsure');
    expect(at.listing(SHOPIFY, 'TEA')?.shown).toBe(6);
  });

  it.each([
    ['before it was done', false],
    ['after it was done', true],
  ])('the answer is lost %s: nobody writes before the shop was asked', async (_, isDone) => {
    const at = await lowered();
    at.a.instead.push(async (_writes, really) => {
      if (isDone) really();
      throw new UnknownOutcomeError('TIMEOUT', 'no answer');
    });
    expect(await at.write(SHOPIFY, [key('TEA')])).toMatchObject({ unknown: 1, againMs: SETTLE_MS });
    at.clock.nowMs += SETTLE_MS - 1;
    expect(await at.write(SHOPIFY, [key('TEA')])).toMatchObject({ written: 0 });
    expect([at.a.finds, at.a.writes.length]).toEqual([0, 1]);
    at.clock.nowMs += 1;
    await at.write(SHOPIFY, [key('TEA')]);
    expect(at.a.finds).toBe(1);
    at.watermarks.set(SHOPIFY, at.clock.nowMs + MINUTE_MS);
    at.clock.nowMs += MINUTE_MS;
    await at.write(SHOPIFY, [key('TEA')]);
    expect(at.a.shown.get('TEA')).toBe(6);
    expect(at.claim(SHOPIFY, 'TEA')).toMatchObject({ bound: 6, want: 6 });
  });

  it('a worker that was suspended after it began sends nothing any more', async () => {
    const at = await lowered();
    const put = at.ports.store.put;
    let isSuspended = false;
    at.ports.store.put = async (row) => {
      const isDone = await put(row);
      if (!isSuspended && row.claims[claimId(SHOPIFY, 'default', 'TEA')]?.begun) {
        isSuspended = true;
        at.clock.nowMs += SETTLE_MS;
      }
      return isDone;
    };
    const wrote = await at.write(SHOPIFY, [key('TEA')]);
    expect(isSuspended).toBe(true);
    expect(at.a.writes).toEqual([]);
    expect(wrote).toMatchObject({ written: 0 });
    expect(wrote.againMs).toBeDefined();
    at.ports.store.put = put;
    await at.write(SHOPIFY, [key('TEA')]);
    expect(at.a.shown.get('TEA')).toBe(6);
  });

  it('in shadow mode nothing is written', async () => {
    const at = await lowered({ route: routeOf({ mode: 'shadow' }) });
    expect(await at.write(SHOPIFY, [key('TEA')])).toMatchObject({ written: 0, againMs: undefined });
    expect(at.a.writes).toEqual([]);
  });
});
