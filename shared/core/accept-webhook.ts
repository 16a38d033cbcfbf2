import type {
  Delivery,
  ReceiveContext,
  Received,
  ReceivedPayment,
  ReplyTable,
  SignatureProblem,
} from '../connectors/contract.ts';
import type { Manifest } from '../connectors/manifest.ts';
import type { Publish } from '../events/catalogue.ts';
import type { Meta } from '../events/envelope.ts';
import { METRICS } from '../observability/names.ts';
import type { WideLine, WriteLine } from '../observability/wide-event.ts';
import { orderReference } from './intent-key.ts';
import type { Clock } from './ports.ts';

export interface QuarantinedDelivery {
  readonly connection: string;
  readonly connector: string;
  readonly reason: string;
  readonly receivedAtMs: number;
  readonly method: string;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The raw bytes, base64. */
  readonly body: string;
}

/** Whoever sends us webhooks: a storefront, or a payment provider. */
export interface WebhookSender<S, C> {
  readonly manifest: Manifest;
  readonly replies: ReplyTable;
  /** @throws RangeError no usable secret */
  receive(delivery: Delivery, context: ReceiveContext<S, C>): Received | ReceivedPayment;
}

export interface AcceptWebhookPorts<S, C> {
  readonly connector: WebhookSender<S, C>;
  /** Reads the secret (cached); a failure is answered 503, so that the storefront sends again. */
  readonly context: () => Promise<ReceiveContext<S, C>>;
  readonly publish: Publish;
  readonly quarantine: (delivery: QuarantinedDelivery) => Promise<void>;
  readonly line: WriteLine;
  readonly nowMs: Clock;
  readonly newId: () => string;
  readonly maxBodyBytes: number;
  readonly connection: string;
  /** How it came here. Default: from the storefront. */
  readonly via?: 'webhook' | 'replay';
}

export interface Reply {
  readonly statusCode: number;
  /** For the person who reads the storefront's delivery log; undefined: the platform wants none. */
  readonly body: { readonly status: string; readonly reason?: string } | undefined;
}

/**
 * Take one webhook. A reply of success means that it is stored: on the bus, in quarantine, or counted as
 * nothing for us. Anything that kept us from storing it is a 503, so that the storefront may send it again.
 */
export const acceptWebhook = async <S, C>(
  ports: AcceptWebhookPorts<S, C>,
  delivery: Delivery,
): Promise<Reply> => {
  const startedMs = ports.nowMs();
  const { replies, manifest } = ports.connector;
  const say = (
    statusCode: number,
    status: string,
    more: Partial<WideLine>,
    metric?: (typeof METRICS)[keyof typeof METRICS],
  ): Reply => {
    ports.line(
      {
        what: 'ingest-webhook',
        connection: ports.connection,
        outcome: status,
        status: statusCode,
        bytes: delivery.body.length,
        totalMs: ports.nowMs() - startedMs,
        ...more,
      },
      metric ? [{ name: metric, value: 1, ...(more.code ? { reason: more.code } : {}) }] : [],
    );
    const isBare = replies.withoutBody === true && statusCode < 300;
    return {
      statusCode,
      body: isBare ? undefined : { status, ...(more.reason ? { reason: more.reason } : {}) },
    };
  };

  const metaOf = (correlationId: string, deliveryId: string | undefined): Meta => ({
    id: ports.newId(),
    connection: ports.connection,
    correlationId,
    receivedAtMs: startedMs,
    deliveryId,
    via: ports.via ?? 'webhook',
  });

  if (delivery.body.length > ports.maxBodyBytes) {
    return say(
      413,
      'rejected',
      { code: 'BODY_TOO_LARGE', reason: `larger than ${ports.maxBodyBytes} bytes` },
      METRICS.webhooksRejected,
    );
  }
  try {
    const received = ports.connector.receive(delivery, await ports.context());
    switch (received.kind) {
      case 'rejected':
        return say(
          401,
          'rejected',
          { code: received.reason, reason: refusal(received.reason) },
          METRICS.webhooksRejected,
        );
      case 'ping':
        return say(replies.ping, 'pong', { code: 'PING' });
      case 'ignored':
        return say(
          replies.ignored,
          'ignored',
          { code: received.reason, reason: received.reason },
          METRICS.webhooksIgnored,
        );
      case 'unreadable':
        await ports.quarantine({
          connection: ports.connection,
          connector: manifest.name,
          reason: received.reason,
          receivedAtMs: startedMs,
          method: delivery.method,
          url: delivery.url,
          headers: withoutSecrets(delivery.headers),
          body: Buffer.from(delivery.body).toString('base64'),
        });
        return say(
          replies.quarantined,
          'quarantined',
          { code: 'NOT_UNDERSTOOD', reason: received.reason },
          METRICS.webhooksQuarantined,
        );
      case 'order': {
        const { order, warnings, deliveryId } = received;
        const correlationId = orderReference(order.source, order.orderId);
        await ports.publish('order.changed.v1', { meta: metaOf(correlationId, deliveryId), data: order });
        const { orderId, orderNumber, sourceVersion } = order;
        return say(
          replies.accepted,
          'accepted',
          {
            source: order.source,
            correlationId,
            orderId,
            orderNumber,
            sourceVersion,
            warnings: warnings.length ? warnings : undefined,
          },
          METRICS.webhooksAccepted,
        );
      }
      case 'notified': {
        const { orderId, deliveryId } = received;
        const source = ports.connection;
        const correlationId = orderReference(source, orderId);
        await ports.publish('order.notified.v1', {
          meta: metaOf(correlationId, deliveryId),
          data: { source, orderId, why: 'push' },
        });
        return say(
          replies.accepted,
          'notified',
          { source, correlationId, orderId },
          METRICS.webhooksAccepted,
        );
      }
      case 'payment': {
        const { paymentId, why, deliveryId } = received;
        const source = ports.connection;
        const correlationId = orderReference(source, paymentId);
        await ports.publish('payment.notified.v1', {
          meta: metaOf(correlationId, deliveryId),
          data: { source, paymentId, why },
        });
        return say(replies.accepted, 'notified', { source, correlationId }, METRICS.webhooksAccepted);
      }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.name : 'unknown';
    return say(503, 'unavailable', { code: 'NOT_STORED', reason: `not stored (${reason}); send it again` });
  }
};

const refusal = (problem: SignatureProblem): string =>
  problem === 'TIMESTAMP_OUT_OF_TOLERANCE'
    ? "the timestamp is too far from now: sign every attempt anew, and check the sender's clock"
    : 'the signature does not match';

/** Headers help to understand a strange delivery; credentials among them do not. */
const withoutSecrets = (headers: Delivery['headers']): Delivery['headers'] =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/authorization|cookie|api-?key|token|secret/i.test(name)),
  );
