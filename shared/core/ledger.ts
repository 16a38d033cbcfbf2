import type { PeerDocument } from '../connectors/contract.ts';

/** What is kept beside a finished intent, to decide later what a newer version of the order asks for. */
export type LedgerFacts = Readonly<Record<string, string | number>>;

export interface LedgerEntry {
  readonly intent: string;
  readonly state: 'open' | 'written' | 'finished';
  /** Counts every claim, never goes back: the fencing token. */
  readonly attempt: number;
  /** Claims since the intent was last finished or parked: the budget that `maxAttempts` limits. */
  readonly failures: number;
  /** Epoch milliseconds; in the past when nobody works on it. */
  readonly leaseUntilMs: number;
  /** Known from `written` on. */
  readonly document?: PeerDocument | undefined;
  readonly facts: LedgerFacts;
}

export type Claim =
  | { readonly kind: 'claimed'; readonly entry: LedgerEntry }
  | { readonly kind: 'busy'; readonly leaseUntilMs: number }
  | { readonly kind: 'finished'; readonly entry: LedgerEntry };

export interface ReleaseOptions {
  readonly keepLease: boolean;
  readonly budget: 'spent' | 'unspent' | 'renewed';
}

/**
 * Remembers, per intent, whether it was begun, written and finished. Every change is one conditional write.
 *
 * `written`, `finish` and `release` are fenced: they hold only while `attempt` is still the latest claim, so a
 * worker that was stalled past its lease, or whose own bookkeeping arrives late, changes nothing.
 * Known edge: fencing protects the ledger, not the peer. That a stalled worker cannot write to the peer is
 * held by the lease outliving the function and by the aborted signal of its calls (`once.ts`).
 */
export interface Ledger {
  /** Consistent read. */
  peek(intent: string): Promise<LedgerEntry | undefined>;
  /**
   * Takes the lease if the intent is neither finished nor held; counts the attempt before the peer is called.
   * `reopen` takes a finished one, too: there is more to do about its document. It stays finished, with its facts,
   * until the next `finish` says otherwise, so a worker that dies in between leaves nothing to repair.
   */
  claim(intent: string, leaseMs: number, options?: { readonly reopen?: boolean }): Promise<Claim>;
  /**
   * The peer has the document; `facts` say what it was made of, for whoever has to complete it instead.
   * Only of an intent that was never finished. @throws RetryableError FENCED
   */
  written(intent: string, attempt: number, document: PeerDocument, facts?: LedgerFacts): Promise<void>;
  /**
   * Changes the facts of what is claimed, before something is begun that may stay unfinished: whoever claims it next
   * knows of it. @throws RetryableError FENCED, also when the lease was given back since
   */
  note(intent: string, attempt: number, facts: LedgerFacts): Promise<void>;
  /** Nothing is left to do. @throws RetryableError FENCED */
  finish(intent: string, attempt: number, document: PeerDocument, facts: LedgerFacts): Promise<void>;
  /**
   * Gives the lease back, unless `keepLease`. `budget`: an attempt was `spent`; it was `unspent`, because it only
   * waited for another worker; or the whole budget is `renewed`, for the redrive of what is parked now.
   * Silent when fenced.
   */
  release(intent: string, attempt: number, options: ReleaseOptions): Promise<void>;
}
