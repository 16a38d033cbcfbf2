import { afterEach, expect, it } from 'vitest';
import { auditCsv, auditWords } from '../../infra/cli/commands/audit-words.ts';
import { odoo } from '../../shared/connectors/odoo/index.ts';
import { manifest as shopifyManifest } from '../../shared/connectors/shopify/manifest.ts';
import { shopifyStock } from '../../shared/connectors/shopify/stock.ts';
import { woocommerce } from '../../shared/connectors/woocommerce/index.ts';
import { manifest as wooManifest } from '../../shared/connectors/woocommerce/manifest.ts';
import { woocommerceStock } from '../../shared/connectors/woocommerce/stock.ts';
import { audit } from '../../shared/core/audit/audit.ts';
import { isExplained } from '../../shared/core/audit/differences.ts';
import { demandId } from '../../shared/core/stock/rows.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';
import { memoryPrices } from '../fakes/memory-prices.ts';
import { memoryStock } from '../fakes/memory-stock.ts';
import { startFakeOdoo } from '../fakes/odoo.ts';
import { startRecordingProxy } from '../fakes/recording-proxy.ts';
import { startFakeShopify } from '../fakes/shopify/index.ts';
import { startFakeWooCommerce } from '../fakes/woocommerce.ts';
import { mappingsOf } from '../unit/odoo/harness.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const NOW = Date.parse('2026-11-23T12:00:00Z');
const nowMs = () => NOW;
const KEYS = { consumerKey: 'ck_0123456789abcdef', consumerSecret: 'cs_0123456789abcdef' };
const LOGIN = { login: 'bot@acme.example', apiKey: 'key-1' };
const SHOPIFY = { clientSecret: 'shpss_0123456789abcdef', accessToken: 'shpat_0123456789abcdef' };

const erpProduct = (sku: string, stock: number, price = 10) => ({ sku, name: sku, price, stock });
const wooProduct = (sku: string, stock: number, price = '10.00') => ({ sku, name: sku, price, stock });

/** One ERP, two shops, and what is wrong between them. */
const world = async () => {
  const erp = await startFakeOdoo({
    version: 18,
    database: 'acme',
    ...LOGIN,
    nowMs,
    companies: [{ name: 'Acme', currency: 'EUR' }],
    taxes: [],
    products: [
      erpProduct('RIGHT', 7),
      erpProduct('ERP-ONLY', 4),
      erpProduct('TWICE-ERP', 5),
      erpProduct('TWICE-ERP', 6),
      erpProduct('TWICE-SHOP', 9),
      erpProduct('ORDERED', 10),
      erpProduct('SAFE', 10),
      erpProduct('LAST', 3),
      erpProduct('DRIFTED', 8),
      erpProduct('DEAR', 6, 12),
      erpProduct('PIECE', 12),
    ],
  });
  const woo = await startFakeWooCommerce({
    ...KEYS,
    currency: 'EUR',
    // Ten minutes ago.
    nowMs: () => NOW - 600_000,
    pricesIncludeTax: false,
    products: [
      wooProduct('RIGHT', 8),
      wooProduct('TWICE-ERP', 5),
      wooProduct('TWICE-SHOP', 9),
      wooProduct('TWICE-SHOP', 9),
      wooProduct('WOO-ONLY', 1),
      wooProduct('ORDERED', 8),
      wooProduct('SAFE', 8),
      wooProduct('LAST', 1),
      wooProduct('DRIFTED', 80),
      wooProduct('DEAR', 6, '11.00'),
      wooProduct('LOST-PARTS', 5),
      wooProduct('PIECE-4PACK', 3),
    ],
  });
  const shopify = await startFakeShopify({
    ...SHOPIFY,
    shop: 'acme.myshopify.com',
    currency: 'EUR',
    nowMs,
    products: [
      { sku: 'RIGHT', title: 'Right', price: '10.00', stock: 7 },
      { sku: 'LAST', title: 'Last', price: '10.00', stock: 2 },
    ],
  });
  // The ERP never heard of it.
  await woo.placeOrder({ lines: [{ sku: 'RIGHT', quantity: 1 }], paymentMethod: 'stripe', paid: true });
  stops.push(
    () => erp.stop(),
    () => woo.stop(),
    () => shopify.stop(),
  );
  return { erp, woo, shopify };
};

const portsAt = async (urls: { erp: string; woo: string; shopify: string }) => {
  const route = StockRoute.parse({
    from: 'acme-odoo',
    to: ['acme-woo', 'acme-shopify'],
    policy: 'shared',
    rules: [
      { skus: ['SAFE'], safetyStock: 2 },
      { skus: ['LAST'], policy: 'partitioned' },
    ],
    prices: {},
  });
  const order = OrderRoute.parse({ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-01-01T00:00:00Z' });
  const opened = odoo.open({
    connection: 'acme-odoo',
    settings: odoo.manifest.settings.parse({ url: urls.erp, database: 'acme' }) as never,
    credentials: async () => LOGIN,
    nowMs,
  });
  if (!opened.stock) throw new Error('Odoo tells its stock');
  const wooSettings = wooManifest.settings.parse({ url: urls.woo });
  const wooCredentials = async () => ({ webhookSecrets: ['wc_0123456789abcdef'], ...KEYS });
  const reads = woocommerce.open?.({
    connection: 'acme-woo',
    settings: wooSettings,
    credentials: wooCredentials,
    nowMs,
  });
  if (!reads) throw new Error('WooCommerce can be read');
  const stock = memoryStock();
  const known = (await stock.rows('acme-odoo', ['ORDERED'])).get('ORDERED');
  if (!known) throw new Error('no row');
  // Sold in the other shop a moment ago.
  const demand = { quantity: 2, by: { ORDERED: 2 }, sourceVersion: 1, placedAtMs: NOW - 1_000 };
  await stock.put({ ...known, demand: { [demandId('acme-shopify', '9')]: demand } });
  return {
    erp: 'acme-odoo',
    route,
    stock: opened.stock,
    products: opened.products,
    shops: new Map([
      [
        'acme-woo',
        woocommerceStock.openStock({
          connection: 'acme-woo',
          settings: wooSettings,
          credentials: wooCredentials,
          nowMs,
        }),
      ],
      [
        'acme-shopify',
        shopifyStock.openStock({
          connection: 'acme-shopify',
          settings: shopifyManifest.settings.parse({ shop: 'acme.myshopify.com', url: urls.shopify }),
          credentials: async () =>
            shopifyManifest.credentials.parse({
              webhookSecrets: [SHOPIFY.clientSecret],
              accessToken: SHOPIFY.accessToken,
            }),
          nowMs,
        }),
      ],
    ]),
    mappings: mappingsOf([
      ['sku', 'LOST-PARTS', [{ value: 'NO-SUCH-PART', quantity: 2, share: 1 }]],
      ['sku', 'PIECE-4PACK', [{ value: 'PIECE', quantity: 4, share: 1 }]],
    ]),
    known: { stock, prices: memoryPrices() },
    orders: [{ route: order, reads, erp: opened.orders }],
    nowMs,
  };
};

const call = { signal: new AbortController().signal };
const isRead = ({ method, path, body }: { method: string; path: string; body: string }): boolean => {
  if (method === 'GET' || path.startsWith('/wp-json')) return method === 'GET';
  if (path.includes('/graphql')) return !/\bmutation\b/.test(JSON.parse(body).query);
  const { service, method: called, args } = JSON.parse(body).params;
  if (service === 'common') return ['version', 'authenticate'].includes(called);
  return [
    'search',
    'search_read',
    'search_count',
    'read',
    'read_group',
    'fields_get',
    'context_get',
  ].includes(args[4]);
};

it('finds exactly the twelve differences that were planted, with their causes, and writes nothing', async () => {
  const { erp, woo, shopify } = await world();
  const [erpProxy, wooProxy, shopifyProxy] = await Promise.all(
    [erp.url, woo.url, shopify.url].map(startRecordingProxy),
  );
  if (!erpProxy || !wooProxy || !shopifyProxy) throw new Error('no proxies');
  stops.push(erpProxy.stop, wooProxy.stop, shopifyProxy.stop);
  const ports = await portsAt({ erp: erpProxy.url, woo: wooProxy.url, shopify: shopifyProxy.url });
  const found = await audit(ports, { days: 7 }, call);

  const rows = found.differences.map(({ kind, cause, shop, sku }) =>
    [kind, cause, shop ?? '', sku].join(' ').trim(),
  );
  expect(rows.toSorted()).toEqual(
    [
      'duplicate drift  TWICE-ERP',
      'duplicate drift acme-woo TWICE-SHOP',
      'only-in-erp drift  ERP-ONLY',
      'only-in-shop drift acme-woo WOO-ONLY',
      'order-only-in-shop in-flight acme-woo 22',
      'price drift acme-woo DEAR',
      'stock drift acme-woo DRIFTED',
      'stock in-flight acme-woo ORDERED',
      'stock mapping acme-woo LOST-PARTS',
      'stock partition acme-shopify LAST',
      'stock partition acme-woo LAST',
      'stock safety-stock acme-woo SAFE',
    ].toSorted(),
  );
  expect(found).toMatchObject({ skus: 9, listings: 14, orders: 1 });
  expect(found.differences.filter(isExplained)).toHaveLength(5);

  const sent = [...erpProxy.recorded, ...wooProxy.recorded, ...shopifyProxy.recorded];
  expect(sent.length).toBeGreaterThan(5);
  expect(sent.filter((request) => !isRead(request))).toEqual([]);

  expect(auditWords('acme-odoo', found)[0]).toBe('acme-odoo: 9 SKUs, 14 listings and 1 orders compared');
  expect(auditCsv(found.differences).split('\n')[0]).toBe(
    'kind,cause,explained,shop,location,sku,erp,shows,why',
  );
  expect(auditCsv(found.differences).trim().split('\n')).toHaveLength(13);
});

it('works before anything flows: nothing is known, nothing is on its way', async () => {
  const { erp, woo, shopify } = await world();
  const ports = await portsAt({ erp: erp.url, woo: woo.url, shopify: shopify.url });
  const { differences } = await audit({ ...ports, known: undefined }, { days: 0 }, call);
  expect(differences).toHaveLength(11);
  expect(differences.find(({ sku }) => sku === 'ORDERED')).toMatchObject({ kind: 'stock', cause: 'drift' });
});

it('a side that cannot be read is no half audit', async () => {
  const { erp, woo, shopify } = await world();
  const ports = await portsAt({ erp: erp.url, woo: woo.url, shopify: shopify.url });
  await shopify.stop();
  stops.pop();
  await expect(audit(ports, { days: 0 }, call)).rejects.toMatchObject({ name: 'RetryableError' });
});
