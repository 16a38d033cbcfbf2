/** From this failed attempt on, wait so many seconds. Eight attempts span about two and a half hours. */
const DELAY_S = [
  [1, 10],
  [2, 60],
  [3, 300],
  [4, 900],
  [6, 3600],
] as const;

/**
 * SQS hides a message for at most twelve hours from the moment it was received, and refuses more; a quarter
 * of an hour (the longest a function may live) has perhaps gone by since.
 */
const MAX_HIDE_MS = (12 * 60 - 15) * 60 * 1000;

/**
 * Milliseconds until the next attempt: grows, with a fifth of jitter either way so that a recovered peer is
 * not hit by everything at once; never shorter than the peer's own hint.
 * @param timeScale 1 in production; a laptop waits less
 */
export const delayMs = (
  attempt: number,
  options: { retryAfterMs?: number | undefined; timeScale?: number; random?: () => number } = {},
): number => {
  const { retryAfterMs = 0, timeScale = 1, random = Math.random } = options;
  const [, seconds] = DELAY_S.findLast(([from]) => attempt >= from) ?? DELAY_S[0];
  const own = seconds * 1000 * (0.8 + 0.4 * random());
  return Math.min(MAX_HIDE_MS, Math.max(own * timeScale, retryAfterMs * timeScale));
};
