import { expect, it } from 'vitest';
import { playSeeds } from '../simulation/simulate.ts';

/** Of the 20,000 of `npm run simulate`. */
const SEEDS = 100;

it('a hundred lives of orders, under every fault, happen once at each ERP', async () => {
  const { failures } = await playSeeds(1, 1 + SEEDS, 1, {}, 1);
  expect(failures).toEqual([]);
});
