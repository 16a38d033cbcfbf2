import type { PeerDocument } from '../connectors/contract.ts';

/** An order that the ledger knows as written. */
export interface WrittenOrder {
  readonly source: string;
  readonly orderId: string;
  /** forgotten: it was missing in the ERP, and somebody let it be written again; it is not yet. */
  readonly state: 'finished' | 'forgotten';
  /** When it became so, epoch milliseconds. */
  readonly atMs: number;
  /** The latest claim; another one: something happened to the order since. */
  readonly attempt: number;
  readonly document?: PeerDocument | undefined;
  /** It was cancelled at the ERP, too. */
  readonly isCancelled: boolean;
  /** Ids of the refunds that were written, too. */
  readonly refunds: readonly string[];
  /** Ids of the payments that were booked, too. */
  readonly payments: readonly string[];
}

/** Who let something be written again, and why: kept with the entry. */
export interface Repair {
  readonly by: string;
  readonly why: string;
  readonly atMs: number;
  /** The document that the ERP has no more. */
  readonly document?: PeerDocument | undefined;
}

/** What a ledger is asked only when an ERP may have forgotten what the ledger calls finished. */
export interface LedgerRepairs {
  /** Of one ERP, finished or forgotten since a moment, in no order. Reads the whole ledger. */
  orders(destination: string, sinceMs: number): AsyncIterable<WrittenOrder>;
  /**
   * As if it had never been written, but for the attempts, which go on counting. Only of what is claimed.
   * @throws RetryableError FENCED
   */
  forget(intent: string, attempt: number, repair: Repair): Promise<void>;
}
