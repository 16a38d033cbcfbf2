import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager } from '../../shared/aws/clients.ts';
import { dynamoCursors } from '../../shared/aws/dynamo-cursors.ts';
import { dynamoJournalReads } from '../../shared/aws/dynamo-journal-reads.ts';
import { dynamoWatermarks } from '../../shared/aws/dynamo-watermarks.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type { ReadableStorefront } from '../../shared/connectors/contract.ts';
import type { StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { orderReference } from '../../shared/core/intent-key.ts';
import { type ReconcileOutcome, reconcileOrders } from '../../shared/core/reconcile.ts';
import { type Ran, scheduledRun } from '../../shared/core/scheduled-run.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** Database transactions and caches of shops are done within that time, and so is the recorder. */
const OVERLAP_MS = 10 * 60_000;
/** WooCommerce sends when WP-Cron runs, which is a matter of minutes in a quiet shop. */
const IN_FLIGHT_MS = 5 * 60_000;

/** Wires one storefront connector to its cursor, the journal, its secret and the bus. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: ReadableStorefront<z.output<S>, z.output<C>> & { readonly manifest: StorefrontManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const source = env[ENV.connection];
  const timeScale = env[ENV.timeScale];
  const { connection, destinations, startAt } = env[ENV.settings];
  const { manifest } = connector;
  const dynamo = dynamoDb();
  const line = wideEvents(nowMs);
  const leaseMs = env[ENV.leaseMs] * timeScale;
  const watermarks = dynamoWatermarks(dynamo, env[ENV.cursorsTable]);
  const ports = {
    source,
    destinations,
    startMs: Date.parse(startAt),
    reads: connector.open({
      connection: source,
      settings: manifest.settings.parse(connection),
      credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
      nowMs,
    }),
    cursors: dynamoCursors(dynamo, env[ENV.cursorsTable], nowMs),
    journal: dynamoJournalReads(dynamo, env[ENV.journalTable]),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    nowMs,
    newId: randomUUID,
    leaseMs,
    overlapMs: OVERLAP_MS * timeScale,
    inFlightMs: IN_FLIGHT_MS * timeScale,
  };
  return scheduledRun({
    what: 'reconcile-orders',
    connection: source,
    ports: { line, nowMs },
    leaseMs,
    work: async (call, about) => {
      const outcome = await reconcileOrders(
        {
          ...ports,
          onFound: ({ id: orderId, fetched }) => {
            const order = fetched?.kind === 'order' ? fetched.order : undefined;
            line({
              ...about,
              source,
              correlationId: orderReference(source, orderId),
              orderId,
              orderNumber: order?.orderNumber,
              sourceVersion: order?.sourceVersion,
              outcome: 'found',
              // Read by its id, and published by who reads it.
              code: order ? undefined : 'LISTED',
            });
          },
        },
        call,
      );
      // Stock that may have been sold unseen is free when all sales of that time are known.
      if (outcome.kind === 'done') await watermarks.read(source, outcome.untilMs);
      return report(outcome);
    },
  });
};

const report = (outcome: ReconcileOutcome): Ran => {
  if (outcome.kind === 'busy') return { line: { outcome: 'busy', code: 'BUSY' } };
  const { kind, listed, found, unsure, atMs } = outcome;
  return {
    line: {
      outcome: kind,
      looked: listed,
      found,
      unsure: unsure === 0 ? undefined : unsure,
      readUpTo: atMs === undefined ? undefined : new Date(atMs).toISOString(),
    },
    metrics: [
      { name: METRICS.reconciliationRuns, value: 1 },
      { name: METRICS.ordersFoundByReconciliation, value: found },
    ],
  };
};
