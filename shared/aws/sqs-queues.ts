import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import type { QuarantinedDelivery } from '../core/accept-webhook.ts';
import { PARKED_ATTRIBUTES, type ParkedIndex, parkedMessage } from '../core/parked.ts';
import type { BatchPorts } from '../core/sqs-batch.ts';

/** The longest attribute: a peer's own words may be a whole page, and the message has a limit in all. */
const MAX_ATTRIBUTE = 4_000;

/**
 * SQS takes only the characters that XML takes, and no empty value. A refused attribute would keep a message
 * from being parked for ever, and a vertical tab pasted into a SKU is enough for that.
 */
const text = (value: string) => ({
  DataType: 'String',
  StringValue:
    value
      .slice(0, MAX_ATTRIBUTE)
      .toWellFormed()
      .replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD') || '-',
});

/** The consumer's own queue and its parked queue (the DLQ). */
export const sqsQueues = (
  client: SQSClient,
  urls: { queue: string; parked: string },
  index: ParkedIndex,
): Pick<BatchPorts, 'park' | 'answer' | 'hide'> => ({
  // The row first: a message without one is hard to find, and a row without its message says so when it is redriven.
  // The body stays as it is, so that a redrive is a plain move back.
  park: async (record, error, { connection, atMs, about }) => {
    const id = record.messageId;
    const receives = Number(record.attributes.ApproximateReceiveCount) || 0;
    const previousId = redriveOf(record);
    await index.put(parkedMessage(error, { connection, id, atMs, receives, about, previousId }));
    const { reason, remedy } = error.text;
    await client.send(
      new SendMessageCommand({
        QueueUrl: urls.parked,
        MessageBody: record.body,
        MessageAttributes: {
          [PARKED_ATTRIBUTES.row]: text(id),
          code: text(error.code),
          reason: text(reason),
          remedy: text(remedy),
          connection: text(connection),
          parkedAtMs: text(String(atMs)),
          receives: text(record.attributes.ApproximateReceiveCount),
          ...(error.detail ? { detail: text(error.detail) } : {}),
        },
      }),
    );
  },
  answer: async (record, connection, result) => {
    const id = redriveOf(record);
    if (id !== undefined) await index.answer(connection, id, result);
  },
  hide: async (record, ms) => {
    await client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: urls.queue,
        ReceiptHandle: record.receiptHandle,
        // Whole seconds are all that SQS knows.
        VisibilityTimeout: Math.ceil(ms / 1000),
      }),
    );
  },
});

const redriveOf = ({ messageAttributes }: SQSRecord): string | undefined =>
  messageAttributes?.[PARKED_ATTRIBUTES.redriveOf]?.stringValue;

/** Keeps deliveries that are authentic and not understood, raw, with the reason. */
export const quarantineQueue =
  (client: SQSClient, queueUrl: string) =>
  async (delivery: QuarantinedDelivery): Promise<void> => {
    const { connection, connector, reason } = delivery;
    await client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(delivery),
        MessageAttributes: {
          connection: text(connection),
          connector: text(connector),
          reason: text(reason),
        },
      }),
    );
  };
