import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { PARKED_ATTRIBUTES } from '../core/parked.ts';
import type { HeldMessage, ParkedMessages } from '../core/redrive.ts';

/** Where messages of one connection come from, and where they wait. */
export interface ParkedQueueUrls {
  readonly queue: string;
  readonly parked: string;
}

/** The longest that SQS hides a message. */
const MOST_HIDDEN_S = 12 * 60 * 60;
/** With a wait, SQS asks all of its servers instead of some. */
const WAIT_S = 1;

/** The operator's side of the queues that `sqsQueues` serves. */
export const sqsParkedMessages = (client: SQSClient, urls: ParkedQueueUrls): ParkedMessages => ({
  count: async () => {
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: urls.parked, AttributeNames: [...COUNTS] }),
    );
    return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  },

  take: async (holdMs) => {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: urls.parked,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: WAIT_S,
        VisibilityTimeout: Math.min(Math.ceil(holdMs / 1000), MOST_HIDDEN_S),
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['SentTimestamp', 'ApproximateReceiveCount'],
      }),
    );
    return Messages.map(heldOf);
  },

  putBack: async ({ handle }) => {
    await client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: urls.parked,
        ReceiptHandle: handle,
        VisibilityTimeout: 0,
      }),
    );
  },

  send: async ({ body }, { id, source }) => {
    await client.send(
      new SendMessageCommand({
        QueueUrl: urls.queue,
        MessageBody: body,
        MessageAttributes: { [PARKED_ATTRIBUTES.redriveOf]: { DataType: 'String', StringValue: id } },
        // As the rule does it: one noisy shop does not hold up the others.
        ...(source ? { MessageGroupId: source } : {}),
      }),
    );
  },

  delete: async ({ handle }) => {
    await client.send(new DeleteMessageCommand({ QueueUrl: urls.parked, ReceiptHandle: handle }));
  },
});

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

const heldOf = ({ MessageId, ReceiptHandle, Body, Attributes, MessageAttributes }: Message): HeldMessage => {
  const attribute = (name: string) => MessageAttributes?.[name]?.StringValue;
  const receives = Number(Attributes?.ApproximateReceiveCount ?? 0);
  const code = attribute('code');
  // EventBridge puts its reasons into these attributes (user guide, "dead-letter queues").
  const error = attribute('ERROR_CODE');
  return {
    messageId: MessageId ?? '',
    handle: ReceiptHandle ?? '',
    body: Body ?? '',
    parkedId: attribute(PARKED_ATTRIBUTES.row),
    redriveOf: attribute(PARKED_ATTRIBUTES.redriveOf),
    told:
      code === undefined
        ? undefined
        : { code, text: { reason: attribute('reason') ?? '', remedy: attribute('remedy') ?? '' } },
    byAws: error === undefined ? { by: 'sqs', receives } : { by: 'eventbridge', error },
    sentAtMs: Number(Attributes?.SentTimestamp ?? 0),
    receives,
  };
};
