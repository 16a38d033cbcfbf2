import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoRateBudget } from '../../shared/aws/dynamo-rate-budget.ts';
import type { Clock } from '../../shared/core/ports.ts';
import { memoryRateBudget, type RateBudget } from '../../shared/core/rate-budget.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';
import { CostBucket } from '../fakes/shopify/cost.ts';

let tables: DynamoTables;
let table: string;
let connections = 0;

beforeAll(async () => {
  tables = await startDynamoTables();
  table = await tables.create();
});
afterAll(() => tables.stop());

/** What every place that keeps a budget must do; `worker` opens what one worker sees of it. */
describe.each<[string, (nowMs: Clock) => () => RateBudget]>([
  [
    'in memory',
    (nowMs) => {
      const budget = memoryRateBudget(nowMs);
      return () => budget;
    },
  ],
  [
    'on DynamoDB',
    (nowMs) => {
      connections += 1;
      const connection = `acme-${connections}`;
      return () => dynamoRateBudget(tables.client, table, connection, nowMs);
    },
  ],
])('a budget %s', (_where, open) => {
  let now: number;
  let worker: () => RateBudget;
  beforeEach(() => {
    now = 1_700_000_000_000;
    worker = open(() => now);
  });
  const told = (available: number) => ({ maximum: 1_000, available, restorePerSecond: 50 });

  it('lets a small question through before anything is known, and nothing large', async () => {
    const budget = worker();
    expect(await budget.take(60)).toBe(0);
    // 40 are left of the guess, and 50 come back each second.
    expect(await budget.take(500)).toBe(9_200);
  });

  it('knows after the first answer what there is, less what waits', async () => {
    const budget = worker();
    await budget.take(60);
    await budget.settle(57, told(997));
    // All but the uppermost tenth, which a full bucket does not restore.
    expect(await budget.take(900)).toBe(0);
    expect(await budget.take(100)).toBe(2_000);
    now += 2_000;
    expect(await budget.take(50)).toBe(1_000);
  });

  it('what waits when the first answer comes keeps its place', async () => {
    const budget = worker();
    await budget.take(60);
    expect(await budget.take(500)).toBe(9_200);
    await budget.settle(57, told(997));
    // 997 less the 500 that wait, less what was not known of before.
    expect(await budget.take(494)).toBe(0);
    expect(await budget.take(50)).toBe(1_000);
  });

  it('is lowered by what others use, and never raised by an answer', async () => {
    const budget = worker();
    await budget.take(10);
    await budget.settle(0, told(990));
    await budget.take(100);
    await budget.settle(0, told(200));
    expect(await budget.take(300)).toBe(2_000);
    await budget.settle(0, told(950));
    now += 2_000;
    expect(await budget.take(50)).toBe(1_000);
  });

  it('what asks for more than there can be waits for all there can be', async () => {
    const budget = worker();
    await budget.take(10);
    await budget.settle(10, told(1_000));
    expect(await budget.take(5_000)).toBe(0);
    expect(await budget.take(900)).toBe(18_000);
  });

  it('workers take from one bucket: six at once get six turns', async () => {
    const first = worker();
    await first.take(10);
    await first.settle(10, told(1_000));
    await first.take(0);
    const waits = await Promise.all(Array.from({ length: 6 }, () => worker().take(300)));
    expect(waits.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 6_000, 12_000, 18_000]);
  });
});

it('nobody who waits as long as it says is throttled, whatever the calls cost and however long they take', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          cost: fc.integer({ min: 1, max: 500 }),
          share: fc.integer({ min: 0, max: 100 }),
          takesMs: fc.integer({ min: 1, max: 400 }),
          idleMs: fc.integer({ min: 0, max: 4_000 }),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      fc.integer({ min: 60, max: 1_000 }),
      async (calls, left) => {
        let now = 1_700_000_000_000;
        const bucket = new CostBucket({ maximum: 1_000, restorePerSecond: 50, nowMs: () => now });
        bucket.take(1_000 - left);
        const budget = memoryRateBudget(() => now);
        const stated = () => ({ maximum: 1_000, available: bucket.available, restorePerSecond: 50 });
        for (const { cost, share, takesMs, idleMs } of [
          { cost: 53, share: 10, takesMs: 50, idleMs: 0 },
          ...calls,
        ]) {
          now += idleMs;
          now += await budget.take(cost);
          now += Math.floor(takesMs / 2); // on its way
          expect(bucket.take(cost)).toBe(true);
          const unused = Math.floor((cost * share) / 100);
          now += Math.ceil(takesMs / 2);
          bucket.giveBack(unused);
          await budget.settle(unused, stated());
        }
        expect(bucket.throttled).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});
