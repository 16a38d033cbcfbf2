import { CredentialsError, RetryableError } from '../core/errors.ts';

/** So often, and not longer: more is the queue's job. */
const TRIES = 3;
const WAIT_MS = 100;
/** A peer that asks for more time than this gets it from the queue. */
const LONGEST_HINT_MS = 1_000;

/**
 * Repeat a read in place: it changes nothing at the peer, and a single 503 among ten calls must not cost the
 * whole order an attempt. Never for writes.
 * @throws what the last try threw; at once: refused credentials, a time-out, a longer hint of the peer, an aborted signal
 */
export const repeatRead = async <T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> => {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await read();
    } catch (error) {
      if (left === 0 || signal.aborted || !isPassing(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS * (0.5 + Math.random())));
  }
};

const isPassing = (error: unknown): boolean =>
  error instanceof RetryableError &&
  !(error instanceof CredentialsError) &&
  // It has waited long enough here.
  error.code !== 'PEER_TIMEOUT' &&
  (error.retryAfterMs ?? 0) <= LONGEST_HINT_MS;
