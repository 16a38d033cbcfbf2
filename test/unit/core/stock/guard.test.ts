import { describe, expect, it } from 'vitest';
import { type Compared, judge, judgeIdentity } from '../../../../shared/core/stock/guard.ts';
import type { CycleKind } from '../../../../shared/core/stock/poll-state.ts';
import type { StockGuard } from '../../../../shared/settings/stock-route.ts';
import { NOW, routeOf, rowOf } from './harness.ts';

const { guard } = routeOf();
type Levels = Readonly<Record<string, number>>;

const levelsOf = (free: Levels) =>
  Object.fromEntries(Object.entries(free).map(([name, pieces]) => [name, { onHand: pieces, free: pieces }]));
let made = 0;
/** So many SKUs that were read as `was`, and now as `is`. */
const some = (count: number, was: Levels, is: Levels): Compared[] =>
  Array.from({ length: count }, () => {
    made += 1;
    const levels = Object.fromEntries(
      Object.entries(levelsOf(was)).map(([name, level]) => [name, { ...level, asOfMs: NOW - 1 }]),
    );
    return {
      row: rowOf(0, { sku: `SKU-${made}`, levels }),
      reading: { asOfMs: NOW, levels: levelsOf(is) },
    };
  });
const same = (count: number) => some(count, { WH: 5 }, { WH: 5 });
const less = (count: number) => some(count, { WH: 5 }, { WH: 4 });
const zero = (count: number) => some(count, { WH: 5 }, { WH: 0 });
const gone = (count: number) => Array.from({ length: count }, (_, index) => `GONE-${index}`);

describe('judge', () => {
  it.each<[string, CycleKind, number, Compared[], string[], string | undefined, Partial<StockGuard>?]>([
    ['nothing', 'changed', 100, [], [], undefined],
    ['nothing at all in the first listing', 'all', 0, [], [], undefined],
    ['as many changes as one day brings', 'changed', 100, less(20), [], undefined],
    ['one more', 'changed', 100, less(21), [], 'MASS_CHANGE'],
    ['all of a small shop', 'changed', 19, less(19), [], undefined],
    ['all of a shop that is no longer small', 'changed', 20, less(20), [], 'MASS_CHANGE'],
    ['few of many', 'changed', 1_000, less(200), [], undefined],
    ['a third at zero', 'changed', 60, zero(20), [], 'MASS_ZERO'],
    ['a third at zero in a complete listing', 'all', 60, [...zero(20), ...same(40)], [], 'MASS_ZERO'],
    ['a fifth at zero', 'all', 100, [...zero(20), ...same(80)], [], undefined],
    ['below zero counts as zero', 'changed', 60, some(20, { WH: 1 }, { WH: -1 }), [], 'MASS_ZERO'],
    ['was at zero already', 'changed', 60, some(20, { WH: 0 }, { WH: -1 }), [], 'MASS_CHANGE'],
    ['no longer in the ERP', 'changed', 60, some(20, { WH: 3 }, {}), [], 'MASS_ZERO'],
    ['zero, and no longer in the ERP', 'changed', 60, some(20, { WH: 0 }, {}), [], undefined],
    ['moved to another warehouse', 'changed', 60, some(20, { WH: 3 }, { SEA: 3 }), [], 'MASS_CHANGE'],
    ['new SKUs', 'all', 60, [...same(60), ...some(500, {}, { WH: 3 })], [], undefined],
    ['an empty listing', 'all', 60, [], gone(60), 'SHRUNKEN_LISTING'],
    ['an empty listing of a small shop', 'all', 3, [], gone(3), 'SHRUNKEN_LISTING'],
    ['a tenth missing', 'all', 300, same(270), gone(30), undefined],
    ['more than a tenth missing', 'all', 300, same(269), gone(31), 'SHRUNKEN_LISTING'],
    ['fewer missing than are ever held', 'all', 60, same(41), gone(19), undefined],
    ['missing and at zero together', 'all', 100, [...same(77), ...zero(8)], gone(15), 'MASS_ZERO'],
    [
      'missing and changed together',
      'all',
      100,
      [...same(70), ...less(12)],
      gone(10),
      'MASS_CHANGE',
      { zeroed: 0.5, shrunk: 0.5 },
    ],
    ['what is allowed by settings', 'changed', 100, zero(90), [], undefined, { changed: 1, zeroed: 1 }],
    [
      'nothing is allowed by settings',
      'changed',
      100,
      less(1),
      [],
      'MASS_CHANGE',
      { changed: 0, atLeast: 1 },
    ],
  ])('%s', (_, kind, known, compared, missing, code, settings = {}) => {
    expect(judge({ kind, compared, missing }, { ...guard, ...settings }, known).held?.code).toBe(code);
  });

  it('counts, and names some for people', () => {
    const compared = [...same(60), ...less(3), ...zero(30)];
    const missing = gone(5);
    const { counts, held } = judge({ kind: 'all', compared, missing }, guard, 90);
    expect(counts).toEqual({ known: 98, looked: 93, changed: 33, zeroed: 30, missing: 5 });
    expect(held?.sample).toEqual(compared.slice(63, 73).map(({ row }) => row.sku));
  });
});

describe('judgeIdentity', () => {
  const before = { company: '1 Acme', warehouses: ['WH', 'SEA'] };
  it.each([
    ['the same', before, before, undefined],
    ['nobody was asked before', {}, before, undefined],
    ['a warehouse more', before, { ...before, warehouses: ['SEA', 'NEW', 'WH'] }, undefined],
    [
      'another company',
      before,
      { ...before, company: '2 Bolt' },
      { code: 'OTHER_COMPANY', detail: '2 Bolt answers, it was 1 Acme' },
    ],
    [
      'a warehouse less',
      before,
      { ...before, warehouses: ['SEA'] },
      { code: 'WAREHOUSE_MISSING', detail: 'WH: no longer there' },
    ],
  ])('%s', (_, state, now, expected) => {
    expect(judgeIdentity(state, now)).toEqual(expected);
  });
});
