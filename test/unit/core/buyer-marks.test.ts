import { expect, it } from 'vitest';
import { buyerMarks } from '../../../shared/core/buyer-marks.ts';

const marks = (hints: { emails?: string[]; phones?: string[]; names?: string[] }) =>
  buyerMarks({ emails: [], phones: [], names: [], ...hints });

it.each<[string, Parameters<typeof marks>[0], Parameters<typeof marks>[0]]>([
  ['a mail address', { emails: ['Ming.Wang@Example.test '] }, { emails: ['ming.wang@example.test'] }],
  ['a number with and without its country', { phones: ['+886 2 5550 0000'] }, { phones: ['02-55500000'] }],
  ["a name's words in any order", { names: ['Wang  Ming'] }, { names: ['ming wang'] }],
  ['a name in wide letters', { names: ['Ｍing Wang'] }, { names: ['Ming Wang'] }],
  ['what is said twice', { names: ['Ming Wang', 'Wang Ming'] }, { names: ['Ming Wang'] }],
  ['nothing, in three ways', { emails: [''], phones: ['1234567'], names: [' '] }, {}],
])('%s is alike on both sides', (_case, one, other) => {
  expect(marks(one)).toEqual(marks(other));
});

it.each<[string, Parameters<typeof marks>[0], Parameters<typeof marks>[0]]>([
  ['two mail addresses', { emails: ['a@example.test'] }, { emails: ['b@example.test'] }],
  ['two numbers', { phones: ['02 5550 0000'] }, { phones: ['02 5550 0001'] }],
  ['two names of the same letters', { names: ['Ann Lee'] }, { names: ['Annlee'] }],
  ['a mail address that is a name', { emails: ['ann'] }, { names: ['ann'] }],
  ['a number that is a name', { phones: ['55500000'] }, { names: ['55500000'] }],
  ['a number that is a mail address', { phones: ['55500000'] }, { emails: ['55500000'] }],
])('%s are told apart', (_case, one, other) => {
  expect(marks(one)).not.toEqual(marks(other));
});

it('eight digits are a number, seven say too little', () => {
  expect(marks({ phones: ['55500000'] })).toHaveLength(1);
  expect(marks({ phones: ['5550000'] })).toEqual([]);
});

it('nothing can be read from them', () => {
  expect(marks({ emails: ['ann@example.test'] })).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
});
