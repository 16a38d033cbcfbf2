import type { ListedOrder, StorefrontReads } from '../connectors/contract.ts';
import type { Publish } from '../events/catalogue.ts';
import type { Meta } from '../events/envelope.ts';
import type { Cursor, Cursors } from './cursors.ts';
import { intentKey, orderReference } from './intent-key.ts';
import type { JourneyRow } from './journal.ts';
import type { JournalReads } from './journal-reads.ts';
import type { CallContext, Clock } from './ports.ts';

export interface ReconcilePorts {
  /** Connection id of the storefront. */
  readonly source: string;
  /** Connection ids of the ERPs that its orders are due at. */
  readonly destinations: readonly string[];
  /** The earliest cut-over among its routes: where the first run begins. */
  readonly startMs: number;
  readonly reads: Pick<StorefrontReads, 'changed' | 'clock'>;
  readonly cursors: Cursors;
  readonly journal: Pick<JournalReads, 'row'>;
  readonly publish: Publish;
  readonly nowMs: Clock;
  readonly newId: () => string;
  /** Longer than a run may last. */
  readonly leaseMs: number;
  /** How far each run reads back: rows may become visible after later ones were read. */
  readonly overlapMs: number;
  /** Younger changes are left to the next run: their webhooks may still be on their way. */
  readonly inFlightMs: number;
  /** An order that nothing had brought was handed on. */
  readonly onFound?: (found: ListedOrder) => void;
}

export interface ReconcileCall extends CallContext {
  /** No further page is begun from here on. */
  readonly endMs: number;
}

export type ReconcileOutcome =
  | { readonly kind: 'busy'; readonly leaseUntilMs: number }
  | {
      /** continues: time ran out; the next run goes on from `atMs`. */
      readonly kind: 'done' | 'continues';
      readonly listed: number;
      /** Handed on, because nothing had brought them. */
      readonly found: number;
      /** Handed on, because what is known of them was read within the second of their change. */
      readonly unsure: number;
      /** The largest change seen; undefined: none yet. */
      readonly atMs: number | undefined;
      /** done: all that changed before is known, by the storefront's clock. */
      readonly untilMs: number;
    };

/**
 * Webhooks are a hint, the storefront's own list is the truth: reads what changed since the last run, and hands on what
 * the journal does not know, as if it had been pushed.
 *
 * The window is fixed before reading. It begins at the largest change seen (never at a time of our own clock: theirs may
 * be slow) minus an overlap, and the cursor moves only after what was read is published: a run that dies in between
 * is repeated, and consumers know the copies.
 * @throws RetryableError the storefront or the bus failed; what was saved before stays
 */
export const reconcileOrders = async (
  ports: ReconcilePorts,
  call: ReconcileCall,
): Promise<ReconcileOutcome> => {
  const name = cursorName(ports);
  const claim = await ports.cursors.claim(name, ports.leaseMs);
  if (claim.kind === 'busy') return claim;
  try {
    return await readOn(ports, claim.cursor, call, (cursor) => ports.cursors.save(name, claim.turn, cursor));
  } finally {
    // A lost release only makes the next run wait for the lease.
    await ports.cursors.release(name, claim.turn).catch(() => undefined);
  }
};

/** Another ERP among the destinations begins anew: it knows nothing of what the others were told. */
export const cursorName = ({
  source,
  destinations,
}: Pick<ReconcilePorts, 'source' | 'destinations'>): string =>
  intentKey('orders', source, destinations.toSorted().join(' '), 'reconcile');

const readOn = async (
  ports: ReconcilePorts,
  start: Cursor | undefined,
  call: ReconcileCall,
  save: (cursor: Cursor) => Promise<void>,
): Promise<ReconcileOutcome> => {
  const theirNowMs = (await ports.reads.clock?.(call)) ?? ports.nowMs();
  const window = {
    fromMs: start ? Math.max(0, start.atMs - ports.overlapMs) : ports.startMs,
    untilMs: theirNowMs - ports.inFlightMs,
  };
  const counts = { listed: 0, found: 0, unsure: 0 };
  let cursor = start;
  const outcome = (kind: 'done' | 'continues') => ({
    kind,
    ...counts,
    atMs: cursor?.atMs,
    untilMs: window.untilMs,
  });
  if (window.untilMs <= window.fromMs) return outcome('done');

  const pages = ports.reads.changed(window, call)[Symbol.asyncIterator]();
  for (;;) {
    if (ports.nowMs() >= call.endMs) {
      await pages.return?.();
      return outcome('continues');
    }
    // Before the request leaves: whatever changes from here on leads to another push.
    const fetchedAtMs = ports.nowMs();
    const { value: page, done } = await pages.next();
    if (done) return outcome('done');
    const told = new Map(Object.entries(cursor?.told ?? {}));
    const known = await Promise.all(page.map((listed) => knowledgeOf(ports, listed, fetchedAtMs, told)));
    for (const [index, listed] of page.entries()) {
      const knowledge = known[index];
      counts.listed += 1;
      if (knowledge === undefined || knowledge === 'known') continue;
      await handOn(ports, listed, fetchedAtMs);
      told.set(listed.id, markOf(listed));
      counts[knowledge === 'unknown' ? 'found' : 'unsure'] += 1;
      if (knowledge === 'unknown') ports.onFound?.(listed);
    }
    const atMs = page.reduce((max, { changedAtMs }) => Math.max(max, changedAtMs), cursor?.atMs ?? 0);
    cursor = { atMs, told: stillRead(told, atMs - ports.overlapMs) };
    await save(cursor);
  }
};

// --- what is known already ----------------------------------------------------------------------------------

/** unsure: that very version, but read so soon that something may have changed after it within the same second. */
type Knowledge = 'known' | 'unsure' | 'unknown';

/** Storefronts state moments in whole seconds, mostly. */
const SECOND_MS = 1000;

const knowledgeOf = async (
  ports: ReconcilePorts,
  listed: ListedOrder,
  fetchedAtMs: number,
  told: ReadonlyMap<string, string>,
): Promise<Knowledge> => {
  if (listed.fetched?.kind === 'ignored' || told.get(listed.id) === markOf(listed)) return 'known';
  const rows = await Promise.all(
    ports.destinations.map((destination) => ports.journal.row(destination, ports.source, listed.id)),
  );
  const all = rows.map((row) => knowledgeIn(row, listed, fetchedAtMs));
  return (['unknown', 'unsure'] as const).find((knowledge) => all.includes(knowledge)) ?? 'known';
};

const knowledgeIn = (
  { recorded, settled }: JourneyRow,
  { changedAtMs, fetched }: ListedOrder,
  fetchedAtMs: number,
): Knowledge => {
  const order = fetched?.kind === 'order' ? fetched.order : undefined;
  const version = order?.sourceVersion ?? changedAtMs;
  let knowledge: Knowledge = 'unknown';
  for (const held of [recorded, settled]) {
    if (!held || held.sourceVersion < version) continue;
    if (held.sourceVersion > version) return 'known';
    if (order) {
      const isSame = held.contentHash === undefined || held.contentHash === order.contentHash;
      if (isSame || (held.fetched && held.seenAtMs >= fetchedAtMs)) return 'known';
    } else {
      // Known edge: of two changes in one second, the webhook of the second one lost. Only orders that are read by
      // their id can tell when; asking for every order that was pushed whole would cost more than it saves.
      if (!held.fetched || held.seenAtMs >= version + SECOND_MS) return 'known';
      knowledge = 'unsure';
    }
  }
  return knowledge;
};

// --- handing on ---------------------------------------------------------------------------------------------

const handOn = async (ports: ReconcilePorts, listed: ListedOrder, fetchedAtMs: number): Promise<void> => {
  const { source } = ports;
  const meta: Meta = {
    id: ports.newId(),
    connection: source,
    correlationId: orderReference(source, listed.id),
    receivedAtMs: ports.nowMs(),
    via: 'reconciliation',
  };
  if (listed.fetched?.kind === 'order') {
    await ports.publish('order.changed.v1', { meta: { ...meta, fetchedAtMs }, data: listed.fetched.order });
  } else {
    // One that cannot be stated as an order is parked, with the reason, by who reads it.
    await ports.publish('order.notified.v1', { meta, data: { source, orderId: listed.id, why: 'listed' } });
  }
};

/** What one row of a list is like: another change of the order is another mark. */
const markOf = ({ changedAtMs, fetched }: ListedOrder): string =>
  fetched?.kind === 'order' ? `${changedAtMs} ${fetched.order.contentHash}` : String(changedAtMs);

/** An item of the table holds 400 KB; these are some 70 bytes each. What is forgotten is handed on once more, at most. */
const MOST_TOLD = 3_000;

/** Of what was handed on: what the next run will read again. */
const stillRead = (told: ReadonlyMap<string, string>, fromMs: number): Cursor['told'] =>
  Object.fromEntries(
    [...told]
      .map(([id, mark]) => ({ id, mark, changedAtMs: Number.parseInt(mark, 10) }))
      .filter(({ changedAtMs }) => changedAtMs >= fromMs)
      .sort((a, b) => b.changedAtMs - a.changedAtMs)
      .slice(0, MOST_TOLD)
      .map(({ id, mark }) => [id, mark]),
  );
