import { randomUUID } from 'node:crypto';
import { dynamoDb, eventBridge } from '../../shared/aws/clients.ts';
import { dynamoTimelines } from '../../shared/aws/dynamo-timelines.ts';
import { dynamoUnfinished } from '../../shared/aws/dynamo-unfinished.ts';
import { dynamoWaitingOrders } from '../../shared/aws/dynamo-waiting-orders.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { orderReference } from '../../shared/core/intent-key.ts';
import { scheduledRun } from '../../shared/core/scheduled-run.ts';
import { sweepOrders } from '../../shared/core/sweep.ts';
import { ENV, JOURNAL, METRICS } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** Publishes again what is unfinished for so long that queues forget it. */
export const compose = (environment: NodeJS.ProcessEnv) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const line = wideEvents(nowMs);
  const dynamo = dynamoDb();
  const ports = {
    ...env[ENV.settings],
    unfinished: dynamoUnfinished(dynamo, env[ENV.journalTable]),
    parked: dynamoWaitingOrders(dynamo, env[ENV.parkedTable]),
    timeline: dynamoTimelines(dynamo, env[ENV.journalTable]),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    nowMs,
    newId: randomUUID,
  };
  return scheduledRun({
    what: 'sweep-orders',
    connection: JOURNAL,
    ports: { line, nowMs },
    work: async (call, about) => {
      const { kind, looked, published, parked } = await sweepOrders(
        {
          ...ports,
          onSwept: (connection, source, orderId) => {
            const correlationId = orderReference(source, orderId);
            line({ ...about, connection, source, correlationId, orderId, outcome: 'swept' });
          },
        },
        call,
      );
      return {
        line: { outcome: kind, looked, found: published, left: parked },
        metrics: [
          { name: METRICS.sweepRuns, value: 1 },
          { name: METRICS.ordersSwept, value: published },
        ],
      };
    },
  });
};
