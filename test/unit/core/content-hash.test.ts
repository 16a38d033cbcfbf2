import { expect, it } from 'vitest';
import { stableHash } from '../../../shared/core/content-hash.ts';

it('is 32 hexadecimal characters that do not change between releases', () => {
  expect(stableHash({ a: 1, b: ['茶', null] })).toBe(stableHash({ b: ['茶', null], a: 1 }));
  expect(stableHash({ a: 1 })).toMatch(/^[0-9a-f]{32}$/);
});

it.each([
  [
    'keys in another order, at any depth',
    { a: { x: 1, y: [{ p: 1, q: 2 }] } },
    { a: { y: [{ q: 2, p: 1 }], x: 1 } },
  ],
  ['an undefined value and none', { a: 1, b: undefined }, { a: 1 }],
])('does not see: %s', (_case, one, other) => {
  expect(stableHash(one)).toBe(stableHash(other));
});

it.each([
  ['a value', { a: 1 }, { a: 2 }],
  ['a type', { a: 1 }, { a: '1' }],
  ['null and absent', { a: null }, {}],
  ['the order of a list', [1, 2], [2, 1]],
  ['a key', { a: 1 }, { b: 1 }],
  ['an empty list and an empty object', [], {}],
])('sees: %s', (_case, one, other) => {
  expect(stableHash(one)).not.toBe(stableHash(other));
});
