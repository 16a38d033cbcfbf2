import { expect, it } from 'vitest';
import { personName } from '../../../shared/core/person-name.ts';

it.each([
  ['小明', '王', '王小明'],
  ['太郎', '山田', '山田太郎'],
  ['さくら', '佐々木', '佐々木さくら'],
  ['민수', '김', '김민수'],
  ['Ada', 'Lovelace', 'Ada Lovelace'],
  ['Ming', '王', 'Ming 王'],
  ['สมชาย', 'ใจดี', 'สมชาย ใจดี'],
  ['  Ada  ', ' King   Noel ', 'Ada King Noel'],
  ['Ada', undefined, 'Ada'],
  [undefined, '王', '王'],
  ['', '  ', undefined],
  [undefined, undefined, undefined],
])('%j %j', (first, last, name) => {
  expect(personName(first, last)).toBe(name);
});
