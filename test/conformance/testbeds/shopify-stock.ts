import type { ShopifyCredentials, ShopifySettings } from '../../../shared/connectors/shopify/manifest.ts';
import { manifest } from '../../../shared/connectors/shopify/manifest.ts';
import { shopifyStock } from '../../../shared/connectors/shopify/stock.ts';
import { startFakeShopify } from '../../fakes/shopify/index.ts';
import type { StockTestbed } from '../storefront-stock.suite.ts';

const SHOP = 'acme.myshopify.com';
const ACCESS_TOKEN = 'shpat_conformance_0123456789';

export const shopifyStockTestbed: StockTestbed<ShopifySettings, ShopifyCredentials> = {
  connector: shopifyStock,
  settings: (url) => manifest.settings.parse({ shop: SHOP, url }),
  credentials: { webhookSecrets: ['shpss_test_0123456789abcdef'], accessToken: ACCESS_TOKEN },
  isWrite: ({ body }) => String(body).includes('"query":"mutation'),
  keepsDates: false,
  hidesTogether: true,
  start: async (nowMs, products) => {
    const shop = await startFakeShopify({
      shop: SHOP,
      nowMs,
      clientSecret: 'shpss_test_0123456789abcdef',
      accessToken: ACCESS_TOKEN,
      currency: 'EUR',
      taxesIncluded: true,
      products,
    });
    const { inventory } = shop;
    return {
      url: shop.url,
      server: shop.server,
      shown: (sku) => {
        const { available, isActive } = inventory.level(inventory.find(sku));
        return isActive ? available : 0;
      },
      price: (sku) => {
        const { price, compareAtPrice } = inventory.find(sku);
        return compareAtPrice === null ? { price } : { price: compareAtPrice, sale: price };
      },
      isHidden: (sku) => ['DRAFT', 'ARCHIVED'].includes(inventory.find(sku).product.status),
      setShown: (sku, quantity) => {
        inventory.level(inventory.find(sku)).available = quantity;
      },
      remove: (sku) => inventory.remove(sku),
      stockWrites: () => inventory.writes.filter(({ kind }) => kind === 'stock').length,
      stop: () => shop.stop(),
    };
  },
};
