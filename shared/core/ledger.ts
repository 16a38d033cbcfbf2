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
  /** Epoch milliseconds. Nobody tries again before that, because the last attempt failed; whichever copy it had come with. */
  readonly notBeforeMs?: number | undefined;
  /** Known from `written` on. */
  readonly document?: PeerDocument | undefined;
  readonly facts: LedgerFacts;
}

export type Claim =
  | { readonly kind: 'claimed'; readonly entry: LedgerEntry }
  /** `leaseUntilMs`: until when another worker holds it, or nobody is to try again. */
  | { readonly kind: 'busy'; readonly leaseUntilMs: number }
  | { readonly kind: 'finished'; readonly entry: LedgerEntry };

export interface ClaimOptions {
  /**
   * Takes a finished one, too: there is more to do about its document. It stays finished, with its facts, until the next
   * `finish` says otherwise, so a worker that dies in between leaves nothing to repair.
   */
  readonly reopen?: boolean;
  /** A person asks for it now, so it is tried at once, although the last attempt has only just failed. */
  readonly isUrgent?: boolean;
}

export interface ReleaseOptions {
  readonly keepLease: boolean;
  readonly budget: 'spent' | 'unspent' | 'renewed';
  /** Nobody tries again for so long. */
  readonly restMs?: number;
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
  /** Takes the lease if the intent is neither finished nor held nor at rest; counts the attempt before the peer is called. */
  claim(intent: string, leaseMs: number, options?: ClaimOptions): Promise<Claim>;
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
   * waited for another worker; or the whole budget is `renewed`, for the redrive of what is parked now. `restMs`: copies
   * of one order share its attempts, so they share the pauses between them, or eight attempts would be over in no time.
   * Silent when fenced.
   */
  release(intent: string, attempt: number, options: ReleaseOptions): Promise<void>;
}
