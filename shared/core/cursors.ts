import { RetryableError } from './errors.ts';

/** How far a poll has read. */
export interface Cursor {
  /** Largest change seen, by the peer's own clock, epoch milliseconds. */
  readonly atMs: number;
  /** What was handed on of the time that the next run reads again: id, and what it was like. */
  readonly told: Readonly<Record<string, string>>;
}

export type CursorClaim =
  | { readonly kind: 'claimed'; readonly turn: number; readonly cursor: Cursor | undefined }
  | { readonly kind: 'busy'; readonly leaseUntilMs: number };

/**
 * Remembers how far each poll has read, and lets one worker at a time read on. Every change is one conditional write.
 *
 * `save` and `release` are fenced by `turn`: a worker that was stalled past its lease changes nothing.
 */
export interface Cursors {
  /** Consistent read; undefined: nothing was read yet. */
  load(name: string): Promise<Cursor | undefined>;
  /** Takes the lease, unless another worker holds it. */
  claim(name: string, leaseMs: number): Promise<CursorClaim>;
  /** @throws RetryableError FENCED another worker has taken over; CURSOR_BACKWARDS it was further already */
  save(name: string, turn: number, cursor: Cursor): Promise<void>;
  /** Gives the lease back. Silent when fenced. */
  release(name: string, turn: number): Promise<void>;
}

export const cursorTakenOver = (name: string) =>
  new RetryableError('FENCED', 'another worker has taken over', { intent: name });
export const cursorBackwards = (name: string) =>
  new RetryableError('CURSOR_BACKWARDS', 'it had been read further already', { intent: name });
