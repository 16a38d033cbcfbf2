import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager, sqs } from '../../shared/aws/clients.ts';
import { dynamoParked } from '../../shared/aws/dynamo-parked.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import { sqsQueues } from '../../shared/aws/sqs-queues.ts';
import type { ReadableStorefront } from '../../shared/connectors/contract.ts';
import type { StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { type FetchOutcome, fetchOrder } from '../../shared/core/fetch-order.ts';
import { sqsBatch, type WorkResult } from '../../shared/core/sqs-batch.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** Wires one storefront connector to its queue of ids, its secret and the bus. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: ReadableStorefront<z.output<S>, z.output<C>> & { readonly manifest: StorefrontManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const connection = env[ENV.connection];
  const timeScale = env[ENV.timeScale];
  const { manifest } = connector;
  const ports = {
    reads: connector.open({
      connection,
      settings: manifest.settings.parse(env[ENV.settings]),
      credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
      nowMs,
    }),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    newId: randomUUID,
    nowMs,
    timeScale,
    recent: new Map<string, number>(),
  };
  return sqsBatch({
    what: 'fetch-orders',
    connection,
    event: 'order.notified.v1',
    ports: {
      ...sqsQueues(
        sqs(),
        { queue: env[ENV.queueUrl], parked: env[ENV.parkedQueueUrl] },
        dynamoParked(dynamoDb(), env[ENV.parkedTable]),
      ),
      line: wideEvents(nowMs),
      nowMs,
      timeScale,
    },
    work: async (event, call) => report(await fetchOrder(ports, event, call)),
  });
};

const report = (outcome: FetchOutcome): WorkResult => {
  if (outcome.kind === 'skipped') {
    return {
      line: { outcome: 'skipped', code: outcome.reason, reason: outcome.why },
      metrics: [{ name: METRICS.ordersSkipped, value: 1, reason: outcome.reason }],
    };
  }
  const { order, warnings } = outcome;
  return {
    line: {
      outcome: 'fetched',
      orderNumber: order.orderNumber,
      sourceVersion: order.sourceVersion,
      warnings: warnings.length > 0 ? warnings : undefined,
    },
    metrics: [{ name: METRICS.ordersFetched, value: 1 }],
  };
};
