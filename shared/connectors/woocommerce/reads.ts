import { RetryableError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import { readFirst, walkChanges } from '../../core/walk-changes.ts';
import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import { firstProblem } from '../../http/json.ts';
import type { Fetched, ListedOrder, OpenOptions, StorefrontReads } from '../contract.ts';
import { type OrderCursor, type WooCommerceClient, wooCommerceClient } from './client.ts';
import type { WooCommerceCredentials, WooCommerceSettings } from './manifest.ts';
import { normalise } from './normalise.ts';
import { changedAtMs } from './orders.mapper.ts';
import { WcListed, WcOrder } from './wire.ts';

/** Orders as the shop's REST API has them, normalised like its webhooks. */
export const open = (options: OpenOptions<WooCommerceSettings, WooCommerceCredentials>): StorefrontReads => {
  const { connection, settings, nowMs } = options;
  const { host } = new URL(settings.url);
  const ask = <T>(work: (client: WooCommerceClient) => Promise<T>): Promise<T> =>
    withFreshCredentials(options.credentials, (credentials) =>
      work(wooCommerceClient({ settings, credentials, nowMs })),
    );
  const told = (order: unknown): Fetched => {
    const { success, data, error } = WcOrder.safeParse(order);
    return success ? normalise(data, { connection, settings }) : unreadable(firstProblem(error));
  };
  /**
   * A refund never changes, so whatever is known of those that the order names belongs to the order as it was read. One
   * that was made since is the next version's; one that was deleted since leaves no order that could be stated.
   */
  const refundsOf = async ({ id, refunds }: WcOrder, call: CallContext) => {
    if (refunds.length === 0) return undefined;
    const details = await ask((client) => client.refunds(id, call));
    const isWhole = refunds.every((refund) => details?.some((each) => each.id === refund.id));
    if (isWhole) return details;
    throw new RetryableError(
      'CHANGED_WHILE_READ',
      `${host}: a refund of the order vanished while it was read`,
    );
  };
  const reads: StorefrontReads = {
    // Nothing has changed since now: the shortest list.
    test: (call) => readFirst(reads.changed({ fromMs: nowMs(), untilMs: nowMs() + 1 }, call)),
    order: async (id, call) => {
      const wire = await ask((client) => client.order(id, call));
      return wire && normalise(wire, { connection, settings, refunds: await refundsOf(wire, call) });
    },
    changed: (window, call) =>
      walkChanges(window, async (fromMs, cursor: OrderCursor | undefined) => {
        const { orders, next } = await ask((client) => client.changedOrders(fromMs, cursor, call));
        // One without a date stands where the one before it does.
        let lastMs = fromMs;
        const rows = orders.map((order): ListedOrder => {
          const listed = WcListed.safeParse(order);
          if (!listed.success) {
            throw new RetryableError('ANSWER_NOT_UNDERSTOOD', `${host}: ${firstProblem(listed.error)}`);
          }
          lastMs = changedAtMs(listed.data) ?? lastMs;
          const fetched = told(order);
          // A list names refunds and not what they are for: read by its id, the order says it.
          const isWhole = fetched.kind !== 'order' || fetched.order.refunds.length === 0;
          return { id: listed.data.id, changedAtMs: lastMs, ...(isWhole && { fetched }) };
        });
        return { rows, next };
      }),
    clock: (call) => ask((client) => client.clock(call)),
  };
  return reads;
};

const unreadable = (reason: string) => ({ kind: 'unreadable', reason }) as const;
