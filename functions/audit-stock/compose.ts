import { dynamoDb } from '../../shared/aws/clients.ts';
import { dynamoAuditReports } from '../../shared/aws/dynamo-audit-reports.ts';
import { dynamoMappings } from '../../shared/aws/dynamo-mappings.ts';
import { dynamoPrices } from '../../shared/aws/dynamo-prices.ts';
import { dynamoRateBudget } from '../../shared/aws/dynamo-rate-budget.ts';
import { dynamoStock } from '../../shared/aws/dynamo-stock.ts';
import { type AuditPorts, audit } from '../../shared/core/audit/audit.ts';
import { type AuditReport, reportOf } from '../../shared/core/audit/report.ts';
import { PermanentError, RetryableError } from '../../shared/core/errors.ts';
import { type Ran, scheduledRun } from '../../shared/core/scheduled-run.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { locationsOf } from '../../shared/settings/stock-route.ts';
import { Env } from './env.ts';
import { openErp, openShop } from './peers.ts';

/** In a log line. */
const MOST_SKUS = 20;

/** Wires one ERP and the shops of its route to the audit. Orders have checks of their own, every day. */
export const compose = (environment: NodeJS.ProcessEnv) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const erp = env[ENV.connection];
  const { erp: peer, shops, stock: route } = env[ENV.settings];
  const dynamo = dynamoDb();
  const { stock, products } = openErp({ id: erp, ...peer, nowMs });
  if (!stock) throw new TypeError(`${peer.connector} cannot tell its stock`);
  const ports: AuditPorts = {
    erp,
    route,
    stock,
    products,
    shops: new Map(
      Object.entries(shops).map(([id, each]) => [
        id,
        openShop(
          { id, ...each, nowMs },
          {
            locations: locationsOf(route, id),
            budget: dynamoRateBudget(dynamo, env[ENV.cursorsTable], id, nowMs),
          },
        ),
      ]),
    ),
    mappings: dynamoMappings(dynamo, env[ENV.mappingsTable], nowMs),
    known: {
      stock: dynamoStock(dynamo, env[ENV.stockTable]),
      prices: dynamoPrices(dynamo, env[ENV.stockTable]),
    },
    orders: [],
    nowMs,
  };
  const reports = dynamoAuditReports(dynamo, env[ENV.reportsTable]);
  return scheduledRun({
    what: 'audit-stock',
    connection: erp,
    ports: { line: wideEvents(nowMs), nowMs },
    work: async (call): Promise<Ran> => {
      const atMs = nowMs();
      const report = reportOf(erp, atMs, await audit(ports, { days: 0 }, call).catch(retried));
      await reports.put(report);
      return ranOf(report);
    },
  });
};

/** A run is never parked: what a person must mend in the ERP or the settings is tried again with the next one. */
const retried = (error: unknown): never => {
  if (!(error instanceof PermanentError)) throw error;
  const { reason, remedy } = error.text;
  throw new RetryableError(error.code, `${reason} ${remedy}`, {}, { cause: error });
};

const ranOf = ({ skus, causes, unexplained, differences }: AuditReport): Ran => ({
  line: {
    outcome: unexplained === 0 ? 'clean' : 'differs',
    looked: skus,
    found: Object.values(causes).reduce((sum, n) => sum + n, 0),
    unsure: unexplained,
    skus:
      unexplained === 0
        ? undefined
        : differences
            .slice(0, Math.min(unexplained, MOST_SKUS))
            .map(({ sku, kind, cause }) => `${sku} ${kind} ${cause}`),
  },
  metrics: [
    { name: METRICS.auditRuns, value: 1 },
    { name: METRICS.auditUnexplained, value: unexplained },
    ...Object.entries(causes).map(([reason, value]) => ({ name: METRICS.auditDifferences, value, reason })),
  ],
});
