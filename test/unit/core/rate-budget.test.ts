import { describe, expect, it } from 'vitest';
import { memoryRateBudget, settledWith, takenFrom, untoldBucket } from '../../../shared/core/rate-budget.ts';

const NOW = 1_700_000_000_000;
/** A bucket of a thousand points, of which 900 are counted on; fifty come back each second. */
const told = (available: number) => ({
  available,
  atMs: NOW,
  maximum: 1_000,
  restorePerSecond: 50,
  isTold: true,
});
const TOLD = { maximum: 2_000, available: 1_500, restorePerSecond: 100 };

it('before the peer has said anything, there is little', () => {
  expect(untoldBucket(NOW)).toEqual({
    available: 100,
    maximum: 1_000,
    restorePerSecond: 50,
    atMs: NOW,
    isTold: false,
  });
});

describe('taking', () => {
  it.each<[string, number, number, number, number, number]>([
    ['what is there', 400, 100, 0, 300, 0],
    ['all that is there', 400, 400, 0, 0, 0],
    ['more than is there waits for it', 400, 500, 0, -100, 2_000],
    ['more than is there, a part of a millisecond', 0, 1, 0, -1, 20],
    ['behind others who wait', -100, 50, 0, -150, 3_000],
    ['what has come back meanwhile', 400, 500, 1_000, -50, 1_000],
    ['a full bucket restores nothing', 890, 100, 60_000, 800, 0],
    ['more than there can ever be waits for all there can be', 900, 5_000, 0, 0, 0],
    ['a clock that went back restores nothing', 400, 100, -60_000, 300, 0],
  ])('%s', (_case, available, points, laterMs, left, waitMs) => {
    expect(takenFrom(told(available), points, NOW + laterMs)).toEqual({
      bucket: { ...told(left), atMs: NOW + Math.max(0, laterMs) },
      waitMs,
    });
  });

  it('waits to the end of a millisecond', () => {
    const bucket = { ...told(0), restorePerSecond: 3 };
    expect(takenFrom(bucket, 1, NOW).waitMs).toBe(334);
  });
});

describe('settling', () => {
  it.each<[string, number, number, number]>([
    ['gives back what was not used', 100, 50, 150],
    ['never more than can be counted on', 880, 50, 900],
    ['takes nothing for what cost more', 100, -50, 100],
  ])('%s', (_case, available, unused, left) => {
    expect(settledWith(told(available), unused, undefined, NOW)).toEqual(told(left));
  });

  it('the first answer of the peer replaces the guess', () => {
    // Taken of the guessed 100: 30, of which 10 were not used.
    const guess = { ...untoldBucket(NOW), available: 70 };
    expect(settledWith(guess, 10, TOLD, NOW)).toEqual({
      available: 1_480,
      atMs: NOW,
      maximum: 2_000,
      restorePerSecond: 100,
      isTold: true,
    });
  });

  it.each<[string, number, number, number]>([
    ['raises nothing: others use it, too', 300, 1_500, 300],
    ['lowers what is believed', 300, 200, 200],
  ])('a later answer %s', (_case, believed, stated, left) => {
    const later = settledWith(told(believed), 0, { ...TOLD, available: stated }, NOW);
    expect(later.available).toBe(left);
  });

  it('its uppermost part is never counted on', () => {
    const guess = untoldBucket(NOW);
    expect(settledWith(guess, 0, { ...TOLD, available: 2_000 }, NOW).available).toBe(1_800);
  });
});

it('one worker takes and settles from the same bucket', async () => {
  let now = NOW;
  const budget = memoryRateBudget(() => now);
  expect([await budget.take(60), await budget.take(60)]).toEqual([0, 400]);
  await budget.settle(60, undefined);
  expect(await budget.take(40)).toBe(0);
  now += 1_000;
  expect(await budget.take(50)).toBe(0);
});
