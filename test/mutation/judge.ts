import { performance } from 'node:perf_hooks';
import { BroadcastChannel } from 'node:worker_threads';
import {
  describe,
  inject,
  it,
  type RunnerTask,
  type RunnerTestCase,
  type RunnerTestSuite,
  TestRunner,
  vi,
} from 'vitest';
import type { Question, Trial, Verdict } from './protocol.ts';

// The one file that Vitest runs for Stryker: it loads the suites once and then answers, mutant by mutant, which test
// fails. Loading them anew for each, as isolated workers do, costs fifty times what the tests themselves cost.

const { channel: name, suites, mutant } = inject('mutation');

/** Shared with the instrumented code: see the header that Stryker writes into every file it mutates. */
interface Namespace {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number;
  hitLimit?: number;
  mutantCoverage?: unknown;
}
const stryker: Namespace = {};
Object.assign(globalThis, { __stryker__: stryker });
// Of constants: in force while the modules are loaded.
if (mutant !== undefined) stryker.activeMutant = mutant;

const channel = new BroadcastChannel(name);

it('judges', { timeout: 0 }, async ({ task }) => {
  const tests = testsOf(task.file.tasks.filter(({ type }) => type === 'suite'));
  await new Promise<void>((resolve) => {
    channel.onmessage = async ({ data }) => {
      const question = data as Question;
      if (question.kind === 'end') resolve();
      else channel.postMessage({ kind: 'verdict', verdict: await judge(tests, question) });
    };
    channel.postMessage({ kind: 'ready' });
  });
  channel.close();
  await enter([]);
  throw new Error('the suites below have been judged by hand');
});

for (const suite of suites)
  describe(suite, () => import(/* @vite-ignore */ `/${suite}`).then(() => undefined));

/** Tests by their id. Two with one name are told apart by a number. */
function testsOf(tasks: readonly RunnerTask[], tests = new Map<string, RunnerTestCase>()) {
  for (const task of tasks) {
    if (task.type === 'suite') {
      testsOf(task.tasks, tests);
      continue;
    }
    const id = idOf(task);
    let unique = id;
    for (let n = 2; tests.has(unique); n += 1) unique = `${id} (${n})`;
    tests.set(unique, task);
  }
  return tests;
}

function idOf(task: RunnerTestCase): string {
  const path = chain(task).map((suite) => suite.name);
  const [file, ...names] = [...path, task.name];
  return `${file}#${names.join(' > ')}`;
}

/** The suites around a test, outermost first. */
function chain(test: RunnerTestCase): RunnerTestSuite[] {
  const suites: RunnerTestSuite[] = [];
  for (let suite = test.suite; suite; suite = suite.suite) suites.unshift(suite);
  return suites;
}

async function judge(tests: ReadonlyMap<string, RunnerTestCase>, question: Question & { kind: 'judge' }) {
  const { only, activeMutant, hitLimit, toTheEnd } = question;
  const trials: Trial[] = [];
  const verdict: Verdict = { trials, isDirty: false, coverage: undefined, hits: 0 };
  stryker.hitCount = 0;
  if (hitLimit !== undefined) stryker.hitLimit = hitLimit;
  for (const [id, test] of tests) {
    if (test.mode === 'skip' || test.mode === 'todo' || (only && !only.includes(id))) continue;
    stryker.currentTestId = id;
    if (mutant === undefined) stryker.activeMutant = activeMutant;
    const trial = await attempt(id, test);
    trials.push(trial);
    stryker.currentTestId = undefined;
    if (mutant === undefined) stryker.activeMutant = undefined;
    if (trial.failure === undefined || toTheEnd) continue;
    verdict.hits = stryker.hitCount;
    // Only what passes again is no ruin that this mutant or an earlier one has left behind.
    if (mutant === undefined) verdict.isDirty = (await attempt(id, test)).failure !== undefined;
    break;
  }
  verdict.coverage = stryker.mutantCoverage;
  return verdict;
}

async function attempt(id: string, test: RunnerTestCase): Promise<Trial> {
  const startedMs = performance.now();
  vi.restoreAllMocks();
  let failure: string | undefined;
  try {
    await enter(chain(test));
    await runHooks(test, 'before');
    try {
      await TestRunner.getTestFn(test)();
    } finally {
      await runHooks(test, 'after');
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  vi.useRealTimers();
  return { id, failure, ms: performance.now() - startedMs, line: test.location?.line };
}

const opened = new Set<RunnerTestSuite>();

/** Ends what is not around the next test, and begins what is. */
async function enter(suites: readonly RunnerTestSuite[]): Promise<void> {
  for (const suite of [...opened].reverse()) {
    if (suites.includes(suite)) continue;
    opened.delete(suite);
    for (const hook of TestRunner.getSuiteHooks(suite).afterAll) await hook(suite);
  }
  for (const suite of suites) {
    if (opened.has(suite)) continue;
    opened.add(suite);
    for (const hook of TestRunner.getSuiteHooks(suite).beforeAll) await hook(suite);
  }
}

async function runHooks(test: RunnerTestCase, when: 'before' | 'after'): Promise<void> {
  const suites = chain(test);
  for (const suite of when === 'before' ? suites : suites.reverse()) {
    const { beforeEach, afterEach } = TestRunner.getSuiteHooks(suite);
    for (const hook of when === 'before' ? beforeEach : afterEach.toReversed()) {
      await hook(test.context, suite);
    }
  }
}
