import type { StockConnector } from '../contract.ts';
import { customStoreListings, stockSession } from './listings.ts';
import { type CustomStoreCredentials, type CustomStoreSettings, manifest } from './manifest.ts';
import { setStock, writePrices } from './set-stock.ts';

/** Stock and prices of a custom store, by our own contract: stock.schema.json. */
export const customStoreStock: StockConnector<CustomStoreSettings, CustomStoreCredentials> = {
  manifest,
  openStock: (options) => {
    const session = stockSession(options);
    return {
      ...customStoreListings(session),
      write: (writes, call) => setStock(session, writes, call),
      writePrices: (writes, call) => writePrices(session, writes, call),
    };
  },
};
