import { describe, expect, it } from 'vitest';
import { heldPriceWords, heldWords, lowWords, rowWords } from '../../../infra/cli/commands/stock-words.ts';
import type { HeldCode } from '../../../shared/core/stock/poll-state.ts';
import { claimId, type ListingRow } from '../../../shared/core/stock/rows.ts';
import { aClaim, aDemand, aRoute, aRow, claimsOf } from '../core/stock/rows.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const HOUR = 3_600_000;

describe('a cycle that is held', () => {
  const held = (code: HeldCode, rest: object = {}) =>
    heldWords(
      'acme-odoo',
      {
        kind: 'all',
        code,
        sinceMs: NOW - 3 * HOUR,
        atMs: NOW,
        counts: { known: 100, looked: 60, changed: 40, zeroed: 30, missing: 40 },
        sample: ['TEA', 'CUP'],
        ...rest,
      },
      NOW,
      '--stage acme',
    );
  it('says since when, why, how much, and what to type', () => {
    expect(held('MASS_ZERO')).toEqual([
      'acme-odoo: held since 2026-11-23 09:00 UTC (3 h), MASS_ZERO: too many SKUs would fall to zero',
      '    of 100 SKUs: 60 read, 40 would change, 30 would fall to zero, 40 missing',
      '    such as TEA, CUP',
      '    it is true: npx waybill stock approve acme-odoo --stage acme --yes --why "…"; it is not: mend the ERP, or stock dismiss',
    ]);
  });
  it.each<[HeldCode, string]>([
    ['OTHER_COMPANY', 'another company answers than before'],
    ['WAREHOUSE_MISSING', 'a warehouse that was there is not'],
    ['SHRUNKEN_LISTING', 'too many SKUs are missing from the complete listing'],
    ['MASS_CHANGE', 'too many SKUs would change'],
  ])('%s: %s', (code, why) => {
    const lines = held(code, { detail: 'Beta answers, it was Acme', sample: [] });
    expect(lines[0]).toContain(`${code}: ${why}`);
    expect(lines[1]).toBe('    Beta answers, it was Acme');
    expect(lines).toHaveLength(4);
  });
});

it('prices that are held: what they were, and would be', () => {
  const row = (sku: string, was: number | undefined, code: 'PRICE_DROP' | 'PRICE_ZERO', minor: number) => ({
    shop: 'acme-woo',
    sku,
    version: 1,
    asOfMs: NOW,
    held: {
      code,
      was: was === undefined ? undefined : { minor: was, currency: 'EUR' },
      is: { minor, currency: 'EUR' },
      sinceMs: NOW - 5 * 60_000,
    },
  });
  const rows = [row('TEA', 1000, 'PRICE_DROP', 400), row('CUP', undefined, 'PRICE_ZERO', 0)];
  expect(heldPriceWords('acme-woo', rows as never, NOW)).toEqual([
    'acme-woo: 2 prices held',
    '    TEA  10.00 EUR -> 4.00 EUR  PRICE_DROP  since 2026-11-23 11:55 UTC (5 min)',
    '    CUP  no price -> 0.00 EUR   PRICE_ZERO  since 2026-11-23 11:55 UTC (5 min)',
  ]);
  expect(heldPriceWords('acme-woo', rows.slice(0, 1) as never, NOW)[0]).toBe('acme-woo: 1 price held');
});

describe('one number, explained', () => {
  it('nothing is known yet', () => {
    expect(rowWords(aRow({ levels: {} }), aRoute(), new Map(), NOW)).toEqual([
      'TEA in acme-odoo',
      '  never read',
      '  0 in orders that the ERP does not hold yet',
      '  sold by no shop',
    ]);
  });

  it('levels, orders, and what each shop shows and why', () => {
    const row = aRow({
      levels: {
        WH: { onHand: 12, free: 10, asOfMs: NOW - HOUR },
        EU: { onHand: 3, free: 3, asOfMs: NOW - 2 * 60_000 },
      },
      demand: { 'north#1001': aDemand(2), 'north#1000': aDemand(1, { covered: 1 }) },
      claims: claimsOf(
        aClaim('north', {
          bound: 9,
          want: 10,
          begun: { key: 'k', to: 10, before: 9, bound: 10, reserved: 0, sentAtMs: NOW },
        }),
        aClaim('south', {
          location: 'gid://1',
          listing: 'TEA-4',
          per: 4,
          bound: 2,
          want: 2,
          unseen: { pieces: 1, untilMs: NOW },
          unsure: true,
        }),
        aClaim('east', { bound: 7, want: 0, fixed: true }),
      ),
    });
    const refused: ListingRow = {
      shop: 'east',
      location: 'default',
      sku: 'TEA',
      version: 1,
      erp: 'acme-odoo',
      components: [{ sku: 'TEA', quantity: 1 }],
      ref: {},
      shown: 7,
      refused: { code: 'DUPLICATE_SKU', detail: '', atMs: NOW },
    };
    const route = aRoute({
      rules: [
        { shops: ['north'], safetyStock: 1 },
        { shops: ['north'], backorder: 2 },
        { shops: ['east'], show: false },
      ],
    });
    expect(rowWords(row, route, new Map([[claimId('east', 'default', 'TEA'), refused]]), NOW)).toEqual([
      'TEA in acme-odoo',
      '  warehouse WH  12 on hand  10 free  read 60 min ago',
      '  warehouse EU  3 on hand   3 free   read 2 min ago',
      '  2 in orders that the ERP does not hold yet',
      '    north#1001: 2',
      '  north TEA            shows 9  should show 10  available 12       safety stock 1, backorder 2, 10 is being written',
      '  south gid://1 TEA-4  shows 2  should show 2   available unknown  4 pieces each, 1 may have been sold unseen, is compared',
      '  east TEA             shows 7  should show 0   available 0        not shown there, cannot be written: DUPLICATE_SKU',
    ]);
  });
});

it('what to reorder', () => {
  const low = { erp: 'acme-odoo', sku: 'TEA', available: 2, level: 5, sinceMs: NOW - 50 * HOUR };
  expect(
    lowWords(
      [
        { ...low, daysOfCover: 3 },
        { ...low, sku: 'CUP', daysOfCover: undefined },
      ],
      NOW,
    ),
  ).toEqual([
    'TEA  acme-odoo  2 left, level 5  3 days at the pace of four weeks  low since 2026-11-21 10:00 UTC (2 days)',
    'CUP  acme-odoo  2 left, level 5  none sold in four weeks           low since 2026-11-21 10:00 UTC (2 days)',
  ]);
});
