import { dynamoDb, sqs } from '../../shared/aws/clients.ts';
import { dynamoJournal } from '../../shared/aws/dynamo-journal.ts';
import { dynamoParked } from '../../shared/aws/dynamo-parked.ts';
import { sqsQueues } from '../../shared/aws/sqs-queues.ts';
import { sqsBatch } from '../../shared/core/sqs-batch.ts';
import { ENV, JOURNAL } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env } from './env.ts';

/** Keeps the newest snapshot of every order, per destination, until it is done: queues forget, the journal does not. */
export const compose = (environment: NodeJS.ProcessEnv) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const dynamo = dynamoDb();
  const journal = dynamoJournal(dynamo, env[ENV.journalTable]);
  const { routes } = env[ENV.settings];
  return sqsBatch({
    what: 'record-orders',
    connection: JOURNAL,
    event: 'order.changed.v1',
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
    work: async (event) => {
      const step = { atMs: event.meta.receivedAtMs, code: 'RECEIVED', text: `by ${event.meta.via}` };
      for (const destination of routes[event.meta.connection] ?? [])
        await journal.record(destination, event, step);
      return { line: { outcome: 'recorded' } };
    },
  });
};
