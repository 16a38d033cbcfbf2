import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import type { OpenOptions, StorefrontReads } from '../contract.ts';
import { wooCommerceClient } from './client.ts';
import type { WooCommerceCredentials, WooCommerceSettings } from './manifest.ts';
import { normalise } from './normalise.ts';

/** Orders as the shop's REST API has them, normalised like its webhooks. */
export const open = (options: OpenOptions<WooCommerceSettings, WooCommerceCredentials>): StorefrontReads => {
  const { connection, settings, nowMs } = options;
  return {
    order: async (id, call) => {
      const wire = await withFreshCredentials(options.credentials, (credentials) =>
        wooCommerceClient({ settings, credentials, nowMs }).order(id, call),
      );
      return wire && normalise(wire, { connection, settings });
    },
  };
};
