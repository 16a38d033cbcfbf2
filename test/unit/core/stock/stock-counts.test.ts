import { afterAll, beforeAll, expect, it } from 'vitest';
import { odoo } from '../../../../shared/connectors/odoo/index.ts';
import { manifest as shopifyManifest } from '../../../../shared/connectors/shopify/manifest.ts';
import { shopifyStock } from '../../../../shared/connectors/shopify/stock.ts';
import type { ErpStock, ShopListing, StorefrontStock } from '../../../../shared/connectors/stock-contract.ts';
import { manifest as wooCommerceManifest } from '../../../../shared/connectors/woocommerce/manifest.ts';
import { woocommerceStock } from '../../../../shared/connectors/woocommerce/stock.ts';
import { pollCursorName, pollStock } from '../../../../shared/core/stock/poll-stock.ts';
import { DEFAULT_LOCATION } from '../../../../shared/settings/stock-route.ts';
import { memoryCursors } from '../../../fakes/memory-cursors.ts';
import { memoryPollStates } from '../../../fakes/memory-stock.ts';
import { type FakeOdoo, startFakeOdoo } from '../../../fakes/odoo.ts';
import { type FakeShopify, startFakeShopify } from '../../../fakes/shopify/index.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../../../fakes/woocommerce.ts';
import { call, ERP, MINUTE_MS, market, NOW, SHOPS } from './harness.ts';

/**
 * What a change of five hundred of ten thousand SKUs costs the peers, in requests that the fakes have counted; through the
 * connectors, on the fakes of Odoo, Shopify and WooCommerce.
 */
const [SHOPIFY, WOO] = SHOPS;
const SKUS = Array.from({ length: 10_000 }, (_, index) => `SKU-${String(index).padStart(5, '0')}`);
const CHANGED = SKUS.slice(4_000, 4_500);
const STOCK = 5;
const ODOO = { database: 'acme', login: 'bot@acme.example', apiKey: 'counts-api-key' };
const KEYS = { consumerKey: 'ck_counts', consumerSecret: 'cs_counts' };
const SECRET = 'shpss_test_0123456789abcdef';
const TOKEN = 'shpat_counts_0123456789';

let erp: FakeOdoo;
let shopify: FakeShopify;
let woo: FakeWooCommerce;
/** Everything is older than the first window. */
const clock = { nowMs: NOW - 60 * MINUTE_MS };
const nowMs = () => clock.nowMs;

beforeAll(async () => {
  [erp, shopify, woo] = await Promise.all([
    startFakeOdoo({
      ...ODOO,
      version: 18,
      nowMs,
      products: SKUS.map((sku) => ({ sku, name: sku, stock: STOCK })),
      taxes: [],
    }),
    startFakeShopify({
      nowMs,
      clientSecret: SECRET,
      accessToken: TOKEN,
      currency: 'EUR',
      products: SKUS.map((sku) => ({ sku, title: sku, price: '10.00', stock: STOCK })),
    }),
    startFakeWooCommerce({
      ...KEYS,
      nowMs,
      currency: 'EUR',
      products: SKUS.map((sku) => ({ sku, name: sku, price: '10.00', stock: STOCK })),
    }),
  ]);
});
afterAll(() => Promise.all([erp?.stop(), shopify?.stop(), woo?.stop()]));

const odooStock = (): ErpStock => {
  const { stock } = odoo.open({
    connection: ERP,
    settings: odoo.manifest.settings.parse({ url: erp.url, database: ODOO.database }) as never,
    credentials: async () => ODOO,
    nowMs,
  });
  if (!stock) throw new Error('Odoo reads stock');
  return stock;
};
/** Listing ten thousand takes a fake long, and has tests of its own: here they are known already. */
const listedAs = (
  stock: StorefrontStock,
  refs: readonly (readonly [string, unknown])[],
): StorefrontStock => ({
  ...stock,
  listings: async function* () {
    yield refs.map(
      ([sku, ref]): ShopListing => ({
        sku,
        ref,
        location: DEFAULT_LOCATION,
        title: sku,
        quantity: STOCK,
        duplicates: 1,
        status: 'active',
      }),
    );
  },
});
const shops = () => {
  const first = woo.product(SKUS[0] ?? '').id;
  const options = { connection: SHOPIFY, nowMs };
  const ofShopify = shopifyStock.openStock({
    ...options,
    settings: shopifyManifest.settings.parse({ shop: 'acme.myshopify.com', url: shopify.url }),
    credentials: async () => ({ webhookSecrets: [SECRET], accessToken: TOKEN }),
    pause: async (ms) => {
      clock.nowMs += ms;
    },
  });
  const ofWoo = woocommerceStock.openStock({
    ...options,
    connection: WOO,
    settings: wooCommerceManifest.settings.parse({ url: woo.url }),
    credentials: async () => ({ webhookSecrets: ['wc_test_0123456789abcdef'], ...KEYS }),
  });
  return {
    [SHOPIFY]: {
      compare: 'atomic' as const,
      stock: listedAs(
        ofShopify,
        shopify.inventory.variants.map(({ sku, id, item, product }) => [
          sku,
          { variant: id, product: product.id, item, tracked: true, active: true },
        ]),
      ),
    },
    [WOO]: {
      compare: 'reads-first' as const,
      stock: listedAs(
        ofWoo,
        // Numbered as they were made; to look each up would take long.
        SKUS.map((sku, index) => [sku, { id: String(first + index) }]),
      ),
    },
  };
};

it('10,000 SKUs, 500 changed: two writes to Shopify, five to WooCommerce; then none, and two reads', async () => {
  const at = market({ shops: shops(), clock });
  const states = memoryPollStates();
  const cursors = memoryCursors(nowMs);
  // As after the first run.
  clock.nowMs = NOW;
  const { company, warehouses } = await odooStock().identify(at.ports.route, call);
  const [warehouse = ''] = warehouses;
  await states.save({ erp: ERP, version: 0, known: SKUS.length, allAtMs: NOW, company, warehouses });
  await cursors.claim(pollCursorName(ERP), 1);
  await cursors.save(pollCursorName(ERP), 1, { atMs: NOW, told: {} });
  await at.project({
    name: 'stock.changed.v1',
    event: {
      meta: { id: 'first', connection: ERP, correlationId: 'first', receivedAtMs: NOW, via: 'derived' },
      data: {
        source: ERP,
        asOfMs: NOW,
        levels: SKUS.map((sku) => ({ sku, warehouse, onHand: STOCK, free: STOCK })),
        missing: [],
      },
    },
  });
  for (const name of SHOPS) await at.learn(name);
  await at.flow();
  expect([shopify, woo].map(({ server }) => server.requests.length)).toEqual([0, 0]);

  const requests = async (work: () => Promise<void>) => {
    const peers = [erp.server, shopify.server, woo.server];
    const before = peers.map((server) => server.requests.length);
    await work();
    return peers.map((server, index) => server.requests.slice(before[index]));
  };
  // A worker that has just begun; the second run finds who answers, and the clock of the ERP, in its memory.
  const stock = odooStock();
  const poll = async () => {
    clock.nowMs += 5 * MINUTE_MS;
    const ports = { ...at.ports, stock, states, cursors, leaseMs: MINUTE_MS };
    const polled = await pollStock(
      { ...ports, overlapMs: MINUTE_MS, allEveryMs: 24 * 60 * MINUTE_MS },
      {},
      call,
    );
    await at.flow();
    return polled;
  };

  clock.nowMs += MINUTE_MS;
  const wanted = new Set(CHANGED);
  const ids = new Set(
    erp
      .records('product.product')
      .flatMap(({ id, default_code: sku }) => (wanted.has(String(sku)) ? id : [])),
  );
  for (const quant of erp.records('stock.quant').filter(({ product_id: id }) => ids.has(id as number))) {
    erp.call('stock.quant', 'write', [[quant.id], { inventory_quantity: STOCK - 2 }]);
    erp.call('stock.quant', 'action_apply_inventory', [[quant.id]]);
  }
  const [, ofShopify, ofWoo] = await requests(async () => {
    expect(await poll()).toMatchObject({ cycle: 'changed', counts: { looked: 500 }, published: 500 });
  });
  const shown = (sku: string) => [
    shopify.inventory.level(shopify.inventory.find(sku)).available,
    woo.product(sku).stock,
  ];
  expect(CHANGED.filter((sku) => shown(sku).some((pieces) => pieces !== STOCK - 2))).toEqual([]);
  expect(SKUS.slice(0, 100).filter((sku) => shown(sku).some((pieces) => pieces !== STOCK))).toEqual([]);
  const writes = () => [shopify.inventory.writes.length, woo.batches.length];
  expect(shopify.inventory.writes).toEqual([
    { kind: 'stock', entries: 250 },
    { kind: 'stock', entries: 250 },
  ]);
  expect(woo.batches).toEqual(Array(5).fill({ path: '/products/batch', entries: 100 }));
  expect(shopify.throttled()).toBe(0);
  // Beside the writes: who Shopify is, and what WooCommerce shows, right before it is overwritten.
  expect([ofShopify?.length, ofWoo?.length]).toEqual([1 + 2, 5 + 5]);

  const asked: unknown[] = [];
  erp.server.fault({
    when: ({ body }) => {
      const [, , , model, method] = JSON.parse(String(body)).params.args;
      asked.push(`${model} ${method}`);
      return false;
    },
    effect: { kind: 'drop-before' },
  });
  const idle = await requests(async () => {
    expect(await poll()).toMatchObject({ cycle: 'changed', published: 0 });
  });
  expect(writes()).toEqual([2, 5]);
  expect(idle.map(({ length }) => length)).toEqual([2, 0, 0]);
  expect(asked).toEqual(['stock.warehouse search_read', 'product.product search_read']);
});
