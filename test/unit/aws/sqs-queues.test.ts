import { type ChangeMessageVisibilityCommand, type SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { expect, it } from 'vitest';
import { quarantineQueue, sqsQueues } from '../../../shared/aws/sqs-queues.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { ParkedIndex, ParkedMessage } from '../../../shared/core/parked.ts';

const client = () => {
  const sent: object[] = [];
  /** What was written to the index, and after how many sends. */
  const rows: { message: ParkedMessage; sentBefore: number }[] = [];
  const answers: unknown[] = [];
  const sqs = Object.create(SQSClient.prototype) as SQSClient;
  sqs.send = async (command: SendMessageCommand | ChangeMessageVisibilityCommand) => {
    sent.push(command.input);
    return {};
  };
  const index: ParkedIndex = {
    put: async (message) => {
      rows.push({ message, sentBefore: sent.length });
    },
    answer: async (...answer) => {
      answers.push(answer);
    },
  };
  const queues = sqsQueues(sqs, { queue: 'https://q/own', parked: 'https://q/parked' }, index);
  return { sqs, sent, rows, answers, index, queues };
};
const record = {
  messageId: 'm1',
  receiptHandle: 'r1',
  body: '{"detail":"茶"}',
  attributes: { ApproximateReceiveCount: '3' },
} as SQSRecord;
const text = (StringValue: string) => ({ DataType: 'String', StringValue });
/** What SQS accepts in bodies and attributes: the characters of XML 1.0 (SendMessage, API reference). */
const ACCEPTED = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u;

it('parks the body as it came, with code, reason, remedy and where it comes from', async () => {
  const { queues, sent } = client();
  const error = new PermanentError(
    'UNKNOWN_SKU',
    { line: { kind: 'line', number: 2, title: 'Mug' }, sku: 'MUG-TH-01', destination: 'acme-odoo' },
    { detail: 'the words of the peer' },
  );
  await queues.park(record, error, { connection: 'acme-odoo', atMs: 1_764_000_000_000, about: {} });
  expect(sent).toEqual([
    {
      QueueUrl: 'https://q/parked',
      MessageBody: '{"detail":"茶"}',
      MessageAttributes: {
        parkedId: text('m1'),
        code: text('UNKNOWN_SKU'),
        reason: text('Line 2 ("Mug") has SKU "MUG-TH-01", which no product in acme-odoo carries.'),
        remedy: text(
          'Create the product in acme-odoo with this SKU, or add a row "sku, MUG-TH-01" to the mapping table; then redrive.',
        ),
        connection: text('acme-odoo'),
        parkedAtMs: text('1764000000000'),
        receives: text('3'),
        detail: text('the words of the peer'),
      },
    },
  ]);
});

const unknownSku = () => {
  const line = { kind: 'line', number: 2, title: 'Mug' } as const;
  const error = new PermanentError('UNKNOWN_SKU', { line, sku: 'MUG-TH-01', destination: 'acme-odoo' });
  error.attempt = 2;
  return error;
};
const facts = {
  connection: 'acme-odoo',
  atMs: 1_764_000_000_000,
  about: { source: 'acme-woo', orderId: '1001', orderNumber: '#1001', sourceVersion: 7, correlationId: 'c' },
};

it('writes the row of the index before it sends the message, by the id of the message', async () => {
  const { queues, rows, sent } = client();
  await queues.park(record, unknownSku(), facts);
  expect(rows).toEqual([
    {
      sentBefore: 0,
      message: {
        connection: 'acme-odoo',
        id: 'm1',
        code: 'UNKNOWN_SKU',
        params: {
          line: { kind: 'line', number: 2, title: 'Mug' },
          sku: 'MUG-TH-01',
          destination: 'acme-odoo',
        },
        text: unknownSku().text,
        parkedAtMs: 1_764_000_000_000,
        receives: 3,
        attempts: 2,
        ...facts.about,
      },
    },
  ]);
  expect(sent).toHaveLength(1);
});

it('sends nothing without a row: the message comes back, and is parked then', async () => {
  const { queues, index, sent } = client();
  index.put = async () => {
    throw new Error('throttled');
  };
  await expect(queues.park(record, unknownSku(), facts)).rejects.toThrow('throttled');
  expect(sent).toEqual([]);
});

it('says what became of a redriven message, and which row led here; of all others nothing', async () => {
  const { queues, rows, answers } = client();
  const redriven = {
    ...record,
    messageAttributes: { redriveOf: { dataType: 'String', stringValue: 'm0' } },
  } as unknown as SQSRecord;
  const result = { atMs: 5, outcome: 'written', documentName: 'S00001' };
  await queues.answer(record, 'acme-odoo', result);
  expect(answers).toEqual([]);
  await queues.answer(redriven, 'acme-odoo', result);
  expect(answers).toEqual([['acme-odoo', 'm0', result]]);
  await queues.park(redriven, unknownSku(), facts);
  expect(rows.map(({ message }) => [message.id, message.previousId])).toEqual([['m1', 'm0']]);
});

it.each([
  ['a vertical tab, pasted from a spreadsheet', 'MUG\u000B01', 'MUG\uFFFD01'],
  ['a NUL', 'MUG\u000001', 'MUG\uFFFD01'],
  ['half a character', 'MUG\uD83D', 'MUG\uFFFD'],
  ['a noncharacter', 'MUG\uFFFF', 'MUG\uFFFD'],
  ['what is fine', '杯子\t🍵\n', '杯子\t🍵\n'],
])('parks whatever the words contain: %s', async (_case, sku, shown) => {
  const { queues, sent } = client();
  const error = new PermanentError(
    'MISSING_SKU',
    { line: { kind: 'line', number: 1, title: sku } },
    { detail: sku },
  );
  await queues.park(record, error, { connection: 'acme-odoo', atMs: 1, about: {} });
  const { MessageAttributes = {} } = sent[0] as SendMessageCommand['input'];
  for (const { StringValue } of Object.values(MessageAttributes)) expect(StringValue).toMatch(ACCEPTED);
  expect(MessageAttributes['detail']?.StringValue).toBe(shown);
});

it('cuts words that would outgrow the message, and sends no empty attribute', async () => {
  const { queues, sent } = client();
  const error = new PermanentError(
    'MISSING_SKU',
    { line: { kind: 'line', number: 1, title: 'Mug' } },
    { detail: 'x'.repeat(300_000) },
  );
  await queues.park({ ...record, attributes: { ...record.attributes, ApproximateReceiveCount: '' } }, error, {
    connection: 'acme-odoo',
    atMs: 1,
    about: {},
  });
  const { MessageAttributes = {} } = sent[0] as SendMessageCommand['input'];
  expect(MessageAttributes['detail']?.StringValue).toHaveLength(4_000);
  expect(MessageAttributes['receives']?.StringValue).toBe('-');
});

it.each([
  [0, 0],
  [1, 1],
  [10_400, 11],
])('hides for %i ms: %i whole seconds', async (ms, seconds) => {
  const { queues, sent } = client();
  await queues.hide(record, ms);
  expect(sent).toEqual([{ QueueUrl: 'https://q/own', ReceiptHandle: 'r1', VisibilityTimeout: seconds }]);
});

it('keeps a delivery raw, with the reason', async () => {
  const { sqs, sent } = client();
  const delivery = {
    connection: 'acme-woo',
    connector: 'woocommerce',
    reason: 'lines.0.total: invalid_type',
    receivedAtMs: 1,
    method: 'POST',
    url: 'https://api.example/webhooks/acme-woo',
    headers: { 'x-wc-webhook-topic': 'order.updated' },
    body: 'e30=',
  };
  await quarantineQueue(sqs, 'https://q/quarantine')(delivery);
  expect(sent).toEqual([
    {
      QueueUrl: 'https://q/quarantine',
      MessageBody: JSON.stringify(delivery),
      MessageAttributes: {
        connection: text('acme-woo'),
        connector: text('woocommerce'),
        reason: text('lines.0.total: invalid_type'),
      },
    },
  ]);
});
