import { beforeEach, expect, it, vi } from 'vitest';
import { CredentialsError, RetryableError } from '../../../shared/core/errors.ts';
import { type Ran, type RunContext, scheduledRun } from '../../../shared/core/scheduled-run.ts';
import type { Metric, WideLine } from '../../../shared/observability/wide-event.ts';

let now: number;
let lines: [WideLine, readonly Metric[] | undefined][];

beforeEach(() => {
  now = 1_000;
  lines = [];
});

const run = (work: (call: RunContext, event: unknown) => Promise<Ran>, leaseMs?: number) =>
  scheduledRun({
    what: 'poll',
    connection: 'acme-woo',
    ports: { line: (line, metrics) => lines.push([line, metrics]), nowMs: () => now },
    ...(leaseMs === undefined ? {} : { leaseMs }),
    work: (call, _about, event) => work(call, event),
  })({ hello: 1 }, { getRemainingTimeInMillis: () => 65_000 });

const RUNS: Metric = { name: 'ReconciliationRuns', value: 1 };

it('says in one line what it did, how long it took, and what it counts', async () => {
  const answer = await run(async (_call, event) => {
    expect(event).toEqual({ hello: 1 });
    now += 250;
    return { line: { outcome: 'done', looked: 3 }, metrics: [RUNS] };
  });
  expect(lines).toEqual([
    [{ what: 'poll', connection: 'acme-woo', outcome: 'done', looked: 3, totalMs: 250 }, [RUNS]],
  ]);
  expect(answer).toEqual({ outcome: 'done', looked: 3 });
});

it('answers whoever called it by hand', async () => {
  expect(await run(async () => ({ line: {}, answer: { missing: [] } }))).toEqual({ missing: [] });
  expect(lines).toEqual([[{ what: 'poll', connection: 'acme-woo', totalMs: 0 }, []]]);
});

it('leaves no timer behind', async () => {
  vi.useFakeTimers();
  try {
    await run(async () => ({ line: {} }));
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

it('begins nothing further after two thirds of its time, and less than the lease where there is one', async () => {
  const ends: number[] = [];
  const note = async ({ endMs }: RunContext) => {
    ends.push(endMs);
    return { line: {} };
  };
  await run(note);
  await run(note, 25_000);
  expect(ends).toEqual([1_000 + 60_000 * 0.7, 1_000 + 20_000 * 0.7]);
});

it('a run that fails is over: said, not thrown, and without the count whose silence alarms', async () => {
  const answer = await run(async () => {
    throw new RetryableError('PEER_FAILED', 'shop.test answered HTTP 503');
  });
  const line = { outcome: 'failed', code: 'PEER_FAILED', reason: 'shop.test answered HTTP 503' };
  expect(lines).toEqual([[{ what: 'poll', connection: 'acme-woo', ...line, totalMs: 0 }, []]]);
  expect(answer).toEqual(line);
});

it('credentials that are refused are counted as such', async () => {
  await run(async () => {
    throw new CredentialsError('CREDENTIALS_REFUSED', 'shop.test answered HTTP 401');
  });
  expect(lines[0]?.[1]).toEqual([{ name: 'CredentialsRefused', value: 1 }]);
});

it('what nobody foresaw is said and thrown, without what it may quote', async () => {
  const work = run(async () => {
    throw new TypeError('ming.wang@example.test is undefined');
  });
  await expect(work).rejects.toThrow(TypeError);
  expect(lines[0]?.[0]).toMatchObject({ outcome: 'failed', code: 'UNFORESEEN' });
  expect(JSON.stringify(lines)).not.toContain('ming.wang');
});

it('is cut off before its time is up', async () => {
  vi.useFakeTimers();
  try {
    const work = run(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      15_000,
    );
    await vi.advanceTimersByTimeAsync(9_999);
    expect(lines).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await work).toMatchObject({ outcome: 'failed', code: 'CUT_OFF' });
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
