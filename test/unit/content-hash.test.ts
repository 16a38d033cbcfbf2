import { expect, it } from 'vitest';
import { stableHash } from '../../shared/core/content-hash.ts';

it('is 32 hexadecimal characters of the SHA-256 of sorted JSON', () => {
  // printf '{"a":1,"b":[{"c":"王","d":null}]}' | sha256sum
  expect(stableHash({ b: [{ d: null, c: '王' }], a: 1 })).toBe('92e16ef13cd15a119f5f7b56f95e5e6d');
});

it('does not depend on the order of keys, at any depth, nor on undefined values', () => {
  expect(stableHash({ a: { x: 1, y: 2 }, b: 3, c: undefined })).toBe(stableHash({ b: 3, a: { y: 2, x: 1 } }));
});

it.each([
  ['a value', { a: 1 }, { a: 2 }],
  ['a type', { a: 1 }, { a: '1' }],
  ['the order of an array', { a: [1, 2] }, { a: [2, 1] }],
  ['a key', { a: 1 }, { b: 1 }],
  ['null is not absent', { a: null }, {}],
])('sees %s', (_name, one, other) => expect(stableHash(one)).not.toBe(stableHash(other)));
