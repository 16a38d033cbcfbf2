import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import type { OpenOptions, StorefrontReads } from '../contract.ts';
import { normalised } from '../normalised.ts';
import { customStoreClient } from './client.ts';
import type { CustomStoreCredentials, CustomStoreSettings } from './manifest.ts';
import { toOrder } from './orders.mapper.ts';

/** Orders as the store offers them for reading, normalised like its webhooks. */
export const open = (options: OpenOptions<CustomStoreSettings, CustomStoreCredentials>): StorefrontReads => {
  const { connection, settings, nowMs } = options;
  return {
    order: async (id, call) => {
      const told = await withFreshCredentials(options.credentials, (credentials) =>
        customStoreClient({ settings, credentials, nowMs }).order(id, call),
      );
      return told?.kind === 'order' ? normalised(() => toOrder(told.order, { connection })) : told;
    },
  };
};
