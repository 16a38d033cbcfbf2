import { expect, it, vi } from 'vitest';
import { boundedCache } from '../../../shared/core/bounded-cache.ts';
import { inChunks } from '../../../shared/core/chunks.ts';

const cacheAt = () => {
  let now = 1_000;
  return {
    cache: boundedCache(() => now, 60_000),
    wait: (ms: number) => {
      now += ms;
    },
  };
};

it('keeps a value for as long as it may, and then asks again', async () => {
  const { cache, wait } = cacheAt();
  const load = vi.fn(async () => 'first');
  expect(await cache.get('key', load)).toBe('first');
  load.mockResolvedValue('second');
  wait(59_999);
  expect([await cache.get('key', load), cache.peek('key')]).toEqual(['first', 'first']);
  wait(1);
  expect(cache.peek('key')).toBeUndefined();
  expect(await cache.get('key', load)).toBe('second');
  expect(load).toHaveBeenCalledTimes(2);
});

it('never keeps that something is missing: somebody is about to create it', async () => {
  const { cache } = cacheAt();
  const load = vi.fn<() => Promise<string | undefined>>(async () => undefined);
  expect(await cache.get('key', load)).toBeUndefined();
  load.mockResolvedValue('there');
  expect(await cache.get('key', load)).toBe('there');
});

it('takes what others found, and forgets all at once', async () => {
  const { cache } = cacheAt();
  cache.put('a', 1);
  cache.put('b', 2);
  expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([1, 2, undefined]);
  expect(await cache.get('a', async () => 9)).toBe(1);
  cache.clear();
  expect([cache.peek('a'), cache.peek('b')]).toEqual([undefined, undefined]);
});

it.each<[number[], number, number[][]]>([
  [[1, 2, 3, 4, 5], 2, [[1, 2], [3, 4], [5]]],
  [[1, 2], 2, [[1, 2]]],
  [[1], 25, [[1]]],
  [[], 25, []],
])('%j in pieces of %i', (items, size, pieces) => {
  expect(inChunks(items, size)).toEqual(pieces);
});
