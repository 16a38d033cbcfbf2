import fc from 'fast-check';
import { expect, it } from 'vitest';
import { notYetInErp } from '../../../../shared/core/stock/available.ts';
import { type Counted, countOrder, piecesIn, settleOrder } from '../../../../shared/core/stock/demand.ts';
import { isNews, takeReading } from '../../../../shared/core/stock/readings.ts';
import type { StockRow } from '../../../../shared/core/stock/rows.ts';
import type { OrderSettledV1 } from '../../../../shared/events/order-settled.ts';
import { anOrder } from '../../../fakes/orders.ts';
import { aClaim, aRow, claimsOf } from './rows.ts';

const copy = (sourceVersion: number, pieces: number, rest: Partial<Counted> = {}): Counted => ({
  source: 'north',
  orderId: '1001',
  sourceVersion,
  fetchedAtMs: undefined,
  placedAtMs: 2_000,
  counts: 'yes',
  by: { TEA: { pieces, per: 1 } },
  ...rest,
});
const settled = (sourceVersion: number, state: OrderSettledV1['state'], atMs: number): OrderSettledV1 => ({
  source: 'north',
  orderId: '1001',
  destination: 'acme-odoo',
  sourceVersion,
  state,
  skus: ['TEA'],
  atMs,
});
type Step = (row: StockRow) => StockRow;
const count =
  (...args: Parameters<typeof copy>): Step =>
  (row) =>
    countOrder(row, copy(...args));
const settle =
  (...args: Parameters<typeof settled>): Step =>
  (row) =>
    settleOrder(row, settled(...args));
const read =
  (free: number, asOfMs: number): Step =>
  (row) =>
    takeReading(row, { asOfMs, levels: { WH: { onHand: 10, free } } });
const after = (...steps: readonly Step[]): StockRow => steps.reduce((row, step) => step(row), aRow());

it.each<[string, readonly Step[], number]>([
  ['a sale', [count(1, 3)], 3],
  ['told twice', [count(1, 3), count(1, 3)], 3],
  ['the later version counts', [count(1, 3), count(2, 1)], 1],
  ['... whatever comes last', [count(2, 1), count(1, 3)], 1],
  ['of one version, what was read at the shop', [count(1, 3), count(1, 2, { fetchedAtMs: 9_000 })], 2],
  ['of one version, the larger of two that were pushed', [count(1, 2), count(1, 3)], 3],
  ['... not the smaller', [count(1, 3), count(1, 2)], 3],
  ['cancelled', [count(1, 3), count(2, 3, { counts: 'no' })], 0],
  ['cancelled before it came', [count(2, 3, { counts: 'no' }), count(1, 3)], 0],
  ['not paid yet', [count(1, 3, { counts: 'later' })], 0],
  ['paid later', [count(1, 3, { counts: 'later' }), count(2, 3)], 3],
  ['in the ERP, and not yet read', [count(1, 3), settle(1, 'promised', 5_000)], 3],
  ['in the ERP, read before that', [count(1, 3), settle(1, 'promised', 5_000), read(7, 4_000)], 3],
  ['in the ERP, and read', [count(1, 3), settle(1, 'promised', 5_000), read(7, 6_000)], 0],
  ['read before it is told that it is there', [count(1, 3), read(7, 6_000), settle(1, 'promised', 5_000)], 0],
  [
    'there before it is told that it was sold',
    [settle(1, 'promised', 5_000), read(7, 6_000), count(1, 3)],
    0,
  ],
  ['a draft holds nothing', [count(1, 3), settle(1, 'drafted', 5_000), read(10, 6_000)], 3],
  [
    'an edit after that: only what is new',
    [count(1, 3), settle(1, 'promised', 5_000), read(7, 6_000), count(2, 5)],
    2,
  ],
  [
    'touched after that: nothing is new',
    [count(1, 3), settle(1, 'promised', 5_000), read(7, 6_000), count(2, 3)],
    0,
  ],
  [
    'on hold again, but the ERP has it',
    [count(1, 3), settle(1, 'promised', 5_000), count(2, 3, { counts: 'later' })],
    3,
  ],
  ['never gets there', [count(1, 3), settle(1, 'dropped', 5_000)], 0],
  [
    'ended, then a version that revives it',
    [count(1, 3), settle(1, 'promised', 5_000), read(7, 6_000), settle(2, 'ended', 7_000), count(3, 3)],
    3,
  ],
  [
    'an older word of the ERP comes late',
    [count(1, 3), settle(2, 'promised', 5_000), settle(1, 'dropped', 6_000)],
    3,
  ],
])('not yet in the ERP: %s', (_what, steps, expected) => {
  expect(notYetInErp(after(...steps))).toBe(expected);
});

it('the order in which it is told does not matter', () => {
  const steps = [
    count(1, 3),
    count(2, 5),
    count(2, 5),
    settle(1, 'promised', 5_000),
    settle(2, 'promised', 8_000),
    read(5, 9_000),
    read(7, 6_000),
  ];
  fc.assert(
    fc.property(
      fc.shuffledSubarray(steps, { minLength: steps.length, maxLength: steps.length }),
      (shuffled) => {
        const row = after(...shuffled);
        expect(row.levels['WH']).toEqual({ onHand: 10, free: 5, asOfMs: 9_000 });
        expect(notYetInErp(row)).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});

it('the shop that sold it is told of nothing, and what it may show falls by itself', () => {
  const row = aRow({ claims: claimsOf(aClaim('north', { bound: 5 }), aClaim('south', { bound: 5 })) });
  const bounds = (of: StockRow) => Object.values(of.claims).map(({ bound }) => bound);
  expect(bounds(countOrder(row, copy(1, 3)))).toEqual([2, 5]);
  expect(bounds(countOrder(countOrder(row, copy(1, 3)), copy(1, 3)))).toEqual([2, 5]);
});

it('what never counted is compared: the shop took it from sale all the same', () => {
  const row = aRow({ claims: claimsOf(aClaim('north', { bound: 5 })) });
  const [claim] = Object.values(countOrder(row, copy(1, 3, { counts: 'never' })).claims);
  expect(claim).toMatchObject({ bound: 5, unsure: true });
});

it('a pack of three and a single piece in one order', () => {
  const row = countOrder(
    aRow(),
    copy(1, 0, { by: { TEA: { pieces: 1, per: 1 }, 'TEA-3': { pieces: 2, per: 3 } } }),
  );
  expect(notYetInErp(row)).toBe(7);
});

it('what was refunded and put back on sale is not in the order any more', () => {
  const order = anOrder({
    refunds: [
      {
        id: '1',
        total: { minor: 100, currency: 'TWD' },
        lines: [
          { lineId: '1', quantity: 1, total: { minor: 100, currency: 'TWD' }, taxes: [], restock: true },
        ],
      },
      {
        id: '2',
        total: { minor: 100, currency: 'TWD' },
        lines: [
          { lineId: '2', quantity: 1, total: { minor: 100, currency: 'TWD' }, taxes: [], restock: false },
        ],
      },
    ],
  });
  expect(piecesIn(order)).toEqual({ 'TEA-OOL-150': 1, 'MUG-TH-01': 1 });
});

it('a hot SKU remembers its last orders, and its row stays small', () => {
  let row = aRow({ claims: claimsOf(aClaim('north', { bound: 5_000 })) });
  for (let n = 0; n < 1_000; n += 1) {
    row = countOrder(row, copy(1, 1, { orderId: String(n), placedAtMs: 2_000 + n }));
    row = settleOrder(row, { ...settled(1, 'promised', 4_000 + n), orderId: String(n) });
  }
  row = takeReading(row, { asOfMs: 9_000, levels: { WH: { onHand: 10, free: 7 } } });
  row = countOrder(row, copy(1, 1, { orderId: 'last', placedAtMs: 9_500 }));
  expect(notYetInErp(row)).toBe(1);
  expect(Object.keys(row.demand)).toHaveLength(201);
  // One of the forgotten comes again: it takes nothing from what its shop may show.
  const again = countOrder(row, copy(2, 1, { orderId: '3', placedAtMs: 2_003 }));
  expect(Object.values(again.claims)[0]?.bound).toBe(3_999);
});

it.each([
  ['says what is known', 10, 2_000, false],
  ['says something else', 9, 2_000, true],
  ['is older', 9, 500, false],
])('a reading that %s is news: %j at %j', (_what, free, asOfMs, expected) => {
  expect(isNews(aRow(), { asOfMs, levels: { WH: { onHand: 10, free } } })).toBe(expected);
});

it('a reading that says what is known, and contains an order that was not in the last one, is news', () => {
  const row = after(count(1, 3), settle(1, 'promised', 5_000));
  expect(isNews(row, { asOfMs: 6_000, levels: { WH: { onHand: 10, free: 10 } } })).toBe(true);
});

it('a SKU that the ERP does not have counts as zero, in every warehouse', () => {
  expect(takeReading(aRow(), { asOfMs: 6_000, levels: {} }).levels).toEqual({
    WH: { onHand: 0, free: 0, asOfMs: 6_000 },
  });
  expect(takeReading(aRow({ levels: {} }), { asOfMs: 6_000, levels: {} }).levels).toEqual({
    '*': { onHand: 0, free: 0, asOfMs: 6_000 },
  });
});
