import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  type DryRunOptions,
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { createVitest, type Vitest } from 'vitest/node';
import type { Answer, Question, Trial, Verdict } from './protocol.ts';
import { SUITES } from './suites.ts';

/**
 * Judges mutants in one worker that has loaded the suites once: for Stryker, in place of its own runner for Vitest, which
 * loads them anew for every mutant. A mutant in a constant needs a load of its own, of the suites that its file reaches.
 */
class SuitesOnce implements TestRunner {
  readonly #suites = SUITES.flatMap((pattern) => globSync(pattern)).toSorted(quickFirst);
  readonly #channel = new BroadcastChannel(`mutation-${process.pid}`);
  #vitest: Vitest | undefined;
  #loaded: Promise<unknown> | undefined;
  #answered: ((answer: Answer) => void) | undefined;

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    process.env['VITEST'] = '1';
    process.env['NODE_ENV'] = 'test';
    this.#vitest = await createVitest('test', {
      config: 'test/mutation/vitest.config.ts',
      pool: 'threads',
      maxWorkers: 1,
      watch: false,
      bail: 1,
      includeTaskLocation: true,
      reporters: [],
      onConsoleLog: () => false,
    });
    this.#channel.onmessage = ({ data }) => this.#answered?.(data as Answer);
  }

  async dryRun(_options: DryRunOptions): Promise<DryRunResult> {
    const { trials, coverage } = await this.#judge({ toTheEnd: true });
    return {
      status: DryRunStatus.Complete,
      tests: trials.map(testResult),
      mutantCoverage: coverage as never,
    };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, testFilter, hitLimit, disableBail } = options;
    const question = {
      ...(testFilter && { only: testFilter }),
      ...(hitLimit !== undefined && { hitLimit }),
      toTheEnd: disableBail,
    };
    if (options.mutantActivation === 'static') return this.#judgeConstant(options, question);
    let verdict = await this.#judge({ ...question, activeMutant: activeMutant.id });
    if (verdict.isDirty) {
      await this.#unload();
      verdict = await this.#judge({ ...question, activeMutant: activeMutant.id });
      if (verdict.isDirty) await this.#unload();
    }
    return resultOf(verdict, hitLimit);
  }

  async dispose(): Promise<void> {
    await this.#unload();
    this.#channel.close();
    await this.#vitest?.close();
  }

  async #judgeConstant(
    { sandboxFileName, activeMutant, hitLimit }: MutantRunOptions,
    question: Omit<Question & { kind: 'judge' }, 'kind'>,
  ): Promise<MutantRunResult> {
    const suites = this.#nearestFirst(sandboxFileName);
    const trials: Trial[] = [];
    for (const some of [suites.slice(0, NEAREST), suites.slice(NEAREST)]) {
      if (some.length === 0) continue;
      const unloadable = await this.#load(some, activeMutant.id);
      if (unloadable !== undefined) {
        return { status: MutantRunStatus.Killed, killedBy: [], failureMessage: unloadable, nrOfTests: 0 };
      }
      const verdict = await this.#judge(question);
      await this.#unload();
      trials.push(...verdict.trials);
      const result = resultOf({ ...verdict, trials }, hitLimit);
      if (result.status !== MutantRunStatus.Survived) return result;
    }
    return resultOf({ trials, hits: 0 }, hitLimit);
  }

  async #judge(question: Omit<Question & { kind: 'judge' }, 'kind'>): Promise<Verdict> {
    if (!this.#loaded) {
      const unloadable = await this.#load(this.#suites);
      if (unloadable !== undefined) throw new Error(unloadable);
    }
    const answer = await this.#ask({ kind: 'judge', ...question });
    if (answer.kind !== 'verdict') throw new Error('the worker was started twice');
    return answer.verdict;
  }

  #ask(question: Question): Promise<Answer> {
    const answer = new Promise<Answer>((resolve) => {
      this.#answered = resolve;
    });
    this.#channel.postMessage(question);
    return answer;
  }

  /** @returns why not, if the suites could not be loaded */
  async #load(suites: readonly string[], mutant?: string): Promise<string | undefined> {
    await this.#unload();
    const vitest = this.#vitest;
    if (!vitest) throw new Error('init comes first');
    vitest.provide('mutation', { channel: this.#channel.name, suites, ...(mutant && { mutant }) });
    const ready = new Promise<undefined>((resolve) => {
      this.#answered = () => resolve(undefined);
    });
    vitest.state.filesMap.clear();
    this.#loaded = vitest.start([resolve('test/mutation/judge.ts')]);
    const ended = this.#loaded.then(() => {
      const errors = vitest.state.getFiles().flatMap(({ result }) => result?.errors ?? []);
      return `the suites could not be loaded: ${errors.map(({ message }) => message).join('; ')}`;
    });
    const unloadable = await Promise.race([ready, ended]);
    if (unloadable !== undefined) this.#loaded = undefined;
    return unloadable;
  }

  async #unload(): Promise<void> {
    if (!this.#loaded) return;
    this.#channel.postMessage({ kind: 'end' } satisfies Question);
    await this.#loaded;
    this.#loaded = undefined;
  }

  /** The suites that load `file`, those that do so most directly first: they are the likeliest to notice. */
  #nearestFirst(file: string): string[] {
    const distance = new Map(this.#suites.map((suite) => [suite, distanceTo(file, resolve(suite))]));
    const far = (suite: string) => distance.get(suite) ?? Number.POSITIVE_INFINITY;
    const reaching = this.#suites.filter((suite) => far(suite) < Number.POSITIVE_INFINITY);
    return reaching.toSorted((a, b) => far(a) - far(b));
  }
}

/** So many suites are loaded for a mutant in a constant before all the others are. */
const NEAREST = 4;

/** What is quick first: the first test that fails ends the run of a mutant. */
const quickFirst = (a: string, b: string): number => rank(a) - rank(b) || (a < b ? -1 : 1);
const rank = (suite: string): number => (/\/(properties|scenarios|mutation)\//.test(suite) ? 1 : 0);

/** By how many imports `file` is away from a suite. */
const distanceTo = (file: string, suite: string): number => {
  const seen = new Set([suite]);
  let files = [suite];
  for (let distance = 0; files.length > 0; distance += 1) {
    if (files.includes(file)) return distance;
    files = files.flatMap(importsOf).filter((path) => !seen.has(path));
    for (const path of files) seen.add(path);
  }
  return Number.POSITIVE_INFINITY;
};

const imports = new Map<string, string[]>();
const importsOf = (file: string): string[] => {
  const known = imports.get(file);
  if (known) return known;
  const found = readFileSync(file, 'utf8').matchAll(/(?:from|import|import\() ?'(\.[^']+\.ts)'/g);
  const paths = [...found].map(([, path = '']) => join(dirname(file), path));
  imports.set(file, paths);
  return paths;
};

const testResult = ({ id, failure, ms, line }: Trial): TestResult => {
  const [file = '', name = ''] = id.split(/#(.*)/s);
  const base = {
    id,
    name,
    timeSpentMs: ms,
    fileName: resolve(file),
    ...(line !== undefined && { startPosition: { line: line - 1, column: 0 } }),
  };
  return failure === undefined
    ? { ...base, status: TestStatus.Success }
    : { ...base, status: TestStatus.Failed, failureMessage: failure };
};

const resultOf = (
  { trials, hits }: Pick<Verdict, 'trials' | 'hits'>,
  hitLimit: number | undefined,
): MutantRunResult =>
  toMutantRunResult(
    determineHitLimitReached(hits, hitLimit) ?? {
      status: DryRunStatus.Complete,
      tests: trials.map(testResult),
    },
  );

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'suites-once', SuitesOnce)];
