import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { CATALOGUE, type EventData, type EventName } from '../events/catalogue.ts';
import { type Envelope, Meta } from '../events/envelope.ts';
import { METRICS } from '../observability/names.ts';
import type { Metric, WideLine, WriteLine } from '../observability/wide-event.ts';
import { delayMs } from './backoff.ts';
import {
  BusyError,
  CredentialsError,
  describeError,
  dispositionOf,
  PermanentError,
  RetryableError,
} from './errors.ts';
import { PARKED_ATTRIBUTES, type ParkedAbout, type ParkedResult } from './parked.ts';
import type { CallContext, Clock } from './ports.ts';
import type { EventProblem } from './reasons.ts';

/** Kept back from the function's time for the bookkeeping after the last record. */
export const RESERVE_MS = 3_000;

export interface ParkingFacts {
  readonly connection: string;
  readonly atMs: number;
  readonly about: ParkedAbout;
}

export interface BatchPorts {
  /** Moves the message to the parked queue, with what an operator needs to know. */
  park(record: SQSRecord, error: PermanentError, facts: ParkingFacts): Promise<void>;
  /** Tells whoever redrove the message what becomes of it; nothing for all others. */
  answer(record: SQSRecord, connection: string, result: ParkedResult): Promise<void>;
  /** Hides the message for so long; it comes back by itself. */
  hide(record: SQSRecord, ms: number): Promise<void>;
  readonly line: WriteLine;
  readonly nowMs: Clock;
  readonly timeScale: number;
  /** The longest that one record may be worked on. Default: as long as the function lives. */
  readonly recordMs?: number;
  readonly random?: () => number;
}

/** One record's result for its line, and the metrics that follow. */
export interface WorkResult {
  readonly line: Partial<WideLine>;
  readonly metrics?: readonly Metric[];
}

export interface WorkContext extends CallContext {
  /** How often SQS has handed out this message, this time included. */
  readonly receive: number;
  /** A person has just sent it again, and waits for what becomes of it. */
  readonly isUrgent: boolean;
}

export type Work<N extends EventName> = (
  event: Envelope<EventData<N>>,
  call: WorkContext,
) => Promise<WorkResult>;

/**
 * A handler for SQS messages that EventBridge wrote. A record fails alone: it is parked, or comes back later,
 * and its neighbours are not touched. Records are worked on one after another, because the event source's
 * concurrency is the peer's limit on parallel calls.
 */
export const sqsBatch =
  <N extends EventName>(options: {
    what: string;
    connection: string;
    event: N;
    ports: BatchPorts;
    work: Work<N>;
  }) =>
  (batch: SQSEvent, context: { getRemainingTimeInMillis(): number }): Promise<SQSBatchResponse> => {
    const { event, ...rest } = options;
    const read = (body: string) => readEvent(event, body);
    return eachRecord({ ...rest, read, envelopeOf: (envelope) => envelope }, batch, context);
  };

/** How one kind of record is read and worked on. */
export interface Working<E> {
  readonly what: string;
  readonly connection: string;
  /** See `queueId`. Default: that of the connection's orders. */
  readonly queue?: string;
  readonly ports: BatchPorts;
  /** @throws PermanentError EVENT_NOT_UNDERSTOOD */
  read(body: string): E;
  envelopeOf(event: E): Envelope<EventData<EventName>>;
  work(event: E, call: WorkContext): Promise<WorkResult>;
}

export const eachRecord = async <E>(
  options: Working<E>,
  batch: SQSEvent,
  context: { getRemainingTimeInMillis(): number },
): Promise<SQSBatchResponse> => {
  const { ports } = options;
  const endMs = ports.nowMs() + context.getRemainingTimeInMillis() - RESERVE_MS;
  const failed: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of batch.Records) {
    const leftMs = endMs - ports.nowMs();
    const done = await one(options, record, Math.min(leftMs, ports.recordMs ?? leftMs));
    if (!done) failed.push({ itemIdentifier: record.messageId });
  }
  return { batchItemFailures: failed };
};

/** @returns whether the message is done with and may be deleted */
const one = async <E>(options: Working<E>, record: SQSRecord, msLeft: number): Promise<boolean> => {
  const { ports, connection, what, queue = connection } = options;
  const startedMs = ports.nowMs();
  const receive = Number(record.attributes.ApproximateReceiveCount);
  let about: Partial<WideLine> = {};
  const line = (rest: Partial<WideLine>, metrics?: readonly Metric[]) =>
    ports.line({ what, connection, receive, ...about, ...rest, totalMs: ports.nowMs() - startedMs }, metrics);
  /** An operator who waits in vain loses a minute; a record must not fail for it. */
  const answer = ({ outcome = 'done', code, documentName, documentUrl }: Partial<WideLine>) =>
    ports
      .answer(record, queue, { atMs: ports.nowMs(), outcome, code, documentName, documentUrl })
      .catch(() => undefined);
  const stop = new AbortController();
  const notBegun = new RetryableError('OUT_OF_TIME', 'no time was left for this record');
  const cutOff = new RetryableError('CUT_OFF', 'the work took longer than it may');
  const timer = setTimeout(() => stop.abort(cutOff), Math.max(0, msLeft));
  try {
    if (msLeft <= 0) throw notBegun;
    const event = options.read(record.body);
    const { meta, data } = options.envelopeOf(event);
    about = {
      source: meta.connection,
      correlationId: meta.correlationId,
      ...aboutOrder(data),
      ageMs: startedMs - meta.receivedAtMs,
    };
    const result = await Promise.race([
      options.work(event, { signal: stop.signal, receive, isUrgent: receive === 1 && isRedriven(record) }),
      abortOf(stop.signal),
    ]);
    line(result.line, result.metrics);
    await answer(result.line);
    return true;
  } catch (error) {
    if (error instanceof PermanentError && dispositionOf(error) === 'park') {
      const { reason, remedy } = error.text;
      try {
        const { source, orderId, orderNumber, sourceVersion, correlationId } = about;
        await ports.park(record, error, {
          connection: queue,
          atMs: ports.nowMs(),
          about: { source, orderId, orderNumber, sourceVersion, correlationId },
        });
        await answer({ outcome: 'parked', code: error.code });
        const parked: Metric = { name: METRICS.ordersParked, value: 1, reason: error.code };
        line({ outcome: 'parked', code: error.code, reason, remedy }, [parked]);
        return true;
      } catch (parkingFailed) {
        line({ outcome: 'retry', code: 'COULD_NOT_PARK', reason: describeError(parkingFailed) });
        return false;
      }
    }
    const waitMs = waitFor(error, receive, ports);
    // A lost hint only means that the message comes back when the queue's own visibility timeout ends.
    await ports.hide(record, waitMs).catch(() => undefined);
    const credentials: Metric = { name: METRICS.credentialsRefused, value: 1 };
    const waiting = {
      outcome: error instanceof BusyError ? 'busy' : 'retry',
      code: error instanceof RetryableError ? error.code : 'UNFORESEEN',
      reason: describeError(error),
      attempt: error instanceof RetryableError ? error.attempt : undefined,
      retryInMs: Math.round(waitMs),
    };
    await answer(waiting);
    line(waiting, error instanceof CredentialsError ? [credentials] : []);
    return false;
  } finally {
    clearTimeout(timer);
  }
};

/** Work that ignores its signal must not hold up the batch. */
const abortOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

const waitFor = (error: unknown, receive: number, ports: BatchPorts): number => {
  if (error instanceof BusyError) return Math.max(0, error.leaseUntilMs - ports.nowMs());
  if (error instanceof RetryableError && error.code === 'OUT_OF_TIME') return 0;
  const retryable = error instanceof RetryableError ? error : undefined;
  if (retryable?.waitMs !== undefined) return retryable.waitMs;
  return delayMs(retryable?.attempt ?? receive, {
    retryAfterMs: retryable?.retryAfterMs,
    timeScale: ports.timeScale,
    ...(ports.random ? { random: ports.random } : {}),
  });
};

const isRedriven = ({ messageAttributes }: SQSRecord): boolean =>
  messageAttributes?.[PARKED_ATTRIBUTES.redriveOf] !== undefined;

const aboutOrder = (data: EventData<EventName>): Partial<WideLine> => ({
  ...('orderId' in data && { orderId: data.orderId }),
  ...('orderNumber' in data && { orderNumber: data.orderNumber }),
  ...('sourceVersion' in data && { sourceVersion: data.sourceVersion }),
});

/** What EventBridge puts into a queue. */
const BusEvent = z.object({ 'detail-type': z.string(), detail: z.object({ meta: Meta, data: z.unknown() }) });

/** @throws PermanentError EVENT_NOT_UNDERSTOOD, which names paths but never values */
const readEvent = <N extends EventName>(name: N, body: string): Envelope<EventData<N>> =>
  readOneOf([name], body).event;

/** @throws PermanentError EVENT_NOT_UNDERSTOOD, as above */
export const readOneOf = <N extends EventName>(names: readonly N[], body: string): Told<N> => {
  const refuse = (problem: EventProblem) => new PermanentError('EVENT_NOT_UNDERSTOOD', { problem });
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw refuse({ kind: 'not-json' });
  }
  const outer = BusEvent.safeParse(json);
  if (!outer.success) throw refuse({ kind: 'fields', fields: pathsOf(outer.error) });
  const got = outer.data['detail-type'];
  const name = names.find((each) => each === got);
  if (name === undefined) throw refuse({ kind: 'other-event', got, wanted: names.join(' or ') });
  const data = CATALOGUE[name].schema.safeParse(outer.data.detail.data);
  if (!data.success) throw refuse({ kind: 'fields', fields: pathsOf(data.error) });
  return { name, event: { meta: outer.data.detail.meta, data: data.data } } as Told<N>;
};

/** An event with its name. */
export type Told<N extends EventName> = {
  [K in N]: { readonly name: K; readonly event: Envelope<EventData<K>> };
}[N];

/** `$` is the whole, as in JSONPath. */
const pathsOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, MOST_PATHS)
    .map((issue) => `${['$', ...issue.path].join('.')}: ${issue.code}`)
    .join(', ');

/** A list of a thousand lines may be wrong a thousand times; the first ones tell. */
const MOST_PATHS = 20;
