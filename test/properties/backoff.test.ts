import fc from 'fast-check';
import { expect, it } from 'vitest';
import { delayMs } from '../../shared/core/backoff.ts';

/** SQS takes 43,200 s from the receive on; a function may have held the message for 900 s. */
const LONGEST_MS = (43_200 - 900) * 1000;

const attempt = fc.integer({ min: 1, max: 200 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it.each([
  [0, 10_000],
  [1, 10_000],
  [2, 60_000],
  [3, 300_000],
  [4, 900_000],
  [5, 900_000],
  [6, 3_600_000],
  [7, 3_600_000],
  [100, 3_600_000],
  [Number.NaN, 10_000],
])('after failed attempt %i: %i ms, a fifth more or less', (failed, ms) => {
  expect(delayMs(failed, { random: () => 0.5 })).toBe(ms);
  expect(delayMs(failed, { random: () => 0 })).toBeCloseTo(0.8 * ms, 6);
  expect(delayMs(failed, { random: () => 1 })).toBeCloseTo(1.2 * ms, 6);
});

it('spans two and a half hours until the eighth attempt fails', () => {
  const seven = [1, 2, 3, 4, 5, 6, 7].map((failed) => delayMs(failed, { random: () => 0.5 }));
  expect(seven.reduce((a, b) => a + b)).toBe(9_370_000);
});

it('grows, stays within bounds, and is never shorter than the hint', () => {
  fc.assert(
    fc.property(attempt, random, fc.option(fc.integer({ min: 0, max: 1e9 })), (failed, r, hint) => {
      const options = { random: () => r, ...(hint === null ? {} : { retryAfterMs: hint }) };
      const ms = delayMs(failed, options);
      expect(ms).toBeGreaterThanOrEqual(8_000);
      expect(ms).toBeLessThanOrEqual(LONGEST_MS);
      expect(ms).toBeGreaterThanOrEqual(Math.min(hint ?? 0, LONGEST_MS));
      expect(delayMs(failed + 1, options)).toBeGreaterThanOrEqual(ms);
    }),
  );
});

it('takes a hint for what it is, no longer than SQS can hide', () => {
  expect(delayMs(1, { retryAfterMs: 90_000, random: () => 0 })).toBe(90_000);
  expect(delayMs(1, { retryAfterMs: 48 * 3_600_000 })).toBe(LONGEST_MS);
  expect(delayMs(6, { retryAfterMs: 1_000, random: () => 0.5 })).toBe(3_600_000);
});

it('scales all waiting', () => {
  fc.assert(
    fc.property(attempt, random, fc.integer({ min: 0, max: 7_200_000 }), (failed, r, retryAfterMs) => {
      const options = { retryAfterMs, random: () => r };
      expect(delayMs(failed, { ...options, timeScale: 0.01 })).toBeCloseTo(delayMs(failed, options) / 100, 5);
    }),
  );
});

it('spreads', () => {
  const delays = new Set(Array.from({ length: 50 }, () => delayMs(3)));
  expect(delays.size).toBeGreaterThan(40);
});
