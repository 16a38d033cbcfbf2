import type { StockAbility } from '../../connectors/manifest.ts';
import { heldBy } from './claims.ts';
import { type Claim, claimId, type ListingRow, type StockRow } from './rows.ts';
import { isDivided, limitOf, retargeted, roomOf, type TargetContext } from './targets.ts';

/** What has to be done about one listing. */
export type Plan =
  /** Nobody knows it (yet), or it cannot be written. */
  | { readonly kind: 'left' }
  /** It shows what it should, as far as it can now. */
  | { readonly kind: 'fine' }
  /** Somebody is writing it, or has died over it. */
  | { readonly kind: 'busy'; readonly untilMs: number }
  /** Nobody knows what it shows: a write was not answered, or orders contradict it. */
  | { readonly kind: 'look' }
  | { readonly kind: 'write'; readonly from: number; readonly to: number };

export interface PlanContext extends TargetContext {
  readonly compare: StockAbility['compare'];
  /** After an unanswered write: how long until what the shop shows can be trusted. */
  readonly settleMs: number;
}

export const idOf = ({ shop, location, sku }: Pick<ListingRow, 'shop' | 'location' | 'sku'>): string =>
  claimId(shop, location, sku);

/** @param rows those of its components, retargeted */
export const planOf = (
  listing: ListingRow | undefined,
  rows: ReadonlyMap<string, StockRow>,
  context: PlanContext,
): Plan => {
  if (!listing || listing.refused || listing.components.length === 0) return { kind: 'left' };
  const id = idOf(listing);
  const parts: { row: StockRow; claim: Claim }[] = [];
  for (const { sku } of listing.components) {
    const row = rows.get(sku);
    const claim = row?.claims[id];
    if (!row || !claim || claim.fixed) return { kind: 'left' };
    parts.push({ row, claim });
  }
  const begun = parts.flatMap(({ claim }) => (claim.begun ? [claim.begun.sentAtMs] : []));
  if (begun.length > 0) {
    const untilMs = Math.max(...begun) + context.settleMs;
    return context.nowMs < untilMs ? { kind: 'busy', untilMs } : { kind: 'look' };
  }
  // Of a bundle, one part may have been told of a sale and another not yet.
  const from = Math.min(...parts.map(({ claim }) => claim.bound));
  const to = Math.min(...parts.map(({ row, claim }) => mayShow(row, id, claim, from, context)));
  const isSettled = parts.every(({ claim }) => !claim.unsure && claim.bound === from);
  if (to === from && isSettled) return { kind: 'fine' };
  // Writing the same value once more would overwrite what is sold meanwhile.
  return to === from && context.compare === 'reads-first' ? { kind: 'look' } : { kind: 'write', from, to };
};

/** As near to what it should show as this SKU allows at the moment. */
const mayShow = (row: StockRow, id: string, claim: Claim, from: number, context: PlanContext): number => {
  const { want, per } = claim;
  if (!isDivided(row, context.route) || want === from) return want;
  const more = Math.floor(roomOf(row, id, context.route) / per);
  if (context.compare === 'atomic' || from === 0) {
    return want <= claim.bound ? want : Math.min(want, claim.bound + Math.max(0, more));
  }
  // What it shows now may be sold while it is overwritten: both have to fit. Else nothing first, until all sales are known.
  return from + want <= claim.bound + more ? want : 0;
};

/** What is reserved while it is written. Only where the stock is divided: elsewhere everybody shows everything anyway. */
export const reserveOf = (row: StockRow, from: number, { compare, route }: PlanContext): number =>
  compare === 'reads-first' && isDivided(row, route) ? from : 0;

/** Does the row, changed meanwhile, still allow what was planned? */
export const stillAllows = (
  row: StockRow,
  id: string,
  plan: Extract<Plan, { kind: 'write' }>,
  bound: number,
  context: PlanContext,
): boolean => {
  const claim = row.claims[id];
  if (!claim || claim.begun || claim.fixed || claim.bound !== bound || plan.to > claim.want) return false;
  if (!isDivided(row, context.route)) return true;
  const after =
    Math.max(claim.bound, plan.to) + (claim.unseen?.pieces ?? 0) + reserveOf(row, plan.from, context);
  return after <= heldBy(claim) || (after - heldBy(claim)) * claim.per <= roomOf(row, id, context.route);
};

/** The row with what the other parts of the bundle allow, and all that follows from it. */
export const withMost = (
  row: StockRow,
  id: string,
  most: number | undefined,
  context: TargetContext,
): StockRow => {
  const claim = row.claims[id];
  if (!claim) return row;
  const { most: _, ...rest } = claim;
  const next = { ...rest, ...(most !== undefined && { most }) };
  return retargeted({ ...row, claims: { ...row.claims, [id]: next } }, context);
};

/** By component: what the others allow. */
export const mostOf = (
  listing: ListingRow,
  rows: ReadonlyMap<string, StockRow>,
  { route }: TargetContext,
): ReadonlyMap<string, number | undefined> => {
  const id = idOf(listing);
  const { components } = listing;
  if (components.length < 2) return new Map(components.map(({ sku }) => [sku, undefined]));
  const limits = components.map(({ sku }) => {
    const row = rows.get(sku);
    return { sku, pieces: row ? limitOf(row, id, route) : 0 };
  });
  return new Map(
    limits.map(({ sku }) => [
      sku,
      Math.min(...limits.filter((other) => other.sku !== sku).map(({ pieces }) => pieces)),
    ]),
  );
};
