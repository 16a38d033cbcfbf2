import { play } from '../scheduler.ts';
import { seeded } from '../tape.ts';
import { type Market, simulateMarket } from './market.ts';
import type { Measured } from './measure.ts';
import { planOf } from './plan.ts';
import { problemsAtRest } from './policy-holds.ts';
import { simulateSimple } from './simple.ts';
import type { StockMutant } from './workshop.ts';

export type MarketPolicy = 'shared' | 'partitioned';

const MAX_STEPS = 100_000;

export interface PlayedMarket {
  readonly measured: Measured;
  /** Sales beyond their bound, and what is wrong at the end. */
  readonly beyond: readonly string[];
  readonly atRest: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly story: readonly string[];
}

/** One world under one policy, kept by Waybill. The world is the same for all; its faults are not. */
export const playMarket = async (
  seed: number,
  policy: MarketPolicy,
  mutant: StockMutant = {},
): Promise<PlayedMarket> => {
  let market: Market | undefined;
  const stuck: string[] = [];
  const story = await play(
    seeded(seed * 7 + (policy === 'shared' ? 1 : 2)),
    (world) => {
      market = simulateMarket(world, planOf(seeded(seed)), policy, mutant);
    },
    { maxSteps: MAX_STEPS },
  ).then(
    (world) => world.story,
    (error: unknown) => {
      stuck.push(error instanceof Error ? error.message : String(error));
      return [];
    },
  );
  if (!market) throw new Error(`nothing happened: ${stuck.join()}`);
  const atRest = stuck.length > 0 ? stuck : problemsAtRest(market);
  return { measured: market.measured, beyond: market.measured.beyond, atRest, counts: market.counts, story };
};

/** The same world, kept in a simple way. */
export const playSimple = async (seed: number, how: 'naive' | 'subtracting'): Promise<Measured> => {
  let measured: Measured | undefined;
  await play(
    seeded(seed * 7 + 3),
    (world) => {
      measured = simulateSimple(world, planOf(seeded(seed)), how);
    },
    { maxSteps: MAX_STEPS },
  );
  if (!measured) throw new Error('nothing happened');
  return measured;
};

export interface StockFailure {
  readonly seed: number;
  readonly policy: MarketPolicy;
  readonly problems: readonly string[];
}

/** Sums over seeds. Pieces. */
export interface StockSimulated {
  readonly seeds: number;
  readonly sold: Readonly<Record<'naive' | 'subtracting' | MarketPolicy, number>>;
  readonly oversold: Readonly<Record<'naive' | 'subtracting' | MarketPolicy, number>>;
  /** Of `oversold`: the ERP itself had lost the pieces. */
  readonly lost: Readonly<Record<MarketPolicy, number>>;
  readonly boundShared: number;
  readonly failures: readonly StockFailure[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Seeds `from`, `from + step`, ... below `to`, each kept in four ways. @param most stops after so many failures */
export const playStockSeeds = async (
  from: number,
  to: number,
  step: number,
  mutant: StockMutant = {},
  most = Number.POSITIVE_INFINITY,
): Promise<StockSimulated> => {
  const sold = { naive: 0, subtracting: 0, shared: 0, partitioned: 0 };
  const oversold = { naive: 0, subtracting: 0, shared: 0, partitioned: 0 };
  const lost = { shared: 0, partitioned: 0 };
  const counts: Record<string, number> = {};
  const failures: StockFailure[] = [];
  let boundShared = 0;
  let seeds = 0;
  for (let seed = from; seed < to && failures.length < most; seed += step) {
    seeds += 1;
    for (const how of ['naive', 'subtracting'] as const) {
      const measured = await playSimple(seed, how);
      sold[how] += measured.sold;
      oversold[how] += measured.oversold;
    }
    for (const policy of ['shared', 'partitioned'] as const) {
      const played = await playMarket(seed, policy, mutant);
      sold[policy] += played.measured.sold;
      oversold[policy] += played.measured.oversold;
      lost[policy] += played.measured.lost;
      if (policy === 'shared') boundShared += played.measured.bound;
      for (const [kind, n] of Object.entries(played.counts)) counts[kind] = (counts[kind] ?? 0) + n;
      const problems = [...played.beyond, ...played.atRest];
      if (problems.length > 0) failures.push({ seed, policy, problems });
    }
  }
  return { seeds, sold, oversold, lost, boundShared, failures, counts };
};
