import type { StockRoute } from '../../settings/stock-route.ts';
import { poolOf } from './available.ts';
import type { StockRow } from './rows.ts';
import { lowStockOf } from './rules.ts';

/** A SKU that has fallen below its level. */
export interface LowStock {
  readonly sku: string;
  /** Whole pieces in all warehouses that nobody has ordered. */
  readonly available: number;
  readonly level: number;
  /** At the pace of the last weeks; undefined: none was sold. */
  readonly daysOfCover: number | undefined;
  readonly sinceMs: number;
}

const DAY_MS = 86_400_000;
/** The weeks whose sales say how fast it sells. */
const COUNTED_DAYS = 28;

/**
 * Notes that a SKU has fallen below its level, once, until it has recovered: one piece above the level, so that a SKU which
 * goes to and fro tells nobody twice. Pure.
 */
export const withLowStock = (row: StockRow, route: StockRoute, nowMs: number): StockRow => {
  const { lowSinceMs, ...rest } = row;
  const level = lowStockOf(route, row);
  const available = availableOf(row);
  if (level === undefined) return lowSinceMs === undefined ? row : rest;
  if (available === undefined) return row;
  if (lowSinceMs === undefined) return available < level ? { ...row, lowSinceMs: nowMs } : row;
  return available > level ? rest : row;
};

/** undefined: it is not low, or no rule names it any more. */
export const lowStock = (row: StockRow, route: StockRoute, nowMs: number): LowStock | undefined => {
  const level = lowStockOf(route, row);
  const available = availableOf(row);
  if (row.lowSinceMs === undefined || level === undefined || available === undefined) return undefined;
  return {
    sku: row.sku,
    available,
    level,
    daysOfCover: daysOfCover(row, available, nowMs),
    sinceMs: row.lowSinceMs,
  };
};

/** undefined: nothing was read yet. */
const availableOf = (row: StockRow): number | undefined => {
  const pool = poolOf(row, 'all', 'subtract');
  return pool === undefined ? undefined : Math.max(0, Math.floor(pool));
};

/** How long it lasts when it sells as in the last four weeks; tenths of days. */
export const daysOfCover = (
  { sold }: Pick<StockRow, 'sold'>,
  available: number,
  nowMs: number,
): number | undefined => {
  const from = new Date(nowMs - COUNTED_DAYS * DAY_MS).toISOString().slice(0, 10);
  const pieces = Object.entries(sold)
    .filter(([day]) => day > from)
    .flatMap(([, shops]) => Object.values(shops))
    .reduce((sum, count) => sum + count, 0);
  return pieces <= 0 ? undefined : Math.round((available / (pieces / COUNTED_DAYS)) * 10) / 10;
};
