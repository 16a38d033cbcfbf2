import type { PeerDocument } from '../connectors/contract.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import { type Precedence, precedence, type Revision } from './revision.ts';

/**
 * done: written and complete. skipped: nothing to do for this version, with the reason. parked: a person must
 * act. discarded: a person decided that nothing is to be done. shadow: what would have been written was recorded.
 * Only `parked` stays on the list of unfinished work.
 */
export type JourneyState = 'done' | 'skipped' | 'parked' | 'discarded' | 'shadow';

export interface JourneyStep {
  readonly atMs: number;
  /** Stable code: RECEIVED, CREATED, SKIPPED, UNKNOWN_SKU, ... */
  readonly code: string;
  /** In plain words; no personal data. */
  readonly text: string;
}

export interface Settlement {
  readonly state: JourneyState;
  /** What was settled. */
  readonly revision: Revision;
  readonly step: JourneyStep;
  readonly document?: PeerDocument | undefined;
  /** Why it is parked, in the peer's own words; may name a buyer, so it is shown to operators only. */
  readonly detail?: string | undefined;
  /** shadow: what would have been written. */
  readonly wire?: unknown;
  /** The route was in shadow mode, so it is people who enter the order. */
  readonly inShadow?: boolean;
  /** An older version may be at work: it stays on the list of unfinished work until `close`, so that no queue has to remember. */
  readonly isProvisional?: boolean;
}

/** An order that came while its route was in shadow mode: it may be in the ERP without our knowing. */
export interface SeenInShadow {
  /** When that was, the last time. */
  readonly atMs: number;
  /** What became of it then; skipped: there was nothing to enter. */
  readonly state: JourneyState;
}

/**
 * The order journal: one row per order and destination, with the newest snapshot, what became of it, and a
 * timeline. Queues forget after days; the journal keeps unfinished work until it is done or discarded.
 *
 * Recorder and consumer write independently, in any order: a row is unfinished while what was recorded is not known
 * to be what was settled (newer, or other content under the same version), or while it is parked.
 */
export interface Journal {
  /** Keeps the snapshot unless the one held is newer, or the same. */
  record(destination: string, event: Envelope<OrderChangedV1>, step: JourneyStep): Promise<void>;
  /**
   * Says what became of one copy.
   * @returns how that copy stands to the one settled before; `older` and `unclear` ones are dropped
   */
  settle(destination: string, source: string, orderId: string, settlement: Settlement): Promise<Precedence>;
  /**
   * Nothing is left to do about a copy that was settled provisionally. Silent when something else was recorded or settled
   * since: then that decides.
   */
  close(
    destination: string,
    source: string,
    orderId: string,
    revision: Revision,
    atMs: number,
  ): Promise<void>;
  /**
   * What was settled last, and what became of it (`open`: something newer came since); undefined: nothing yet.
   * Consistent read, so that an older version can see that it is too late.
   */
  settled(destination: string, source: string, orderId: string): Promise<Settled | undefined>;
}

export interface Settled {
  readonly revision: Revision;
  readonly state: JourneyState | 'open';
  readonly seenInShadow?: SeenInShadow | undefined;
}

/** What a row remembers, to decide about the next copy. */
export interface JourneyRow {
  readonly recorded: Revision | undefined;
  readonly settled: Revision | undefined;
}

/** undefined: nothing to record. `opens`: the row is unfinished from now on. */
export const onRecord = (row: JourneyRow, copy: Revision): { readonly opens: boolean } | undefined => {
  if (row.recorded && isKnown(precedence(copy, row.recorded))) return undefined;
  return { opens: !row.settled || !isKnown(precedence(copy, row.settled)) };
};

export interface Settling {
  readonly precedence: Precedence;
  /** What is settled from now on: a pushed copy never takes the place of a fetched one that says the same. */
  readonly settled: Revision;
  /** Nothing newer was recorded, so the row is what this settlement says. */
  readonly closes: boolean;
}

export const onSettle = (row: JourneyRow, copy: Revision): Settling => {
  const over = row.settled ? precedence(copy, row.settled) : 'newer';
  const settled = row.settled && over !== 'newer' ? row.settled : copy;
  const latest = row.recorded ? precedence(settled, row.recorded) : 'newer';
  return { precedence: over, settled, closes: latest === 'same' || latest === 'newer' };
};

/**
 * Does the row stay on the list of unfinished work? A second copy of what was closed opens nothing: whoever closed it has
 * looked, and who begins after that sees what is settled.
 */
export const staysListed = (
  row: { readonly state: JourneyState | 'open'; readonly isListed: boolean },
  { state, isProvisional }: Settlement,
  { precedence: over }: Settling,
): boolean =>
  state === 'parked' ||
  (isProvisional === true && !(over === 'same' && !row.isListed && row.state === state));

/** May `close` take it off the list? */
export const isClosable = (
  row: JourneyRow & { readonly state: JourneyState | 'open'; readonly isListed: boolean },
  copy: Revision,
): boolean => {
  const { precedence: over, closes } = onSettle(row, copy);
  return row.isListed && row.state !== 'parked' && row.state !== 'open' && over === 'same' && closes;
};

/** What is kept of a settlement; undefined: what was kept before, if anything. What was ours before stays ours. */
export const seenIn = ({ inShadow, state, step: { atMs } }: Settlement): SeenInShadow | undefined =>
  inShadow && state !== 'done' ? { atMs, state } : undefined;

const isKnown = (p: Precedence): boolean => p === 'older' || p === 'same';
