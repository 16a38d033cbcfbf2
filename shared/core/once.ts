import type { PeerDocument } from '../connectors/contract.ts';
import { delayMs } from './backoff.ts';
import {
  BusyError,
  describeError,
  IntegrationError,
  PermanentError,
  RetryableError,
  UnknownOutcomeError,
} from './errors.ts';
import type { Ledger, LedgerEntry, LedgerFacts } from './ledger.ts';
import type { Clock } from './ports.ts';

/** The eighth failed attempt is parked: with the delays of `backoff.ts` that is about two and a half hours. */
export const MAX_ATTEMPTS = 8;

export interface OncePorts {
  readonly ledger: Ledger;
  readonly nowMs: Clock;
  /** Longer than the function may live, plus the time the peer takes to settle an unanswered write. */
  readonly leaseMs: number;
  /** From sending a write until a look-up can be trusted to see it. Shorter than the lease. */
  readonly settleMs: number;
  /** A person waits for it: what has failed just now is tried at once. */
  readonly isUrgent?: boolean;
  /** Of the pauses between attempts; 1 in production. */
  readonly timeScale?: number;
  readonly random?: () => number;
}

/** What was decided before the claim no longer holds: decide again. Nothing was asked or written, no attempt is spent. */
export class SupersededError extends RetryableError {
  constructor(intent: string) {
    super('SUPERSEDED', 'another copy was dealt with meanwhile', { intent });
  }
}

export interface OnceOptions {
  /** Takes a finished intent, too: its document is completed again, towards something new. */
  readonly reopen?: boolean;
  /** With `reopen`: the document that is held is there no more, whatever has its id by now. */
  readonly isGone?: boolean;
}

export interface OnceSteps {
  /** Right after the claim: the last moment to see what others have done. @throws SupersededError */
  begin?(entry: LedgerEntry): Promise<void>;
  /** Look it up by our reference; undefined means "certainly not there". */
  find(): Promise<PeerDocument | undefined>;
  /** Exactly one write. */
  create(): Promise<PeerDocument>;
  /** What the document is made of, kept with `written`. */
  facts?(): Promise<LedgerFacts>;
  /** What follows the write and may be repeated: it reads the state first. */
  complete?(document: PeerDocument, held: Held): Promise<{ document: PeerDocument; facts: LedgerFacts }>;
}

/** What a step may know of the claim under which it works. */
export interface Held {
  readonly attempt: number;
  /** As it was when it was claimed. */
  readonly facts: LedgerFacts;
  /** An earlier attempt wrote the document, perhaps from another version, and may have begun to complete it. */
  readonly isTakenOver: boolean;
  /**
   * To be asked before every write: one that is begun late could still be settling when the lease ends, and undo what
   * the next worker does.
   * @throws RetryableError LEASE_LOST
   */
  assertInTime(): void;
}

export interface OnceResult {
  /**
   * created: by us, now. recovered: an earlier attempt had written it, unanswered. continued: written
   * earlier, completed now. duplicate: was finished already, nothing done.
   */
  readonly kind: 'created' | 'recovered' | 'continued' | 'duplicate';
  readonly document: PeerDocument;
  readonly facts: LedgerFacts;
  readonly attempt: number;
}

/**
 * Do one thing at a peer once, under any fault: claim, look up, create, `written`, complete, `finish`.
 *
 * The look-up is never skipped, not even on the first attempt: the ledger may have been restored from a
 * backup, its entry may have expired, or an old event may be replayed, and one read is cheaper than one
 * doubled order.
 *
 * After a write that may have happened the lease is left to run out: the peer may still be working on it,
 * and only after its settle time can a look-up be trusted.
 *
 * After any failure the intent rests, whoever else comes: the copies of one order share its attempts.
 *
 * @throws BusyError another worker holds it
 * @throws PermanentError from the steps, or RETRIES_EXHAUSTED at the last attempt
 * @throws RetryableError everything else, also what nobody foresaw
 */
export const once = async (
  ports: OncePorts,
  intent: string,
  steps: OnceSteps,
  options: OnceOptions = {},
): Promise<OnceResult> => {
  const { isUrgent = false, timeScale = 1, random = Math.random } = ports;
  const claim = await ports.ledger.claim(intent, ports.leaseMs, {
    reopen: options.reopen ?? false,
    isUrgent,
  });
  if (claim.kind === 'busy') throw new BusyError(intent, claim.leaseUntilMs);
  const { attempt, failures, leaseUntilMs } = claim.entry;
  if (claim.kind === 'finished') {
    const { document, facts } = claim.entry;
    if (!document) throw new RetryableError('LEDGER_BROKEN', 'finished without a document', { intent });
    return { kind: 'duplicate', document, facts, attempt };
  }

  const assertInTime = (): void => {
    if (ports.nowMs() <= leaseUntilMs - ports.settleMs) return;
    throw new RetryableError('LEASE_LOST', 'stalled for too long to begin a write', { intent });
  };
  let mayHaveWritten = false;
  try {
    await steps.begin?.(claim.entry);
    const already = options.isGone ? undefined : claim.entry.document;
    const found = already ?? (await steps.find());
    let document = found;
    if (!document) {
      // The next worker would look it up in vain and write again.
      assertInTime();
      mayHaveWritten = true;
      document = await steps.create().catch((error: unknown) => {
        if (isRefusal(error)) mayHaveWritten = false;
        throw error;
      });
    }
    // What was finished once is not merely written: `finish` says what it is now.
    if (!already && claim.entry.state !== 'finished')
      await ports.ledger.written(intent, attempt, document, await steps.facts?.());
    mayHaveWritten = false;
    const held: Held = { attempt, facts: claim.entry.facts, isTakenOver: found !== undefined, assertInTime };
    const completed = (await steps.complete?.(document, held)) ?? { document, facts: {} };
    await ports.ledger.finish(intent, attempt, completed.document, completed.facts);
    return { kind: already ? 'continued' : found ? 'recovered' : 'created', attempt, ...completed };
  } catch (error) {
    const failure = asFailure(error, failures);
    const keepLease = mayHaveWritten || error instanceof UnknownOutcomeError;
    const budget = failure instanceof PermanentError ? 'renewed' : isUnspent(failure) ? 'unspent' : 'spent';
    let restMs = 0;
    if (failure instanceof RetryableError && budget === 'spent') {
      restMs = Math.ceil(delayMs(failures, { retryAfterMs: failure.retryAfterMs, timeScale, random }));
      failure.waitMs = restMs;
    }
    // A lost release only makes the next attempt wait for the lease.
    await ports.ledger.release(intent, attempt, { keepLease, budget, restMs }).catch(() => undefined);
    throw failure;
  }
};

/** The peer said no before it wrote anything. Anything unforeseen might have happened after the write. */
const isRefusal = (error: unknown): boolean =>
  error instanceof IntegrationError && !(error instanceof UnknownOutcomeError);

/**
 * An attempt is a call to the peer: waiting for another worker is none, nor is a call that never got there. A peer
 * that is down for a weekend parks nothing; messages then wait by the number of their deliveries.
 */
const isUnspent = (error: unknown): error is RetryableError =>
  error instanceof BusyError ||
  error instanceof SupersededError ||
  (error instanceof RetryableError && error.code === 'PEER_UNREACHABLE');

const asFailure = (error: unknown, failures: number): PermanentError | RetryableError => {
  if (isUnspent(error)) return error;
  if (error instanceof PermanentError) {
    error.attempt = failures;
    return error;
  }
  const retryable =
    error instanceof RetryableError
      ? error
      : new RetryableError('UNFORESEEN', describeError(error), {}, { cause: error });
  retryable.attempt = failures;
  if (failures < MAX_ATTEMPTS) return retryable;
  const { code: lastCode, message: lastReason } = retryable;
  const status = retryable.context['status'];
  const exhausted = new PermanentError(
    'RETRIES_EXHAUSTED',
    {
      attempts: failures,
      lastCode,
      lastReason,
      ...(typeof status === 'number' && { lastStatus: status }),
    },
    { cause: retryable },
  );
  exhausted.attempt = failures;
  return exhausted;
};
