import { readFirst, walkChanges } from '../../core/walk-changes.ts';
import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import type { ListedOrder, OpenOptions, StorefrontReads } from '../contract.ts';
import { normalised } from '../normalised.ts';
import { shopifyClient } from './client.ts';
import type { ShopifyCredentials, ShopifySettings } from './manifest.ts';
import { toOrder } from './orders.mapper.ts';

/** Orders as GraphQL tells them, normalised like webhooks. It tells more: transactions, holds and schedules. */
export const open = (options: OpenOptions<ShopifySettings, ShopifyCredentials>): StorefrontReads => {
  const { connection, settings, nowMs } = options;
  const reads: StorefrontReads = {
    // Nothing has changed since now: the shortest list.
    test: (call) => readFirst(reads.changed({ fromMs: nowMs(), untilMs: nowMs() + 1 }, call)),
    order: async (id, call) => {
      const found = await withFreshCredentials(options.credentials, (credentials) =>
        shopifyClient({ settings, credentials, nowMs }).order(id, call),
      );
      return found && normalised(() => toOrder(found.order, { connection, settings }));
    },
    // Ids only: a whole order costs 560 points and more, and of most in the list we know this very version.
    changed: (window, call) =>
      walkChanges(window, async (fromMs, cursor: string | undefined) => {
        const { orders, nextCursor } = await withFreshCredentials(options.credentials, (credentials) =>
          shopifyClient({ settings, credentials, nowMs }).ordersUpdatedSince(fromMs, cursor, call),
        );
        return {
          rows: orders.map(({ id, updatedAtMs }): ListedOrder => ({ id, changedAtMs: updatedAtMs })),
          next: nextCursor,
        };
      }),
  };
  return reads;
};
