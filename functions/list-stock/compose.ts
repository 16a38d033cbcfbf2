import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager } from '../../shared/aws/clients.ts';
import { dynamoCursors } from '../../shared/aws/dynamo-cursors.ts';
import { dynamoMappings } from '../../shared/aws/dynamo-mappings.ts';
import { dynamoRateBudget } from '../../shared/aws/dynamo-rate-budget.ts';
import { dynamoStock } from '../../shared/aws/dynamo-stock.ts';
import { dynamoWatermarks } from '../../shared/aws/dynamo-watermarks.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type { StockConnector } from '../../shared/connectors/contract.ts';
import type { StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { intentKey } from '../../shared/core/intent-key.ts';
import { type Ran, scheduledRun } from '../../shared/core/scheduled-run.ts';
import { type LearnedListings, learnListings } from '../../shared/core/stock/learn-listings.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { locationsOf } from '../../shared/settings/stock-route.ts';
import { Env } from './env.ts';

/** Wires what one storefront sells to the stock table. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: StockConnector<z.output<S>, z.output<C>> & { readonly manifest: StorefrontManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const shop = env[ENV.connection];
  const { connection, stock: route } = env[ENV.settings];
  const { manifest } = connector;
  const dynamo = dynamoDb();
  const line = wideEvents(nowMs);
  const leaseMs = env[ENV.leaseMs] * env[ENV.timeScale];
  const cursors = dynamoCursors(dynamo, env[ENV.cursorsTable], nowMs);
  const ports = {
    erp: route.from,
    shop,
    route,
    stock: connector.openStock({
      connection: shop,
      settings: manifest.settings.parse(connection),
      credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
      locations: locationsOf(route, shop),
      budget: dynamoRateBudget(dynamo, env[ENV.cursorsTable], shop, nowMs),
      nowMs,
    }),
    store: dynamoStock(dynamo, env[ENV.stockTable]),
    mappings: dynamoMappings(dynamo, env[ENV.mappingsTable], nowMs),
    watermarks: dynamoWatermarks(dynamo, env[ENV.cursorsTable]),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    nowMs,
    newId: randomUUID,
  };
  const name = intentKey('listings', shop, '*', 'list');
  return scheduledRun({
    what: 'list-stock',
    connection: shop,
    ports: { line, nowMs },
    leaseMs,
    work: async (call): Promise<Ran> => {
      const claim = await cursors.claim(name, leaseMs);
      if (claim.kind === 'busy') return { line: { outcome: 'busy', code: 'BUSY' } };
      try {
        return report(await learnListings(ports, call));
      } finally {
        // A lost release only makes the next run wait for the lease.
        await cursors.release(name, claim.turn).catch(() => undefined);
      }
    },
  });
};

const report = ({ listed, managed, refused, gone, isShrunken, due }: LearnedListings): Ran => ({
  line: {
    outcome: isShrunken ? 'shrunken' : 'listed',
    looked: listed,
    same: managed,
    left: gone,
    due,
    warnings: Object.entries(refused).map(([code, count]) => `${count} ${code}`),
  },
  metrics: [
    ...(isShrunken ? [] : [{ name: METRICS.listingRuns, value: 1 }]),
    ...Object.entries(refused).map(([reason, value]) => ({ name: METRICS.stockRefused, value, reason })),
  ],
});
