import type { ReadableStorefront } from '../contract.ts';
import { manifest, type ShopifyCredentials, type ShopifySettings } from './manifest.ts';
import { open } from './reads.ts';
import { receive } from './webhook.ts';

/**
 * Any 2xx within five seconds counts as delivered; anything else is sent again, eight times in four hours, and after
 * eight failures in a row a subscription that was made through the API is deleted (shopify.dev, Webhooks).
 */
export const shopify: ReadableStorefront<ShopifySettings, ShopifyCredentials> = {
  manifest,
  replies: { accepted: 200, ping: 200, ignored: 200, quarantined: 200 },
  receive,
  open,
};
