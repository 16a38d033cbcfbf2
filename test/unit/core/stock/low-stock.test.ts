import { describe, expect, it } from 'vitest';
import { daysOfCover, lowStock, withLowStock } from '../../../../shared/core/stock/low-stock.ts';
import type { StockRow } from '../../../../shared/core/stock/rows.ts';
import { StockRoute } from '../../../../shared/settings/stock-route.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const route = StockRoute.parse({
  from: 'acme-odoo',
  to: ['acme-woo'],
  rules: [{ skus: ['TEA-*'], lowStock: 5 }],
});
const row = (free: number, rest: Partial<StockRow> = {}): StockRow => ({
  erp: 'acme-odoo',
  sku: 'TEA-1',
  version: 1,
  levels: { WH: { onHand: free, free, asOfMs: 1 } },
  demand: {},
  claims: {},
  sold: {},
  ...rest,
});

describe('withLowStock', () => {
  it.each([
    ['below its level', row(4), NOW],
    ['at its level', row(5), undefined],
    [
      'ordered below it',
      row(6, { demand: { a: { quantity: 2, by: {}, sourceVersion: 1, placedAtMs: 0 } } }),
      NOW,
    ],
    ['never read', { ...row(0), levels: {} }, undefined],
    ['without a rule', row(0, { sku: 'MUG' }), undefined],
    ['low before, and still', row(2, { lowSinceMs: 7 }), 7],
    ['low before, and just at its level', row(5, { lowSinceMs: 7 }), 7],
    ['recovered', row(6, { lowSinceMs: 7 }), undefined],
    ['low before, and the rule is gone', row(1, { sku: 'MUG', lowSinceMs: 7 }), undefined],
  ])('%s', (_, at, sinceMs) => {
    expect(withLowStock(at, route, NOW).lowSinceMs).toBe(sinceMs);
  });
});

it('says how much there is, and how long it lasts', () => {
  const sold = { '2026-11-22': { 'acme-woo': 10, 'acme-shopify': 4 }, '2026-10-01': { 'acme-woo': 900 } };
  expect(lowStock(row(4, { lowSinceMs: 7, sold }), route, NOW)).toEqual({
    sku: 'TEA-1',
    available: 4,
    level: 5,
    daysOfCover: 8,
    sinceMs: 7,
  });
  expect(lowStock(row(4), route, NOW)).toBeUndefined();
});

it.each([
  ['nothing sold', {}, undefined],
  ['given back as much as sold', { '2026-11-20': { a: 3, b: -3 } }, undefined],
  ['one a week', { '2026-11-20': { a: 4 } }, 28],
  ['the day four weeks ago no longer counts', { '2026-10-26': { a: 28 } }, undefined],
  ['the day after does', { '2026-10-27': { a: 28 } }, 4],
])('days of cover of 4 pieces: %s', (_, sold, days) => {
  expect(daysOfCover({ sold }, 4, NOW)).toBe(days);
});
