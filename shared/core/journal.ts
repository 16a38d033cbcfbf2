import type { PeerDocument } from '../connectors/contract.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';

/**
 * done: written and complete. skipped: nothing to do for this version, with the reason. parked: a person must
 * act. shadow: what would have been written was recorded. Only `parked` stays on the list of unfinished work.
 */
export type JourneyState = 'done' | 'skipped' | 'parked' | 'shadow';

export interface JourneyStep {
  readonly atMs: number;
  /** Stable code: RECEIVED, CREATED, SKIPPED, UNKNOWN_SKU, ... */
  readonly code: string;
  /** In plain words; no personal data. */
  readonly text: string;
}

export interface Settlement {
  readonly state: JourneyState;
  readonly sourceVersion: number;
  readonly step: JourneyStep;
  readonly document?: PeerDocument | undefined;
  /** Why it is parked, in the peer's own words; may name a buyer, so it is shown to operators only. */
  readonly detail?: string | undefined;
  /** shadow: what would have been written. */
  readonly wire?: unknown;
}

/**
 * The order journal: one row per order and destination, with the newest snapshot, what became of it, and a
 * timeline. Queues forget after days; the journal keeps unfinished work until it is done or discarded.
 *
 * Recorder and consumer write independently, in any order: a row is unfinished while the newest version that
 * was recorded is newer than the newest that was settled, or while it is parked.
 */
export interface Journal {
  /** Keeps the snapshot if it is newer than the one held. */
  record(destination: string, event: Envelope<OrderChangedV1>, step: JourneyStep): Promise<void>;
  /** Says what became of one version. A settlement of an older version than one already settled is dropped. */
  settle(destination: string, source: string, orderId: string, settlement: Settlement): Promise<void>;
  /**
   * The newest version that was settled, and what became of it (`open`: a newer one came since); undefined:
   * none yet. Consistent read, so that an older version can see that it is too late.
   */
  settled(
    destination: string,
    source: string,
    orderId: string,
  ): Promise<{ readonly sourceVersion: number; readonly state: JourneyState | 'open' } | undefined>;
}
