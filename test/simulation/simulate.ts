import { type Life, type Mutant, simulateLife } from './life.ts';
import { problemsOf } from './oracle.ts';
import { play } from './scheduler.ts';
import { type Choices, seeded, shrink } from './tape.ts';

export interface Played {
  readonly problems: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly story: readonly string[];
}

const MAX_STEPS = 40_000;

/** One world from beginning to end, and what is wrong with how it ended. */
export const playLife = async (tape: readonly number[] | Choices, mutant: Mutant = {}): Promise<Played> => {
  let life: Life | undefined;
  try {
    const { story } = await play(
      tape,
      (world) => {
        life = simulateLife(world, mutant);
      },
      { maxSteps: MAX_STEPS },
    );
    return { problems: life ? problemsOf(life) : ['nothing happened'], counts: life?.counts ?? {}, story };
  } catch (error) {
    return {
      problems: [error instanceof Error ? error.message : String(error)],
      counts: life?.counts ?? {},
      story: [],
    };
  }
};

export interface Failure {
  readonly seed: number;
  readonly problems: readonly string[];
}

export interface Simulated {
  readonly seeds: number;
  readonly failures: readonly Failure[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Seeds `from`, `from + step`, ... below `to`. @param most stops after so many failures */
export const playSeeds = async (
  from: number,
  to: number,
  step: number,
  mutant: Mutant = {},
  most = 10,
): Promise<Simulated> => {
  const counts: Record<string, number> = {};
  const failures: Failure[] = [];
  let seeds = 0;
  for (let seed = from; seed < to && failures.length < most; seed += step) {
    const played = await playLife(seeded(seed), mutant);
    seeds += 1;
    for (const [kind, n] of Object.entries(played.counts)) counts[kind] = (counts[kind] ?? 0) + n;
    if (played.problems.length > 0) failures.push({ seed, problems: played.problems });
  }
  return { seeds, failures, counts };
};

/** Without names and numbers: a shorter story is to show the same problem, not another. */
const kindOf = (problem: string): string => problem.replace(/^.*: |[\d.]+| \|.*/g, '');

/** The shortest story that still ends badly. */
export const shortest = async (
  seed: number,
  mutant: Mutant = {},
  mostTries = 3_000,
): Promise<{ readonly tape: readonly number[]; readonly played: Played }> => {
  const recording = seeded(seed);
  const kinds = new Set((await playLife(recording, mutant)).problems.map(kindOf));
  const fails = async (tape: readonly number[]) =>
    (await playLife(tape, mutant)).problems.some((problem) => kinds.has(kindOf(problem)));
  const tape = await shrink([...recording.tape], fails, mostTries);
  return { tape, played: await playLife(tape, mutant) };
};
