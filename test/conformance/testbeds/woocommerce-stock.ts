import {
  manifest,
  type WooCommerceCredentials,
  type WooCommerceSettings,
} from '../../../shared/connectors/woocommerce/manifest.ts';
import { woocommerceStock } from '../../../shared/connectors/woocommerce/stock.ts';
import { startFakeWooCommerce } from '../../fakes/woocommerce.ts';
import type { StockTestbed } from '../storefront-stock.suite.ts';

const KEYS = { consumerKey: 'ck_conformance_0123456789', consumerSecret: 'cs_conformance_0123456789' };

/** Variants of one product become variations of a product without a SKU of its own. */
export const woocommerceStockTestbed: StockTestbed<WooCommerceSettings, WooCommerceCredentials> = {
  connector: woocommerceStock,
  settings: (url) => manifest.settings.parse({ url }),
  credentials: { webhookSecrets: ['wc_test_0123456789abcdef'], ...KEYS },
  isWrite: ({ method }) => method === 'POST',
  keepsDates: true,
  start: async (nowMs, products) => {
    const groups = new Set(products.flatMap(({ variantOf }) => variantOf ?? []));
    const shop = await startFakeWooCommerce({
      currency: 'EUR',
      pricesIncludeTax: true,
      nowMs,
      ...KEYS,
      products: products.flatMap(({ sku, title, price, stock, variantOf }) => {
        const product = { sku, name: title, price, ...(stock !== undefined && { stock }) };
        const group = variantOf ?? (groups.has(sku) ? sku : undefined);
        if (!group) return [product];
        const parent = { sku: `${group}-all`, name: title, price: '', type: 'variable' } as const;
        const variation = { ...product, type: 'variation', parentSku: parent.sku } as const;
        return variantOf ? [variation] : [parent, variation];
      }),
    });
    const sale = (sku: string): string | undefined => {
      const { salePrice, saleFrom, saleTo } = shop.product(sku);
      const isOn =
        salePrice !== '' &&
        (saleFrom === '' || Date.parse(`${saleFrom}Z`) <= nowMs()) &&
        (saleTo === '' || nowMs() < Date.parse(`${saleTo}Z`));
      return isOn ? salePrice : undefined;
    };
    return {
      url: shop.url,
      server: shop.server,
      shown: (sku) => shop.product(sku).stock ?? Number.NaN,
      price: (sku) => {
        const reduced = sale(sku);
        return { price: shop.product(sku).price, ...(reduced !== undefined && { sale: reduced }) };
      },
      isHidden: (sku) => shop.product(sku).status !== 'publish',
      setShown: (sku, quantity) => shop.setStock(sku, quantity),
      remove: (sku) => shop.removeProduct(sku),
      stockWrites: () => shop.batches.length,
      stop: () => shop.stop(),
    };
  },
};
