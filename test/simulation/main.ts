import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Command, InvalidArgumentError } from 'commander';
import { MUTANTS } from './mutants.ts';
import type { Share } from './seeds-worker.ts';
import { type Played, playLife, type Simulated, shortest } from './simulate.ts';
import { STOCK_MUTANTS } from './stock/mutants.ts';
import { runStock, summaryOfStock, tellStock } from './stock/report.ts';
import { parseTape, seeded, tapeText } from './tape.ts';

const whole = (text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('a whole number from 1 is needed');
};
const tapeOf = (text: string): number[] => {
  try {
    return parseTape(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
};
const mutantOf = (name: string): string => {
  if (Object.hasOwn(MUTANTS, name) || Object.hasOwn(STOCK_MUTANTS, name)) return name;
  throw new InvalidArgumentError(
    `one of: ${Object.keys(MUTANTS).join(', ')}; with --stock: ${Object.keys(STOCK_MUTANTS).join(', ')}`,
  );
};

const COMMAND = 'npm run simulate --';
const options = new Command(COMMAND)
  .description(
    'Plays the whole life of orders, with every fault, on the real use-cases; an independent model of the shops says what each ERP must hold in the end. See test/simulation/README.md.',
  )
  .option('--stock', 'stock instead of orders: what the shops show, and what is sold beyond what there is')
  .option('--seeds <n>', 'how many worlds', whole, 2_000)
  .option('--from <n>', 'the first seed', whole, 1)
  .option('--threads <n>', 'worlds played at once', whole, 2)
  .option('--seed <n>', 'only this one, with its story', whole)
  .option('--tape <choices>', 'a story as a failing seed printed it', tapeOf)
  .option('--mutant <name>', 'with one guard taken away: the simulation has to notice', mutantOf)
  .option('--tries <n>', 'how many tapes are tried to shorten a story that fails', whole, 3_000)
  .option('--json', 'only the result, as JSON')
  .parse()
  .opts<{
    stock?: true;
    seeds: number;
    from: number;
    threads: number;
    seed?: number;
    tape?: number[];
    mutant?: string;
    tries: number;
    json?: true;
  }>();

const mutant = options.mutant === undefined ? {} : (MUTANTS[options.mutant] ?? {});
const withMutant = options.mutant === undefined ? '' : ` --mutant '${options.mutant}'`;
const print = (...lines: readonly string[]): void => {
  process.stdout.write(`${lines.join('\n')}\n`);
};
const told = ({ story, problems }: Played): string[] => [
  ...story,
  '',
  ...(problems.length > 0
    ? problems.map((problem) => `VIOLATION  ${problem}`)
    : ['Every ERP holds what it should.']),
];

/** Of each thread: whoever sees so many has seen enough. */
const MOST_FAILURES = 5;

/** Faults under their plain names; the rest as the world counts them. */
const summaryOf = (counts: Readonly<Record<string, number>>): Record<string, number> => {
  const of = (...kinds: readonly string[]) => kinds.reduce((sum, kind) => sum + (counts[kind] ?? 0), 0);
  return {
    crashes: of('crash-before', 'crash-after'),
    lostAnswers: of('lost-before', 'lost-after', 'half-done', 'storage-before', 'storage-after'),
    lateWrites: of('late-write'),
    stalls: of('stall'),
    refused: of('refused'),
    outages: of('outages'),
    pauses: of('pauses', 'longPauses'),
    forgottenByQueues: of('forgotten'),
    swept: of('swept'),
    changes: of('changes'),
    webhooksLost: of('webhooksLost', 'webhooksRefused'),
    duplicated: of('duplicated'),
    delayed: of('delayed'),
    fetchedAgain: of('fetched'),
    foundByReconciliation: of('reconciled'),
    staffEdits: of('staffEdits'),
    tooLate: of('tooLate'),
    parked: of('parked'),
    redriven: of('redriven'),
  };
};

if (options.stock) {
  process.exitCode = await playStock();
} else if (options.tape ?? options.seed) {
  const played = await playLife(options.tape ?? seeded(options.seed ?? 1), mutant);
  if (options.json) print(JSON.stringify({ problems: played.problems, ...played.counts }));
  else print(...told(played));
  process.exitCode = played.problems.length > 0 ? 1 : 0;
} else {
  process.exitCode = await playAll();
}

async function playStock(): Promise<number> {
  const { seed, seeds, from, threads, json } = options;
  if (seed !== undefined) {
    const lines = await tellStock(seed, options.mutant);
    print(...lines);
    return lines.some((line) => line.startsWith('VIOLATION')) ? 1 : 0;
  }
  const simulated = await runStock({ seeds, from, threads, mutant: options.mutant });
  const result = summaryOfStock(simulated);
  if (json) print(JSON.stringify(result));
  else print(...Object.entries(result).map(([name, value]) => `${name.padEnd(20)} ${String(value)}`));
  const [first] = simulated.failures;
  if (!first) return 0;
  // With --json standard output holds the result and nothing else.
  process.stderr.write(
    `\nSeed ${first.seed}, ${first.policy}: ${first.problems.join('; ')}\nIts story: ${COMMAND} --stock --seed ${first.seed}${withMutant}\n`,
  );
  return 1;
}

async function playAll(): Promise<number> {
  const startedMs = Date.now();
  const { from, seeds, threads } = options;
  const shares = await Promise.all(
    Array.from({ length: threads }, async (_, index): Promise<Simulated> => {
      const workerData: Share = {
        from: from + index,
        to: from + seeds,
        step: threads,
        mutant: options.mutant,
        most: MOST_FAILURES,
      };
      const [played] = await once(
        new Worker(new URL('./seeds-worker.ts', import.meta.url), { workerData }),
        'message',
      );
      return played as Simulated;
    }),
  );
  const counts: Record<string, number> = {};
  for (const share of shares) {
    for (const [kind, n] of Object.entries(share.counts)) counts[kind] = (counts[kind] ?? 0) + n;
  }
  const failures = shares.flatMap((share) => share.failures).sort((a, b) => a.seed - b.seed);
  const result = {
    seeds: shares.reduce((sum, share) => sum + share.seeds, 0),
    violations: failures.length,
    ...summaryOf(counts),
    ...(failures.length > 0 && { failingSeeds: failures.map(({ seed }) => seed) }),
    seconds: Math.round((Date.now() - startedMs) / 1000),
  };
  if (options.json) print(JSON.stringify(result));
  else print(...Object.entries(result).map(([name, value]) => `${name.padEnd(20)} ${String(value)}`));

  const [first] = failures;
  if (!first) return 0;
  const report = await explain(first.seed);
  // With --json standard output holds the result and nothing else.
  process.stderr.write(`\n${report.join('\n')}\n`);
  return 1;
}

/** The shortest story of one failing seed, and how to play it again. */
async function explain(seed: number): Promise<string[]> {
  const { tape, played } = await shortest(seed, mutant, options.tries);
  return [
    `Seed ${seed} ends badly. The shortest story found of it:`,
    '',
    ...told(played),
    '',
    `This story:    ${COMMAND} --tape ${tapeText(tape)}${withMutant}`,
    `The whole one: ${COMMAND} --seed ${seed}${withMutant}`,
  ];
}
