import type { ReadableStorefront } from '../contract.ts';
import { type CustomStoreCredentials, type CustomStoreSettings, manifest } from './manifest.ts';
import { open } from './reads.ts';
import { receive } from './webhook.ts';

/**
 * Any 2xx is a success in Standard Webhooks, and anything else is sent again for days. A body that breaks the
 * contract stays broken when it is sent again: it is kept, acknowledged, and the reply says what is wrong.
 */
export const customStore: ReadableStorefront<CustomStoreSettings, CustomStoreCredentials> = {
  manifest,
  replies: { accepted: 202, ping: 200, ignored: 200, quarantined: 202 },
  receive,
  open,
};
