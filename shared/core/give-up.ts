import { describeError, PermanentError, RetryableError } from './errors.ts';
import { MAX_ATTEMPTS } from './once.ts';
import type { Clock } from './ports.ts';

/**
 * With the delays of `backoff.ts`, eight attempts take about two and a half hours. Receives alone would not do: a
 * message that is never begun, because its neighbours use up the time, is received at once again.
 */
const GIVE_UP_MS = 2 * 60 * 60_000;

/**
 * Of work that only reads and so has no ledger entry: what to throw. The error itself, or, when it was tried often and
 * for long, PermanentError RETRIES_EXHAUSTED.
 */
export const givingUp = (
  error: unknown,
  { receive, receivedAtMs }: { readonly receive: number; readonly receivedAtMs: number },
  { nowMs, timeScale }: { readonly nowMs: Clock; readonly timeScale: number },
): unknown => {
  const isOld = nowMs() - receivedAtMs >= GIVE_UP_MS * timeScale;
  if (error instanceof PermanentError || receive < MAX_ATTEMPTS || !isOld) return error;
  const status = error instanceof RetryableError ? error.context['status'] : undefined;
  return new PermanentError(
    'RETRIES_EXHAUSTED',
    {
      attempts: receive,
      lastCode: error instanceof RetryableError ? error.code : 'UNFORESEEN',
      lastReason: describeError(error),
      ...(typeof status === 'number' && { lastStatus: status }),
    },
    { cause: error },
  );
};

/** A thousand: pushes for one thing that come together are meant, not those of a day. */
const MOST_RECENT = 1_000;

/** When reading began, of what this process read last: later pushes about it that came before are answered by it. */
export const remember = (recent: Map<string, number>, id: string, atMs: number): void => {
  recent.delete(id);
  recent.set(id, atMs);
  const [oldest] = recent.keys();
  if (oldest !== undefined && recent.size > MOST_RECENT) recent.delete(oldest);
};
