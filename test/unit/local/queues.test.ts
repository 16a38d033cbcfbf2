import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatementSync } from 'node:sqlite';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Queues, type QueuesOptions, startQueues } from '../../../infra/local/queues.ts';

const arn = (name: string) => `arn:aws:sqs:eu-west-1:000000000000:${name}`;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
const folder = () => {
  const directory = mkdtempSync(join(tmpdir(), 'queues-'));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return directory;
};
const open = async (
  attributes: Record<string, Record<string, string>>,
  options: Partial<QueuesOptions> = {},
): Promise<Queues> => {
  const queues = await startQueues({ region: 'eu-west-1', ...options });
  cleanups.push(queues.stop);
  queues.create(
    Object.entries(attributes).map(([name, own]) => ({
      ...{ name, arn: arn(name), url: `${queues.url}/000000000000/${name}` },
      attributes: own,
    })),
  );
  return queues;
};
const client = (queues: Queues) => {
  const sqs = new SQSClient({
    endpoint: queues.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  });
  cleanups.push(() => sqs.destroy());
  return sqs;
};
const redrive = (maxReceiveCount: number) =>
  JSON.stringify({ deadLetterTargetArn: arn('dlq'), maxReceiveCount });

describe('over HTTP', () => {
  it('serves the SDK at the URLs of the templates', async () => {
    const queues = await open({ q: { VisibilityTimeout: '30' } });
    const sqs = client(queues);
    const QueueUrl = `${queues.url}/000000000000/q`;
    expect(QueueUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/000000000000\/q$/);
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', MessageBody: 'two' }] }));
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
    );
    expect(Messages.map(({ Body, Attributes }) => [Body, Attributes?.ApproximateReceiveCount])).toEqual([
      ['one', '1'],
      ['two', '1'],
    ]);
    for (const { ReceiptHandle } of Messages)
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      ...{ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' },
      ...{ VisibilityTimeout: '30', QueueArn: arn('q') },
    });
  });

  it('answers nothing but SQS', async () => {
    const queues = await open({});
    const response = await fetch(`${queues.url}/bucket`, { method: 'PUT' });
    expect(response.status).toBe(404);
  });
});

describe('redrive', () => {
  it('moves a message to the dead letter queue once it was received too often', async () => {
    const queues = await open({ q: { VisibilityTimeout: '0', RedrivePolicy: redrive(2) }, dlq: {} });
    queues.send(arn('q'), 'poison');
    const counts: number[] = [];
    await vi.waitFor(async () => {
      for (const { receiveCount } of await queues.receive(arn('q'), 10, 0)) counts.push(receiveCount);
      expect(await queues.receive(arn('dlq'), 10, 0)).toMatchObject([{ body: 'poison' }]);
    }, 10_000);
    expect(counts).toEqual([1, 2]);
  });
});

describe('kept on disk', () => {
  const restart = async (
    queues: Queues,
    attributes: Record<string, Record<string, string>>,
    directory: string,
  ) => {
    await queues.stop();
    return open(attributes, { directory });
  };
  const bodies = async (queues: Queues, name: string) =>
    (await queues.receive(arn(name), 10, 0)).map(({ body, receiveCount, messageGroupId }) => [
      body,
      receiveCount,
      messageGroupId,
    ]);

  it('brings back what was not deleted: ready, received, parked', async () => {
    const directory = folder();
    const attributes = { q: { VisibilityTimeout: '300', RedrivePolicy: redrive(1) }, dlq: {} };
    const first = await open(attributes, { directory });
    first.send(arn('q'), 'done');
    const [done] = await first.receive(arn('q'), 10, 0);
    first.delete(arn('q'), done?.receiptHandle ?? '');
    first.send(arn('q'), 'parked');
    const [once] = await first.receive(arn('q'), 10, 0);
    first.changeVisibility(arn('q'), once?.receiptHandle ?? '', 0);
    expect(await first.receive(arn('q'), 10, 0)).toEqual([]);
    first.send(arn('q'), 'in flight', { messageGroupId: 'g', attributes: { code: 'X' } });
    await first.receive(arn('q'), 1, 0);
    first.send(arn('q'), 'ready');

    const second = await restart(first, { ...attributes, q: { VisibilityTimeout: '300' } }, directory);
    // Whoever had received it died with the first process.
    expect((await bodies(second, 'q')).sort()).toEqual([
      ['in flight', 2, 'g'],
      ['ready', 1, undefined],
    ]);
    expect(await bodies(second, 'dlq')).toEqual([['parked', 3, undefined]]);
  });

  it('keeps a delay that a consumer asked for', async () => {
    const directory = folder();
    const attributes = { q: { VisibilityTimeout: '30' } };
    const first = await open(attributes, { directory });
    first.send(arn('q'), 'later');
    const [message] = await first.receive(arn('q'), 10, 0);
    first.changeVisibility(arn('q'), message?.receiptHandle ?? '', 600);
    const second = await restart(first, attributes, directory);
    expect(await bodies(second, 'q')).toEqual([]);
  });

  it('never leaves a message in neither queue while it is parked', async () => {
    const attributes = { q: { VisibilityTimeout: '0', RedrivePolicy: redrive(1) }, dlq: {} };
    const queues = await open(attributes, { directory: folder() });
    queues.send(arn('q'), 'poison');
    await queues.receive(arn('q'), 10, 0);
    const run = vi.spyOn(StatementSync.prototype, 'run');
    expect(await queues.receive(arn('q'), 10, 0)).toEqual([]);
    const statements = run.mock.contexts.map((statement) =>
      (statement as StatementSync).sourceSQL.trim().split(/\s+/, 3).join(' '),
    );
    // One row, keyed by message id: the insert alone moves it.
    expect(statements).toEqual(['INSERT OR REPLACE']);
  });

  it('makes a message visible at once when asked over HTTP', async () => {
    const queues = await open({ q: {} }, { directory: folder() });
    const sqs = client(queues);
    const QueueUrl = `${queues.url}/000000000000/q`;
    queues.send(arn('q'), 'again');
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    const ReceiptHandle = Messages[0]?.ReceiptHandle;
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    expect(await bodies(queues, 'q')).toEqual([['again', 2, undefined]]);
  });

  it('follows templates that changed', async () => {
    const directory = folder();
    const first = await open(
      { q: { VisibilityTimeout: '10', RedrivePolicy: redrive(1) }, dlq: {} },
      { directory },
    );
    const second = await restart(first, { q: { VisibilityTimeout: '20' } }, directory);
    const { Attributes = {} } = await client(second).send(
      new GetQueueAttributesCommand({ QueueUrl: `${second.url}/000000000000/q`, AttributeNames: ['All'] }),
    );
    expect([Attributes.VisibilityTimeout, Attributes.RedrivePolicy]).toEqual(['20', undefined]);
    const { QueueUrls } = await client(second).send(new ListQueuesCommand({ QueueNamePrefix: 'q' }));
    expect(QueueUrls).toEqual([`${second.url}/000000000000/q`]);
  });

  it('is for one process at a time', async () => {
    const directory = folder();
    await open({ q: {} }, { directory });
    await expect(open({ q: {} }, { directory })).rejects.toThrow('another local stack running?');
  });
});

describe('limits', () => {
  it('drops what is older than the retention, counted from the first send', async () => {
    const directory = folder();
    const first = await open({ q: { MessageRetentionPeriod: '60' }, long: {} }, { directory });
    first.send(arn('q'), 'old');
    first.send(arn('long'), 'kept');
    await first.stop();
    const options = { directory, nowMs: () => Date.now() + 61_000 };
    const second = await open({ q: { MessageRetentionPeriod: '60' }, long: {} }, options);
    expect(await second.receive(arn('q'), 10, 0)).toEqual([]);
    expect(await second.receive(arn('long'), 10, 0)).toHaveLength(1);
  });

  it('refuses a message that is larger than its queue takes', async () => {
    const queues = await open({ q: { MaximumMessageSize: '1024' } });
    expect(() => queues.send(arn('q'), 'é'.repeat(513))).toThrow('Message must be shorter than 1024 bytes.');
    expect(() => queues.send(arn('nobody'), 'x')).toThrow('there is no queue');
  });

  it('takes nothing from a queue that is no longer wanted', async () => {
    const queues = await open({ q: {} });
    let wanted = true;
    const waiting = queues.receive(arn('q'), 10, 5, () => wanted);
    wanted = false;
    queues.send(arn('q'), 'x');
    expect(await waiting).toEqual([]);
    expect(await queues.receive(arn('q'), 10, 0)).toMatchObject([{ receiveCount: 1 }]);
  });
});
