import fc from 'fast-check';
import { expect, it } from 'vitest';
import { divide, type Holder } from '../../../../shared/core/stock/partition.ts';

type Short = readonly [held: number, rest?: Partial<Holder>];
const holders = (...those: readonly Short[]): Holder[] =>
  those.map(([held, rest], index) => ({
    id: `${index}`,
    shop: `shop ${index}`,
    per: 1,
    held,
    most: 1_000_000,
    sold: 0,
    isSlow: false,
    ...rest,
  }));
const all = (those: readonly Holder[], pieces: number) => [
  { of: new Set(those.map(({ id }) => id)), pieces },
];
const shares = (those: readonly Holder[], pieces: number) => [...divide(those, all(those, pieces)).values()];

it.each<[string, number, readonly Short[], readonly number[]]>([
  ['equal parts', 10, [[0], [0]], [5, 5]],
  ['what cannot be divided goes to who sells most', 11, [[0], [0, { sold: 9 }]], [5, 6]],
  ['what they hold stays where it is', 10, [[7], [3]], [7, 3]],
  ['what is free goes to who has least', 10, [[7], [1]], [7, 3]],
  ['nothing while another has several: all is divided anew', 2, [[2], [0]], [1, 1]],
  ['the last piece does not wander', 1, [[1], [0, { sold: 99 }]], [1, 0]],
  ['less than half of an equal share: all is divided anew', 10, [[9], [1]], [5, 5]],
  ['less than there is: who holds most gives first', 6, [[5], [3]], [3, 3]],
  ['nothing there', 0, [[5], [3]], [0, 0]],
  ['a shop that takes no more leaves it to the others', 10, [[0, { most: 2 }], [0]], [2, 8]],
  ['a shop with two listings is one shop', 2, [[0, { shop: 'a' }], [0, { shop: 'a' }], [0]], [1, 0, 1]],
  ['a pack of three comes after those who have fewer than three', 4, [[0], [0], [0, { per: 3 }]], [2, 2, 0]],
  ['... and gets what is then there', 9, [[0], [0], [0, { per: 3 }]], [3, 3, 1]],
  ['what cannot be compared needs what it shows once more', 4, [[2, { isSlow: true }], [1]], [2, 2]],
  ['... and gets it where there is enough', 30, [[2, { isSlow: true }], [0]], [15, 13]],
  ['... or shows nothing yet', 4, [[0, { isSlow: true }], [2]], [2, 2]],
])('divides: %s', (_what, pieces, those, expected) => {
  expect(shares(holders(...those), pieces)).toEqual(expected);
});

it('of two warehouses, each may be sold by its own shops', () => {
  const [both, one] = holders([0], [0]);
  if (!both || !one) throw new Error('two');
  const limits = [
    { of: new Set([both.id, one.id]), pieces: 5 },
    { of: new Set([one.id]), pieces: 1 },
  ];
  expect([...divide([both, one], limits).values()]).toEqual([4, 1]);
});

const aHolder = fc.record({
  held: fc.nat(30),
  most: fc.nat(40),
  per: fc.constantFrom(1, 1, 1, 2, 3),
  sold: fc.nat(5),
  isSlow: fc.boolean(),
});

it('never more than there is, and nothing left that somebody could show', () => {
  fc.assert(
    fc.property(fc.array(aHolder, { minLength: 1, maxLength: 6 }), fc.nat(80), (those, pieces) => {
      const list = those.map((each, index) => ({ ...each, id: `${index}`, shop: `${index % 3}` }));
      const given = divide(list, all(list, pieces));
      const cost = (each: Holder, share: number) =>
        (share + (each.isSlow && share > each.held ? each.held : 0)) * each.per;
      const used = list.reduce((sum, each) => sum + cost(each, given.get(each.id) ?? 0), 0);
      expect(used).toBeLessThanOrEqual(pieces);
      for (const each of list) {
        const share = given.get(each.id) ?? 0;
        expect(share).toBeLessThanOrEqual(each.most);
        const more = cost(each, share + 1) - cost(each, share);
        if (share < each.most && (!each.isSlow || share !== each.held)) {
          expect(used + more).toBeGreaterThan(pieces);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

it('who has reached what was divided stays there', () => {
  fc.assert(
    fc.property(fc.array(aHolder, { minLength: 1, maxLength: 6 }), fc.nat(80), (those, pieces) => {
      const list = those.map((each, index) => ({ ...each, isSlow: false, id: `${index}`, shop: `${index}` }));
      const given = divide(list, all(list, pieces));
      const reached = list.map((each) => ({ ...each, held: given.get(each.id) ?? 0 }));
      expect(divide(reached, all(list, pieces))).toEqual(given);
    }),
    { numRuns: 2_000 },
  );
});
