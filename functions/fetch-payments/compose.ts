import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager, sqs } from '../../shared/aws/clients.ts';
import { dynamoJournal } from '../../shared/aws/dynamo-journal.ts';
import { dynamoJournalReads } from '../../shared/aws/dynamo-journal-reads.ts';
import { dynamoParked } from '../../shared/aws/dynamo-parked.ts';
import { dynamoPaymentRecords } from '../../shared/aws/dynamo-payment-facts.ts';
import { dynamoTimelines } from '../../shared/aws/dynamo-timelines.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import { sqsQueues } from '../../shared/aws/sqs-queues.ts';
import type { PaymentsConnector } from '../../shared/connectors/contract.ts';
import type { PaymentsManifest } from '../../shared/connectors/manifest.ts';
import { type FetchPaymentOutcome, fetchPayment } from '../../shared/core/fetch-payment.ts';
import { orderReference } from '../../shared/core/intent-key.ts';
import type { PaidOrder } from '../../shared/core/payment-facts.ts';
import { sqsBatch, type WorkResult } from '../../shared/core/sqs-batch.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** Wires one provider's connector to its queue of ids, its secret, the table of payments, the journal and the bus. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: PaymentsConnector<z.output<S>, z.output<C>> & { readonly manifest: PaymentsManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const connection = env[ENV.connection];
  const timeScale = env[ENV.timeScale];
  const { manifest } = connector;
  const line = wideEvents(nowMs);
  const dynamo = dynamoDb();
  const journalTable = env[ENV.journalTable];
  const { settled } = dynamoJournal(dynamo, journalTable);
  const { snapshot } = dynamoJournalReads(dynamo, journalTable);
  const ports = {
    reads: connector.open({
      connection,
      settings: manifest.settings.parse(env[ENV.settings]),
      credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
      nowMs,
    }),
    facts: dynamoPaymentRecords(dynamo, env[ENV.paymentsTable], nowMs),
    journal: { settled, snapshot },
    timeline: dynamoTimelines(dynamo, journalTable),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    newId: randomUUID,
    nowMs,
    timeScale,
    recent: new Map<string, number>(),
    onPublished: ({ source, orderId }: Pick<PaidOrder, 'source' | 'orderId'>) => {
      const correlationId = orderReference(source, orderId);
      line({ what: 'fetch-payments', connection, source, correlationId, orderId, outcome: 'told' });
    },
  };
  return sqsBatch({
    what: 'fetch-payments',
    connection,
    event: 'payment.notified.v1',
    ports: {
      ...sqsQueues(
        sqs(),
        { queue: env[ENV.queueUrl], parked: env[ENV.parkedQueueUrl] },
        dynamoParked(dynamo, env[ENV.parkedTable]),
      ),
      line,
      nowMs,
      timeScale,
    },
    work: async (event, call) => report(await fetchPayment(ports, event, call), event.data.why),
  });
};

const report = (outcome: FetchPaymentOutcome, why: 'push' | 'dispute'): WorkResult => {
  if (outcome.kind === 'skipped') {
    return { line: { outcome: 'skipped', code: outcome.reason, reason: outcome.why } };
  }
  const { orders, warnings } = outcome;
  return {
    line: {
      outcome: 'fetched',
      found: orders.length,
      ...(why === 'dispute' && { code: 'DISPUTED' }),
      warnings: warnings.length > 0 ? warnings : undefined,
    },
    metrics: [
      { name: METRICS.paymentsFetched, value: 1 },
      ...(why === 'dispute' ? [{ name: METRICS.paymentsDisputed, value: 1 }] : []),
    ],
  };
};
