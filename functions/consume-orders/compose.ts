import type * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager, sqs } from '../../shared/aws/clients.ts';
import { dynamoBindings } from '../../shared/aws/dynamo-bindings.ts';
import { dynamoConnectionFailures } from '../../shared/aws/dynamo-connection-failures.ts';
import { dynamoJournal } from '../../shared/aws/dynamo-journal.ts';
import { dynamoLedger } from '../../shared/aws/dynamo-ledger.ts';
import { dynamoMappings } from '../../shared/aws/dynamo-mappings.ts';
import { dynamoParked } from '../../shared/aws/dynamo-parked.ts';
import { dynamoPaymentFacts } from '../../shared/aws/dynamo-payment-facts.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import { sqsQueues } from '../../shared/aws/sqs-queues.ts';
import type { ErpConnector } from '../../shared/connectors/contract.ts';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { noticingFailures } from '../../shared/core/control-connection.ts';
import type { PushOrderPorts } from '../../shared/core/order-ports.ts';
import { settledOf } from '../../shared/core/order-settled.ts';
import { type PushOutcome, pushOrder } from '../../shared/core/push-order.ts';
import { sqsBatch, type WorkResult } from '../../shared/core/sqs-batch.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { type Metric, wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** The longest a write takes from here to the peer; added to the time the peer takes to settle. */
const SEND_MS = 5_000;

/** Waiting can be scaled down, computing cannot: on a laptop a record may still take this long. */
const LEAST_WORK_MS = 5_000;

/** Wires one ERP connector to its queue, tables and secret. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const destination = env[ENV.connection];
  const { connection, routes, fetchable, providers, tellsStock } = env[ENV.settings];
  const publish = publisher(eventBridge(), env[ENV.eventBus]);
  const timeScale = env[ENV.timeScale];
  const unscaledSettleMs = connector.manifest.settleMs + SEND_MS;
  const settleMs = unscaledSettleMs * timeScale;
  const workMs = env[ENV.leaseMs] - unscaledSettleMs;
  const recordMs = Math.max(workMs * timeScale, Math.min(workMs, LEAST_WORK_MS));
  const dynamo = dynamoDb();
  const paymentsTable = env[ENV.paymentsTable];
  const facts = paymentsTable === undefined ? undefined : dynamoPaymentFacts(dynamo, paymentsTable, nowMs);
  const { orders: erp } = connector.open({
    connection: destination,
    settings: connector.manifest.settings.parse(connection),
    credentials: secretReader(secretsManager(), env[ENV.secretId], connector.manifest.credentials, nowMs),
    nowMs,
  });
  const ports: PushOrderPorts = {
    destination,
    routes,
    erp,
    nowMs,
    leaseMs: recordMs + settleMs,
    settleMs,
    timeScale,
    ledger: dynamoLedger(dynamo, env[ENV.ledgerTable], nowMs),
    bindings: dynamoBindings(dynamo, env[ENV.bindingsTable]),
    journal: dynamoJournal(dynamo, env[ENV.journalTable]),
    mappings: dynamoMappings(dynamo, env[ENV.mappingsTable], nowMs),
    refetch: {
      sources: new Set(fetchable),
      notify: (event) => publish('order.notified.v1', event),
    },
    paymentFacts: async (order) => (await facts?.of(providers[order.source] ?? [], destination, order)) ?? [],
  };
  const noticing = noticingFailures({
    connection: destination,
    failures: dynamoConnectionFailures(dynamo, env[ENV.connectionsTable]),
    nowMs,
  });
  return sqsBatch({
    what: 'consume-orders',
    connection: destination,
    event: 'order.changed.v1',
    ports: {
      ...sqsQueues(
        sqs(),
        { queue: env[ENV.queueUrl], parked: env[ENV.parkedQueueUrl] },
        dynamoParked(dynamo, env[ENV.parkedTable]),
      ),
      line: wideEvents(nowMs),
      nowMs,
      timeScale,
      // One record never works past the point where its lease could end under an unanswered write.
      recordMs,
    },
    work: async (event, call) => {
      const { isUrgent } = call;
      const outcome = await noticing(() => pushOrder({ ...ports, isUrgent }, event, call));
      // Published again by whoever finds the order already done, when this fails.
      const settled = tellsStock ? settledOf(destination, event, outcome, nowMs()) : undefined;
      if (settled) await publish('order.settled.v1', settled);
      return report(outcome, event, nowMs());
    },
  });
};

const report = (outcome: PushOutcome, event: Envelope<OrderChangedV1>, nowMs: number): WorkResult => {
  const count = (name: Metric['name'], reason?: string): Metric => ({
    name,
    value: 1,
    ...(reason ? { reason } : {}),
  });
  switch (outcome.kind) {
    case 'skipped': {
      const { id, name } = outcome.document ?? {};
      return {
        line: {
          outcome: 'skipped',
          code: outcome.reason,
          reason: outcome.why,
          documentId: id,
          documentName: name,
        },
        metrics: [count(METRICS.ordersSkipped, outcome.reason)],
      };
    }
    case 'shadow':
      return { line: { outcome: 'shadow', warnings: outcome.warnings } };
    default: {
      const { document, attempt, level, warnings, roundingMinor, kind } = outcome;
      const metrics: Metric[] = [
        count(kind === 'recovered' ? METRICS.ordersRecovered : METRICS.ordersWritten),
        // What outlasted its queue, or was repaired, says nothing about how fast orders flow.
        ...(event.meta.via === 'replay'
          ? []
          : [
              {
                name: METRICS.webhookToErpMs,
                value: nowMs - event.meta.receivedAtMs,
                unit: 'Milliseconds',
              } as const,
            ]),
        ...(roundingMinor === 0 ? [] : [count(METRICS.roundingBooked)]),
      ];
      return {
        line: {
          outcome: kind,
          documentId: document.id,
          documentName: document.name,
          documentUrl: document.url,
          level,
          done: outcome.done,
          attempt,
          warnings: warnings.length > 0 ? warnings : undefined,
        },
        metrics,
      };
    }
  }
};
