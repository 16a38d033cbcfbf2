import { expect, it } from 'vitest';
import { STOCK_MUTANTS } from './mutants.ts';
import { playMarket, playStockSeeds } from './play.ts';

/** All 500 are a run of their own: `npm run simulate -- --stock --seeds 500`. */
const SEEDS = 15;

it('nothing is oversold beyond what its policy allows, and at rest every shop shows what it should', async () => {
  const { failures, oversold, lost, sold, boundShared, counts } = await playStockSeeds(1, 1 + SEEDS, 1);
  expect(failures).toEqual([]);
  expect(oversold.partitioned - lost.partitioned).toBe(0);
  expect(oversold.shared - lost.shared).toBeLessThan(boundShared);
  // Others lose more: a world in which nothing could go wrong would prove nothing.
  expect(oversold.naive / sold.naive).toBeGreaterThan(2 * (oversold.shared / sold.shared));
  expect(oversold.subtracting / sold.subtracting).toBeGreaterThan(oversold.shared / sold.shared);
  for (const kind of [
    'crash-before',
    'crash-after',
    'stall',
    'refused',
    'late-write',
    'lost-after',
    'reconciled',
  ]) {
    expect(counts[kind], kind).toBeGreaterThan(1);
  }
}, 120_000);

/** How many seeds a missing guard may hide for. */
const BUDGET = 500;

it.each(Object.keys(STOCK_MUTANTS))(
  'is oversold beyond it: %s',
  async (name) => {
    for (let seed = 1; seed <= BUDGET; seed += 1) {
      for (const policy of ['shared', 'partitioned'] as const) {
        const { beyond } = await playMarket(seed, policy, STOCK_MUTANTS[name]);
        if (beyond.length > 0) return;
      }
    }
    expect.fail(`nobody noticed within ${BUDGET} seeds`);
  },
  240_000,
);

it('a seed plays the same story every time', async () => {
  const { story } = await playMarket(7, 'partitioned');
  expect(story.length).toBeGreaterThan(20);
  expect((await playMarket(7, 'partitioned')).story).toEqual(story);
});
