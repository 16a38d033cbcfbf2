import { randomUUID } from 'node:crypto';
import { dynamoDb, eventBridge, sqs } from '../../shared/aws/clients.ts';
import { dynamoMappings } from '../../shared/aws/dynamo-mappings.ts';
import { dynamoParked } from '../../shared/aws/dynamo-parked.ts';
import { dynamoStock } from '../../shared/aws/dynamo-stock.ts';
import { dynamoWatermarks } from '../../shared/aws/dynamo-watermarks.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { sqsQueues } from '../../shared/aws/sqs-queues.ts';
import { sqsGroup } from '../../shared/core/sqs-group.ts';
import type { LowStock } from '../../shared/core/stock/low-stock.ts';
import { projectStock } from '../../shared/core/stock/project-stock.ts';
import { ENV, METRICS, queueId } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** In a log line. */
const MOST_SKUS = 20;

const lowWords = ({ sku, available, daysOfCover }: LowStock): string =>
  `${sku} LOW ${available}${daysOfCover === undefined ? '' : `, ${daysOfCover} days`}`;

/** Wires the sums of one ERP's stock to their queue and tables. Nothing outside AWS is asked. */
export const compose = (environment: NodeJS.ProcessEnv) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const erp = env[ENV.connection];
  const { stock: route, orders: orderRoutes } = env[ENV.settings];
  const dynamo = dynamoDb();
  const ports = {
    erp,
    route,
    orderRoutes,
    store: dynamoStock(dynamo, env[ENV.stockTable]),
    mappings: dynamoMappings(dynamo, env[ENV.mappingsTable], nowMs),
    watermarks: dynamoWatermarks(dynamo, env[ENV.cursorsTable]),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    nowMs,
    newId: randomUUID,
  };
  return sqsGroup({
    what: 'project-stock',
    connection: erp,
    queue: queueId(erp, 'stock'),
    events: ['stock.changed.v1', 'order.settled.v1', 'order.changed.v1'],
    ports: {
      ...sqsQueues(
        sqs(),
        { queue: env[ENV.queueUrl], parked: env[ENV.parkedQueueUrl] },
        dynamoParked(dynamo, env[ENV.parkedTable]),
      ),
      line: wideEvents(nowMs),
      nowMs,
      timeScale: env[ENV.timeScale],
    },
    work: async (news) => {
      const { rows, due, low } = await projectStock(ports, news);
      return {
        line: {
          outcome: 'projected',
          looked: rows,
          due,
          skus: low.length === 0 ? undefined : low.slice(0, MOST_SKUS).map(lowWords),
        },
        metrics: low.length === 0 ? [] : [{ name: METRICS.lowStock, value: low.length }],
      };
    },
  });
};
