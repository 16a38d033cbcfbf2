import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { JourneyRow, JourneyState, JourneyStep, SeenInShadow } from './journal.ts';

/** One order on its way to one destination that is neither done nor discarded. */
export interface UnfinishedOrder {
  readonly source: string;
  readonly orderId: string;
  readonly state: Extract<JourneyState, 'parked'> | 'open';
  readonly openSinceMs: number;
  /** When it was last published again; undefined: never. */
  readonly sweptAtMs: number | undefined;
  /** The newest snapshot, as it was recorded; undefined: the consumer was faster than the recorder. */
  readonly event: Envelope<OrderChangedV1> | undefined;
}

/** What the order journal knows of one order. */
export interface JournalReads {
  /** What is known of an order, consistently read; nothing known: both undefined. */
  row(destination: string, source: string, orderId: string): Promise<JourneyRow>;
  /** The newest snapshot; undefined: none was recorded, or it was forgotten. */
  snapshot(
    destination: string,
    source: string,
    orderId: string,
  ): Promise<Envelope<OrderChangedV1> | undefined>;
}

/** The order journal as it is read by what looks after unfinished work. */
export interface UnfinishedOrders {
  /** Unfinished since before a moment, the longest first. From an index: what was opened last may be missing. */
  unfinished(destination: string, openedBeforeMs: number): AsyncIterable<UnfinishedOrder>;
}

/** An order that came in shadow mode, as it was dealt with last. */
export interface ShadowOrder {
  readonly orderId: string;
  readonly seen: SeenInShadow;
  /** The newest snapshot; undefined: it was never recorded, or forgotten. */
  readonly order: OrderChangedV1 | undefined;
  /** shadow: what would have been written. */
  readonly wire: unknown;
  /** Its timeline, oldest first. */
  readonly steps: readonly JourneyStep[];
}

export interface ShadowOrders {
  /** All that came in shadow mode on the way from one storefront to one ERP, in no order. Reads the whole journal. */
  seenInShadow(destination: string, source: string): AsyncIterable<ShadowOrder>;
}

/** Additions to the timelines of rows that exist. */
export interface Timelines {
  /** Another step in the timeline of a row that exists; it changes nothing of what becomes of the order. */
  note(destination: string, source: string, orderId: string, step: JourneyStep): Promise<void>;
  /** The same, and the row is unfinished from then on. */
  reopen(destination: string, source: string, orderId: string, step: JourneyStep): Promise<void>;
  /** The same as `note`: nobody entered the order while its route was in shadow mode, so it may be written. */
  permit(destination: string, source: string, orderId: string, step: JourneyStep): Promise<void>;
  /** The same as `note`, and that it was published again. */
  swept(destination: string, source: string, orderId: string, step: JourneyStep): Promise<void>;
}
