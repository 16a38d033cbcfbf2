import type { StockConnector } from '../contract.ts';
import { stockSession, wooCommerceListings } from './listings.ts';
import { manifest, type WooCommerceCredentials, type WooCommerceSettings } from './manifest.ts';
import { createDraft, writePrices } from './prices.ts';
import { setStock } from './set-stock.ts';
import { testOrders } from './test-orders.ts';

/** Stock and prices of a WooCommerce shop: its REST API, batch by batch, one request at a time. */
export const woocommerceStock: StockConnector<WooCommerceSettings, WooCommerceCredentials> = {
  manifest,
  openStock: (options) => {
    const session = stockSession(options);
    const { listings, find } = wooCommerceListings(session);
    return {
      listings,
      find,
      write: (writes, call) => setStock(session, writes, call),
      writePrices: (writes, call) => writePrices(session, writes, call),
      createDraft: async (product, call) => {
        const [known] = await find([product.sku], call);
        return known ?? createDraft(session, product, call);
      },
      testOrders: testOrders(session),
    };
  },
};
