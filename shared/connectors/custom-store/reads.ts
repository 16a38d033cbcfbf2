import { readFirst, walkChanges } from '../../core/walk-changes.ts';
import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import type { Fetched, ListedOrder, OpenOptions, StorefrontReads } from '../contract.ts';
import { normalised } from '../normalised.ts';
import { type CustomStoreClient, customStoreClient, type OrderRead } from './client.ts';
import type { CustomStoreCredentials, CustomStoreSettings } from './manifest.ts';
import { toOrder } from './orders.mapper.ts';

/** Orders as the store offers them for reading, normalised like its webhooks. */
export const open = (options: OpenOptions<CustomStoreSettings, CustomStoreCredentials>): StorefrontReads => {
  const { connection, settings, nowMs } = options;
  const ask = <T>(work: (client: CustomStoreClient) => Promise<T>): Promise<T> =>
    withFreshCredentials(options.credentials, (credentials) =>
      work(customStoreClient({ settings, credentials, nowMs })),
    );
  const fetched = (told: OrderRead): Fetched =>
    told.kind === 'order' ? normalised(() => toOrder(told.order, { connection })) : told;
  const reads: StorefrontReads = {
    // Nothing has changed since now: the shortest list.
    test: (call) => readFirst(reads.changed({ fromMs: nowMs(), untilMs: nowMs() + 1 }, call)),
    order: async (id, call) => {
      const told = await ask((client) => client.order(id, call));
      return told && fetched(told);
    },
    changed: (window, call) =>
      walkChanges(window, async (fromMs, cursor: string | undefined) => {
        const { orders, nextCursor } = await ask((client) => client.changedSince(fromMs, cursor, call));
        // One that breaks the contract stands where the one before it does.
        let lastMs = fromMs;
        const rows = orders.map((told): ListedOrder => {
          if (told.kind === 'order') lastMs = Date.parse(told.order.updatedAt);
          const id = told.kind === 'order' ? told.order.id : (told.id ?? WITHOUT_ID);
          return { id, changedAtMs: lastMs, fetched: fetched(told) };
        });
        return { rows, next: nextCursor };
      }),
    clock: (call) => ask((client) => client.clock(call)),
  };
  return reads;
};

/** Nothing has it, so that asking for it finds nothing. */
const WITHOUT_ID = '(without id)';
