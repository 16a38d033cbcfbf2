import {
  type CustomStoreCredentials,
  type CustomStoreSettings,
  manifest,
} from '../../../shared/connectors/custom-store/manifest.ts';
import { customStoreStock } from '../../../shared/connectors/custom-store/stock.ts';
import { startFakeCustomStore } from '../../fakes/custom-store.ts';
import type { StockTestbed } from '../storefront-stock.suite.ts';

const TOKEN = 'token_conformance_0123456789';

export const customStoreStockTestbed: StockTestbed<CustomStoreSettings, CustomStoreCredentials> = {
  connector: customStoreStock,
  settings: (url) => manifest.settings.parse({ url }),
  credentials: {
    webhookSecrets: [`whsec_${Buffer.alloc(24, 7).toString('base64')}`],
    apiToken: TOKEN,
  },
  isWrite: ({ method }) => method === 'POST',
  keepsDates: true,
  start: async (nowMs, products) => {
    const store = await startFakeCustomStore({
      currency: 'EUR',
      pricesIncludeTax: true,
      apiToken: TOKEN,
      nowMs,
      products,
    });
    return {
      url: store.url,
      server: store.server,
      shown: (sku) => store.listing(sku).quantity ?? Number.NaN,
      price: (sku) => {
        const { price, salePrice, saleFrom, saleUntil } = store.listing(sku);
        const isOn =
          salePrice !== null &&
          (saleFrom === null || Date.parse(saleFrom) <= nowMs()) &&
          (saleUntil === null || nowMs() < Date.parse(saleUntil));
        return { price, ...(isOn && { sale: salePrice }) };
      },
      isHidden: (sku) => store.listing(sku).status === 'hidden',
      setShown: (sku, quantity) => {
        store.listing(sku).quantity = quantity;
      },
      remove: (sku) => store.removeListing(sku),
      stockWrites: () => store.writes.filter(({ path }) => path === '/stock').length,
      stop: () => store.stop(),
    };
  },
};
