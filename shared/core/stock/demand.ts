import type { OrderChangedV1 } from '../../events/order-changed.ts';
import type { OrderSettledV1 } from '../../events/order-settled.ts';
import { outstanding } from './available.ts';
import { told, toldVaguely } from './claims.ts';
import { coveredBy, readAtMs } from './readings.ts';
import { type Claim, type Demand, demandId, type StockRow } from './rows.ts';

/** One copy of an order, as far as one SKU is concerned. */
export interface Counted {
  /** Storefront connection. */
  readonly source: string;
  readonly orderId: string;
  readonly sourceVersion: number;
  readonly fetchedAtMs: number | undefined;
  readonly placedAtMs: number;
  /** later: only if the ERP has it already. never: likewise, and it will not count as it is. no: it has ended. */
  readonly counts: 'yes' | 'later' | 'never' | 'no';
  /** By the shop's SKU, whether they count or not: pieces of the listing, and of this SKU in one of them. */
  readonly by: Readonly<Record<string, { readonly pieces: number; readonly per: number }>>;
}

/** Pieces of each of the shop's SKUs in the order, without those that were refunded and put back on sale. */
export const piecesIn = (order: OrderChangedV1): Readonly<Record<string, number>> => {
  const pieces: Record<string, number> = {};
  for (const { id, sku, quantity } of order.lines) {
    if (sku === undefined) continue;
    const back = order.refunds
      .flatMap(({ lines = [] }) => lines)
      .filter((line) => line.lineId === id && line.restock === true)
      .reduce((sum, line) => sum + line.quantity, 0);
    pieces[sku] = (pieces[sku] ?? 0) + Math.max(0, quantity - back);
  }
  return pieces;
};

/** The newest version counts, whatever comes last. */
export const countOrder = (row: StockRow, copy: Counted): StockRow => {
  const id = demandId(copy.source, copy.orderId);
  const held = row.demand[id];
  if (held && !replaces(copy, held)) return row;
  const settled = held?.settled;
  const isSettled = settled !== undefined && settled.sourceVersion >= copy.sourceVersion;
  const isInErp = settled?.state === 'promised' || settled?.state === 'drafted';
  const isOver = isSettled && !isInErp;
  const counts = !isOver && copy.counts !== 'no' && (copy.counts === 'yes' || isInErp);
  const parts = counts ? Object.entries(copy.by) : [];
  const quantity = parts.reduce((sum, [, { pieces, per }]) => sum + pieces * per, 0);
  const next: Demand = {
    ...held,
    quantity,
    by: Object.fromEntries(parts.map(([listing, { pieces }]) => [listing, pieces])),
    sourceVersion: copy.sourceVersion,
    fetchedAtMs: copy.fetchedAtMs,
    placedAtMs: copy.placedAtMs,
    ...(isSettled && settled.state === 'promised' && { promisedAtMs: settled.atMs, promised: quantity }),
  };
  const counted = replaced(row, id, copy.source, held, next);
  // The shop took the pieces from sale, or put them back, for an order that means nothing to us.
  const isIdle = quantity === 0 && (held?.quantity ?? 0) === 0 && copy.counts !== 'later';
  return isIdle ? withUnsure(counted, copy) : counted;
};

const withUnsure = (row: StockRow, { source, by }: Counted): StockRow => ({
  ...row,
  claims: Object.fromEntries(
    Object.entries(row.claims).map(([id, claim]): [string, Claim] => [
      id,
      claim.shop === source && by[claim.listing] ? { ...claim, unsure: true } : claim,
    ]),
  ),
});

/** What the ERP's side says of a version. It may be heard before the version is. */
export const settleOrder = (
  row: StockRow,
  { source, orderId, sourceVersion, state, atMs }: OrderSettledV1,
): StockRow => {
  const id = demandId(source, orderId);
  const held = row.demand[id];
  const last = held?.settled;
  if (
    last &&
    (last.sourceVersion > sourceVersion || (last.sourceVersion === sourceVersion && last.atMs >= atMs))
  )
    return row;
  const known: Demand = {
    ...(held ?? { quantity: 0, by: {}, sourceVersion: -1, placedAtMs: atMs }),
    settled: { sourceVersion, state, atMs },
  };
  const isOver = state === 'ended' || state === 'dropped';
  // The ERP holds nothing for it any more: a version that revives it is demand from its first piece on.
  const { promisedAtMs: _at, promised: _pieces, covered: _covered, ...bare } = known;
  const isCounted = known.sourceVersion >= 0 && sourceVersion >= known.sourceVersion;
  if (!isCounted) return replaced(row, id, source, held, isOver ? bare : known);
  if (isOver) return replaced(row, id, source, held, { ...bare, quantity: 0, by: {} });
  if (state === 'drafted') return replaced(row, id, source, held, known);
  return replaced(row, id, source, held, { ...known, promisedAtMs: atMs, promised: known.quantity });
};

/** Of one version, what was read at the storefront last; of two that were pushed, the one that takes more. */
const replaces = (copy: Counted, held: Demand): boolean => {
  if (copy.sourceVersion !== held.sourceVersion) return copy.sourceVersion > held.sourceVersion;
  if (copy.fetchedAtMs !== undefined) return copy.fetchedAtMs > (held.fetchedAtMs ?? 0);
  if (held.fetchedAtMs !== undefined) return false;
  const quantity = Object.values(copy.by).reduce((sum, { pieces, per }) => sum + pieces * per, 0);
  return copy.counts === 'yes' && quantity > held.quantity && held.settled === undefined;
};

const replaced = (
  row: StockRow,
  id: string,
  shop: string,
  held: Demand | undefined,
  next: Demand,
): StockRow => {
  const claims = { ...row.claims };
  let pieces = 0;
  for (const listing of new Set([...Object.keys(held?.by ?? {}), ...Object.keys(next.by)])) {
    const more = (next.by[listing] ?? 0) - (held?.by[listing] ?? 0);
    pieces += more;
    const selling = Object.entries(claims).filter(([, c]) => c.shop === shop && c.listing === listing);
    for (const [key, claim] of selling) {
      claims[key] = selling.length === 1 ? told(claim, more, next.placedAtMs) : toldVaguely(claim, more);
    }
  }
  const more = next.quantity - (held?.quantity ?? 0);
  return forgetful({
    ...row,
    // The reading that contains it may have come before the news of it.
    demand: { ...row.demand, [id]: coveredBy(next, readAtMs(row)) },
    claims,
    ...((more !== 0 || pieces !== 0) && { sold: soldWith(row.sold, shop, next.placedAtMs, more) }),
  });
};

// --- what is kept -------------------------------------------------------------------------------------------

/** Orders that no longer count are remembered: late copies of them must not count again. An item holds 400 KB. */
const MOST_REMEMBERED = 200;
const REMEMBERED_MS = 21 * 24 * 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
const DAYS_SOLD = 35;

const forgetful = (row: StockRow): StockRow => {
  const entries = Object.entries(row.demand);
  const newestMs = entries.reduce((max, [, { placedAtMs }]) => Math.max(max, placedAtMs), 0);
  const done = entries
    .filter(([, demand]) => outstanding(demand) === 0 && demand.promisedAtMs === undefined)
    .sort(([, a], [, b]) => b.placedAtMs - a.placedAtMs);
  const forgotten = done.filter(
    ([, { placedAtMs }], index) => index >= MOST_REMEMBERED || placedAtMs < newestMs - REMEMBERED_MS,
  );
  if (forgotten.length === 0) return row;
  const gone = new Set(forgotten.map(([id]) => id));
  const latestMs = (shop: string) =>
    forgotten.reduce(
      (max, [id, { placedAtMs }]) => (id.startsWith(`${shop}#`) ? Math.max(max, placedAtMs) : max),
      0,
    );
  return {
    ...row,
    demand: Object.fromEntries(entries.filter(([id]) => !gone.has(id))),
    // A copy of one of them looks like a new sale: the shop has told of it long ago.
    claims: Object.fromEntries(
      Object.entries(row.claims).map(([id, claim]): [string, Claim] => [
        id,
        { ...claim, setAtMs: Math.max(claim.setAtMs, latestMs(claim.shop)) },
      ]),
    ),
  };
};

const soldWith = (
  sold: StockRow['sold'],
  shop: string,
  placedAtMs: number,
  pieces: number,
): StockRow['sold'] => {
  const day = dayOf(placedAtMs);
  const firstDay = dayOf(placedAtMs - DAYS_SOLD * DAY_MS);
  const kept = Object.entries(sold).filter(([each]) => each >= firstDay);
  const ofDay = sold[day] ?? {};
  return { ...Object.fromEntries(kept), [day]: { ...ofDay, [shop]: (ofDay[shop] ?? 0) + pieces } };
};

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
