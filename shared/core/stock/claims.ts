import type { Claim } from './rows.ts';

/** Clocks of shops and ours may differ by so much. */
export const SKEW_MS = 30_000;
/** A write takes no longer. */
const WRITES_MS = 60_000;
/** Of a shop whose orders nobody reads: what was sold unseen is told by a webhook until then, or never. */
const UNTOLD_MS = 60 * 60_000;

/** Pieces of the listing that the shop shows at most, or has sold and we have not counted. */
export const heldBy = ({ bound, unseen, begun }: Claim): number =>
  Math.max(bound, begun ? begun.to + begun.reserved : 0) + (unseen?.pieces ?? 0);

/**
 * An order of the shop was counted, with so many pieces of the listing more (or, cancelled, less) than before. The shop has
 * changed its own number, so nothing is written; what it may show or have sold unseen falls (or grows) by as much.
 */
export const told = (claim: Claim, pieces: number, placedAtMs: number): Claim => {
  if (pieces === 0) return claim;
  // Given back: the shop may have put the pieces on sale again or not.
  if (pieces < 0) return { ...claim, bound: claim.bound - pieces, unsure: true };
  // Sold before we looked: what was seen there did not contain it any more.
  if (placedAtMs <= claim.setAtMs) return claim;
  const { unseen } = claim;
  const explained = unseen && placedAtMs <= unseen.untilMs ? Math.min(pieces, unseen.pieces) : 0;
  return {
    ...claim,
    ...(unseen && { unseen: fewer(unseen, explained) }),
    bound: Math.max(0, claim.bound - (pieces - explained)),
    ...(isUnclear(claim, placedAtMs, explained) && { unsure: true }),
  };
};

/** Nobody can say whether what was seen contains it: it is compared once more. */
const isUnclear = (
  { slow, begun, wroteAtMs = 0, unseen }: Claim,
  placedAtMs: number,
  explained: number,
): boolean => {
  // All that was missing has been told, or something else was: an order that was edited does not say when.
  if (unseen && explained > 0)
    return explained === unseen.pieces || placedAtMs > unseen.untilMs - 2 * SKEW_MS;
  // A shop that cannot compare may have been overwritten: it shows the piece again.
  if (!slow) return false;
  return begun !== undefined || (placedAtMs > wroteAtMs - WRITES_MS && placedAtMs < wroteAtMs + SKEW_MS);
};

/** Several locations may have sold it, nobody says which: each is compared, none is believed. */
export const toldVaguely = (claim: Claim, pieces: number): Claim =>
  pieces === 0 ? claim : { ...claim, bound: claim.bound + Math.max(0, -pieces), unsure: true };

/** A write is about to be sent. `reserved`: of a shop that cannot compare, what it may sell while it is overwritten. */
export const begin = (
  claim: Claim,
  { key, to, reserved, nowMs }: { key: string; to: number; reserved: number; nowMs: number },
): Claim => {
  const bound = Math.max(claim.bound, to);
  return {
    ...claim,
    bound,
    begun: { key, to, before: claim.bound, bound, reserved, sentAtMs: nowMs },
  };
};

/** The shop shows `to`, minus what it sold since. Another key: somebody has taken over, nothing changes. */
export const acknowledged = (claim: Claim, key: string, nowMs: number): Claim => {
  const { begun, unsure: _, ...rest } = claim;
  if (begun?.key !== key) return claim;
  return withUnseen(
    { ...rest, bound: Math.max(0, claim.bound - (begun.bound - begun.to)), wroteAtMs: nowMs },
    begun.reserved,
    nowMs,
  );
};

/** Nothing was sent, or nothing was written. */
export const abandoned = (claim: Claim, key: string): Claim => {
  const { begun, ...rest } = claim;
  if (begun?.key !== key) return claim;
  return { ...rest, bound: Math.max(0, claim.bound - (begun.bound - begun.before)) };
};

/**
 * The shop was seen to show `actual`. Less than was believed: the difference may have been sold unseen. More: somebody
 * has put it there. @param isWritten a write that was begun may have been done: what it reserved stays so
 */
export const observed = (claim: Claim, actual: number, nowMs: number, isWritten = false): Claim => {
  const { begun, unsure: _, ...rest } = claim;
  const gone = Math.max(0, claim.bound - actual) + (isWritten ? (begun?.reserved ?? 0) : 0);
  return withUnseen({ ...rest, bound: actual }, gone, nowMs);
};

/** What was reserved for unseen sales is free once all orders of that time are known. */
export const released = (claim: Claim, watermarkMs: number | undefined, nowMs: number): Claim => {
  const { unseen, ...rest } = claim;
  if (!unseen) return claim;
  const isKnown =
    watermarkMs === undefined ? nowMs > unseen.untilMs + UNTOLD_MS : watermarkMs > unseen.untilMs;
  // Never told: it was something else, or was told and taken for something else.
  return isKnown || unseen.pieces === 0 ? { ...rest, unsure: true } : claim;
};

const withUnseen = (claim: Claim, pieces: number, nowMs: number): Claim =>
  pieces === 0
    ? claim
    : { ...claim, unseen: { pieces: pieces + (claim.unseen?.pieces ?? 0), untilMs: nowMs + SKEW_MS } };

const fewer = (unseen: NonNullable<Claim['unseen']>, pieces: number): Claim['unseen'] =>
  pieces >= unseen.pieces ? undefined : { ...unseen, pieces: unseen.pieces - pieces };
