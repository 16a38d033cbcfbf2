import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Queues, startQueues } from '../../../infra/local/queues.ts';
import { sqsParkedMessages } from '../../../shared/aws/sqs-parked-messages.ts';
import { sqsQueues } from '../../../shared/aws/sqs-queues.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { type Done, type ParkedMessages, redrive } from '../../../shared/core/redrive.ts';
import { memoryParked } from '../parked/memory-parked.ts';

const arn = (name: string) => `arn:aws:sqs:eu-west-1:000000000000:${name}`;
let queues: Queues;
let sqs: SQSClient;
let urls: { queue: string; parked: string };
let messages: ParkedMessages;
beforeEach(async () => {
  queues = await startQueues({ region: 'eu-west-1' });
  const url = (name: string) => `${queues.url}/000000000000/${name}`;
  urls = { queue: url('own'), parked: url('parked') };
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn('parked'), maxReceiveCount: 1 });
  queues.create([
    { name: 'parked', arn: arn('parked'), url: urls.parked, attributes: {} },
    { name: 'own', arn: arn('own'), url: urls.queue, attributes: { RedrivePolicy, VisibilityTimeout: '0' } },
  ]);
  sqs = new SQSClient({
    endpoint: queues.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  });
  messages = sqsParkedMessages(sqs, urls);
});
afterEach(async () => {
  sqs.destroy();
  await queues.stop();
});

const index = memoryParked({});
const park = (messageId: string, body: string) => {
  const record = { messageId, receiptHandle: 'r', body, attributes: { ApproximateReceiveCount: '1' } };
  const error = new PermanentError('UNKNOWN_COUNTRY', { country: 'XK', destination: 'acme-odoo' });
  const facts = { connection: 'acme-odoo', atMs: 1_000, about: { source: 'acme-woo' } };
  return sqsQueues(sqs, urls, { ...index.ports.index, answer: async () => undefined }).park(
    record as SQSRecord,
    error,
    facts,
  );
};

it('takes what the handler parked, tied to its row, and what SQS and EventBridge parked', async () => {
  await park('m1', 'one');
  const attributes = { ERROR_CODE: 'NO_PERMISSIONS', ERROR_MESSAGE: 'no', RULE_ARN: 'arn:rule' };
  queues.send(arn('parked'), 'two', { attributes });
  const id = queues.send(arn('own'), 'three', { attributes: { redriveOf: 'm0' } });
  // The second time it is received once too often.
  await queues.receive(arn('own'), 10, 0);
  await expect.poll(() => queues.receive(arn('own'), 10, 0).then(() => messages.count())).toBe(3);
  const taken = await messages.take(30_000);
  expect(taken.toSorted((a, b) => (a.body < b.body ? -1 : 1))).toMatchObject([
    {
      body: 'one',
      parkedId: 'm1',
      told: { code: 'UNKNOWN_COUNTRY', text: { reason: expect.stringContaining('"XK"') } },
    },
    {
      body: 'three',
      messageId: id,
      parkedId: undefined,
      redriveOf: 'm0',
      told: undefined,
      byAws: { by: 'sqs' },
    },
    { body: 'two', parkedId: undefined, byAws: { by: 'eventbridge', error: 'NO_PERMISSIONS' } },
  ]);
});

it('counts without hiding, hides what it takes, and shows it again when it is put back', async () => {
  await park('m1', 'one');
  expect(await messages.count()).toBe(1);
  const [taken] = await messages.take(30_000);
  expect(await messages.take(30_000)).toEqual([]);
  expect(await messages.count()).toBe(1);
  if (taken) await messages.putBack(taken);
  expect((await messages.take(30_000)).map(({ body }) => body)).toEqual(['one']);
});

it('moves the chosen one of many back, marked for its consumer; all others stay visible', async () => {
  for (let i = 0; i < 23; i += 1) await park(`m${i}`, `{"body":${i}}`);
  const ports = { ...index.ports, messages: () => messages };
  const row = index.rows.get('m17');
  const done: Done[] = [];
  for await (const one of redrive(ports, row ? [row] : [], { by: 'ada', why: 'w' }, { perSecond: 5 }))
    done.push(one);
  expect(done).toMatchObject([{ deed: 'redriven', row: { id: 'm17' } }]);
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: urls.queue, MessageAttributeNames: ['All'] }),
  );
  expect(Messages).toMatchObject([
    { Body: '{"body":17}', MessageAttributes: { redriveOf: { DataType: 'String', StringValue: 'm17' } } },
  ]);
  const rest = [await messages.take(30_000), await messages.take(30_000), await messages.take(30_000)];
  expect(rest.flat()).toHaveLength(22);
});
