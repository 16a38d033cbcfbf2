import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { STOCK_MUTANTS } from './mutants.ts';
import { type MarketPolicy, playMarket, type StockSimulated } from './play.ts';
import type { StockShare } from './worker.ts';

export interface StockRun {
  readonly seeds: number;
  readonly from: number;
  readonly threads: number;
  readonly mutant?: string | undefined;
}

/** Of each thread: whoever sees so many has seen enough. */
const MOST_FAILURES = 5;

/** All seeds in threads, as one result. */
export const runStock = async ({ seeds, from, threads, mutant }: StockRun): Promise<StockSimulated> => {
  const shares = await Promise.all(
    Array.from({ length: threads }, async (_, index): Promise<StockSimulated> => {
      const workerData: StockShare = {
        from: from + index,
        to: from + seeds,
        step: threads,
        mutant,
        most: mutant === undefined ? Number.POSITIVE_INFINITY : MOST_FAILURES,
      };
      const [played] = await once(
        new Worker(new URL('./worker.ts', import.meta.url), { workerData }),
        'message',
      );
      return played as StockSimulated;
    }),
  );
  return shares.reduce((all, share) => ({
    seeds: all.seeds + share.seeds,
    sold: added(all.sold, share.sold),
    oversold: added(all.oversold, share.oversold),
    lost: added(all.lost, share.lost),
    boundShared: all.boundShared + share.boundShared,
    failures: [...all.failures, ...share.failures].sort((a, b) => a.seed - b.seed),
    counts: added(all.counts, share.counts) as Record<string, number>,
  }));
};

const added = <K extends string>(
  a: Readonly<Record<K, number>>,
  b: Readonly<Record<K, number>>,
): Record<K, number> => {
  const sums = { ...a } as Record<K, number>;
  for (const key of Object.keys(b) as K[]) sums[key] = (sums[key] ?? 0) + b[key];
  return sums;
};

/** `sold` in pieces, under the policy `shared`; everything that follows it in pieces per 10,000 sold under its own policy. */
export const summaryOfStock = ({
  seeds,
  sold,
  oversold,
  lost,
  boundShared,
  failures,
}: StockSimulated): Record<string, number | readonly number[]> => {
  const per = (pieces: number, of: number) => (of === 0 ? 0 : Math.round((pieces / of) * 100_000) / 10);
  return {
    seeds,
    sold: sold.shared,
    oversoldNaive: per(oversold.naive, sold.naive),
    oversoldSubtracting: per(oversold.subtracting, sold.subtracting),
    oversoldShared: per(oversold.shared - lost.shared, sold.shared),
    boundShared: per(boundShared, sold.shared),
    oversoldPartitioned: per(oversold.partitioned - lost.partitioned, sold.partitioned),
    violations: new Set(failures.map(({ seed }) => seed)).size,
    ...(failures.length > 0 && { failingSeeds: [...new Set(failures.map(({ seed }) => seed))] }),
  };
};

/** One seed under both policies, told. */
export const tellStock = async (seed: number, mutant: string | undefined): Promise<string[]> => {
  const lines: string[] = [];
  for (const policy of ['shared', 'partitioned'] satisfies MarketPolicy[]) {
    const played = await playMarket(seed, policy, mutant === undefined ? {} : STOCK_MUTANTS[mutant]);
    const problems = [...played.beyond, ...played.atRest];
    lines.push(
      `--- ${policy}`,
      ...played.story,
      '',
      ...(problems.length > 0
        ? problems.map((problem) => `VIOLATION  ${problem}`)
        : ['Every shop shows what it should.']),
      '',
    );
  }
  return lines;
};
