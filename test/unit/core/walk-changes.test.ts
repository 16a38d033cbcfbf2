import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Change, walkChanges } from '../../../shared/core/walk-changes.ts';

const ALL = { fromMs: 0, untilMs: 1_000 };

/** A list with pages of `size`; `between` may change it before each answer but the first. */
const listOf = (
  rows: Change[],
  size: number,
  between: (rows: Change[], call: number) => void = () => undefined,
) => {
  const calls: string[] = [];
  const read = async (fromMs: number, page = 1) => {
    if (calls.length > 0) between(rows, calls.length);
    calls.push(`${fromMs} page ${page}`);
    const found = rows.filter(({ changedAtMs }) => changedAtMs >= fromMs);
    const end = page * size;
    return { rows: found.slice(end - size, end), next: end < found.length ? page + 1 : undefined };
  };
  return { calls, read };
};
const told = async (walk: AsyncIterable<readonly Change[]>): Promise<string[]> => {
  const ids: string[] = [];
  for await (const slice of walk) ids.push(...slice.map(({ id, changedAtMs }) => `${id}@${changedAtMs}`));
  return ids;
};
const change = (id: string, changedAtMs: number): Change => ({ id, changedAtMs });

it('goes on from the moment of the last one, and tells each once', async () => {
  const { calls, read } = listOf([change('a', 1), change('b', 2), change('c', 2), change('d', 3)], 2);
  expect(await told(walkChanges(ALL, read))).toEqual(['a@1', 'b@2', 'c@2', 'd@3']);
  // "From 2 on" begins with b again, and page 2 of the second moment 2 is behind b and c.
  expect(calls).toEqual(['0 page 1', '2 page 1', '2 page 2']);
});

it('one that changes meanwhile goes to the end, and hides none', async () => {
  const rows = [change('a', 1), change('b', 2), change('c', 3), change('d', 4)];
  const { read } = listOf(rows, 2, (list, call) => {
    if (call === 1) list.splice(0, 4, change('b', 2), change('c', 3), change('d', 4), change('a', 9));
  });
  expect(await told(walkChanges(ALL, read))).toEqual(['a@1', 'b@2', 'c@3', 'd@4', 'a@9']);
});

it('stops where the window ends, without asking for what is behind it', async () => {
  const { calls, read } = listOf([change('a', 1), change('b', 2), change('c', 3), change('d', 4)], 2);
  expect(await told(walkChanges({ fromMs: 0, untilMs: 2 }, read))).toEqual(['a@1']);
  expect(calls).toEqual(['0 page 1']);
});

it('a list that is not sorted is read whole, and told in order', async () => {
  const { calls, read } = listOf([change('a', 1), change('d', 4), change('b', 2), change('c', 3)], 3);
  expect(await told(walkChanges(ALL, read))).toEqual(['a@1', 'b@2', 'c@3', 'd@4']);
  expect(calls).toEqual(['0 page 1', '0 page 2']);
});

it('asks for nothing before somebody wants it', async () => {
  const { calls, read } = listOf([change('a', 1)], 1);
  const walk = walkChanges(ALL, read);
  expect(calls).toEqual([]);
  await walk.next();
  expect(calls).toHaveLength(1);
});

it('whatever the list: all of the window, in order, each once while nothing changes', async () => {
  const times = fc.array(fc.nat(12), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(times, fc.integer({ min: 1, max: 7 }), async (changes, size) => {
      const rows = changes.toSorted((a, b) => a - b).map((atMs, index) => change(`o${index}`, atMs));
      const seen = await told(walkChanges({ fromMs: 0, untilMs: 11 }, listOf([...rows], size).read));
      const wanted = rows.filter(({ changedAtMs }) => changedAtMs < 11);
      expect(seen).toEqual(wanted.map(({ id, changedAtMs }) => `${id}@${changedAtMs}`));
    }),
    { numRuns: 300, seed: 20261123 },
  );
});
