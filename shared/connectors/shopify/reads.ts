import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import type { OpenOptions, StorefrontReads } from '../contract.ts';
import { shopifyClient } from './client.ts';
import type { ShopifyCredentials, ShopifySettings } from './manifest.ts';
import { normalise } from './normalise.ts';

/** Orders as GraphQL tells them, normalised like webhooks. It tells more: transactions, holds and schedules. */
export const open = (options: OpenOptions<ShopifySettings, ShopifyCredentials>): StorefrontReads => {
  const { connection, settings, nowMs } = options;
  return {
    order: async (id, call) => {
      const found = await withFreshCredentials(options.credentials, (credentials) =>
        shopifyClient({ settings, credentials, nowMs }).order(id, call),
      );
      return found && normalise(found.order, { connection, settings });
    },
  };
};
