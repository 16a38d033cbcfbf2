import type { StorefrontReads } from '../connectors/contract.ts';
import type { Publish } from '../events/catalogue.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderNotifiedV1 } from '../events/order-notified.ts';
import { CredentialsError, PermanentError } from './errors.ts';
import { givingUp, remember } from './give-up.ts';
import type { Clock } from './ports.ts';
import type { WorkContext } from './sqs-batch.ts';

export interface FetchOrderPorts {
  readonly reads: Pick<StorefrontReads, 'order'>;
  readonly publish: Publish;
  readonly nowMs: Clock;
  readonly newId: () => string;
  /** Multiplies waiting times; 1 in production. */
  readonly timeScale: number;
  /** When reading began, of the orders that this process published last. */
  readonly recent: Map<string, number>;
}

export type FetchOutcome =
  | { readonly kind: 'fetched'; readonly order: OrderChangedV1; readonly warnings: readonly string[] }
  | { readonly kind: 'skipped'; readonly reason: string; readonly why: string };

/**
 * Read one order at its storefront and publish it as it is now. A read changes nothing, so there is no ledger entry:
 * read twice, it is published twice, and consumers know the copy.
 * @throws PermanentError STOREFRONT_CREDENTIALS_MISSING, ORDER_UNREADABLE, RETRIES_EXHAUSTED: to be parked
 * @throws RetryableError the storefront did not answer, or the bus did not take it
 */
export const fetchOrder = async (
  ports: FetchOrderPorts,
  { meta, data }: Envelope<OrderNotifiedV1>,
  call: WorkContext,
): Promise<FetchOutcome> => {
  const { source, orderId } = data;
  // Lazada pushes once for every line of an order: what was read after they all had come says what they mean. Of two
  // copies that contradict each other either may have come last: these are always asked about.
  if (data.why !== 'same-version' && meta.receivedAtMs < (ports.recent.get(orderId) ?? 0)) {
    return { kind: 'skipped', reason: 'FETCHED_SINCE', why: 'read since this push came' };
  }
  // Before the request leaves: whatever changes from here on leads to another push.
  const fetchedAtMs = ports.nowMs();
  const fetched = await ports.reads.order(orderId, call).catch((error: unknown) => {
    throw asFailure(error, ports, {
      source,
      orderId,
      receivedAtMs: meta.receivedAtMs,
      receive: call.receive,
    });
  });
  if (!fetched) {
    return { kind: 'skipped', reason: 'ORDER_GONE', why: `${source} has no order ${orderId} (any more)` };
  }
  switch (fetched.kind) {
    case 'ignored':
      return {
        kind: 'skipped',
        reason: fetched.reason,
        why: 'not an order for us, as the storefront has it',
      };
    case 'unreadable':
      throw new PermanentError('ORDER_UNREADABLE', { source, orderId, problem: fetched.reason });
    case 'order':
      await ports.publish('order.changed.v1', {
        meta: { ...meta, id: ports.newId(), via: 'fetch', fetchedAtMs },
        data: fetched.order,
      });
      remember(ports.recent, orderId, fetchedAtMs);
      return { kind: 'fetched', order: fetched.order, warnings: fetched.warnings };
  }
};

const asFailure = (
  error: unknown,
  ports: FetchOrderPorts,
  about: { source: string; orderId: string; receivedAtMs: number; receive: number },
): unknown => {
  const { source, orderId, receivedAtMs, receive } = about;
  if (error instanceof CredentialsError && error.code === 'CREDENTIALS_MISSING') {
    return new PermanentError('STOREFRONT_CREDENTIALS_MISSING', { source, orderId }, { cause: error });
  }
  return givingUp(error, { receive, receivedAtMs }, ports);
};
