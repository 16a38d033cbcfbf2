import type * as z from 'zod';
import { dynamoDb, secretsManager } from '../../shared/aws/clients.ts';
import { dynamoShadowOrders } from '../../shared/aws/dynamo-shadow-orders.ts';
import { dynamoShadowReports } from '../../shared/aws/dynamo-shadow-reports.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type { ErpConnector } from '../../shared/connectors/contract.ts';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { type Ran, scheduledRun } from '../../shared/core/scheduled-run.ts';
import { reportShadow, type ShadowReport } from '../../shared/core/shadow-report.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { type WideLine, wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** A consumer may live for a minute after it has decided, and DynamoDB tells a moment later. */
const MARGIN_MS = 5 * 60_000;

/** Wires one ERP connector to what shadow mode has recorded, and to the reports about it. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const { connection, routes } = env[ENV.settings];
  const { manifest } = connector;
  const dynamo = dynamoDb();
  const line = wideEvents(nowMs);
  const { orders: erp } = connector.open({
    connection: env[ENV.connection],
    settings: manifest.settings.parse(connection),
    credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
    nowMs,
  });
  const ports = {
    erp,
    journal: dynamoShadowOrders(dynamo, env[ENV.journalTable]),
    reports: dynamoShadowReports(dynamo, env[ENV.reportsTable]),
    nowMs,
    marginMs: MARGIN_MS * env[ENV.timeScale],
  };
  return scheduledRun({
    what: 'report-shadow',
    connection: env[ENV.connection],
    ports: { line, nowMs },
    work: async (call, about) => {
      const reports: ShadowReport[] = [];
      for (const route of routes) {
        const report = await reportShadow({ ...ports, route }, call);
        if (report) reports.push(report);
        line({
          ...about,
          source: route.from,
          ...(report ? lineOf(report) : { outcome: 'busy', code: 'BUSY' }),
        });
      }
      return ranOf(reports);
    },
  });
};

const lineOf = ({ counts, isReady, again }: ShadowReport): Partial<WideLine> => ({
  outcome: isReady ? 'ready' : 'not-ready',
  looked: Object.values(counts).reduce((sum, n) => sum + n, 0),
  found: counts.identical ?? 0,
  unsure: (counts.missing ?? 0) + (counts.ambiguous ?? 0),
  left: again.length,
});

const ranOf = (reports: readonly ShadowReport[]): Ran => {
  const sum = (outcome: keyof ShadowReport['counts']) =>
    reports.reduce((all, { counts }) => all + (counts[outcome] ?? 0), 0);
  return {
    line: { outcome: 'done', looked: reports.length },
    metrics: [
      { name: METRICS.shadowRuns, value: 1 },
      { name: METRICS.shadowIdentical, value: sum('identical') },
      { name: METRICS.shadowDifferent, value: sum('different') },
      { name: METRICS.shadowUnmapped, value: sum('unmappable') },
    ],
    answer: {
      outcome: 'done',
      routes: reports.map(({ from, counts, isReady }) => ({ from, counts, isReady })),
    },
  };
};
