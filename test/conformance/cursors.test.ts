import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoCursors } from '../../shared/aws/dynamo-cursors.ts';
import type { CursorClaim, Cursors } from '../../shared/core/cursors.ts';
import { RetryableError } from '../../shared/core/errors.ts';
import type { Clock } from '../../shared/core/ports.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';
import { memoryCursors } from '../fakes/memory-cursors.ts';

let tables: DynamoTables;
let table: string;

beforeAll(async () => {
  tables = await startDynamoTables();
  table = await tables.create();
});
afterAll(() => tables.stop());

const LEASE_MS = 60_000;
const T0 = 1_700_000_000_000;
const at = (atMs: number, told: Record<string, string> = {}) => ({ atMs, told });

/** What every place that keeps cursors must do. */
describe.each<[string, (nowMs: Clock) => Cursors]>([
  ['in memory', memoryCursors],
  ['on DynamoDB', (nowMs) => dynamoCursors(tables.client, table, nowMs)],
])('cursors %s', (_where, open) => {
  let now: number;
  let cursors: Cursors;
  let name: string;
  let tests = 0;

  beforeEach(() => {
    tests += 1;
    now = T0;
    name = `orders#acme-woo#${tests}`;
    cursors = open(() => now);
  });

  const claim = () => cursors.claim(name, LEASE_MS);
  const turnOf = (claimed: CursorClaim): number => {
    if (claimed.kind !== 'claimed') throw new Error(`not claimed but ${claimed.kind}`);
    return claimed.turn;
  };
  const codeOf = async (work: Promise<void>) => {
    const error: unknown = await work.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RetryableError);
    return (error as RetryableError).code;
  };

  it('nothing was read yet', async () => {
    expect(await cursors.load(name)).toBeUndefined();
    expect(await claim()).toEqual({ kind: 'claimed', turn: 1, cursor: undefined });
    expect(await cursors.load(name)).toBeUndefined();
  });

  it('one worker at a time, and the next one at the millisecond at which the lease ends', async () => {
    await claim();
    now += LEASE_MS - 1;
    expect(await claim()).toEqual({ kind: 'busy', leaseUntilMs: T0 + LEASE_MS });
    now += 1;
    expect(await claim()).toEqual({ kind: 'claimed', turn: 2, cursor: undefined });
  });

  it('given back, the next one may begin at once, from where it was left', async () => {
    const turn = turnOf(await claim());
    await cursors.save(name, turn, at(5_000, { '10#茶': '5000 ab' }));
    await cursors.release(name, turn);
    expect(await claim()).toEqual({
      kind: 'claimed',
      turn: 2,
      cursor: { atMs: 5_000, told: { '10#茶': '5000 ab' } },
    });
    expect(await cursors.load(name)).toEqual({ atMs: 5_000, told: { '10#茶': '5000 ab' } });
  });

  it('forward, or where it stands, and never back', async () => {
    const turn = turnOf(await claim());
    await cursors.save(name, turn, at(5_000, { a: '1' }));
    await cursors.save(name, turn, at(5_000, { a: '2' }));
    await cursors.save(name, turn, at(7_000));
    expect(await codeOf(cursors.save(name, turn, at(6_999)))).toBe('CURSOR_BACKWARDS');
    expect(await cursors.load(name)).toEqual({ atMs: 7_000, told: {} });
  });

  it('who was stalled past the lease changes nothing', async () => {
    const slow = turnOf(await claim());
    now += LEASE_MS;
    const next = turnOf(await claim());
    await cursors.save(name, next, at(5_000));
    expect(await codeOf(cursors.save(name, slow, at(9_000)))).toBe('FENCED');
    await cursors.release(name, slow);
    expect(await claim()).toMatchObject({ kind: 'busy' });
    expect(await cursors.load(name)).toEqual({ atMs: 5_000, told: {} });
  });

  it('a lease that ran out while nobody else came is still good for saving', async () => {
    const turn = turnOf(await claim());
    now += 2 * LEASE_MS;
    await cursors.save(name, turn, at(5_000));
    expect(await cursors.load(name)).toEqual({ atMs: 5_000, told: {} });
  });

  it('nobody saves without a claim', async () => {
    expect(await codeOf(cursors.save(name, 1, at(5_000)))).toBe('FENCED');
    await cursors.release(name, 1);
    expect(await cursors.load(name)).toBeUndefined();
  });
});

it('forgets the poll that is no longer in the settings, 400 days later', async () => {
  const cursors = dynamoCursors(tables.client, table, () => 1_700_000_000_999);
  await cursors.claim('ttl', 1_000);
  await cursors.save('ttl', 1, at(1));
  expect((await tables.item(table, 'ttl'))?.['expiresAtS']).toEqual({
    N: String(1_700_000_000 + 400 * 24 * 60 * 60),
  });
});

it('passes on every failure but a failed condition', async () => {
  const broken = dynamoCursors(tables.client, 'no-such-table', () => 0);
  const missing = { name: 'ResourceNotFoundException' };
  await expect(broken.load('a')).rejects.toMatchObject(missing);
  await expect(broken.claim('a', 1)).rejects.toMatchObject(missing);
  await expect(broken.save('a', 1, at(1))).rejects.toMatchObject(missing);
  await expect(broken.release('a', 1)).rejects.toMatchObject(missing);
});
