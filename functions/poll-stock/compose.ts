import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager } from '../../shared/aws/clients.ts';
import { dynamoCursors } from '../../shared/aws/dynamo-cursors.ts';
import { dynamoPollStates } from '../../shared/aws/dynamo-poll-states.ts';
import { dynamoStock } from '../../shared/aws/dynamo-stock.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type { ErpConnector } from '../../shared/connectors/contract.ts';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { PermanentError, RetryableError } from '../../shared/core/errors.ts';
import { pollProducts } from '../../shared/core/products/poll-products.ts';
import { type Ran, scheduledRun } from '../../shared/core/scheduled-run.ts';
import { type PolledStock, pollStock } from '../../shared/core/stock/poll-stock.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** Transactions of an ERP are committed within that time, and carry the time of their beginning. */
const OVERLAP_MS = 10 * 60_000;
/** What polls of changes miss, for whatever reason, is put right once a day. */
const ALL_EVERY_MS = 24 * 60 * 60_000;
/** In a log line. */
const MOST_SKUS = 20;

/** By hand: `{"all": true}` reads a complete listing. The schedule's own event says nothing. */
const Request = z.object({ all: z.boolean().optional() }).catch({});

/** Wires one ERP's stock and products to their cursors and the bus. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const erp = env[ENV.connection];
  const { connection, stock: route } = env[ENV.settings];
  const { manifest } = connector;
  const timeScale = env[ENV.timeScale];
  const leaseMs = env[ENV.leaseMs] * timeScale;
  const dynamo = dynamoDb();
  const line = wideEvents(nowMs);
  const { stock, products } = connector.open({
    connection: erp,
    settings: manifest.settings.parse(connection),
    credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
    nowMs,
  });
  if (!stock) throw new TypeError(`${manifest.name} cannot tell its stock`);
  const ports = {
    erp,
    route,
    stock,
    store: dynamoStock(dynamo, env[ENV.stockTable]),
    states: dynamoPollStates(dynamo, env[ENV.stockTable]),
    cursors: dynamoCursors(dynamo, env[ENV.cursorsTable], nowMs),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    nowMs,
    newId: randomUUID,
    leaseMs,
    overlapMs: OVERLAP_MS * timeScale,
    allEveryMs: ALL_EVERY_MS,
  };
  return scheduledRun({
    what: 'poll-stock',
    connection: erp,
    ports: { line, nowMs },
    leaseMs,
    work: async (call, _, event: unknown) => {
      const request = Request.parse(event ?? {});
      const polled = await pollStock(ports, { all: request.all ?? false }, call).catch(retried);
      const told =
        route.prices && products && polled.kind !== 'held'
          ? await pollProducts({ ...ports, products, clock: stock.clock?.bind(stock) }, call, {
              isComplete: request.all ?? false,
            }).catch(retried)
          : undefined;
      return report(polled, told?.told);
    },
  });
};

/** A run is never parked: what a person must mend in the ERP or the settings is tried again with the next one. */
const retried = (error: unknown): never => {
  if (!(error instanceof PermanentError)) throw error;
  const { reason, remedy } = error.text;
  throw new RetryableError(error.code, `${reason} ${remedy}`, {}, { cause: error });
};

const report = (polled: PolledStock, products: number | undefined): Ran => {
  switch (polled.kind) {
    case 'busy':
      return { line: { outcome: 'busy', code: 'BUSY' } };
    case 'held': {
      const { code, counts, sample, detail } = polled.held;
      return {
        line: {
          outcome: 'held',
          code,
          reason: detail,
          looked: counts.looked,
          found: counts.changed,
          skus: sample,
        },
        metrics: [
          { name: METRICS.stockPolls, value: 1 },
          { name: METRICS.stockHeld, value: 1 },
        ],
        answer: { outcome: 'held', held: polled.held },
      };
    }
    default: {
      const { counts, published, ambiguous, atMs, kind } = polled;
      return {
        line: {
          outcome: kind,
          looked: counts.looked,
          found: published,
          same: counts.looked - counts.changed,
          written: products,
          skus:
            ambiguous.length === 0
              ? undefined
              : ambiguous.slice(0, MOST_SKUS).map((sku) => `${sku} AMBIGUOUS`),
          readUpTo: new Date(atMs).toISOString(),
        },
        metrics: [
          { name: METRICS.stockPolls, value: 1 },
          { name: METRICS.stockHeld, value: 0 },
        ],
      };
    }
  }
};
