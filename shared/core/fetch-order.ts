import type { StorefrontReads } from '../connectors/contract.ts';
import type { Publish } from '../events/catalogue.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderNotifiedV1 } from '../events/order-notified.ts';
import { CredentialsError, describeError, PermanentError, RetryableError } from './errors.ts';
import { MAX_ATTEMPTS } from './once.ts';
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

/** A thousand orders: pushes for one order that come together are meant, not those of a day. */
const MOST_RECENT = 1_000;

export type FetchOutcome =
  | { readonly kind: 'fetched'; readonly order: OrderChangedV1; readonly warnings: readonly string[] }
  | { readonly kind: 'skipped'; readonly reason: string; readonly why: string };

/**
 * With the delays of `backoff.ts`, eight attempts take about two and a half hours. Receives alone would not do: a
 * message that is never begun, because its neighbours use up the time, is received at once again.
 */
const GIVE_UP_MS = 2 * 60 * 60_000;

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

const remember = (recent: Map<string, number>, orderId: string, atMs: number): void => {
  recent.delete(orderId);
  recent.set(orderId, atMs);
  const [oldest] = recent.keys();
  if (oldest !== undefined && recent.size > MOST_RECENT) recent.delete(oldest);
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
  const isOld = ports.nowMs() - receivedAtMs >= GIVE_UP_MS * ports.timeScale;
  if (receive < MAX_ATTEMPTS || !isOld) return error;
  const status = error instanceof RetryableError ? error.context['status'] : undefined;
  return new PermanentError(
    'RETRIES_EXHAUSTED',
    {
      attempts: receive,
      lastCode: error instanceof RetryableError ? error.code : 'UNFORESEEN',
      lastReason: describeError(error),
      ...(typeof status === 'number' && { lastStatus: status }),
    },
    { cause: error },
  );
};
