import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import type { OpenOptions, StorefrontReads } from '../contract.ts';
import { customStoreClient } from './client.ts';
import type { CustomStoreCredentials, CustomStoreSettings } from './manifest.ts';
import { normalise } from './normalise.ts';

/** Orders as the store offers them for reading, normalised like its webhooks. */
export const open = (options: OpenOptions<CustomStoreSettings, CustomStoreCredentials>): StorefrontReads => {
  const { connection, settings, nowMs } = options;
  return {
    order: async (id, call) => {
      const wire = await withFreshCredentials(options.credentials, (credentials) =>
        customStoreClient({ settings, credentials, nowMs }).order(id, call),
      );
      return wire && normalise(wire, { connection });
    },
  };
};
