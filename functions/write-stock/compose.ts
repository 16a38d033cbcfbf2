import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager, sqs } from '../../shared/aws/clients.ts';
import { dynamoParked } from '../../shared/aws/dynamo-parked.ts';
import { dynamoPrices } from '../../shared/aws/dynamo-prices.ts';
import { dynamoRateBudget } from '../../shared/aws/dynamo-rate-budget.ts';
import { dynamoStock } from '../../shared/aws/dynamo-stock.ts';
import { dynamoWatermarks } from '../../shared/aws/dynamo-watermarks.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import { sqsQueues } from '../../shared/aws/sqs-queues.ts';
import type { StockConnector } from '../../shared/connectors/contract.ts';
import type { StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { BusyError } from '../../shared/core/errors.ts';
import { type WroteProducts, writeProducts } from '../../shared/core/products/write-products.ts';
import { sqsGroup } from '../../shared/core/sqs-group.ts';

import { type WroteStock, writeStock } from '../../shared/core/stock/write-stock.ts';
import { ENV, METRICS, queueId } from '../../shared/observability/names.ts';
import { type Metric, type WideLine, wideEvents } from '../../shared/observability/wide-event.ts';
import { locationsOf } from '../../shared/settings/stock-route.ts';
import { Env } from './env.ts';

/** An unanswered write lands within that time, or never. */
const SETTLE_MS = 60_000;
/** Shops answer within seconds; what was begun longer ago is left to be looked up. */
const SEND_WITHIN_MS = 30_000;
/** In a log line. */
const MOST_SKUS = 20;

/** Wires one storefront's stock and prices to their queue, tables and secret. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: StockConnector<z.output<S>, z.output<C>> & { readonly manifest: StorefrontManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const shop = env[ENV.connection];
  const { connection, stock: route } = env[ENV.settings];
  const { manifest } = connector;
  if (!manifest.stock) throw new TypeError(`${manifest.name} says of itself that stock cannot be set there`);
  const timeScale = env[ENV.timeScale];
  const dynamo = dynamoDb();
  const line = wideEvents(nowMs);
  const store = dynamoStock(dynamo, env[ENV.stockTable]);
  const stock = connector.openStock({
    connection: shop,
    settings: manifest.settings.parse(connection),
    credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
    locations: locationsOf(route, shop),
    budget: dynamoRateBudget(dynamo, env[ENV.cursorsTable], shop, nowMs),
    nowMs,
  });
  const ports = {
    erp: route.from,
    shop,
    route,
    compare: manifest.stock.compare,
    stock,
    store,
    watermarks: dynamoWatermarks(dynamo, env[ENV.cursorsTable]),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    settleMs: SETTLE_MS * timeScale,
    sendWithinMs: SEND_WITHIN_MS * timeScale,
    nowMs,
    newId: randomUUID,
  };
  const products = {
    shop,
    route,
    stock: store,
    prices: dynamoPrices(dynamo, env[ENV.stockTable]),
    storefront: stock,
    nowMs,
  };
  const pricesOf = route.prices?.shops ?? route.to;
  const takesPrices = route.prices !== undefined && route.mode === 'live' && pricesOf.includes(shop);
  return sqsGroup({
    what: 'write-stock',
    connection: shop,
    queue: queueId(shop, 'stock'),
    events: ['stock.due.v1', 'product.changed.v1'],
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
    work: async (told, call) => {
      const due = told.flatMap(({ name, event }) => (name === 'stock.due.v1' ? event.data.listings : []));
      const oldestMs = Math.min(...told.map(({ event }) => event.meta.receivedAtMs));
      const wrote = due.length === 0 ? undefined : await writeStock(ports, due, call);
      const read = told.flatMap(({ name, event }) =>
        name === 'product.changed.v1'
          ? event.data.products.map((product) => ({
              product: { ...product, price: product.price },
              asOfMs: event.data.asOfMs,
            }))
          : [],
      );
      const priced = takesPrices && read.length > 0 ? await writeProducts(products, read, call) : undefined;
      const result = report(wrote, priced, nowMs() - oldestMs);
      if (wrote?.againMs === undefined) return result;
      // What was done is said now; the messages come back for the rest.
      line({ what: 'write-stock', connection: shop, ...result.line, outcome: 'continues' }, result.metrics);
      throw wrote.failure ?? new BusyError(`stock of ${shop}`, nowMs() + wrote.againMs);
    },
  });
};

const report = (
  wrote: WroteStock | undefined,
  priced: WroteProducts | undefined,
  lagMs: number,
): { line: Partial<WideLine>; metrics: readonly Metric[] } => {
  const refused = [...(wrote?.refused ?? []), ...(priced?.refused ?? [])].map(
    ({ sku, code }) => `${sku} ${code}`,
  );
  const count = (name: Metric['name'], value = 0): Metric[] => (value === 0 ? [] : [{ name, value }]);
  const byCode = (name: Metric['name'], all: readonly { readonly code: string }[] = []): Metric[] =>
    [...Map.groupBy(all, ({ code }) => code)].map(([reason, { length }]) => ({
      name,
      value: length,
      reason,
    }));
  return {
    line: {
      outcome: 'written',
      written: (wrote?.written ?? 0) + (priced?.written ?? 0),
      same: (wrote?.fine ?? 0) + (priced?.same ?? 0),
      stale: wrote?.stale || undefined,
      unanswered: wrote?.unknown || undefined,
      held: priced?.held || undefined,
      due: wrote?.due || undefined,
      skus: refused.length === 0 ? undefined : refused.slice(0, MOST_SKUS),
    },
    metrics: [
      ...count(METRICS.stockWritten, wrote?.written),
      ...count(METRICS.stockStale, wrote?.stale),
      ...byCode(METRICS.stockRefused, wrote?.refused),
      ...(wrote && wrote.written > 0
        ? [{ name: METRICS.stockLagMs, value: lagMs, unit: 'Milliseconds' } as const]
        : []),
      ...count(METRICS.pricesWritten, priced?.written),
      ...count(METRICS.pricesHeld, priced?.held),
      ...byCode(METRICS.pricesRefused, priced?.refused),
      ...count(METRICS.skusUnknown, priced?.unknown.length),
    ],
  };
};
