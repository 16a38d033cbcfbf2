import Big from 'big.js';
import { describe, expect, it } from 'vitest';
import { allocate, cents, roundTo, sumOf } from '../../../shared/core/allocate.ts';

describe('allocate', () => {
  it.each<[string, readonly number[], string, readonly string[]]>([
    ['10.00', [1, 1], 'EUR', ['5', '5']],
    ['10.00', [1, 1, 1], 'EUR', ['3.34', '3.33', '3.33']],
    ['0.05', [1, 1, 1], 'EUR', ['0.02', '0.02', '0.01']],
    ['-10.00', [1, 1, 1], 'EUR', ['-3.34', '-3.33', '-3.33']],
    ['-0.05', [2, 1, 1], 'EUR', ['-0.03', '-0.01', '-0.01']],
    ['100', [1, 2], 'JPY', ['34', '66']],
    ['1.000', [1, 2], 'KWD', ['0.334', '0.666']],
    ['9.99', [0, 0, 0], 'EUR', ['3.33', '3.33', '3.33']],
    ['1.00', [0, 0, 0], 'EUR', ['0.34', '0.33', '0.33']],
    ['1.00', [3, 0], 'EUR', ['1', '0']],
    ['0', [1, 2], 'EUR', ['0', '0']],
    ['-9.99', [500, 499], 'EUR', ['-5', '-4.99']],
  ])('%s by %j in %s is %j', (amount, shares, currency, parts) => {
    const split = allocate(new Big(amount), shares, currency);
    expect(split.map((part) => part.toString())).toEqual(parts);
    expect(sumOf(split).eq(amount)).toBe(true);
  });
});

it.each([
  ['1.005', 'EUR', '1.01'],
  ['-1.005', 'EUR', '-1.01'],
  ['1.004', 'EUR', '1'],
  ['355.5', 'JPY', '356'],
  ['0.0005', 'KWD', '0.001'],
])('%s %s is rounded to %s', (amount, currency, rounded) => {
  expect(cents(new Big(amount), currency).toString()).toBe(rounded);
});

it.each([
  ['355.50', '1', '356'],
  ['-355.50', '1', '-356'],
  ['1.02', '0.05', '1'],
  ['1.025', '0.05', '1.05'],
  ['7', '5', '5'],
])('%s to a multiple of %s is %s', (amount, unit, rounded) => {
  expect(roundTo(new Big(amount), new Big(unit)).toString()).toBe(rounded);
});

it('nothing sums to nothing', () => {
  expect(sumOf([]).toString()).toBe('0');
});
