import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { available } from '../../../../shared/core/stock/available.ts';
import { heldBy } from '../../../../shared/core/stock/claims.ts';
import type { StockNews } from '../../../../shared/core/stock/project-stock.ts';
import type { Claim, ListingRow, StockRow } from '../../../../shared/core/stock/rows.ts';
import { dueOf, isDivided, limitOf, retargeted, roomOf } from '../../../../shared/core/stock/targets.ts';
import { planOf } from '../../../../shared/core/stock/write-plan.ts';
import { type market, NOW, opened, SHOPS, sale } from './harness.ts';
import { aClaim, aDemand, aRoute, aRow, claimsOf } from './rows.ts';

const level = (free: number) => ({ onHand: free, free, asOfMs: 1_000 });
const north = (bound: number, rest: Partial<Claim> = {}) => aClaim('north', { bound, ...rest });
const south = (bound: number, rest: Partial<Claim> = {}) => aClaim('south', { bound, ...rest });
const contextOf = (route: Record<string, unknown>) => ({
  route: aRoute(route),
  nowMs: 10_000,
  watermarkMs: () => undefined,
});
const wants = (row: StockRow, route: Record<string, unknown>) =>
  Object.values(retargeted(row, contextOf(route)).claims).map(({ want }) => want);
const P = { policy: 'partitioned' };

it.each<[string, Record<string, unknown>, Partial<StockRow>, readonly Claim[], readonly number[]]>([
  ['shared: everybody shows all of it', {}, {}, [north(0), south(3)], [10, 10]],
  ['shared: packs show whole packs', {}, {}, [north(0, { per: 3 }), south(0, { per: 4 })], [3, 2]],
  [
    'shared: what may have been sold unseen is nobody’s',
    {},
    {},
    [north(4, { unseen: { pieces: 2, untilMs: 9_000_000 } }), south(10)],
    [8, 8],
  ],
  ['shared: what cannot be written stays', {}, {}, [north(4, { fixed: true }), south(0)], [4, 10]],
  ['shared: as much as the other parts allow', {}, {}, [north(0, { most: 2 }), south(0)], [2, 10]],
  [
    'shared: a safety stock of one shop is there for the others',
    { rules: [{ shops: ['north'], safetyStock: 4 }] },
    {},
    [north(0), south(0)],
    [6, 10],
  ],
  [
    'shared: of one category',
    { rules: [{ categories: ['All / Tea'], safetyStock: 3 }] },
    { category: 'All / Tea' },
    [north(0), south(0)],
    [7, 7],
  ],
  [
    'shared: sold in one shop only',
    { rules: [{ skus: ['TEA'], shops: ['south'], show: false }] },
    {},
    [north(0), south(10)],
    [10, 0],
  ],
  [
    'shared: a warehouse each, and a third for both',
    {
      warehouses: {
        N: { north: 'default' },
        S: { south: 'default' },
        B: { north: 'default', south: 'default' },
      },
    },
    { levels: { N: level(1), S: level(2), B: level(4) } },
    [north(0), south(0)],
    [5, 6],
  ],
  ['shared: nothing was read yet, so nothing changes', {}, { levels: {} }, [north(3, { want: 3 })], [3]],
  ['divided: equal parts', P, {}, [north(0), south(0)], [5, 5]],
  [
    'divided: orders take from what is divided',
    P,
    { demand: { a: aDemand(4) } },
    [north(0), south(0)],
    [3, 3],
  ],
  ['divided: what cannot be written is not there', P, {}, [north(4, { fixed: true }), south(0)], [4, 6]],
  [
    'divided: sold in one shop only',
    { ...P, rules: [{ shops: ['south'], show: false }] },
    {},
    [north(0), south(5)],
    [10, 0],
  ],
  ['divided: with backorders', { ...P, rules: [{ backorder: 4 }] }, {}, [north(0), south(0)], [7, 7]],
  [
    'divided: who leaves a safety stock leaves it to the others',
    { ...P, rules: [{ shops: ['north'], safetyStock: 6 }] },
    {},
    [north(0), south(0)],
    [4, 6],
  ],
  [
    'divided: a warehouse of its own is not taken from the others',
    {
      ...P,
      warehouses: { N: { north: 'default' }, B: { north: 'default', south: 'default' } },
    },
    { levels: { N: level(6), B: level(4) } },
    [north(0), south(0)],
    [6, 4],
  ],
  ['divided: a pack of three and single pieces', P, {}, [north(0), south(0, { per: 3 })], [7, 1]],
  [
    'divided below a number: not yet',
    { policy: { partitionedBelow: 10 } },
    {},
    [north(0), south(0)],
    [10, 10],
  ],
  ['divided below a number: now', { policy: { partitionedBelow: 11 } }, {}, [north(0), south(0)], [5, 5]],
  [
    'divided: the policy of one SKU',
    { rules: [{ skus: ['T*'], policy: 'partitioned' }] },
    {},
    [north(0), south(0)],
    [5, 5],
  ],
])('%s', (_, route, row, claims, expected) => {
  expect(wants(aRow({ ...row, claims: claimsOf(...claims) }), route)).toEqual(expected);
});

describe('dueOf', () => {
  const due = (route: Record<string, unknown>, ...claims: readonly Claim[]) =>
    dueOf(aRow({ claims: claimsOf(...claims) }), aRoute(route), 10_000).map((id) => JSON.parse(id)[0]);
  const begun = { key: 'k', to: 3, before: 5, bound: 5, reserved: 0, sentAtMs: 0 };
  it.each<[string, Record<string, unknown>, readonly Claim[], readonly string[]]>([
    ['who shows what it should is left alone', {}, [north(5, { want: 5 })], []],
    ['more than it should', {}, [north(5, { want: 4 })], ['north']],
    ['less than it should', {}, [north(5, { want: 6 })], ['north']],
    ['nobody knows what it shows', {}, [north(5, { want: 5, unsure: true })], ['north']],
    ['it is being written', {}, [north(5, { want: 4, begun: { ...begun, sentAtMs: 9_000 } })], []],
    [
      'who wrote it has died',
      {},
      [north(5, { want: 4, begun: { ...begun, sentAtMs: -300_000 } })],
      ['north'],
    ],
    ['it cannot be written', {}, [north(5, { want: 4, fixed: true })], []],
    ['divided: nothing is free yet', P, [north(4, { want: 6 }), south(6, { want: 4 })], ['south']],
    ['divided: something is free', P, [north(4, { want: 6 }), south(4, { want: 4 })], ['north']],
  ])('%s', (_, route, claims, expected) => {
    expect(due(route, ...claims)).toEqual(expected);
  });
});

it.each<[string, Record<string, unknown>, 'atomic' | 'reads-first', readonly Claim[], object]>([
  ['shared: all at once', {}, 'atomic', [north(4, { want: 10 })], { kind: 'write', from: 4, to: 10 }],
  [
    'divided: as much as is free already',
    P,
    'atomic',
    [north(4, { want: 6 }), south(5, { want: 4 })],
    { kind: 'write', from: 4, to: 5 },
  ],
  ['divided: nothing yet', P, 'atomic', [north(4, { want: 6 }), south(6, { want: 4 })], { kind: 'fine' }],
  ['divided: less at once', P, 'atomic', [north(6, { want: 4 })], { kind: 'write', from: 6, to: 4 }],
  [
    'divided: a shop that cannot compare needs room for both',
    P,
    'reads-first',
    [north(2, { want: 5 }), south(3, { want: 3 })],
    { kind: 'write', from: 2, to: 5 },
  ],
  [
    'divided: a shop that cannot compare, without that room: nothing first',
    P,
    'reads-first',
    [north(6, { want: 5 }), south(4, { want: 4 })],
    { kind: 'write', from: 6, to: 0 },
  ],
  [
    'not sure: written once more',
    {},
    'atomic',
    [north(4, { want: 4, unsure: true })],
    { kind: 'write', from: 4, to: 4 },
  ],
  [
    'not sure, and it cannot compare: asked',
    {},
    'reads-first',
    [north(4, { want: 4, unsure: true })],
    { kind: 'look' },
  ],
  ['cannot be written', {}, 'atomic', [north(4, { want: 5, fixed: true })], { kind: 'left' }],
])('the plan for the first shop, %s', (_, route, compare, claims, expected) => {
  const row = aRow({ claims: claimsOf(...claims) });
  const listing: ListingRow = {
    shop: 'north',
    location: 'default',
    sku: 'TEA',
    version: 1,
    erp: row.erp,
    components: [{ sku: 'TEA', quantity: 1 }],
    ref: {},
    shown: undefined,
  };
  const context = { ...contextOf(route), compare, settleMs: 60_000 };
  expect(planOf(listing, new Map([['TEA', row]]), context)).toEqual(expected);
});

it('what was reserved for sales nobody told of is given back, and compared once', () => {
  const claim = north(5, { want: 5, unseen: { pieces: 2, untilMs: 8_000 } });
  const row = aRow({ levels: { WH: level(5) }, claims: claimsOf(claim) });
  const after = (watermarkMs: number) =>
    Object.values(retargeted(row, { ...contextOf({}), watermarkMs: () => watermarkMs }).claims)[0];
  expect(after(8_000)).toMatchObject({ unseen: { pieces: 2 }, want: 3 });
  expect(after(8_001)).toMatchObject({ unsure: true, want: 5 });
});

// --- properties -----------------------------------------------------------------------------------------------

const aShare = fc.record({
  bound: fc.nat(12),
  per: fc.constantFrom(1, 1, 2, 3),
  unseen: fc.constantFrom(0, 0, 0, 2),
  fixed: fc.constantFrom(false, false, false, true),
});

it('divided: what claims may hold never exceeds what there is', () => {
  fc.assert(
    fc.property(
      fc.array(aShare, { minLength: 1, maxLength: 4 }),
      fc.nat(40),
      fc.nat(5),
      (shares, free, safety) => {
        const claims = shares.map(({ bound, per, unseen, fixed }, index) =>
          aClaim(['north', 'south', 'east'][index % 3] ?? '', {
            listing: `TEA-${index}`,
            bound,
            per,
            ...(unseen > 0 && { unseen: { pieces: unseen, untilMs: 9_000_000 } }),
            ...(fixed && { fixed: true as const }),
          }),
        );
        const context = contextOf({ ...P, safetyStock: safety });
        const row = retargeted(aRow({ levels: { WH: level(free) }, claims: claimsOf(...claims) }), context);
        const there = Math.max(0, free - safety);
        const all = Object.values(row.claims);
        const stuck = all.reduce((sum, { fixed, bound, per }) => sum + (fixed ? bound * per : 0), 0);
        const wanted = all.reduce((sum, { want, per }) => sum + want * per, 0);
        expect(wanted).toBeLessThanOrEqual(Math.max(there, stuck));
        // Whoever may still add something finds it beside all that the others hold.
        const held = all.reduce((sum, claim) => sum + heldBy(claim) * claim.per, 0);
        for (const id of Object.keys(row.claims)) {
          expect(roomOf(row, id, context.route)).toBe(there - held);
          expect(limitOf(row, id, context.route)).toBe(row.claims[id]?.want);
        }
        expect(isDivided(row, context.route)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

it('shared: nobody is to show more than there is', () => {
  fc.assert(
    fc.property(
      fc.array(aShare, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: -5, max: 40 }),
      (shares, free) => {
        const claims = shares.map(({ bound, per }, index) =>
          aClaim('north', { listing: `TEA-${index}`, bound, per }),
        );
        const context = contextOf({});
        const row = retargeted(aRow({ levels: { WH: level(free) }, claims: claimsOf(...claims) }), context);
        for (const claim of Object.values(row.claims)) {
          expect(claim.want).toBe(Math.floor((available(row, claim, context.route) ?? 0) / claim.per));
          expect(claim.want * claim.per).toBeLessThanOrEqual(Math.max(0, free));
        }
      },
    ),
    { numRuns: 200 },
  );
});

it('in whatever order news arrive, and however often, the shops show the same', async () => {
  const [A, B] = SHOPS;
  const news = ({ ordered, settled, levels }: ReturnType<typeof market>): StockNews[] => {
    const first = sale(A, '1', { TEA: 3 });
    const edited = sale(A, '1', { TEA: 2 }, { sourceVersion: 2 });
    const other = sale(B, '7', { TEA: 4 });
    const cancelled = sale(B, '7', { TEA: 4 }, { sourceVersion: 2, status: 'cancelled' });
    return [
      ordered(first),
      ordered(edited),
      ordered(sale(B, '8', { TEA: 1 })),
      ordered(other),
      ordered(cancelled),
      settled(edited, 'promised', NOW + 200_000),
      levels({ TEA: 20 }, NOW + 150_000),
      levels({ TEA: 15 }, NOW + 250_000),
    ];
  };
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
      fc.array(fc.nat(7), { maxLength: 4 }),
      async (order, again) => {
        const at = await opened({ TEA: 20 });
        // What the shops themselves have left: 20 - 2, and 20 - 1 with the cancelled order put back.
        at.a.shown.set('TEA', 18);
        at.b.shown.set('TEA', 19);
        const all = news(at);
        for (const index of [...order, ...again]) {
          const one = all[index];
          if (one) await at.project(one);
        }
        const row = at.row('TEA');
        expect(row?.levels['WH']?.free).toBe(15);
        // Only the order that no reading contains is left.
        expect(Object.values(row?.claims ?? {}).map(({ shop, want }) => [shop, want])).toEqual([
          [A, 14],
          [B, 14],
        ]);
        await at.flow();
        at.clock.nowMs += 600_000;
        for (const shop of SHOPS) {
          at.watermarks.set(shop, at.clock.nowMs);
          await at.write(shop, [{ sku: 'TEA', location: 'default' }]);
        }
        await at.flow();
        expect([at.a.shown.get('TEA'), at.b.shown.get('TEA')]).toEqual([14, 14]);
      },
    ),
    { numRuns: 40 },
  );
});
