import * as z from 'zod';
import { CATALOGUE, type EventName } from '../events/catalogue.ts';
import { Meta } from '../events/envelope.ts';
import { JOURNAL } from '../observability/names.ts';
import { orderReference } from './intent-key.ts';
import type { Journal, JourneyStep, Settled } from './journal.ts';
import type { JournalReads, Timelines } from './journal-reads.ts';
import {
  PARKED_KEPT_MS,
  type ParkedAction,
  type ParkedIndex,
  type ParkedMessage,
  type ParkedResult,
  type ParkedRow,
  type ParkedRows,
} from './parked.ts';
import type { Clock } from './ports.ts';
import { type ReasonParams, type ReasonText, reasonText } from './reasons.ts';
import { precedence, type Revision, revisionOf } from './revision.ts';

/** A message of a parked queue, hidden from everybody else until it is put back, or for as long as it was taken. */
export interface HeldMessage {
  readonly messageId: string;
  /** Which row of the index it belongs to; undefined: the handler never parked it, AWS did. */
  readonly parkedId: string | undefined;
  /** The row that was redriven and led here, if it was. */
  readonly redriveOf: string | undefined;
  /** What the handler said when it parked it. */
  readonly told: { readonly code: string; readonly text: ReasonText } | undefined;
  /** Why AWS parked it, as far as it says. */
  readonly byAws: ReasonParams['PARKED_BY_AWS'];
  readonly body: string;
  readonly sentAtMs: number;
  readonly receives: number;
  readonly handle: string;
}

/** The parked queue of one connection, and the way back to the queue that it belongs to. */
export interface ParkedMessages {
  /** About how many wait. Counting hides nothing. */
  count(): Promise<number>;
  /** Up to ten, hidden for so long. None: there are no more at the moment. */
  take(holdMs: number): Promise<HeldMessage[]>;
  putBack(message: HeldMessage): Promise<void>;
  /** A copy to the source queue, marked so that the consumer says what becomes of it. */
  send(message: Pick<HeldMessage, 'body'>, row: Pick<ParkedRow, 'id' | 'source'>): Promise<void>;
  delete(message: HeldMessage): Promise<void>;
}

export interface ParkedPorts {
  readonly rows: ParkedRows;
  readonly index: Pick<ParkedIndex, 'put'>;
  messages(connection: string): ParkedMessages;
  readonly journal: Pick<Journal, 'settle' | 'settled'> &
    Pick<JournalReads, 'snapshot'> &
    Pick<Timelines, 'permit'>;
  readonly newId: () => string;
  readonly nowMs: Clock;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A message that waits; unindexed: found in its queue, without a row. */
export type WaitingRow = ParkedRow & { readonly isUnindexed?: true };

export type ActionOf = Omit<ParkedAction, 'verb' | 'atMs'>;

/** Identity of a message: SQS keeps the id of what it moves by itself, so both kinds have one. */
export const rowIdOf = ({ parkedId, messageId }: HeldMessage): string => parkedId ?? messageId;

// ---- choosing ----------------------------------------------------------------------------------------------------

export type Choice =
  | { readonly kind: 'chosen'; readonly rows: readonly WaitingRow[]; readonly remaining: number }
  | { readonly kind: 'unknown'; readonly id: string }
  | { readonly kind: 'ambiguous'; readonly id: string; readonly rows: readonly WaitingRow[] };

/** Those whose id begins so; a whole id is never ambiguous with a longer one. */
export const matching = (rows: readonly WaitingRow[], id: string): readonly WaitingRow[] => {
  const exact = rows.filter((row) => row.id === id);
  return exact.length > 0 ? exact : rows.filter((row) => row.id.startsWith(id));
};

/** The oldest first, and no more than `max`. @param ids beginnings of ids */
export const choose = (rows: readonly WaitingRow[], ids: readonly string[] | 'all', max: number): Choice => {
  let wanted = rows;
  if (ids !== 'all') {
    const found = new Set<WaitingRow>();
    for (const id of ids) {
      const matches = matching(rows, id);
      const [only] = matches;
      if (!only) return { kind: 'unknown', id };
      if (matches.length > 1) return { kind: 'ambiguous', id, rows: matches };
      found.add(only);
    }
    wanted = [...found];
  }
  const oldestFirst = wanted.toSorted((a, b) => a.parkedAtMs - b.parkedAtMs);
  return { kind: 'chosen', rows: oldestFirst.slice(0, max), remaining: Math.max(0, wanted.length - max) };
};

export interface Count {
  readonly connection: string;
  readonly code: string;
  readonly messages: number;
}

/** By connection and code, in the order of first appearance. */
export const countOf = (rows: readonly Pick<ParkedRow, 'connection' | 'code'>[]): readonly Count[] => {
  const counts = new Map<string, Count>();
  for (const { connection, code } of rows) {
    const key = JSON.stringify([connection, code]);
    counts.set(key, { connection, code, messages: (counts.get(key)?.messages ?? 0) + 1 });
  }
  return [...counts.values()];
};

// ---- looking -----------------------------------------------------------------------------------------------------

/** Long enough to read a queue through; short enough that an alarm is not missed. */
const LOOK_MS = 30_000;
/** SQS asks all of its servers when it waits; twice nothing is the end. */
const EMPTY_ANSWERS = 2;
/** SQS hides 120,000 messages at most; whoever has so many parked needs other tools. */
const MOST_HELD = 20_000;
const AT_ONCE = 20;

/** Messages without a waiting row: AWS parked them, or their row was closed while they were hidden. Looked at, and put back. */
export const unindexed = async (
  connection: string,
  messages: ParkedMessages,
  rows: readonly ParkedRow[],
): Promise<WaitingRow[]> => {
  const indexed = new Set(rows.map(({ id }) => id));
  const found = new Map<string, WaitingRow>();
  for await (const message of throughAll(messages, LOOK_MS, new Set())) {
    const id = rowIdOf(message);
    if (!indexed.has(id)) found.set(id, { ...rowOf(connection, message), isUnindexed: true });
  }
  return [...found.values()];
};

/**
 * Every message of the queue, once. All are hidden until the end, or those at the front would come back for ever; then
 * what is not `gone` becomes visible again, whatever happened.
 */
export async function* throughAll(
  messages: Pick<ParkedMessages, 'take' | 'putBack'>,
  holdMs: number,
  gone: ReadonlySet<HeldMessage>,
): AsyncGenerator<HeldMessage> {
  const held = new Map<string, HeldMessage>();
  try {
    let empty = 0;
    while (empty < EMPTY_ANSWERS && held.size < MOST_HELD) {
      const taken = await messages.take(holdMs);
      const fresh = taken.filter(({ messageId }) => !held.has(messageId));
      for (const message of taken) held.set(message.messageId, message);
      empty = fresh.length === 0 ? empty + 1 : 0;
      yield* fresh;
    }
  } finally {
    const kept = [...held.values()].filter((message) => !gone.has(message));
    while (kept.length > 0) {
      // One that cannot be put back comes back by itself.
      await Promise.allSettled(kept.splice(0, AT_ONCE).map(messages.putBack));
    }
  }
}

/** What EventBridge put into a queue, of whatever kind. */
const AnyEvent = z.object({
  'detail-type': z.string(),
  detail: z.object({
    meta: Meta,
    data: z.object({
      source: z.string().optional(),
      orderId: z.string().optional(),
      orderNumber: z.string().optional(),
      sourceVersion: z.number().optional(),
    }),
  }),
});

/** What the row would say if the handler had written one. */
const rowOf = (connection: string, message: HeldMessage): ParkedRow => {
  const event = AnyEvent.safeParse(jsonOf(message.body)).data?.detail;
  return {
    connection,
    id: rowIdOf(message),
    code: message.told?.code ?? 'PARKED_BY_AWS',
    params: message.told ? {} : message.byAws,
    text: message.told?.text ?? reasonText('PARKED_BY_AWS', message.byAws),
    source: event?.meta.connection,
    orderId: event?.data.orderId,
    orderNumber: event?.data.orderNumber,
    sourceVersion: event?.data.sourceVersion,
    correlationId: event?.meta.correlationId,
    parkedAtMs: message.sentAtMs,
    receives: message.receives,
    previousId: message.redriveOf,
    state: 'parked',
    actions: [],
  };
};

const jsonOf = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};

// ---- redriving and discarding --------------------------------------------------------------------------------------

/**
 * What was done with one message.
 * redriven, discarded: as asked.
 * finished: an earlier redrive had moved it and was interrupted; its consumer has answered, the row is closed now.
 * closed: somebody else was faster.
 * missing: it is not in the parked queue: another command holds it at the moment, or SQS has deleted it and nothing else
 * holds what it said.
 */
export type Deed = 'redriven' | 'discarded' | 'finished' | 'closed' | 'missing';

export interface Done {
  readonly row: WaitingRow;
  readonly deed: Deed;
}

export interface RedriveOptions {
  readonly perSecond: number;
  /** Nobody entered them by hand: what came in shadow mode is written now. */
  readonly notInErp?: boolean;
}

/** On top of the pace: for reading the queue. */
const HOLD_MS = 60_000;

/**
 * Moves messages back to their source queues, at most so many a second, and tells each as it is done.
 *
 * Who and why is written down first. The copy is sent before the parked one is deleted, so dying in between leaves two of
 * them and never none; what is done twice is found by its reference. What SQS has deleted, because it waited for too long,
 * is sent as the journal holds it.
 */
export async function* redrive(
  ports: ParkedPorts,
  chosen: readonly WaitingRow[],
  who: ActionOf,
  { perSecond, notInErp = false }: RedriveOptions,
): AsyncGenerator<Done> {
  const paceMs = 1000 / perSecond;
  let isFirst = true;
  const pace = async () => {
    if (!isFirst) await ports.sleep(paceMs);
    isFirst = false;
  };
  const action = (): ParkedAction => ({ ...who, verb: 'redrive', atMs: ports.nowMs() });
  const holdMs = HOLD_MS + chosen.length * paceMs;
  for await (const done of onMessages(ports, chosen, holdMs, async (row, message, messages) => {
    await pace();
    if (!(await begin(ports, row, message, action()))) return 'closed';
    if (notInErp) await permit(ports, row, who);
    await messages.send(message, row);
    await messages.delete(message);
    await ports.rows.close(row, 'redriven', ports.nowMs());
    return 'redriven';
  })) {
    const { row, deed } = done;
    const body = deed === 'missing' ? await bodyOfForgotten(ports, row) : undefined;
    if (body === undefined) {
      yield done;
      continue;
    }
    await pace();
    if (await ports.rows.begin(row, action())) {
      if (notInErp) await permit(ports, row, who);
      await ports.messages(row.connection).send({ body }, row);
      await ports.rows.close(row, 'redriven', ports.nowMs());
      yield { row, deed: 'redriven' };
    } else yield { row, deed: 'closed' };
  }
}

/** In the journal, where it holds for every copy of the order, and until it is written. */
const permit = async (
  { journal, nowMs }: ParkedPorts,
  { connection, source, orderId, code }: ParkedRow,
  { by, why }: ActionOf,
): Promise<void> => {
  if (code !== 'SEEN_IN_SHADOW' || !source || !orderId) return;
  const text = `nobody entered it by hand, says ${by}: ${why}`;
  await journal.permit(connection, source, orderId, { atMs: nowMs(), code: 'NOT_ENTERED', text });
};

/** What a message said that SQS has deleted since, as EventBridge would put it; undefined: SQS may still have it. */
const bodyOfForgotten = async (ports: ParkedPorts, row: ParkedRow): Promise<string | undefined> => {
  const { connection, source, orderId, correlationId, parkedAtMs } = row;
  if (!source || !orderId || ports.nowMs() - parkedAtMs < PARKED_KEPT_MS) return undefined;
  const bodyOf = (name: EventName, detail: unknown) => JSON.stringify({ 'detail-type': name, detail });
  if (connection === source) {
    const meta: Meta = {
      id: ports.newId(),
      connection: source,
      correlationId: correlationId ?? orderReference(source, orderId),
      receivedAtMs: parkedAtMs,
      via: 'replay',
    };
    return bodyOf('order.notified.v1', { meta, data: { source, orderId, why: 'push' } });
  }
  const event = await ports.journal.snapshot(connection, source, orderId);
  return event && bodyOf('order.changed.v1', { ...event, meta: { ...event.meta, via: 'replay' } });
};

/** Deletes messages for good, and settles their orders in the journal, so that nobody waits for them. */
export async function* discard(
  ports: ParkedPorts,
  chosen: readonly WaitingRow[],
  who: ActionOf,
): AsyncGenerator<Done> {
  const settle = async (row: ParkedRow, body?: string) => {
    const atMs = ports.nowMs();
    await settleAsDiscarded(ports.journal, row, body, {
      atMs,
      code: 'DISCARDED',
      text: `${row.code}, discarded by ${who.by}: ${who.why}`,
    });
    return atMs;
  };
  for await (const done of onMessages(ports, chosen, HOLD_MS, async (row, message, messages) => {
    if (!(await begin(ports, row, message, { ...who, verb: 'discard', atMs: ports.nowMs() })))
      return 'closed';
    const atMs = await settle(row, message.body);
    await messages.delete(message);
    await ports.rows.close(row, 'discarded', atMs);
    return 'discarded';
  })) {
    const { row, deed } = done;
    // Nothing is left to delete: the row, and the journal, are all that still wait.
    if (deed !== 'missing') yield done;
    else if (await ports.rows.begin(row, { ...who, verb: 'discard', atMs: ports.nowMs() })) {
      await ports.rows.close(row, 'discarded', await settle(row));
      yield { row, deed: 'discarded' };
    } else yield { row, deed: 'closed' };
  }
}

/** Looks for the messages of rows, connection by connection, and works on each that is found. */
async function* onMessages(
  ports: ParkedPorts,
  chosen: readonly WaitingRow[],
  holdMs: number,
  work: (row: WaitingRow, message: HeldMessage, messages: ParkedMessages) => Promise<Deed>,
): AsyncGenerator<Done> {
  for (const connection of new Set(chosen.map((row) => row.connection))) {
    const messages = ports.messages(connection);
    const missing = new Map(
      chosen.filter((row) => row.connection === connection).map((row) => [row.id, row]),
    );
    const gone = new Set<HeldMessage>();
    for await (const message of throughAll(messages, holdMs, gone)) {
      const row = missing.get(rowIdOf(message));
      if (!row) continue;
      missing.delete(row.id);
      const deed = await work(row, message, messages);
      if (deed !== 'closed') gone.add(message);
      yield { row, deed };
      if (missing.size === 0) break;
    }
    for (const row of missing.values()) yield await withoutMessage(ports, row);
  }
}

const withoutMessage = async (ports: ParkedPorts, row: ParkedRow): Promise<Done> => {
  const wasRedriven = row.actions.at(-1)?.verb === 'redrive';
  if (!wasRedriven || !row.result || !isFinal(row.result)) return { row, deed: 'missing' };
  await ports.rows.close(row, 'redriven', ports.nowMs());
  return { row, deed: 'finished' };
};

const begin = async (
  { rows, index }: ParkedPorts,
  row: WaitingRow,
  message: HeldMessage,
  action: ParkedAction,
): Promise<boolean> => {
  // What AWS parked has no row yet, and who acted must be written down somewhere.
  if (row.isUnindexed) {
    const { state: _, actions: __, ...told } = rowOf(row.connection, message);
    await index.put(told satisfies ParkedMessage);
  }
  return rows.begin(row, action);
};

const ENDED: readonly Settled['state'][] = ['done', 'skipped', 'shadow', 'discarded'];

/** Only orders on their way to an ERP stand in the journal, and what became of another copy stays as it is. */
const settleAsDiscarded = async (
  journal: ParkedPorts['journal'],
  { connection, source, orderId, sourceVersion, parkedAtMs }: ParkedRow,
  body: string | undefined,
  step: JourneyStep,
): Promise<void> => {
  if (!source || !orderId || connection === source || connection === JOURNAL) return;
  const revision =
    revisionIn(body) ??
    // The message is gone: its version is all that is known, and any copy of it is meant.
    (sourceVersion === undefined
      ? undefined
      : { sourceVersion, contentHash: undefined, seenAtMs: parkedAtMs, fetched: false });
  if (!revision) return;
  const settled = await journal.settled(connection, source, orderId);
  const isNews = !settled || precedence(revision, settled.revision) === 'newer';
  if (!isNews && ENDED.includes(settled.state)) return;
  await journal.settle(connection, source, orderId, { state: 'discarded', revision, step });
};

const OrderChanged = z.object({
  detail: z.object({ meta: Meta, data: CATALOGUE['order.changed.v1'].schema }),
});

const revisionIn = (body: string | undefined): Revision | undefined => {
  const event = body === undefined ? undefined : OrderChanged.safeParse(jsonOf(body)).data?.detail;
  return event && revisionOf(event);
};

// ---- what became of it -----------------------------------------------------------------------------------------------

/**
 * done: written, or whatever the consumer is there for.
 * no-op: nothing was to be done any more, and why.
 * parked-again: with this code.
 * retrying: it failed and will be tried again by itself.
 * waiting: no consumer has taken it yet.
 */
export type Verdict =
  | { readonly kind: 'done'; readonly outcome: string; readonly document?: string; readonly url?: string }
  | { readonly kind: 'no-op'; readonly because: string; readonly document?: string }
  | { readonly kind: 'parked-again'; readonly code: string }
  | { readonly kind: 'retrying'; readonly code: string }
  | { readonly kind: 'waiting' };

const isFinal = ({ outcome }: ParkedResult): boolean => outcome !== 'retry' && outcome !== 'busy';

export const verdictOf = (result: ParkedResult | undefined): Verdict => {
  if (!result) return { kind: 'waiting' };
  const { outcome, code = '', documentName: document, documentUrl: url } = result;
  if (!isFinal(result)) return { kind: 'retrying', code };
  if (outcome === 'parked') return { kind: 'parked-again', code };
  if (outcome === 'skipped') return { kind: 'no-op', because: code, ...(document ? { document } : {}) };
  return { kind: 'done', outcome, ...(document ? { document } : {}), ...(url ? { url } : {}) };
};

const POLL_MS = 500;

/** What became of messages that were redriven, each as soon as it is known; the rest when the time is up. */
export async function* verdicts(
  ports: Pick<ParkedPorts, 'rows' | 'nowMs' | 'sleep'>,
  redriven: readonly ParkedRow[],
  { waitMs }: { readonly waitMs: number },
): AsyncGenerator<{ readonly row: ParkedRow; readonly verdict: Verdict }> {
  const endMs = ports.nowMs() + waitMs;
  let open = redriven;
  for (;;) {
    const isLast = ports.nowMs() >= endMs;
    const next: ParkedRow[] = [];
    for (const row of open) {
      const result = (await ports.rows.get(row.connection, row.id))?.result;
      if (isLast || (result && isFinal(result))) yield { row, verdict: verdictOf(result) };
      else next.push(row);
    }
    open = next;
    if (open.length === 0) return;
    await ports.sleep(POLL_MS);
  }
}
