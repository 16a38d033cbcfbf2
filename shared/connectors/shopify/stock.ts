import type { StockConnector } from '../contract.ts';
import { shopifyListings } from './listings.ts';
import { manifest, type ShopifyCredentials, type ShopifySettings } from './manifest.ts';
import { createDraft, writePrices } from './prices.ts';
import { setStock } from './set-stock.ts';
import { stockSession } from './stock-session.ts';

/** Stock and prices of a Shopify shop: its GraphQL Admin API, at the speed of its cost bucket. */
export const shopifyStock: StockConnector<ShopifySettings, ShopifyCredentials> = {
  manifest,
  openStock: (options) => {
    const session = stockSession(options);
    const { listings, find } = shopifyListings(session);
    return {
      listings,
      find,
      write: (writes, call) => setStock(session, writes, call),
      writePrices: (writes, call) => writePrices(session, writes, call),
      createDraft: async (product, call) => {
        const [known] = await find([product.sku], call);
        return known ?? createDraft(session, product, await session.facts(call), call);
      },
    };
  },
};
