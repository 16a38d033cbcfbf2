import type { StockGuard } from '../../settings/stock-route.ts';
import type { CycleCounts, CycleKind, HeldCode, PollState } from './poll-state.ts';
import type { Reading } from './readings.ts';
import type { StockRow } from './rows.ts';

/** One SKU as it is known and as it was read. */
export interface Compared {
  readonly row: StockRow;
  readonly reading: Reading;
}

export interface Cycle {
  readonly kind: CycleKind;
  readonly compared: readonly Compared[];
  /** Complete listings: SKUs that were known to exist and are not in it. */
  readonly missing: readonly string[];
}

export interface Verdict {
  readonly counts: CycleCounts;
  /** undefined: it may pass. */
  readonly held?: { readonly code: HeldCode; readonly sample: readonly string[] } | undefined;
}

const SAMPLE = 10;

/**
 * Would this cycle do more than one cycle does on a normal day? Pure. New SKUs change nothing; small numbers are never held,
 * apart from a listing with nothing in it.
 */
export const judge = ({ kind, compared, missing }: Cycle, guard: StockGuard, known: number): Verdict => {
  const changed = compared.filter(isChanged).map(({ row }) => row.sku);
  const zeroed = compared.filter(isZeroed).map(({ row }) => row.sku);
  const all = Math.max(known, kind === 'all' ? compared.length + missing.length : 0);
  const counts: CycleCounts = {
    known: all,
    looked: compared.length,
    changed: changed.length,
    zeroed: zeroed.length,
    missing: missing.length,
  };
  const isMore = (skus: readonly string[], share: number) =>
    skus.length >= guard.atLeast && skus.length > share * all;
  const held = (code: HeldCode, skus: readonly string[]) => ({
    counts,
    held: { code, sample: skus.slice(0, SAMPLE) },
  });
  const isEmpty = kind === 'all' && compared.length === 0 && missing.length > 0;
  if (isEmpty || isMore(missing, guard.shrunk)) return held('SHRUNKEN_LISTING', missing);
  if (isMore([...zeroed, ...missing], guard.zeroed)) return held('MASS_ZERO', [...zeroed, ...missing]);
  if (isMore([...changed, ...missing], guard.changed)) return held('MASS_CHANGE', [...changed, ...missing]);
  return { counts };
};

/** Who answers now must be who answered before. */
export const judgeIdentity = (
  state: Pick<PollState, 'company' | 'warehouses'>,
  now: { readonly company: string; readonly warehouses: readonly string[] },
): { readonly code: HeldCode; readonly detail: string } | undefined => {
  if (state.company !== undefined && state.company !== now.company) {
    return { code: 'OTHER_COMPANY', detail: `${now.company} answers, it was ${state.company}` };
  }
  const gone = (state.warehouses ?? []).filter((name) => !now.warehouses.includes(name));
  if (gone.length === 0) return undefined;
  return { code: 'WAREHOUSE_MISSING', detail: `${gone.join(', ')}: no longer there` };
};

const isChanged = ({ row, reading }: Compared): boolean => {
  const known = Object.entries(row.levels);
  if (known.length === 0) return false;
  const now = Object.entries(reading.levels);
  if (now.length === 0) return known.some(([, { free }]) => free !== 0);
  return (
    now.some(([name, { free }]) => free !== (row.levels[name]?.free ?? 0)) ||
    known.some(([name, { free }]) => free !== 0 && reading.levels[name] === undefined)
  );
};

const isZeroed = ({ row, reading }: Compared): boolean =>
  freeIn(row.levels) > 0 && freeIn(reading.levels) <= 0;

export const freeIn = (levels: Readonly<Record<string, { readonly free: number }>>): number =>
  Object.values(levels).reduce((sum, { free }) => sum + free, 0);
