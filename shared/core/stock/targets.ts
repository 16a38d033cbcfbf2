import type { StockRoute } from '../../settings/stock-route.ts';
import { available, marginOf, poolOf } from './available.ts';
import { heldBy, released } from './claims.ts';
import { divide, type Limit } from './partition.ts';
import type { Claim, StockRow } from './rows.ts';
import { policyOf, rulesOf, warehousesOf } from './rules.ts';

/** What the arithmetic has to know beside the row. */
export interface TargetContext {
  readonly route: StockRoute;
  readonly nowMs: number;
  /** Of a storefront, see Watermarks. */
  readonly watermarkMs: (shop: string) => number | undefined;
}

/** Is the stock of this SKU divided among the shops at the moment? */
export const isDivided = (row: StockRow, route: StockRoute): boolean => {
  const policy = policyOf(route, row);
  if (typeof policy === 'string') return policy === 'partitioned';
  const most = Object.values(row.claims).reduce(
    (max, claim) => Math.max(max, available(row, claim, route) ?? 0),
    0,
  );
  return most < policy.partitionedBelow;
};

/** The row with what everybody should show (`want`), and without reserves that are no longer needed. Pure. */
export const retargeted = (row: StockRow, context: TargetContext): StockRow => {
  const { route, nowMs, watermarkMs } = context;
  const claims: Record<string, Claim> = {};
  for (const [id, claim] of Object.entries(row.claims)) {
    claims[id] = released(claim, claim.unseen && watermarkMs(claim.shop), nowMs);
  }
  const next = { ...row, claims };
  const wants = wantsOf(next, route);
  for (const [id, claim] of Object.entries(claims)) {
    const want = wants.get(id);
    if (want !== undefined && want !== claim.want) claims[id] = { ...claim, want };
  }
  const isMoved = Object.entries(row.claims).some(([id, claim]) => claims[id] !== claim);
  return isMoved ? { ...next, movedAtMs: nowMs } : row;
};

/** What this SKU would allow one claim, if the other parts of its bundle did not matter. */
export const limitOf = (row: StockRow, id: string, route: StockRoute): number => {
  const claim = row.claims[id];
  if (!claim) return 0;
  const { most: _, ...free } = claim;
  return wantsOf({ ...row, claims: { ...row.claims, [id]: free } }, route).get(id) ?? claim.want;
};

/** Pieces of the stock that this claim may still add to what it holds. Only where the stock is divided is there a limit. */
export const roomOf = (row: StockRow, id: string, route: StockRoute): number => {
  if (!isDivided(row, route)) return Number.POSITIVE_INFINITY;
  return limitsOf(row, route).reduce((room, { of, pieces }) => {
    if (!of.has(id)) return room;
    const held = [...of].reduce((sum, each) => {
      const claim = row.claims[each];
      return claim ? sum + heldBy(claim) * claim.per : sum;
    }, 0);
    return Math.min(room, pieces - held);
  }, Number.POSITIVE_INFINITY);
};

/** Claims that show something else than they should, and can be helped now. */
export const dueOf = (row: StockRow, route: StockRoute, nowMs: number): readonly string[] =>
  Object.entries(row.claims)
    .filter(([id, claim]) => {
      if (claim.fixed) return false;
      // Whoever began it is still at it; much later it has died.
      if (claim.begun) return nowMs > claim.begun.sentAtMs + LEFT_ALONE_MS;
      if (claim.unsure || claim.want < claim.bound || isNewsForBundle(row, id, claim, route)) return true;
      return claim.want > claim.bound && roomOf(row, id, route) >= leastOf(row, claim, route);
    })
    .map(([id]) => id);

/** The pieces of the stock that it takes to show one more. */
const leastOf = (row: StockRow, { slow, bound, per }: Claim, route: StockRoute): number =>
  slow && policyOf(route, row) === 'partitioned' ? (bound + 1) * per : per;

/** The other parts of a bundle know what this one gave when they were asked last. */
const isNewsForBundle = (row: StockRow, id: string, { most, gave }: Claim, route: StockRoute): boolean => {
  if (most === undefined) return false;
  const gives = limitOf(row, id, route);
  return gives !== gave && (gave === undefined || gave <= most || gives < most);
};

const LEFT_ALONE_MS = 5 * 60_000;

/** By claim; none for those that nothing can be said of. */
const wantsOf = (row: StockRow, route: StockRoute): ReadonlyMap<string, number> => {
  const entries = Object.entries(row.claims).flatMap(([id, claim]) => {
    const pieces = available(row, claim, route);
    return pieces === undefined ? [] : [{ id, claim, pieces }];
  });
  if (!isDivided(row, route)) {
    // Sold unseen means: not available to anybody.
    const unseen = entries.reduce((sum, { claim }) => sum + (claim.unseen?.pieces ?? 0) * claim.per, 0);
    return new Map(
      entries.map(({ id, claim, pieces }) => {
        const want = Math.floor(Math.max(0, pieces - unseen) / claim.per);
        return [id, claim.fixed ? claim.bound : Math.min(want, claim.most ?? want)];
      }),
    );
  }
  const sold = soldBy(row);
  const isStrict = policyOf(route, row) === 'partitioned';
  const holders = entries.map(({ id, claim, pieces }) => {
    const most = Math.floor(pieces / claim.per);
    return {
      id,
      shop: claim.shop,
      per: claim.per,
      held: claim.bound,
      most: claim.fixed ? claim.bound : Math.min(most, claim.most ?? most),
      isSlow: isStrict && claim.slow === true,
      sold: sold.get(claim.shop) ?? 0,
    };
  });
  // What cannot be changed is not there to be divided. What may have been sold unseen is, but nobody is given it before
  // that is known (`roomOf`): most of it was not.
  const limits = limitsOf(row, route).map(({ of, pieces }) => ({
    of,
    pieces: [...of].reduce((rest, id) => {
      const claim = row.claims[id];
      if (!claim) return rest;
      return claim.fixed ? rest - claim.bound * claim.per : rest;
    }, pieces),
  }));
  const wants = new Map(
    divide(
      holders.filter(({ id }) => !row.claims[id]?.fixed),
      limits,
    ),
  );
  for (const { id, claim } of entries) if (claim.fixed) wants.set(id, claim.bound);
  return wants;
};

const soldBy = ({ sold }: StockRow): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>();
  for (const shops of Object.values(sold)) {
    for (const [shop, pieces] of Object.entries(shops)) sums.set(shop, (sums.get(shop) ?? 0) + pieces);
  }
  return sums;
};

/**
 * More kinds of warehouse sets than this are not combined: then whoever sells from a warehouse counts for all of it,
 * which errs downwards.
 */
const MOST_SETS = 6;

/**
 * What claims may hold together. Of any warehouses, those who sell from nothing else share what is in them; those who leave
 * a safety stock leave it to the others.
 */
const limitsOf = (row: StockRow, route: StockRoute): readonly Limit[] => {
  const all = Object.keys(row.levels);
  const sellers = Object.entries(row.claims).flatMap(([id, { shop, location }]) => {
    const named = warehousesOf(route, shop, location);
    if (named === undefined) return [];
    const rules = rulesOf(route, row, shop);
    return [{ id, from: new Set(named === 'all' ? all : named), rules, margin: marginOf(rules) }];
  });
  const sets = [...new Map(sellers.map(({ from }) => [[...from].sort().join('\n'), from])).values()];
  const isMany = sets.length > MOST_SETS;
  const groups = isMany ? sets : unionsOf(sets);
  const limits: Limit[] = [];
  for (const group of groups) {
    const within = sellers.filter(({ from }) =>
      isMany ? [...from].some((name) => group.has(name)) : [...from].every((name) => group.has(name)),
    );
    for (const margin of new Set(within.map((seller) => seller.margin))) {
      const those = within.filter((seller) => seller.margin <= margin);
      const negative = those.some(({ rules }) => rules.negativeStock === 'subtract') ? 'subtract' : 'ignore';
      const pool = poolOf(row, [...group], negative) ?? 0;
      limits.push({ of: new Set(those.map(({ id }) => id)), pieces: Math.max(0, Math.floor(pool + margin)) });
    }
  }
  return limits;
};

const unionsOf = (sets: readonly ReadonlySet<string>[]): readonly ReadonlySet<string>[] => {
  const unions = new Map<string, ReadonlySet<string>>();
  for (let bits = 1; bits < 2 ** sets.length; bits += 1) {
    const union = new Set(sets.flatMap((set, index) => (bits & (1 << index) ? [...set] : [])));
    unions.set([...union].sort().join('\n'), union);
  }
  return [...unions.values()];
};
