import type { CompletedOrder, PeerDocument } from '../connectors/contract.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderNotifiedV1 } from '../events/order-notified.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { acceptanceOf, type SkipReason } from './accept.ts';
import { type ChangeRequest, cancelBegun, changeOrder, type OrderChanged } from './change-order.ts';
import { BusyError, PermanentError } from './errors.ts';
import { intentKey, orderReference } from './intent-key.ts';
import type { JourneyState, SeenInShadow, Settlement } from './journal.ts';
import type { LedgerEntry, LedgerFacts } from './ledger.ts';
import { inRouteCurrency, type MappedOrder, mapOrder } from './map-order.ts';
import { type Held, type OnceResult, once, SupersededError } from './once.ts';
import {
  type Begun,
  begunFacts,
  begunOf,
  changesOf,
  commercialHash,
  endOf,
  factsOf,
  isNothing,
  type Level,
  type OrderChanges,
  settledPayments,
  type Twin,
  twinOf,
} from './order-changes.ts';
import type { PushOrderPorts } from './order-ports.ts';
import { type Holds, holdsOf } from './order-settled.ts';
import { assertAddsUp } from './order-totals.ts';
import type { CallContext } from './ports.ts';
import { type Precedence, precedence, type Revision, revisionOf } from './revision.ts';

/** What became of one event at one ERP. */
export type PushOutcome =
  | {
      readonly kind: 'written' | 'recovered' | 'continued' | 'confirmed' | 'changed';
      readonly document: PeerDocument;
      readonly attempt: number;
      readonly level: Level;
      /** changed: what was done. */
      readonly done?: readonly string[] | undefined;
      readonly warnings: readonly string[];
      /** For the timeline: what shop, payment provider and books disagree about. */
      readonly notes?: readonly string[] | undefined;
      /** Minor units booked on a rounding line. */
      readonly roundingMinor: number;
    }
  | {
      readonly kind: 'skipped';
      readonly reason: SkipReason;
      readonly why: string;
      readonly document?: PeerDocument | undefined;
      /** ALREADY_DONE: what the ERP holds for it. */
      readonly holds?: Holds | undefined;
    }
  | { readonly kind: 'shadow'; readonly warnings: readonly string[] };

/**
 * Bring one snapshot of an order to one ERP. What is done depends on the ledger and the snapshot, never on the
 * order in which events arrive.
 * @throws PermanentError to be parked, RetryableError to be tried again, BusyError to be tried when the lease ends
 */
export const pushOrder = async (
  ports: PushOrderPorts,
  event: Envelope<OrderChangedV1>,
  call: CallContext,
): Promise<PushOutcome> => {
  const order = event.data;
  const copy = comparable(ports, event);
  const inShadow = ports.routes.some(({ from, mode }) => from === order.source && mode === 'shadow');
  const settle = (settlement: Omit<Settlement, 'revision' | 'inShadow'>) =>
    ports.journal.settle(ports.destination, order.source, order.orderId, {
      revision: copy,
      inShadow,
      ...settlement,
    });
  const fetchAgain = async (): Promise<PushOutcome> => {
    await ports.refetch.notify(notificationOf(event));
    return FETCHING_AGAIN;
  };
  const step = (code: string, text: string) => ({ atMs: ports.nowMs(), code, text });
  try {
    const outcome = await push(ports, order, copy, call);
    switch (outcome.kind) {
      case 'skipped': {
        if (outcome.reason === 'FETCHING_AGAIN') return await fetchAgain();
        const over = await settle({
          state: STATE_OF[outcome.reason] ?? 'skipped',
          step: step(outcome.reason, outcome.why),
          document: outcome.document,
          isProvisional: LOOKED_AT_AGAIN.has(outcome.reason),
        });
        if (over === 'unclear') return await fetchAgain();
        if (outcome.reason === 'CANCELLED_BEFORE_WRITTEN') await assertNotBegun(ports, order);
        if (outcome.reason === 'BEFORE_START') await assertNotAdopted(ports, order);
        if (outcome.reason === 'ALREADY_DONE') await assertUnchanged(ports, order, outcome.facts);
        if (LOOKED_AT_AGAIN.has(outcome.reason)) {
          await ports.journal.close(ports.destination, order.source, order.orderId, copy, ports.nowMs());
        }
        const { facts: _, ...rest } = outcome;
        return rest;
      }
      case 'shadow': {
        const { wire, ...rest } = outcome;
        const over = await settle({
          state: 'shadow',
          step: step('SHADOW', `nothing written to ${ports.destination}`),
          wire,
        });
        return over === 'unclear' ? await fetchAgain() : rest;
      }
      default: {
        const name = outcome.document.name ?? outcome.document.id;
        const over = await settle({
          state: 'done',
          step: step(
            outcome.kind.toUpperCase(),
            [
              `${name} in ${ports.destination}, ${(outcome.done ?? [outcome.level]).join(', ')}`,
              ...(outcome.notes ?? []),
            ].join('. '),
          ),
          document: outcome.document,
        });
        if (over === 'unclear') await fetchAgain();
        return outcome;
      }
    }
  } catch (error) {
    if (error instanceof PermanentError) {
      const { reason, remedy } = error.text;
      const over = await settle({
        state: 'parked',
        step: step(error.code, `${reason} ${remedy}`),
        detail: error.detail,
      });
      // Perhaps this never was the state of the order: what the storefront says is parked, if it has to be.
      if (over === 'unclear') return fetchAgain();
    }
    throw error;
  }
};

/** How this copy compares with others; where the storefront cannot be asked, only by its version. */
const comparable = (ports: PushOrderPorts, event: Envelope<OrderChangedV1>): Revision => {
  const revision = revisionOf(event);
  return ports.refetch.sources.has(event.data.source) ? revision : { ...revision, contentHash: undefined };
};

const notificationOf = ({ meta, data }: Envelope<OrderChangedV1>): Envelope<OrderNotifiedV1> => {
  const { id, fetchedAtMs: _, ...rest } = meta;
  return {
    // The same for every copy that a queue delivers.
    meta: { ...rest, id: `${id}:again` },
    data: { source: data.source, orderId: data.orderId, why: 'same-version' },
  };
};

const FETCHING_AGAIN = {
  kind: 'skipped',
  reason: 'FETCHING_AGAIN',
  why: 'two copies of one version differ: the storefront is asked which one holds',
} as const;

const STATE_OF: Partial<Record<SkipReason, JourneyState>> = { ALREADY_DONE: 'done', DISCARDED: 'discarded' };

/** Skips that hold only if nobody was at work meanwhile. */
const LOOKED_AT_AGAIN: ReadonlySet<SkipReason> = new Set([
  'CANCELLED_BEFORE_WRITTEN',
  'BEFORE_START',
  'ALREADY_DONE',
]);

const DISCARDED = {
  kind: 'skipped',
  reason: 'DISCARDED',
  why: 'a person decided that nothing is to be done about this version',
} as const;

type Pushed =
  | Exclude<PushOutcome, { kind: 'shadow' | 'skipped' }>
  | Skipped
  | { kind: 'shadow'; warnings: readonly string[]; wire: unknown };

/** Decides what a snapshot asks for, and has it done. What others did meanwhile leads to a new decision. */
const push = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  call: CallContext,
): Promise<Pushed> => {
  for (let tries = MOST_DECISIONS; ; tries -= 1) {
    try {
      return await decide(ports, order, copy, call);
    } catch (error) {
      if (!(error instanceof SupersededError) || tries <= 1) throw error;
    }
  }
};

/** Each new decision means that another worker finished something; the queue brings the message back after that. */
const MOST_DECISIONS = 3;

const decide = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  call: CallContext,
): Promise<Pushed> => {
  const { destination } = ports;
  const route = ports.routes.find(({ from }) => from === order.source);
  if (!route) throw new PermanentError('ROUTE_MISSING', { source: order.source, destination });

  // Before anything is decided: a copy that may never have been true must neither write nor take back.
  const { over: settled, state, seenInShadow } = await standing(ports, order, copy);
  if (settled === 'unclear') return FETCHING_AGAIN;
  // Sent again by the shop, or by a queue: the decision was taken for this very version, and stands.
  if (settled === 'same' && state === 'discarded') return DISCARDED;

  const entry = await ports.ledger.peek(createIntent(ports, order));
  const twin = entry && twinOf(entry.facts);
  if (entry && twin) return follow(ports, order, copy, settled, route, entry, twin, call);

  const acceptance = acceptanceOf(order, route);
  if (acceptance.kind === 'skip') {
    if (acceptance.reason === 'CANCELLED_BEFORE_WRITTEN') {
      // It was opened again since: its end is no news.
      if (settled === 'older') return olderThanSettled(entry?.document);
      const document = await findBegun(ports, order, route, entry, call);
      // Begun with a copy that nobody remembers: of this very version, perhaps, and then either may be the end.
      if (document && copy.contentHash !== undefined && !copy.fetched) return FETCHING_AGAIN;
      if (document) {
        const request = changeRequest(ports, order, copy, route, document, entry, call);
        const cancelled = changed(await cancelBegun(ports, request, endOf(order) ?? 'cancelled'));
        if (route.payments !== 'book') return cancelled;
        // Money may have moved nevertheless.
        const more = await decide(ports, order, copy, call);
        if (more.kind !== 'changed') return cancelled;
        return { ...more, done: [...(cancelled.done ?? []), ...(more.done ?? [])] };
      }
    }
    if (acceptance.reason === 'CANCELLED_BEFORE_WRITTEN' && seenInShadow?.state !== 'skipped') {
      assertNotSeen(order, route, seenInShadow);
    }
    return { ...acceptance, kind: 'skipped' };
  }
  if (settled !== 'older' && !entry?.document) assertNotSeen(order, route, seenInShadow);
  assertAddsUp(inRouteCurrency(order, route));
  if (route.mode === 'shadow') {
    const { wire, warnings } = await mapOrder(ports, order, route, call);
    return { kind: 'shadow', wire, warnings };
  }
  const written = await write(ports, order, copy, route, acceptance.level, call);
  // Money may have gone back before the order came here: the next look finds that out.
  const mayAsk = order.refunds.length > 0 || route.payments === 'book';
  if (written.kind === 'skipped' || !mayAsk) return written;
  const more = await decide(ports, order, copy, call);
  if (more.kind !== 'changed') return written;
  const { done = [], notes } = more;
  return {
    ...written,
    done: [written.level, ...done],
    notes,
    warnings: [...written.warnings, ...more.warnings],
  };
};

/**
 * A cancelled order that never reached the ERP asks for nothing; one that was begun asks for a look.
 * @returns its document, if it is there
 * @throws BusyError another worker may be writing it at this moment
 */
const findBegun = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  route: OrderRoute,
  entry: LedgerEntry | undefined,
  call: CallContext,
): Promise<PeerDocument | undefined> => {
  if (!entry) return undefined;
  if (!entry.document && entry.leaseUntilMs > ports.nowMs()) {
    throw new BusyError(entry.intent, entry.leaseUntilMs);
  }
  const reference = orderReference(order.source, order.orderId);
  return entry.document ?? (await ports.erp.find(reference, route, call));
};

/**
 * The other half of `mayStillWrite`: we settle and then look at the ledger, a writer claims and then looks at
 * what is settled. Whoever comes second sees the other, so no cancelled order is written unnoticed.
 * @throws BusyError an older version was begun while we settled: look again when it is through
 */
const assertNotBegun = async (ports: PushOrderPorts, order: OrderChangedV1): Promise<void> => {
  // Before the look: who stalls here must not find a lease run out that was held then.
  const nowMs = ports.nowMs();
  const entry = await ports.ledger.peek(createIntent(ports, order));
  if (entry && (entry.document || entry.leaseUntilMs > nowMs)) {
    throw new BusyError(entry.intent, entry.leaseUntilMs);
  }
};

/**
 * The same for an order that is there: a worker with an older version may have begun to change it while we found that
 * nothing is to be done.
 * @throws BusyError look again when it is through
 */
const assertUnchanged = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  facts: LedgerFacts | undefined,
): Promise<void> => {
  const nowMs = ports.nowMs();
  const entry = await ports.ledger.peek(createIntent(ports, order));
  if (entry && (!isSame(entry.facts, facts) || entry.leaseUntilMs > nowMs)) {
    throw new BusyError(entry.intent, entry.leaseUntilMs);
  }
};

/**
 * The other half of `adoptOrder`: we settle and then look at the ledger, who adopts makes the order ours and then looks at
 * what is settled. Whoever comes second sees the other, so nothing that changed meanwhile is skipped as too old.
 * @throws BusyError it was adopted while we found that it is too old: look again
 */
const assertNotAdopted = async (ports: PushOrderPorts, order: OrderChangedV1): Promise<void> => {
  const nowMs = ports.nowMs();
  const entry = await ports.ledger.peek(createIntent(ports, order));
  if (entry && (twinOf(entry.facts) || entry.leaseUntilMs > nowMs)) {
    throw new BusyError(entry.intent, entry.leaseUntilMs);
  }
};

/**
 * While a route is in shadow mode people enter its orders, and only they know which of them.
 * @throws PermanentError SEEN_IN_SHADOW
 */
const assertNotSeen = (
  { source, placedAt }: OrderChangedV1,
  { to: destination, mode }: OrderRoute,
  seen: SeenInShadow | undefined,
): void => {
  if (!seen || mode !== 'live') return;
  const day = new Date(placedAt).toISOString().slice(0, 10);
  throw new PermanentError('SEEN_IN_SHADOW', { source, destination, day });
};

type Allowed = 'yes' | 'older' | 'unclear';

/** How this copy stands to the one that was settled last. */
const standing = async (ports: PushOrderPorts, order: OrderChangedV1, copy: Revision) => {
  const settled = await ports.journal.settled(ports.destination, order.source, order.orderId);
  const over = settled ? precedence(copy, settled.revision) : 'newer';
  return { over, state: settled?.state, seenInShadow: settled?.seenInShadow } as const;
};

/**
 * A newer version was dealt with already, so writing this one would bring back what is no longer so: a parked
 * order that was cancelled meanwhile, redriven; an old delivery that comes late. Only what an earlier attempt
 * has written is still completed after a mere skip, or nobody would.
 */
const mayStillWrite = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  isWritten: boolean,
): Promise<Allowed> => {
  const { over, state } = await standing(ports, order, copy);
  if (over === 'unclear') return over;
  return over === 'older' && !(isWritten && state === 'skipped') ? over : 'yes';
};

/** One intent at the ERP: create the order. */
const write = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  route: OrderRoute,
  level: Level,
  call: CallContext,
): Promise<Exclude<Pushed, { kind: 'shadow' }>> => {
  const reference = orderReference(order.source, order.orderId);
  const intent = createIntent(ports, order);
  let map: MappedOrder | undefined;
  let allowed: Allowed = 'yes';
  const ours = async (): Promise<Begun> => {
    map ??= await mapOrder(ports, order, route, call);
    return { revision: copy, level, commercialHash: commercialHash(order), wire: map.wire };
  };
  let isOther = false;
  let completedWarnings: readonly string[] = [];
  const result: OnceResult | Exclude<Allowed, 'yes'> = await once(ports, intent, {
    begin: async ({ document }) => {
      // After the claim, see `assertNotBegun`.
      allowed = await mayStillWrite(ports, order, copy, document !== undefined);
      if (allowed !== 'yes') throw new SupersededError(intent);
    },
    find: async () => {
      // Mapping first: what a person must mend is found before anything is looked up or written.
      await ours();
      return ports.erp.find(reference, route, call);
    },
    create: async () => ports.erp.create((await ours()).wire, call),
    facts: async () => begunFacts(await ours()),
    complete: async (document, held) => {
      // What another version began is brought to its end first: the document may be confirmed with it.
      const earlier = begunOf(held.facts);
      isOther = earlier !== undefined && earlier.commercialHash !== commercialHash(order);
      const begun = isOther && earlier ? earlier : await ours();
      const completed = await completeBegun(ports, document, begun, isOther, held, call);
      completedWarnings = completed.warnings;
      const { id, name, url, fingerprint, rounding, isUnsure = false } = completed;
      // Before `finish`: what is finished is rarely looked at again.
      await ports.bindings.put(ports.destination, order.source, 'order', order.orderId, { id, name, url });
      const twin: Twin = {
        revision: begun.revision,
        level: begun.level,
        commercialHash: isUnsure ? '' : begun.commercialHash,
        fingerprint,
        refunds: [],
        payments: settledPayments(order, route),
        ended: undefined,
        roundingMinor: rounding.minor,
      };
      return { document: { id, name, url }, facts: factsOf(twin) };
    },
  }).catch((error: unknown) => {
    if (allowed !== 'yes') return allowed;
    throw error;
  });
  if (result === 'unclear') return FETCHING_AGAIN;
  if (result === 'older') return olderThanSettled(undefined);
  // Finished between our peek and our claim, perhaps by an older version: see what this one asks beyond it.
  if (result.kind === 'duplicate' || isOther) throw new SupersededError(intent);
  return {
    kind: result.kind === 'created' ? 'written' : result.kind,
    document: result.document,
    attempt: result.attempt,
    level,
    warnings: [...(map?.warnings ?? []), ...completedWarnings],
    roundingMinor: Number(result.facts['roundingMinor'] ?? 0),
  };
};

/**
 * The first completion. What an earlier attempt left unfinished may be confirmed already, and without knowing how it
 * was left a connector only rewrites the lines of drafts: so it is looked at, and then brought to what it should say.
 */
const completeBegun = async (
  { erp }: PushOrderPorts,
  document: PeerDocument,
  { wire, level }: Begun,
  isOther: boolean,
  { isTakenOver, assertInTime }: Held,
  call: CallContext,
): Promise<CompletedOrder & { readonly isUnsure?: boolean }> => {
  assertInTime();
  const completed = await erp.complete(document, wire, level, call);
  const { fingerprint } = completed;
  if (!isTakenOver || !erp.changes || fingerprint === undefined) return completed;
  assertInTime();
  try {
    return await erp.complete(document, wire, level, call, fingerprint);
  } catch (error) {
    const isTooLate = error instanceof PermanentError && error.code === 'TOO_LATE_IN_ERP';
    // What another version began is as it was found, whatever that is: the next look compares it with what is asked for.
    if (isTooLate && isOther) return { ...completed, isUnsure: true };
    throw error;
  }
};

/** The order is at the ERP already: what does this version ask for beyond that? */
const follow = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  settled: Precedence,
  route: OrderRoute,
  entry: LedgerEntry,
  twin: Twin,
  call: CallContext,
): Promise<Pushed> => {
  const { document } = entry;
  const over = precedence(copy, twin.revision);
  if (over === 'older') {
    return {
      kind: 'skipped',
      reason: 'OLDER_THAN_WRITTEN',
      why: 'a newer version was written already',
      document,
    };
  }
  // What the ERP was written from is not the last that was heard.
  if (settled === 'older') return olderThanSettled(document);
  if (over === 'unclear') return FETCHING_AGAIN;
  if (!document || route.mode !== 'live') return alreadyDone(entry);
  // A newer version is being written: its own message finishes that.
  const overBegun = twin.begun ? precedence(copy, twin.begun.revision) : 'newer';
  if (overBegun === 'unclear') return FETCHING_AGAIN;
  if (overBegun === 'older') return alreadyDone(entry);
  const facts = route.payments === 'book' ? await ports.paymentFacts?.(order) : undefined;
  const changes = changesOf(order, twin, route, facts);
  if (isNothing(changes)) return alreadyDone(entry, changes.paymentWarnings);
  const request = changeRequest(ports, order, copy, route, document, entry, call);
  const outcome = await changeOrder(ports, request, changes, twin);
  return isOnlyRaised(changes) ? { ...changed(outcome), kind: 'confirmed' } : changed(outcome);
};

const isOnlyRaised = ({ edited, refunds, end, payments }: OrderChanges): boolean =>
  !edited && refunds.length === 0 && !end && payments.length === 0;

const changed = (outcome: OrderChanged) => ({ kind: 'changed', ...outcome }) as const;

const changeRequest = (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  route: OrderRoute,
  document: PeerDocument,
  entry: LedgerEntry | undefined,
  call: CallContext,
): ChangeRequest => {
  const intent = createIntent(ports, order);
  return {
    order,
    revision: copy,
    route,
    intent,
    document,
    call,
    begin: async ({ facts }) => {
      const isAsSeen = isSame(facts, entry?.facts);
      const allowed = isAsSeen ? await mayStillWrite(ports, order, copy, false) : 'older';
      if (allowed !== 'yes') throw new SupersededError(intent);
    },
  };
};

const isSame = (a: LedgerFacts, b: LedgerFacts = {}): boolean => JSON.stringify(a) === JSON.stringify(b);

const createIntent = (ports: PushOrderPorts, order: OrderChangedV1): string =>
  intentKey(ports.destination, order.source, order.orderId, 'create');

const alreadyDone = ({ document, facts }: LedgerEntry, notes: readonly string[] = []): Skipped => {
  const twin = twinOf(facts);
  return {
    kind: 'skipped',
    reason: 'ALREADY_DONE',
    why: [`already in the ERP${document?.name ? ` as ${document.name}` : ''}`, ...notes].join('. '),
    document,
    facts,
    holds: twin && holdsOf(twin.level, twin.ended),
  };
};

const olderThanSettled = (document: PeerDocument | undefined): Skipped => ({
  kind: 'skipped',
  reason: 'OLDER_THAN_SETTLED',
  why: 'a newer version was dealt with already',
  document,
});

type Skipped = Extract<PushOutcome, { kind: 'skipped' }> & {
  /** ALREADY_DONE: those on which that was decided. */
  readonly facts?: LedgerFacts;
};
