import { createHmac } from 'node:crypto';
import { PUSH, startFakeMarketplace } from '../../fakes/marketplace.ts';
import { marketplace } from '../marketplace/connector.ts';
import type { MarketplaceCredentials, MarketplaceSettings } from '../marketplace/manifest.ts';
import type { StorefrontTestbed } from '../storefront.suite.ts';

export const HOOK = 'https://hooks.acme.example/webhooks/acme-shop';
export const SHOP = { partnerId: 2_001_887, shopId: 123_456_789 };
export const KEYS = { partnerKey: '4d5a6b7c8d9e0f1a2b3c4d5e6f708192', accessToken: 'tok0123456789abcdef' };
export const PRODUCTS = [
  { modelSku: 'TEA-OOL-150', name: '高山烏龍茶 Oolong 150g', price: 450, discounted: 420, stock: 50 },
  { modelSku: 'MUG-TH-01', name: 'แก้วเซรามิก “Siam”', price: 150, stock: 5, promotionStock: 3 },
];

const push = (code: number, data: object, more: object = {}): string =>
  JSON.stringify({ data, shop_id: SHOP.shopId, code, timestamp: 1_767_578_646, ...more });
const order = { items: [], ordersn: '260105ABCD1234', status: 'READY_TO_SHIP', update_time: 1_767_578_645 };

export const marketplaceTestbed: StorefrontTestbed<MarketplaceSettings, MarketplaceCredentials> = {
  connector: marketplace,
  settings: (url) => ({ url, ...SHOP, includedTax: { title: '營業稅', percent: '5' } }),
  secrets: ['push-key-0123456789', 'another-push-key-0123456789'],
  credentials: ({ secrets, reading }) => ({ webhookSecrets: secrets, ...(reading && KEYS) }),
  push: (body, secret) => ({
    method: 'POST',
    url: HOOK,
    headers: {
      authorization: createHmac('sha256', secret).update(`${HOOK}|`).update(body).digest('hex'),
    },
    body: Buffer.from(body),
  }),
  signatureHeader: 'authorization',
  longWindows: true,
  samples: [
    { name: 'an order changed', body: push(PUSH.orderStatus, order), becomes: 'notified' },
    { name: 'a tracking number', body: push(PUSH.trackingNumber, order), becomes: 'notified' },
    { name: 'a promotion', body: push(PUSH.promotion, { item_id: 1 }), becomes: 'ignored' },
    { name: 'another shop', body: push(PUSH.orderStatus, order, { shop_id: 1 }), becomes: 'ignored' },
    {
      name: 'the shop was authorised',
      body: push(PUSH.shopAuthorised, {}, { shop_id: undefined }),
      becomes: 'ignored',
    },
  ],
  start: async (nowMs) => {
    const shop = await startFakeMarketplace({ ...SHOP, ...KEYS, nowMs, products: PRODUCTS });
    return {
      url: shop.url,
      server: shop.server,
      placeOrder: async () =>
        shop.placeOrder({
          lines: [
            { modelSku: 'TEA-OOL-150', quantity: 3 },
            { modelSku: 'MUG-TH-01', quantity: 1 },
          ],
          platformVoucher: 100,
        }).order_sn,
      changeOrder: async (id) => void shop.complete(id),
      unknownId: '260105ZZZZ9999',
      subscribe: async (url, secret) => shop.subscribe(url, secret),
      settled: () => shop.settled(),
      stop: () => shop.stop(),
    };
  },
};
