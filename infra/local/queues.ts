import { join } from 'node:path';
import { buildApp } from 'fauxqs';
import { LocalStackError } from './local-stack-error.ts';
import type { QueuePlan } from './plan.ts';

/**
 * SQS: fauxqs 2.4.1. Functions and tools speak to it over HTTP; the runner itself (event bus, pollers) uses its store
 * in process, which saves a request per message and keeps message groups, which fauxqs' HTTP side drops on standard queues.
 *
 * fauxqs exports its server, but neither its stores nor its SQLite persistence, and `startFauxqs`, which has both, listens
 * on all addresses. So the classes are loaded from beside its entry, and package.json pins the version exactly.
 */
interface StoredMessage {
  readonly messageId: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly messageAttributes: Readonly<Record<string, StoredAttribute>>;
  readonly sentTimestamp: number;
  readonly approximateReceiveCount: number;
  readonly approximateFirstReceiveTimestamp?: number;
  readonly messageGroupId?: string;
}
interface StoredAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}
interface StoredQueue {
  name: string;
  url: string;
  arn: string;
  attributes: Record<string, string>;
  messages: StoredMessage[];
  delayedMessages: StoredMessage[];
  readonly inflightMessages: Map<string, { message: StoredMessage; visibilityDeadline: number }>;
  persistence?: Persistence;
  setAttributes(attributes: Record<string, string>): void;
  enqueue(message: StoredMessage): void;
  dequeue(
    max: number,
    visibilityTimeoutS: number | undefined,
    deadLetterQueue: (arn: string) => StoredQueue | undefined,
  ): { readonly MessageId: string; readonly ReceiptHandle: string }[];
  waitForMessages(seconds: number): Promise<void>;
  deleteMessage(receiptHandle: string): boolean;
  changeVisibility(receiptHandle: string, timeoutS: number): void;
  processTimers(): void;
  startPollTimerIfNeeded(): void;
}
interface Store {
  host: string;
  region?: string;
  persistence?: Persistence;
  readonly queues: Map<string, StoredQueue>;
  createQueue(name: string, url: string, arn: string, attributes: Record<string, string>): StoredQueue;
  getQueueByName(name: string): StoredQueue | undefined;
  getQueueByArn(arn: string): StoredQueue | undefined;
  allQueues(): Iterable<StoredQueue>;
  shutdown(): void;
}
interface Persistence {
  readonly db: { exec(sql: string): void };
  loadSqsAndSns(sqs: Store, sns: unknown): void;
  deleteMessage(messageId: string): void;
  updateMessageInflight(
    messageId: string,
    receiptHandle: string | null,
    visibilityDeadline: number | null,
    receiveCount: number,
    firstReceiveTimestamp?: number,
  ): void;
  updateMessageReady(messageId: string): void;
  close(): void;
}
interface StoreClass {
  new (): Store;
  createMessage(
    body: string,
    attributes: Readonly<Record<string, StoredAttribute>>,
    delayS: number | undefined,
    messageGroupId?: string,
  ): StoredMessage;
}
interface Fauxqs {
  readonly SqsStore: StoreClass;
  readonly SnsStore: new () => unknown;
  readonly S3Store: new () => unknown;
  readonly PersistenceManager: new (directory: string) => Persistence;
}

const loadFauxqs = async (): Promise<Fauxqs> => {
  const entry = import.meta.resolve('fauxqs');
  const part = async (path: string) => (await import(new URL(path, entry).href)) as Partial<Fauxqs>;
  const parts = await Promise.all(
    ['./sqs/sqsStore.js', './sns/snsStore.js', './s3/s3Store.js', './persistence.js'].map(part),
  );
  return Object.assign({}, ...parts) as Fauxqs;
};

/** A message as a consumer of this process gets it. */
export interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly messageAttributes: Readonly<Record<string, StoredAttribute>>;
  readonly sentAtMs: number;
  readonly firstReceivedAtMs: number;
  readonly receiveCount: number;
  readonly messageGroupId?: string;
}
export interface SendOptions {
  readonly messageGroupId?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}
export interface Queues {
  /** `http://127.0.0.1:<port>`; absent without a front. */
  readonly url: string;
  /** Brings queues to what the templates say; messages of queues that were kept on disk stay. */
  create(plans: readonly QueuePlan[]): void;
  /**
   * Stored, on disk if there is a data directory, when it returns.
   * @throws Error no such queue, or the message is larger than the queue takes
   */
  send(queueArn: string, body: string, options?: SendOptions): string;
  /**
   * Up to `max` messages, at most 10; waits up to `waitS` for the first one. Takes nothing after stop(), nor once
   * `isWanted` says no.
   */
  receive(queueArn: string, max: number, waitS: number, isWanted?: () => boolean): Promise<ReceivedMessage[]>;
  delete(queueArn: string, receiptHandle: string): void;
  changeVisibility(queueArn: string, receiptHandle: string, timeoutS: number): void;
  stop(): Promise<void>;
}
export interface QueuesOptions {
  readonly region: string;
  /** Keep messages here. */
  readonly directory?: string;
  /** Whether to answer the SQS API over HTTP. @default true */
  readonly front?: boolean;
  readonly nowMs?: () => number;
}

/** How often delayed and hidden messages are looked at; fauxqs would run one such timer per waiting queue. */
const TICK_MS = 20;
/** How often messages beyond their queue's retention are dropped. */
const RETENTION_SWEEP_MS = 60_000;

/** Opens fauxqs' SQLite file, for this process alone. */
const openPersistence = (fauxqs: Fauxqs, directory: string): Persistence => {
  let persistence: Persistence;
  try {
    persistence = new fauxqs.PersistenceManager(directory);
    // An fsync per message would only guard against power failure; a kill loses nothing without.
    persistence.db.exec('PRAGMA synchronous = NORMAL; PRAGMA locking_mode = EXCLUSIVE');
    persistence.db.exec('BEGIN IMMEDIATE; COMMIT');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LocalStackError([
      `${join(directory, 'fauxqs.db')} cannot be opened (another local stack running?): ${why}`,
    ]);
  }
  const receives = new Map<string, string>();
  const updateInflight = persistence.updateMessageInflight.bind(persistence);
  const counts = new Map<string, readonly [number, number | undefined]>();
  // On disk a received message stays visible: whoever received it dies with this process. Only a delay that a
  // consumer asked for (ChangeMessageVisibility, the second update of one receipt) outlives it.
  persistence.updateMessageInflight = (messageId, receiptHandle, deadline, receiveCount, firstReceived) => {
    const isReceive = receiptHandle !== null && receives.get(messageId) !== receiptHandle;
    if (receiptHandle !== null) receives.set(messageId, receiptHandle);
    counts.set(messageId, [receiveCount, firstReceived]);
    updateInflight(messageId, receiptHandle, isReceive ? 1 : deadline, receiveCount, firstReceived);
  };
  // fauxqs 2.4.1 writes NULL into a NOT NULL column here, so a visibility timeout of 0 would answer 500.
  persistence.updateMessageReady = (messageId) => {
    const [receiveCount, firstReceived] = counts.get(messageId) ?? [0, undefined];
    updateInflight(messageId, null, null, receiveCount, firstReceived);
  };
  const deleteMessage = persistence.deleteMessage.bind(persistence);
  persistence.deleteMessage = (messageId) => {
    receives.delete(messageId);
    counts.delete(messageId);
    deleteMessage(messageId);
  };
  return persistence;
};

/**
 * Moves a message to its dead letter queue without a moment in which it is in neither: fauxqs deletes the row, then
 * inserts it again. The row is keyed by message id and replaced by the insert, so the deletion can be left out.
 */
const keepWhileMoving = (queue: StoredQueue, persistence: Persistence) => {
  const dequeue = queue.dequeue.bind(queue);
  queue.dequeue = (max, visibilityTimeoutS, deadLetterQueue) => {
    const { deleteMessage } = persistence;
    persistence.deleteMessage = () => undefined;
    try {
      return dequeue(max, visibilityTimeoutS, deadLetterQueue);
    } finally {
      persistence.deleteMessage = deleteMessage;
    }
  };
};

export const startQueues = async (options: QueuesOptions): Promise<Queues> => {
  const nowMs = options.nowMs ?? Date.now;
  const fauxqs = await loadFauxqs();
  const store = new fauxqs.SqsStore();
  // No host: queue URLs then carry the host that the client spoke to, as the templates' URLs do.
  store.host = '';
  store.region = options.region;
  const snsStore = new fauxqs.SnsStore();
  const persistence = options.directory ? openPersistence(fauxqs, options.directory) : undefined;
  if (persistence) {
    persistence.loadSqsAndSns(store, snsStore);
    store.persistence = persistence;
  }
  const adopt = (queue: StoredQueue) => {
    queue.startPollTimerIfNeeded = () => undefined;
    if (!persistence) return;
    queue.persistence = persistence;
    keepWhileMoving(queue, persistence);
  };
  for (const queue of store.allQueues()) adopt(queue);

  let url = '';
  let app: ReturnType<typeof buildApp> | undefined;
  if (options.front ?? true) {
    const stores = { sqsStore: store, snsStore, s3Store: new fauxqs.S3Store() };
    app = buildApp({ logger: false, defaultRegion: options.region, stores: stores as never });
    // The endpoint is SQS only: the package's S3 and SNS are not part of what is deployed.
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers['content-type']?.includes('x-amz-json-1.0')) return;
      return reply.code(404).send({ message: 'only the SQS JSON protocol is served here' });
    });
    url = await app.listen({ host: '127.0.0.1', port: 0 });
  }

  const queueOf = (arn: string): StoredQueue => {
    const queue = store.getQueueByArn(arn);
    if (!queue) throw new Error(`there is no queue ${arn}`);
    return queue;
  };

  // SQS drops what is older than its retention, silently, counted from the first send also in a dead letter queue.
  const sweep = () => {
    for (const queue of store.allQueues()) {
      const oldestMs = nowMs() - Number(queue.attributes['MessageRetentionPeriod'] ?? 345_600) * 1000;
      const keep = (message: StoredMessage) => {
        if (message.sentTimestamp >= oldestMs) return true;
        persistence?.deleteMessage(message.messageId);
        return false;
      };
      queue.processTimers();
      queue.messages = queue.messages.filter(keep);
      queue.delayedMessages = queue.delayedMessages.filter(keep);
      for (const [handle, { message }] of queue.inflightMessages)
        if (!keep(message)) queue.inflightMessages.delete(handle);
    }
  };
  const sweeper = setInterval(sweep, RETENTION_SWEEP_MS);
  const ticker = setInterval(() => {
    for (const queue of store.allQueues()) queue.processTimers();
  }, TICK_MS);
  sweeper.unref();
  ticker.unref();
  sweep();

  let stopped = false;
  return {
    url,
    create: (plans) => {
      for (const plan of plans) {
        const attributes = { RedrivePolicy: '', ...plan.attributes };
        const existing = store.getQueueByName(plan.name);
        if (existing) {
          // The port changes from run to run, and with it the URL.
          store.queues.delete(existing.url);
          existing.url = plan.url;
          store.queues.set(plan.url, existing);
          existing.setAttributes(attributes);
        } else {
          const { RedrivePolicy, ...rest } = attributes;
          adopt(
            store.createQueue(
              plan.name,
              plan.url,
              plan.arn,
              RedrivePolicy ? { ...rest, RedrivePolicy } : rest,
            ),
          );
        }
      }
    },
    send: (queueArn, body, { messageGroupId, attributes = {} } = {}) => {
      const queue = queueOf(queueArn);
      const limit = Number(queue.attributes['MaximumMessageSize']);
      const bytes = Object.entries(attributes).reduce(
        (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 'String'.length,
        Buffer.byteLength(body),
      );
      if (bytes > limit) throw new Error(`Message must be shorter than ${limit} bytes.`);
      const stored = Object.fromEntries(
        Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
      );
      const delayS = Number(queue.attributes['DelaySeconds']) || undefined;
      const message = fauxqs.SqsStore.createMessage(body, stored, delayS, messageGroupId);
      queue.enqueue(message);
      return message.messageId;
    },
    receive: async (queueArn, max, waitS, isWanted = () => true) => {
      const queue = queueOf(queueArn);
      const take = () =>
        stopped || !isWanted()
          ? []
          : queue.dequeue(Math.min(max, 10), undefined, (arn) => store.getQueueByArn(arn));
      let taken = take();
      if (taken.length === 0 && waitS > 0 && !stopped) {
        await queue.waitForMessages(waitS);
        taken = take();
      }
      return taken.flatMap(({ ReceiptHandle: receiptHandle }) => {
        const message = queue.inflightMessages.get(receiptHandle)?.message;
        if (!message) return [];
        const { messageId, body, md5OfBody, messageAttributes, messageGroupId } = message;
        return [
          {
            ...{ messageId, receiptHandle, body, md5OfBody, messageAttributes },
            sentAtMs: message.sentTimestamp,
            firstReceivedAtMs: message.approximateFirstReceiveTimestamp ?? message.sentTimestamp,
            receiveCount: message.approximateReceiveCount,
            ...(messageGroupId ? { messageGroupId } : {}),
          },
        ];
      });
    },
    delete: (queueArn, receiptHandle) => {
      queueOf(queueArn).deleteMessage(receiptHandle);
    },
    changeVisibility: (queueArn, receiptHandle, timeoutS) => {
      queueOf(queueArn).changeVisibility(receiptHandle, timeoutS);
    },
    stop: async () => {
      if (stopped) return;
      stopped = true;
      clearInterval(sweeper);
      clearInterval(ticker);
      await app?.close();
      store.shutdown();
      persistence?.close();
    },
  };
};
