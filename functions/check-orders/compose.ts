import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager } from '../../shared/aws/clients.ts';
import { dynamoJournalReads } from '../../shared/aws/dynamo-journal-reads.ts';
import { dynamoLedger } from '../../shared/aws/dynamo-ledger.ts';
import { dynamoLedgerRepairs } from '../../shared/aws/dynamo-ledger-repairs.ts';
import { dynamoTimelines } from '../../shared/aws/dynamo-timelines.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type { ErpConnector } from '../../shared/connectors/contract.ts';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { type CheckPorts, checkOrders, noteMissing, repairOrder } from '../../shared/core/check-orders.ts';
import { type CheckAnswer, CheckRequest, type RepairAnswer } from '../../shared/core/check-request.ts';
import { RetryableError } from '../../shared/core/errors.ts';
import { orderReference } from '../../shared/core/intent-key.ts';
import type { WrittenOrder } from '../../shared/core/ledger-repairs.ts';
import { type Ran, type RunContext, scheduledRun } from '../../shared/core/scheduled-run.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { type WideLine, wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

const DAY_MS = 24 * 60 * 60_000;
/** A backup is a day old, mostly; and a night in which the check failed must not matter. */
const DAYS = 3;

/** Wires one ERP connector to the ledger, the journal and the bus. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const destination = env[ENV.connection];
  const { connection, routes, fetchable } = env[ENV.settings];
  const { manifest } = connector;
  const dynamo = dynamoDb();
  const line = wideEvents(nowMs);
  const { orders: erp } = connector.open({
    connection: destination,
    settings: manifest.settings.parse(connection),
    credentials: secretReader(secretsManager(), env[ENV.secretId], manifest.credentials, nowMs),
    nowMs,
  });
  const ports: CheckPorts = {
    destination,
    routes,
    erp,
    ledger: dynamoLedger(dynamo, env[ENV.ledgerTable], nowMs),
    repairs: dynamoLedgerRepairs(dynamo, env[ENV.ledgerTable]),
    journal: dynamoJournalReads(dynamo, env[ENV.journalTable]),
    timeline: dynamoTimelines(dynamo, env[ENV.journalTable]),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    fetchable: new Set(fetchable),
    nowMs,
    newId: randomUUID,
    leaseMs: env[ENV.leaseMs] * env[ENV.timeScale],
  };
  return scheduledRun({
    what: 'check-orders',
    connection: destination,
    ports: { line, nowMs },
    work: async (call, about, event) => {
      const request = CheckRequest.safeParse(event).data;
      if (request?.action === 'repair') return repair(ports, request, call, about, line);
      const isByHand = request !== undefined;
      const sinceMs = request?.sinceMs ?? nowMs() - DAYS * DAY_MS;
      const beforeMs = request?.beforeMs ?? Number.POSITIVE_INFINITY;
      const endMs = Math.min(call.endMs, nowMs() + (request?.budgetMs ?? Number.POSITIVE_INFINITY));
      const { looked, missing, outdated, leftBeforeMs } = await checkOrders(
        ports,
        { sinceMs, beforeMs },
        { ...call, endMs },
      );
      for (const order of missing)
        line({ ...about, ...told(order), outcome: 'missing', code: 'MISSING_IN_ERP' });
      for (const order of outdated)
        line({ ...about, ...told(order), outcome: 'outdated', code: 'OUTDATED_IN_ERP' });
      const answer: CheckAnswer = {
        looked,
        missing: [...missing],
        outdated: [...outdated],
        ...(leftBeforeMs ? { leftBeforeMs } : {}),
      };
      const ran: Ran = {
        line: {
          outcome: leftBeforeMs === undefined ? 'done' : 'continues',
          looked,
          found: missing.length,
          readUpTo: leftBeforeMs === undefined ? undefined : new Date(leftBeforeMs).toISOString(),
        },
        answer,
      };
      // Looking by hand changes nothing, and is no sign that the schedule works.
      if (isByHand) return ran;
      await noteMissing(ports, { missing, outdated });
      const metrics: Ran['metrics'] = [
        { name: METRICS.checkRuns, value: 1 },
        { name: METRICS.ordersMissingInErp, value: missing.length },
      ];
      return { ...ran, metrics };
    },
  });
};

const repair = async (
  ports: CheckPorts,
  { orders, by, why }: Extract<CheckRequest, { action: 'repair' }>,
  call: RunContext,
  about: Pick<WideLine, 'what' | 'connection'>,
  line: ReturnType<typeof wideEvents>,
): Promise<Ran> => {
  const deeds: RepairAnswer['deeds'] = [];
  for (const order of orders) {
    const { source, orderId } = order;
    const done = await repairOrder(ports, order, { by, why }, call).then(
      (deed) => ({ deed }),
      (error: unknown) => {
        if (!(error instanceof RetryableError)) throw error;
        return { deed: 'failed' as const, code: error.code };
      },
    );
    deeds.push({ source, orderId, ...done });
    line({
      ...about,
      ...told(order),
      outcome: `repair-${done.deed}`,
      code: 'code' in done ? done.code : undefined,
    });
  }
  const answer: RepairAnswer = { deeds };
  const found = deeds.filter(({ deed }) => deed === 'sent').length;
  return { line: { outcome: 'repaired', looked: orders.length, found }, answer };
};

const told = ({ source, orderId, document }: WrittenOrder): Partial<WideLine> => ({
  source,
  correlationId: orderReference(source, orderId),
  orderId,
  documentId: document?.id,
  documentName: document?.name,
});
