import { describe, expect, it } from 'vitest';
import { compileEventPattern } from '../../../infra/local/event-pattern.ts';

// Behaviour as in the EventBridge user guide, "Comparison operators for use in event patterns" and
// "Event patterns: arrays, null values and empty strings".
const matches = (pattern: Record<string, unknown>, event: unknown) => compileEventPattern(pattern)(event);

describe('values', () => {
  it.each([
    ['equal text', ['Alice'], 'Alice', true],
    ['other case', ['Alice'], 'alice', false],
    ['one of several', ['Credit', 'Debit'], 'Debit', true],
    ['a number', [100], 100, true],
    ['a number is not its text', [100], '100', false],
    ['text is not its number', ['100'], 100, false],
    ['true', [true], true, true],
    ['false is not true', [true], false, false],
    ['null', [null], null, true],
    ['null is not empty text', [null], '', false],
    ['empty text', [''], '', true],
    ['empty text is not null', [''], null, false],
    ['prefix', [{ prefix: 'us-' }], 'us-east-1', true],
    ['prefix elsewhere', [{ prefix: 'us-' }], 'a-us-', false],
    ['prefix of a number', [{ prefix: '1' }], 10, false],
    ['prefix, any case', [{ prefix: { 'equals-ignore-case': 'eventb' } }], 'EventBridge', true],
    ['suffix', [{ suffix: '.png' }], 'a.png', true],
    ['suffix elsewhere', [{ suffix: '.png' }], 'a.png.txt', false],
    ['suffix, any case', [{ suffix: { 'equals-ignore-case': 'tBridge' } }], 'eventTBRIDGE', true],
    ['equal, any case', [{ 'equals-ignore-case': 'alice' }], 'ALICE', true],
    ['longer, any case', [{ 'equals-ignore-case': 'alice' }], 'alices', false],
    ['anything but: other', [{ 'anything-but': 'initializing' }], 'running', true],
    ['anything but: same', [{ 'anything-but': 'initializing' }], 'initializing', false],
    ['anything but a list: other', [{ 'anything-but': ['stopped', 'overloaded'] }], 'running', true],
    ['anything but a list: in it', [{ 'anything-but': ['stopped', 'overloaded'] }], 'overloaded', false],
    ['anything but a number', [{ 'anything-but': 100 }], 100, false],
    ['anything but numbers', [{ 'anything-but': [100, 200] }], 300, true],
    ['anything but a prefix', [{ 'anything-but': { prefix: 'us-' } }], 'us-east-1', false],
    ['anything but prefixes', [{ 'anything-but': { prefix: ['us-', 'eu-'] } }], 'ap-south-1', true],
    ['anything but a suffix', [{ 'anything-but': { suffix: '.png' } }], 'a.png', false],
    ['anything but suffixes', [{ 'anything-but': { suffix: ['.png', '.jpg'] } }], 'a.jpg', false],
    [
      'anything but, any case',
      [{ 'anything-but': { 'equals-ignore-case': 'initializing' } }],
      'INITIALIZING',
      false,
    ],
    ['anything but several, any case', [{ 'anything-but': { 'equals-ignore-case': ['a', 'b'] } }], 'C', true],
    ['anything but a wildcard', [{ 'anything-but': { wildcard: '*/lib/*' } }], 'x/lib/y', false],
    ['anything but wildcards', [{ 'anything-but': { wildcard: ['*/lib/*', '*/bin/*'] } }], 'x/src/y', true],
    ['numeric equal', [{ numeric: ['=', 3.018e2] }], 301.8, true],
    ['numeric range, inside', [{ numeric: ['>', 10, '<=', 20] }], 20, true],
    ['numeric range, at the open end', [{ numeric: ['>', 10, '<=', 20] }], 10, false],
    ['numeric less', [{ numeric: ['<', 0] }], -1, true],
    ['numeric at least', [{ numeric: ['>=', 5] }], 4.9, false],
    ['numeric of text', [{ numeric: ['=', 5] }], '5', false],
    ['wildcard in the middle', [{ wildcard: 'dir/*.png' }], 'dir/a/b.png', true],
    ['wildcard matches nothing too', [{ wildcard: 'a*b' }], 'ab', true],
    ['wildcard, other end', [{ wildcard: 'dir/*.png' }], 'dir/a.jpg', false],
    ['wildcard with an escaped asterisk', [{ wildcard: 'a\\*b' }], 'a*b', true],
    ['wildcard with an escaped asterisk is literal', [{ wildcard: 'a\\*b' }], 'axb', false],
    ['wildcard: other characters are literal', [{ wildcard: 'a.c*' }], 'abc', false],
    ['wildcard over line breaks', [{ wildcard: 'a*c' }], 'a\nc', true],
    ['exists', [{ exists: true }], 'x', true],
    ['exists, null', [{ exists: true }], null, true],
    ['exists not', [{ exists: false }], 'x', false],
    ['exists works on leaves only', [{ exists: true }], { inner: 1 }, false],
    ['a value or nothing', ['a', { exists: false }], 'b', false],
    ['an array with one of the values', ['b'], ['a', 'b'], true],
    ['an array with none of the values', ['c'], ['a', 'b'], false],
    ['an empty array', [{ exists: true }], [], false],
    ['an array, anything but one of its elements', [{ 'anything-but': 'a' }], ['a', 'b'], true],
    ['an array of what is excluded only', [{ 'anything-but': ['a', 'b'] }], ['a', 'b'], false],
    ['several operators are ORed', [{ prefix: 'a' }, { suffix: 'z' }], 'bz', true],
  ])('%s', (_name, pattern, value, expected) => {
    expect(matches({ detail: { field: pattern } }, { detail: { field: value } })).toBe(expected);
  });

  it.each([
    ['exact', ['a'], false],
    ['null', [null], false],
    ['anything-but', [{ 'anything-but': 'a' }], false],
    ['exists true', [{ exists: true }], false],
    ['exists false', [{ exists: false }], true],
    ['a value or nothing', ['a', { exists: false }], true],
  ])('a missing field and %s', (_name, pattern, expected) => {
    expect(matches({ detail: { field: pattern } }, { detail: { other: 1 } })).toBe(expected);
    expect(matches({ detail: { field: pattern } }, {})).toBe(expected);
  });
});

describe('structure', () => {
  const pattern = { source: ['shop'], detail: { kind: ['order'], total: [{ numeric: ['>', 0] }] } };
  it.each([
    ['all fields', { source: 'shop', detail: { kind: 'order', total: 5, more: 1 } }, true],
    ['one field differs', { source: 'shop', detail: { kind: 'order', total: 0 } }, false],
    ['one field is missing', { detail: { kind: 'order', total: 5 } }, false],
    ['the object is a text', { source: 'shop', detail: 'order' }, false],
  ])('fields are ANDed: %s', (_name, event, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  const either = {
    source: ['shop'],
    $or: [{ detail: { kind: ['a'] } }, { detail: { size: [{ numeric: ['>', 9] }] } }],
  };
  it.each([
    ['first choice', { source: 'shop', detail: { kind: 'a', size: 1 } }, true],
    ['second choice', { source: 'shop', detail: { kind: 'b', size: 10 } }, true],
    ['no choice', { source: 'shop', detail: { kind: 'b', size: 1 } }, false],
    ['a choice, but another field differs', { source: 'erp', detail: { kind: 'a' } }, false],
  ])('$or: %s', (_name, event, expected) => {
    expect(matches(either, event)).toBe(expected);
  });

  const lines = { detail: { lines: { sku: ['A'], quantity: [2] } } };
  it.each([
    [
      'one element satisfies all',
      [
        { sku: 'B', quantity: 1 },
        { sku: 'A', quantity: 2 },
      ],
      true,
    ],
    [
      'only two elements together would',
      [
        { sku: 'A', quantity: 1 },
        { sku: 'B', quantity: 2 },
      ],
      false,
    ],
    ['no element', [], false],
  ])('array of objects: %s', (_name, value, expected) => {
    expect(matches(lines, { detail: { lines: value } })).toBe(expected);
  });
});

describe('refused', () => {
  it.each([
    [
      'an operator that is not known',
      { a: [{ regex: '.*' }] },
      'event pattern a: operator regex is not known',
    ],
    ['cidr', { a: [{ cidr: '10.0.0.0/8' }] }, 'operator cidr is not known'],
    [
      'an operator inside anything-but',
      { a: [{ 'anything-but': { cidr: 'x' } }] },
      'operator cidr inside anything-but',
    ],
    ['an operator inside prefix', { a: [{ prefix: { suffix: 'x' } }] }, 'operator suffix inside prefix'],
    [
      'two operators in one value',
      { a: [{ prefix: 'x', suffix: 'y' }] },
      'only one operator per value: suffix',
    ],
    ['a value that is no list', { detail: { a: 'x' } }, 'event pattern detail.a: a value must be a list'],
    ['an empty list', { a: [] }, 'an empty list'],
    ['an empty object', { a: {} }, 'an empty object'],
    ['a list in a list', { a: [['x']] }, 'a list inside a list'],
    ['consecutive wildcards', { a: [{ wildcard: 'a**' }] }, 'consecutive asterisks'],
    ['a numeric operator', { a: [{ numeric: ['!=', 1] }] }, 'numeric operator != is not known'],
    ['half a numeric range', { a: [{ numeric: ['>'] }] }, 'numeric needs pairs'],
    ['exists with text', { a: [{ exists: 'yes' }] }, 'exists needs true or false'],
    ['$or with one choice', { $or: [{ a: ['x'] }] }, '$or needs a list of two'],
  ])('%s', (_name, pattern, message) => {
    expect(() => compileEventPattern(pattern)).toThrow(message);
  });
});
