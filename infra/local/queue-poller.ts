import { isRecord } from './aws-endpoint.ts';
import type { InvocationResult } from './function-host.ts';
import type { MappingPlan } from './plan.ts';
import type { Queues, ReceivedMessage } from './queues.ts';

/** Longest wait for a first message, as Lambda's own pollers use. */
const LONG_POLL_S = 20;
/** Lambda invokes once a batch has this many bytes, whatever the window. */
const MAX_BATCH_BYTES = 6 * 1024 * 1024;

/** One record of the event that Lambda makes of a message. */
const toRecord = (message: ReceivedMessage, queueArn: string, region: string) => ({
  messageId: message.messageId,
  receiptHandle: message.receiptHandle,
  body: message.body,
  attributes: {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAtMs),
    SenderId: '000000000000',
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs),
    ...(message.messageGroupId ? { MessageGroupId: message.messageGroupId } : {}),
  },
  messageAttributes: Object.fromEntries(
    Object.entries(message.messageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType,
      },
    ]),
  ),
  md5OfBody: message.md5OfBody,
  eventSource: 'aws:sqs',
  eventSourceARN: queueArn,
  awsRegion: region,
});

/** The event with which Lambda invokes a function for a batch. */
export const toSqsEvent = (messages: readonly ReceivedMessage[], queueArn: string, region: string) => ({
  Records: messages.map((message) => toRecord(message, queueArn, region)),
});

/**
 * Message ids that the function failed to process, by Lambda's rules for ReportBatchItemFailures: nothing, `{}` and
 * an empty or null list mean success; anything malformed, or an id that was not in the batch, fails the whole batch.
 */
export const failedMessages = (payload: string, messageIds: readonly string[]): ReadonlySet<string> => {
  const response: unknown = JSON.parse(payload);
  if (response === null) return new Set();
  const failures = isRecord(response) ? (response['batchItemFailures'] ?? []) : undefined;
  if (!Array.isArray(failures)) return new Set(messageIds);
  const ids = failures.map((failure: unknown) => (isRecord(failure) ? failure['itemIdentifier'] : undefined));
  return ids.every((id) => typeof id === 'string' && messageIds.includes(id))
    ? new Set(ids as string[])
    : new Set(messageIds);
};

export interface QueuePoller {
  readonly mapping: MappingPlan;
  isEnabled(): boolean;
  /** Off: nothing more is taken from the queue; what is being processed goes on. */
  setEnabled(enabled: boolean): void;
  stop(): void;
}

/** Feeds a function from a queue, as an event source mapping does, until it is stopped. */
export const startQueuePoller = (options: {
  readonly mapping: MappingPlan;
  readonly region: string;
  readonly queues: Queues;
  readonly invoke: (functionName: string, event: string) => Promise<InvocationResult>;
  readonly enabled: boolean;
  /** True: this message, received just now, is visible again at once. */
  readonly redeliver?: () => boolean;
}): QueuePoller => {
  const { mapping, queues } = options;
  let enabled = options.enabled;
  let stopped = false;
  let running = 0;
  let wake: (() => void) | undefined;
  const changed = () => {
    wake?.();
    wake = undefined;
  };
  const isWanted = () => enabled && !stopped;

  const collect = async (): Promise<ReceivedMessage[]> => {
    const batch = await queues.receive(mapping.queueArn, mapping.batchSize, LONG_POLL_S, isWanted);
    const untilMs = Date.now() + mapping.windowS * 1000;
    let bytes = batch.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    while (batch.length > 0 && batch.length < mapping.batchSize && bytes < MAX_BATCH_BYTES && isWanted()) {
      const leftMs = untilMs - Date.now();
      if (leftMs <= 0) break;
      const more = await queues.receive(
        mapping.queueArn,
        mapping.batchSize - batch.length,
        leftMs / 1000,
        isWanted,
      );
      batch.push(...more);
      bytes += more.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    }
    return batch;
  };

  const process = async (batch: readonly ReceivedMessage[]) => {
    for (const { receiptHandle } of batch)
      if (options.redeliver?.()) queues.changeVisibility(mapping.queueArn, receiptHandle, 0);
    const event = JSON.stringify(toSqsEvent(batch, mapping.queueArn, options.region));
    const result = await options.invoke(mapping.functionName, event);
    // A failed invocation leaves all messages hidden until their visibility timeout runs out.
    if (!result.ok) return;
    const failed = mapping.reportsItemFailures
      ? failedMessages(
          result.payload,
          batch.map(({ messageId }) => messageId),
        )
      : new Set<string>();
    for (const { messageId, receiptHandle } of batch)
      if (!failed.has(messageId)) queues.delete(mapping.queueArn, receiptHandle);
  };

  const loop = async () => {
    while (!stopped) {
      // A slot first, then messages: what waits for a slot stays visible in the queue.
      if (!enabled || running >= mapping.concurrency) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const batch = await collect();
      if (batch.length === 0) continue;
      running += 1;
      // A rejection means that the stack is stopping: the messages stay.
      void process(batch)
        .catch(() => undefined)
        .finally(() => {
          running -= 1;
          changed();
        });
    }
  };
  void loop();

  return {
    mapping,
    isEnabled: () => enabled,
    setEnabled: (value) => {
      enabled = value;
      changed();
    },
    stop: () => {
      stopped = true;
      changed();
    },
  };
};
