import { expect, it } from 'vitest';
import {
  abandoned,
  acknowledged,
  begin,
  heldBy,
  observed,
  released,
  SKEW_MS,
  told,
} from '../../../../shared/core/stock/claims.ts';
import { aClaim } from './rows.ts';

const writing = (bound: number, to: number, reserved = 0) =>
  begin(aClaim('north', { bound }), { key: 'k', to, reserved, nowMs: 10_000 });

it.each([
  ['to show more: it may be sold from the moment it is begun', 3, 5, 0, 5],
  ['to show less: not before the shop says so', 5, 3, 0, 5],
  ['overwritten unseen: what it shows and what it is to show', 3, 2, 3, 5],
  ['nothing first', 3, 0, 3, 3],
])('holds %s', (_what, bound, to, reserved, expected) => {
  expect(heldBy(writing(bound, to, reserved))).toBe(expected);
});

it('falls when less is acknowledged, and not before', () => {
  const begun = writing(5, 3);
  expect(begun.bound).toBe(5);
  expect(acknowledged(begun, 'k', 11_000)).toMatchObject({ bound: 3, wroteAtMs: 11_000 });
  expect(acknowledged(begun, 'k', 11_000)).not.toHaveProperty('begun');
});

it('what is sold while it is written is not shown afterwards', () => {
  const sold = told(writing(5, 3), 2, 10_500);
  expect(acknowledged(sold, 'k', 11_000).bound).toBe(1);
});

it('an answer to a write that somebody has taken over changes nothing', () => {
  const begun = writing(5, 3);
  expect(acknowledged(begun, 'another', 11_000)).toBe(begun);
  expect(abandoned(begun, 'another')).toBe(begun);
});

it('what was not sent is as it was, minus what was sold', () => {
  expect(abandoned(writing(3, 5), 'k')).toMatchObject({ bound: 3 });
  expect(abandoned(told(writing(3, 5), 1, 10_500), 'k')).toMatchObject({ bound: 2 });
});

it('less than was believed may have been sold unseen', () => {
  const claim = observed(aClaim('north', { bound: 5 }), 3, 20_000);
  expect(claim).toMatchObject({ bound: 3, unseen: { pieces: 2, untilMs: 20_000 + SKEW_MS } });
  expect(heldBy(claim)).toBe(5);
});

it('more than was believed has been put there', () => {
  const claim = observed(aClaim('north', { bound: 5 }), 8, 20_000);
  expect(claim).toMatchObject({ bound: 8 });
  expect(claim.unseen).toBeUndefined();
});

it('a sale that was missing explains what was not seen', () => {
  const missing = observed(aClaim('north', { bound: 5 }), 3, 20_000);
  const one = told(missing, 1, 15_000);
  expect(one).toMatchObject({ bound: 3, unseen: { pieces: 1 } });
  const all = told(one, 1, 15_000);
  expect(all.bound).toBe(3);
  expect(all.unseen).toBeUndefined();
  // Compared once more: perhaps it was another one.
  expect(all.unsure).toBe(true);
});

it('a sale after that is a sale', () => {
  const missing = observed(aClaim('north', { bound: 5 }), 3, 20_000);
  expect(told(missing, 1, 20_001 + SKEW_MS)).toMatchObject({ bound: 2, unseen: { pieces: 2 } });
});

it('a sale from before we looked is in what was seen', () => {
  const claim = aClaim('north', { bound: 5, setAtMs: 20_000 });
  expect(told(claim, 1, 19_000)).toBe(claim);
});

it('what is given back may be on sale again, and is compared', () => {
  expect(told(aClaim('north', { bound: 5 }), -2, 19_000)).toMatchObject({ bound: 7, unsure: true });
});

it('what a shop that cannot compare sells while it is written is compared afterwards', () => {
  const slow = aClaim('north', { bound: 5, slow: true, wroteAtMs: 100_000 });
  expect(told(slow, 1, 99_000).unsure).toBe(true);
  expect(told(slow, 1, 200_000).unsure).toBeUndefined();
  expect(told({ ...writing(5, 3), slow: true }, 1, 99_000).unsure).toBe(true);
});

it('a shop that was overwritten may have sold all that it showed', () => {
  expect(acknowledged(writing(3, 0, 3), 'k', 11_000)).toMatchObject({
    bound: 0,
    unseen: { pieces: 3, untilMs: 11_000 + SKEW_MS },
  });
});

it.each([
  ['all orders of that time are known', 50_001, 60_000, true],
  ['not yet', 50_000, 60_000, false],
  ['nobody reads its orders: an hour', undefined, 50_000 + 60 * 60_000, false],
  ['nobody reads its orders: more than an hour', undefined, 50_001 + 60 * 60_000, true],
] as const)('what was reserved is free: %s', (_what, watermarkMs, nowMs, isFree) => {
  const claim = aClaim('north', { bound: 1, unseen: { pieces: 2, untilMs: 50_000 } });
  const after = released(claim, watermarkMs, nowMs);
  expect(after.unseen).toEqual(isFree ? undefined : claim.unseen);
  expect(heldBy(after)).toBe(isFree ? 1 : 3);
  // It may have been told, and taken for something else.
  expect(after.unsure).toBe(isFree ? true : undefined);
});
