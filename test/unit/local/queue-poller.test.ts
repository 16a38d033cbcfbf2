import { afterEach, describe, expect, it, vi } from 'vitest';
import type { InvocationResult } from '../../../infra/local/function-host.ts';
import type { MappingPlan } from '../../../infra/local/plan.ts';
import { failedMessages, startQueuePoller, toSqsEvent } from '../../../infra/local/queue-poller.ts';
import { startQueues } from '../../../infra/local/queues.ts';

const ARN = 'arn:aws:sqs:eu-west-1:000000000000:q';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

// "Implementing partial batch responses" in the Lambda developer guide.
describe('partial batch responses', () => {
  it.each([
    ['nothing', null, []],
    ['an empty object', {}, []],
    ['a list that is null', { batchItemFailures: null }, []],
    ['an empty list', { batchItemFailures: [] }, []],
    ['one id', { batchItemFailures: [{ itemIdentifier: 'b' }] }, ['b']],
    ['all ids', { batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }] }, ['a', 'b']],
    ['an empty id', { batchItemFailures: [{ itemIdentifier: '' }] }, ['a', 'b']],
    ['an id that is null', { batchItemFailures: [{ itemIdentifier: null }] }, ['a', 'b']],
    ['another key', { batchItemFailures: [{ messageId: 'a' }] }, ['a', 'b']],
    ['an id of another batch', { batchItemFailures: [{ itemIdentifier: 'z' }] }, ['a', 'b']],
    ['a list that is none', { batchItemFailures: 'a' }, ['a', 'b']],
    ['a text', 'ok', ['a', 'b']],
  ])('%s', (_name, response, expected) => {
    expect([...failedMessages(JSON.stringify(response), ['a', 'b'])]).toEqual(expected);
  });
});

it('makes the records that Lambda makes', () => {
  const message = {
    ...{ messageId: 'm', receiptHandle: 'r', body: 'hello', md5OfBody: '5d41402abc4b2a76b9719d911017c592' },
    messageAttributes: { code: { DataType: 'String', StringValue: 'MAPPING' } },
    ...{ sentAtMs: 1, firstReceivedAtMs: 2, receiveCount: 3, messageGroupId: 'g' },
  };
  expect(toSqsEvent([message], ARN, 'eu-west-1')).toEqual({
    Records: [
      {
        messageId: 'm',
        receiptHandle: 'r',
        body: 'hello',
        attributes: {
          ApproximateReceiveCount: '3',
          SentTimestamp: '1',
          SenderId: '000000000000',
          ApproximateFirstReceiveTimestamp: '2',
          MessageGroupId: 'g',
        },
        messageAttributes: {
          code: { stringValue: 'MAPPING', stringListValues: [], binaryListValues: [], dataType: 'String' },
        },
        md5OfBody: '5d41402abc4b2a76b9719d911017c592',
        eventSource: 'aws:sqs',
        eventSourceARN: ARN,
        awsRegion: 'eu-west-1',
      },
    ],
  });
});

describe('the poller', () => {
  type Work = (bodies: string[], ids: string[]) => Promise<unknown> | unknown;
  const start = async (
    work: Work,
    mapping: Partial<MappingPlan> = {},
    enabled = true,
    redeliver?: () => boolean,
  ) => {
    const queues = await startQueues({ region: 'eu-west-1', front: false });
    queues.create([{ name: 'q', arn: ARN, url: 'q', attributes: { VisibilityTimeout: '1' } }]);
    const batches: string[][] = [];
    const invoke = async (_name: string, event: string): Promise<InvocationResult> => {
      const { Records } = JSON.parse(event) as { Records: { body: string; messageId: string }[] };
      const bodies = Records.map(({ body }) => body);
      batches.push(bodies);
      try {
        const payload = JSON.stringify(
          (await work(
            bodies,
            Records.map(({ messageId }) => messageId),
          )) ?? null,
        );
        return { ok: true, requestId: 'x', payload };
      } catch (error) {
        return { ok: false, requestId: 'x', error: { errorType: 'Error', errorMessage: String(error) } };
      }
    };
    const poller = startQueuePoller({
      mapping: {
        ...{ id: 'm', arn: 'm', queueArn: ARN, functionName: 'fn', batchSize: 10, windowS: 0 },
        ...{ reportsItemFailures: true, concurrency: 2, enabled: true },
        ...mapping,
      },
      ...{ region: 'eu-west-1', queues, invoke, enabled },
      ...(redeliver ? { redeliver } : {}),
    });
    cleanups.push(queues.stop, () => poller.stop());
    const send = (...bodies: string[]) => {
      for (const body of bodies) queues.send(ARN, body);
    };
    return { queues, poller, batches, send };
  };

  it('deletes what succeeded and gives the rest again', async () => {
    const { batches, send, queues } = await start((bodies, ids) => ({
      batchItemFailures:
        batches.length === 1
          ? ids.filter((_id, at) => bodies[at] === 'b').map((itemIdentifier) => ({ itemIdentifier }))
          : [],
    }));
    send('a', 'b', 'c');
    await vi.waitFor(() => expect(batches).toEqual([['a', 'b', 'c'], ['b']]), 10_000);
    expect(await queues.receive(ARN, 10, 0)).toEqual([]);
  });

  it.each([true, false])(
    'deletes nothing when the function fails (reports single failures: %s)',
    async (reports) => {
      let fails = true;
      const { batches, send } = await start(
        () => {
          if (fails) throw new Error('down');
        },
        { reportsItemFailures: reports },
      );
      send('a');
      await vi.waitFor(() => expect(batches).toEqual([['a']]), 10_000);
      fails = false;
      await vi.waitFor(() => expect(batches).toEqual([['a'], ['a']]), 10_000);
    },
  );

  it('deletes all when the function does not report failures one by one', async () => {
    const { batches, send, queues } = await start(() => ({ batchItemFailures: [{ itemIdentifier: 'x' }] }), {
      reportsItemFailures: false,
    });
    send('a');
    await vi.waitFor(() => expect(batches).toEqual([['a']]), 10_000);
    await vi.waitFor(async () => expect(await queues.receive(ARN, 10, 1.2)).toEqual([]), 10_000);
    expect(batches).toHaveLength(1);
  });

  it('never runs more at a time than the event source allows', async () => {
    let running = 0;
    let most = 0;
    const { batches, send } = await start(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running -= 1;
      },
      { batchSize: 1 },
    );
    send('a', 'b', 'c', 'd', 'e', 'f');
    await vi.waitFor(() => expect(batches).toHaveLength(6), 10_000);
    expect(most).toBe(2);
  });

  it('fills a batch for as long as its window', async () => {
    const { batches, send } = await start(() => undefined, { batchSize: 25, windowS: 0.5 });
    send('a');
    setTimeout(() => send(...Array.from({ length: 12 }, (_none, at) => `b${at}`)), 50);
    await vi.waitFor(() => expect(batches.flat()).toHaveLength(13), 10_000);
    expect(batches).toHaveLength(1);
  });

  it('goes ahead before the window ends when the batch is full', async () => {
    const { batches, send } = await start(() => undefined, { batchSize: 2, windowS: 60 });
    send('a', 'b');
    await vi.waitFor(() => expect(batches).toEqual([['a', 'b']]), 10_000);
  });

  it('takes nothing while it is off', async () => {
    const { batches, poller, send, queues } = await start(() => undefined);
    send('a');
    await vi.waitFor(() => expect(batches).toHaveLength(1), 10_000);
    poller.setEnabled(false);
    send('b');
    expect(await queues.receive(ARN, 10, 0)).toMatchObject([{ body: 'b', receiveCount: 1 }]);
    send('c');
    poller.setEnabled(true);
    await vi.waitFor(() => expect(batches.flat()).toContain('c'), 10_000);
  });

  it('hands out a message once more while it is being worked on, when told to', async () => {
    const [first, again] = [Promise.withResolvers<void>(), [true, false]];
    const { batches, send, queues } = await start(
      () => (batches.length === 1 ? first.promise : undefined),
      {},
      true,
      () => again.shift() ?? false,
    );
    // Not because its time is up.
    queues.create([{ name: 'q', arn: ARN, url: 'q', attributes: { VisibilityTimeout: '60' } }]);
    send('a');
    await vi.waitFor(() => expect(batches).toEqual([['a'], ['a']]), 10_000);
    first.resolve();
  });
});
