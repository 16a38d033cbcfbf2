import type { ReadableStorefront } from '../contract.ts';
import { manifest, type WooCommerceCredentials, type WooCommerceSettings } from './manifest.ts';
import { open } from './reads.ts';
import { receive } from './webhook.ts';

/**
 * WooCommerce counts 200 to 302 as delivered and repeats nothing else; after more than five failures in a row
 * it disables the webhook. A ping must be answered with exactly 200 (class-wc-webhook.php).
 */
export const woocommerce: ReadableStorefront<WooCommerceSettings, WooCommerceCredentials> = {
  manifest,
  replies: { accepted: 200, ping: 200, ignored: 200, quarantined: 200 },
  receive,
  open,
};
