import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { dynamoDb, eventBridge, secretsManager, sqs } from '../../shared/aws/clients.ts';
import { dynamoMappings } from '../../shared/aws/dynamo-mappings.ts';
import { dynamoParked } from '../../shared/aws/dynamo-parked.ts';
import { dynamoPollStates } from '../../shared/aws/dynamo-poll-states.ts';
import { dynamoStock } from '../../shared/aws/dynamo-stock.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import { sqsQueues } from '../../shared/aws/sqs-queues.ts';
import type { ErpConnector } from '../../shared/connectors/contract.ts';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { sqsGroup } from '../../shared/core/sqs-group.ts';
import { readStock } from '../../shared/core/stock/read-stock.ts';
import { ENV, queueId } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** Wires one ERP's stock, read again about orders that it has just taken, to its queue and the bus. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const erp = env[ENV.connection];
  const { connection, stock: route } = env[ENV.settings];
  const { manifest } = connector;
  const dynamo = dynamoDb();
  const { stock } = connector.open({
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
    mappings: dynamoMappings(dynamo, env[ENV.mappingsTable], nowMs),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    nowMs,
    newId: randomUUID,
  };
  return sqsGroup({
    what: 'read-stock',
    connection: erp,
    queue: queueId(erp, 'stock-read'),
    events: ['order.settled.v1'],
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
    work: async (told, call) => {
      const settled = told.map(({ event }) => event.data);
      const { looked, published } = await readStock(ports, settled, call);
      return { line: { outcome: 'read', looked, found: published } };
    },
  });
};
