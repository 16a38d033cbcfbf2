import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Mutant, type Run, type SimulationOptions, simulateOrders } from '../simulation/orders.ts';
import { play, type World } from '../simulation/scheduler.ts';

const tape = fc.array(fc.nat(999_999), { minLength: 20, maxLength: 120, size: 'max' });

const run = async (
  choices: readonly number[],
  options: SimulationOptions = {},
): Promise<{ run: Run; world: World }> => {
  let result: Run | undefined;
  const world = await play(choices, (w) => {
    result = simulateOrders(w, options);
  });
  if (!result) throw new Error('nothing was simulated');
  return { run: result, world };
};

const problemsOf = ({ documents, parked, entries }: Run): string[] => [
  ...(documents.length === 1 ? [] : [`${documents.length} orders in the ERP`]),
  ...documents.filter((d) => d.state !== 'sale').map((d) => `document ${d.id} was never confirmed`),
  ...documents
    .filter((d) => d.confirmations > 1)
    .map((d) => `document ${d.id} was confirmed ${d.confirmations} times`),
  ...parked.map((code) => `parked: ${code}`),
  ...[...entries.values()].filter((e) => e.state !== 'finished').map((e) => `${e.intent} is ${e.state}`),
];

const seen: Record<string, number> = {};
const check = (mutant?: Mutant) =>
  fc.asyncProperty(tape, async (choices) => {
    const { run: result, world } = await run(choices, { mutant });
    for (const [kind, n] of Object.entries(result.faults)) seen[kind] = (seen[kind] ?? 0) + n;
    const problems = problemsOf(result);
    if (problems.length > 0) throw new Error(`${problems.join('; ')}\n${world.story.join('\n')}`);
  });

it('one order reaches the ERP exactly once and ends confirmed, whatever fails', async () => {
  await fc.assert(check(), { numRuns: 5_000, seed: 20261123 });
  // The faults really happened: a world without them would prove nothing.
  for (const kind of ['refused', 'lost-answer', 'late-write', 'crash-before', 'crash-after', 'stall']) {
    expect(seen[kind], kind).toBeGreaterThan(300);
  }
}, 120_000);

/** Each guard, taken out: the same property must notice. Fencing is `simulation.test.ts`'s: here, the pause after a failure hides its absence. */
const MUTANTS: Record<string, Mutant> = {
  'no look-up before create': {
    erp: (real) => ({
      ...real,
      find: async (...args) => {
        await real.find(...args);
        return undefined;
      },
    }),
  },
  'lease released after an unanswered write': { forgetsUnknown: true },
  'no written step': { ledger: (real) => ({ ...real, written: async () => undefined }) },
};

it.each(Object.entries(MUTANTS))(
  'notices: %s',
  async (_name, mutant) => {
    const details = await fc.check(check(mutant), { numRuns: 60_000, seed: 4, endOnFailure: true });
    expect(details.failed).toBe(true);
  },
  120_000,
);

/**
 * The end may come first, last or while a worker writes. Either nothing is at the ERP, or one order that a
 * person was told of, and the journal keeps it on the list.
 */
const unnoticed = ({ documents, parked, rows }: Run): string[] => {
  const told = parked.includes('ORDER_CHANGED_AFTER_WRITE');
  const { state } = rows.get('erp#shop#1001') ?? {};
  return [
    ...(documents.length > 1 ? [`${documents.length} orders in the ERP`] : []),
    ...(documents.length > 0 && !told ? ['a cancelled order is in the ERP and nobody was told'] : []),
    ...(documents.length === 0 && parked.length > 0 ? [`parked for nothing: ${parked.join(', ')}`] : []),
    ...(state === (told ? 'parked' : 'skipped') ? [] : [`the journal says ${state}`]),
  ];
};

const ends: Record<string, number> = { written: 0, 'never written': 0 };
const checkCancelled = (mutant?: Mutant) =>
  fc.asyncProperty(tape, async (choices) => {
    const { run: result, world } = await run(choices, { mutant, cancelled: true });
    const end = result.documents.length > 0 ? 'written' : 'never written';
    ends[end] = (ends[end] ?? 0) + 1;
    const problems = unnoticed(result);
    if (problems.length > 0) throw new Error(`${problems.join('; ')}\n${world.story.join('\n')}`);
  });

it('no cancelled order stays in the ERP unnoticed, whatever comes first and whatever fails', async () => {
  await fc.assert(checkCancelled(), { numRuns: 5_000, seed: 20261124 });
  expect(ends['written']).toBeGreaterThan(500);
  expect(ends['never written']).toBeGreaterThan(500);
}, 120_000);

const CANCELLED_MUTANTS: Record<string, Mutant> = {
  'a writer that does not look at what is settled': {
    journal: (real) => ({ ...real, settled: async () => undefined }),
  },
  'a lease that is not seen': {
    ledger: (real) => ({
      ...real,
      peek: async (intent) => {
        const entry = await real.peek(intent);
        return entry?.state === 'open' ? undefined : entry;
      },
    }),
  },
};

it.each(Object.entries(CANCELLED_MUTANTS))(
  'notices: %s',
  async (_name, mutant) => {
    const details = await fc.check(checkCancelled(mutant), { numRuns: 60_000, seed: 4, endOnFailure: true });
    expect(details.failed).toBe(true);
  },
  120_000,
);

/** Opened and cancelled in one second, both with one version: the end is what the shop says, not what came last. */
const ENDS = {
  open: (result: Run): string[] => [
    ...problemsOf(result),
    ...(stateOf(result) === 'done' ? [] : [`the journal says ${stateOf(result)}`]),
  ],
  cancelled: unnoticed,
};
const stateOf = ({ rows }: Run) => rows.get('erp#shop#1001')?.state;

const asked: Record<string, number> = {};
const checkSameSecond = (sameSecond: 'open' | 'cancelled', mutant?: Mutant) =>
  fc.asyncProperty(tape, async (choices) => {
    const { run: result, world } = await run(choices, { mutant, sameSecond });
    const how = world.story.some((line) => line.includes('the shop says')) ? 'fetched' : 'not fetched';
    asked[`${sameSecond}, ${how}`] = (asked[`${sameSecond}, ${how}`] ?? 0) + 1;
    const problems = ENDS[sameSecond](result);
    if (problems.length > 0) throw new Error(`${problems.join('; ')}\n${world.story.join('\n')}`);
  });

it.each(['open', 'cancelled'] as const)(
  'two states of one second end as the shop says: %s',
  async (sameSecond) => {
    await fc.assert(checkSameSecond(sameSecond), { numRuns: 5_000, seed: 20261125 });
    expect(asked[`${sameSecond}, fetched`]).toBeGreaterThan(4_000);
  },
  120_000,
);

const SAME_SECOND_MUTANTS: readonly (readonly [string, 'open' | 'cancelled', Mutant])[] = [
  ['no fetch', 'open', { refetch: (real) => ({ ...real, sources: new Set() }) }],
  ['no fetch', 'cancelled', { refetch: (real) => ({ ...real, sources: new Set() }) }],
  ['a fetch that nobody does', 'open', { refetch: (real) => ({ ...real, notify: async () => undefined }) }],
  ['what was fetched is no truth', 'open', { forgetsFetching: true }],
  [
    // One of the two is enough: who writes looks before, and who settles is told afterwards.
    'a journal that says nothing, neither before nor after',
    'cancelled',
    {
      journal: (real) => ({
        ...real,
        settled: async () => undefined,
        settle: (...args) => real.settle(...args).then(() => 'newer'),
      }),
    },
  ],
];

it.each(SAME_SECOND_MUTANTS)(
  'notices: %s (ends %s)',
  async (_name, sameSecond, mutant) => {
    const options = { numRuns: 60_000, seed: 4, endOnFailure: true };
    const details = await fc.check(checkSameSecond(sameSecond, mutant), options);
    expect(details.failed).toBe(true);
  },
  120_000,
);
