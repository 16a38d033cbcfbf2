import type { StockAbility } from '../../connectors/manifest.ts';
import { heldBy } from './claims.ts';
import { type Claim, claimId, type ListingRow, type StockRow } from './rows.ts';
import { policyOf } from './rules.ts';
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
  const more = Math.max(0, Math.floor(roomOf(row, id, context.route) / per));
  if (reserveOf(row, from, context) === 0) {
    return want <= claim.bound ? want : Math.min(want, claim.bound + more);
  }
  // What it shows now may be sold while it is overwritten: both have to fit. To show more is not worth showing nothing
  // first; to show less, it has to be.
  const most = claim.bound + more - from;
  if (want > from) return Math.max(from, Math.min(want, most));
  return want <= most ? want : 0;
};

/**
 * What is reserved while it is written: a shop that cannot compare may sell what it shows in between. Only where nothing
 * may ever be oversold; elsewhere that moment is a part of the propagation time.
 */
export const reserveOf = (row: StockRow, from: number, { compare, route }: PlanContext): number =>
  compare === 'reads-first' && policyOf(route, row) === 'partitioned' ? from : 0;

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
  const most = Math.max(claim.bound, plan.to + reserveOf(row, plan.from, context));
  const more = most + (claim.unseen?.pieces ?? 0) - heldBy(claim);
  return more <= 0 || more * claim.per <= roomOf(row, id, context.route);
};

/** What the parts of a bundle allow each other. */
export interface Most {
  readonly most: number;
  readonly gave: number;
}

/** The row with what the other parts of the bundle allow, and all that follows from it. */
export const withMost = (row: StockRow, id: string, most: Most, context: TargetContext): StockRow => {
  const claim = row.claims[id];
  if (!claim) return row;
  return retargeted({ ...row, claims: { ...row.claims, [id]: { ...claim, ...most } } }, context);
};

/** By component; empty when there is only one. */
export const mostOf = (
  listing: ListingRow,
  rows: ReadonlyMap<string, StockRow>,
  { route }: TargetContext,
): ReadonlyMap<string, Most> => {
  const id = idOf(listing);
  const { components } = listing;
  if (components.length < 2) return new Map();
  const limits = components.map(({ sku }) => {
    const row = rows.get(sku);
    return { sku, gave: row ? limitOf(row, id, route) : 0 };
  });
  return new Map(
    limits.map(({ sku, gave }) => {
      const others = limits.filter((other) => other.sku !== sku).map((other) => other.gave);
      return [sku, { most: Math.min(...others), gave }];
    }),
  );
};
