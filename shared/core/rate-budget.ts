import type { Clock } from './ports.ts';

/** A bucket of points at a peer, as its last answer stated it. */
export interface BucketTold {
  /** Points. */
  readonly maximum: number;
  readonly available: number;
  /** Points that come back each second. */
  readonly restorePerSecond: number;
}

/**
 * The points of one peer connection, shared by all workers that call it: each takes before it asks, so that together they
 * never ask for more than there is. It may only err downwards: what was taken and never settled comes back by itself.
 */
export interface RateBudget {
  /**
   * Takes what a call may cost.
   * @returns how long to wait before it is sent, milliseconds; 0: now
   * @throws RetryableError RATE_LIMITED too many workers take at this moment; nothing was taken
   */
  take(points: number): Promise<number>;
  /** After the call: what was taken and not used, and what the peer says of its bucket. */
  settle(unused: number, told: BucketTold | undefined): Promise<void>;
}

/** What is believed of a bucket: never more than there is, as long as everybody takes before asking. */
export interface Bucket {
  /** Below zero: taken for calls that wait for it. */
  readonly available: number;
  readonly atMs: number;
  readonly maximum: number;
  readonly restorePerSecond: number;
  /** The peer has stated it; before, it is a guess. */
  readonly isTold: boolean;
}

/** Enough to ask a small thing, whose answer says how large the bucket is. */
const UNTOLD = { available: 100, maximum: 1_000, restorePerSecond: 50 };
/**
 * A full bucket restores nothing. What is taken here and reaches the peer a moment later would have come back twice, so
 * its uppermost part is never counted on.
 */
const USABLE = 0.9;

export const untoldBucket = (nowMs: number): Bucket => ({ ...UNTOLD, atMs: nowMs, isTold: false });

const usable = ({ maximum }: { readonly maximum: number }): number => Math.floor(maximum * USABLE);

const restored = (bucket: Bucket, nowMs: number): Bucket => {
  const back = (Math.max(0, nowMs - bucket.atMs) / 1000) * bucket.restorePerSecond;
  const available = Math.min(usable(bucket), bucket.available + back);
  return { ...bucket, available, atMs: Math.max(bucket.atMs, nowMs) };
};

/** What asks for more than there can ever be waits for all there can be. */
export const takenFrom = (
  bucket: Bucket,
  points: number,
  nowMs: number,
): { readonly bucket: Bucket; readonly waitMs: number } => {
  const now = restored(bucket, nowMs);
  const available = now.available - Math.min(points, usable(now));
  return {
    bucket: { ...now, available },
    waitMs: available >= 0 ? 0 : Math.ceil((-available / now.restorePerSecond) * 1000),
  };
};

/** The first answer of the peer replaces the guess; a later one only lowers it: others use the bucket, too. */
export const settledWith = (
  bucket: Bucket,
  unused: number,
  told: BucketTold | undefined,
  nowMs: number,
): Bucket => {
  const own = restored(bucket, nowMs);
  const back = Math.min(usable(own), own.available + Math.max(0, unused));
  if (!told) return { ...own, available: back };
  const { maximum, restorePerSecond } = told;
  const believed = bucket.isTold ? back : back + told.available - UNTOLD.available;
  const available = Math.min(believed, told.available, usable(told));
  return { available, atMs: own.atMs, maximum, restorePerSecond, isTold: true };
};

/** For one worker: a test, a laptop, a command. */
export const memoryRateBudget = (nowMs: Clock): RateBudget => {
  let bucket = untoldBucket(nowMs());
  return {
    take: async (points) => {
      const taken = takenFrom(bucket, points, nowMs());
      bucket = taken.bucket;
      return taken.waitMs;
    },
    settle: async (unused, told) => {
      bucket = settledWith(bucket, unused, told, nowMs());
    },
  };
};
