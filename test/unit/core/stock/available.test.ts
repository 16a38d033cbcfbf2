import { expect, it } from 'vitest';
import { available, notYetInErp } from '../../../../shared/core/stock/available.ts';
import type { StockRow } from '../../../../shared/core/stock/rows.ts';
import { policyOf, rulesOf, warehousesOf } from '../../../../shared/core/stock/rules.ts';
import { aDemand, aRoute, aRow } from './rows.ts';

const level = (free: number, onHand = free) => ({ onHand, free, asOfMs: 1_000 });
const NORTH = { shop: 'north', location: 'default' };

it.each<[string, Partial<StockRow>, Record<string, unknown>, number | undefined]>([
  ['all that is free', {}, {}, 10],
  ['minus what the ERP does not know of', { demand: { a: aDemand(3) } }, {}, 7],
  [
    'an order that a reading contains is not subtracted again',
    { demand: { a: aDemand(3, { covered: 3 }) } },
    {},
    10,
  ],
  ['an order that grew since: only what is new', { demand: { a: aDemand(5, { covered: 3 }) } }, {}, 8],
  [
    'an order that shrank since gives nothing back before the ERP says so',
    { demand: { a: aDemand(1, { covered: 3 }) } },
    {},
    10,
  ],
  ['minus the safety stock', {}, { safetyStock: 2 }, 8],
  ['plus what may be sold beyond stock', {}, { rules: [{ backorder: 5 }] }, 15],
  ['never below zero', { demand: { a: aDemand(30) } }, { safetyStock: 2 }, 0],
  ['whole pieces', { levels: { WH: level(2.75) } }, {}, 2],
  ['all warehouses', { levels: { WH: level(4), ANNEX: level(3) } }, {}, 7],
  [
    'only those that feed the location',
    { levels: { WH: level(4), ANNEX: level(3) } },
    { warehouses: { WH: { north: 'default' } } },
    4,
  ],
  ['what one has oversold takes from the others', { levels: { WH: level(-4), ANNEX: level(6) } }, {}, 2],
  [
    '... unless it is ignored',
    { levels: { WH: level(-4), ANNEX: level(6) } },
    { rules: [{ negativeStock: 'ignore' }] },
    6,
  ],
  [
    'oversold takes from what may be sold beyond stock',
    { levels: { WH: level(-4) } },
    { rules: [{ backorder: 6 }] },
    2,
  ],
  [
    '... unless it is ignored',
    { levels: { WH: level(-4) } },
    { rules: [{ backorder: 6, negativeStock: 'ignore' }] },
    6,
  ],
  ['not sold in this shop', {}, { rules: [{ shops: ['north'], show: false }] }, 0],
  ['nothing was read yet: that is not zero', { levels: {} }, {}, undefined],
  ['settings leave this location alone', {}, { warehouses: { WH: { north: 'L9' } } }, undefined],
])('available: %s', (_what, row, route, expected) => {
  expect(available(aRow(row), NORTH, aRoute(route))).toBe(expected);
});

it('demand of several orders adds up', () => {
  const demand = { a: aDemand(3), b: aDemand(2, { covered: 1 }), c: aDemand(0, { covered: 4 }) };
  expect(notYetInErp({ demand })).toBe(4);
});

it.each([
  ['TS-*', 'TS-RED', true],
  ['TS-*', 'XTS-RED', false],
  ['*-RED', 'TS-RED', true],
  ['T*-*D', 'TS-RED', true],
  ['TS-RED', 'TS-RED', true],
  ['TS-RED', 'TS-REDS', false],
  ['*', '', true],
  ['A*A', 'A', false],
])('the pattern %s fits %s: %s', (pattern, sku, fits) => {
  const { safetyStock } = rulesOf(aRoute({ rules: [{ skus: [pattern], safetyStock: 7 }] }), { sku }, 'north');
  expect(safetyStock).toBe(fits ? 7 : 0);
});

it('of several rules the last one that says something counts', () => {
  const route = aRoute({
    safetyStock: 1,
    rules: [
      { categories: ['Tea'], safetyStock: 3, backorder: 2 },
      { shops: ['south'], safetyStock: 5 },
      { skus: ['T*'], policy: 'partitioned' },
    ],
  });
  const tea = { sku: 'TEA', category: 'Tea' };
  expect(rulesOf(route, tea, 'north')).toMatchObject({ safetyStock: 3, backorder: 2 });
  expect(rulesOf(route, tea, 'south')).toMatchObject({ safetyStock: 5, backorder: 2 });
  expect(rulesOf(route, { sku: 'MUG' }, 'north')).toMatchObject({ safetyStock: 1, backorder: 0 });
  expect(policyOf(route, tea)).toBe('partitioned');
  expect(policyOf(route, { sku: 'MUG' })).toBe('shared');
});

it.each([
  [{}, 'default', 'all'],
  [{}, 'L1', undefined],
  [{ WH: { south: 'L1' } }, 'default', 'all'],
  [{ WH: { north: 'L1' }, ANNEX: { north: 'L1' }, THIRD: { north: 'L2' } }, 'L1', ['WH', 'ANNEX']],
  [{ WH: { north: 'L1' } }, 'default', undefined],
] as const)('with warehouses %j, the location %s is fed by %j', (warehouses, location, expected) => {
  expect(warehousesOf(aRoute({ warehouses }), 'north', location)).toEqual(expected);
});
