import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  intentKey,
  journeyKey,
  orderReference,
  partsOf,
  refundReference,
} from '../../../shared/core/intent-key.ts';

it('reads well', () => {
  expect(intentKey('acme-odoo', 'acme-woo', '1001', 'create')).toBe('acme-odoo#acme-woo#1001#create');
  expect(journeyKey('acme-odoo', 'acme-woo', '1001')).toBe('acme-odoo#acme-woo#1001');
  expect(orderReference('acme-woo', '1001')).toBe('acme-woo:1001');
  expect(refundReference('acme-woo', '1001', '7')).toBe('acme-woo:1001/refund/7');
  expect(intentKey('a', 'b', 'gid://shopify/Order/1', 'refund#2%')).toBe(
    'a#b#gid://shopify/Order/1#refund%232%25',
  );
});

it.each([
  ['a#b#1001#create', ['a', 'b', '1001', 'create']],
  ['a#b#x%23y#refund%25', ['a', 'b', 'x#y', 'refund%']],
  ['a#b#%2523#create', ['a', 'b', '%23', 'create']],
  ['a#b#%20#create', ['a', 'b', '%20', 'create']],
])('%s falls into its parts', (key, parts) => {
  expect(partsOf(key)).toEqual(parts);
});

// Mostly of the characters that could confuse it.
const part = fc.oneof(fc.string({ unit: fc.constantFrom('#', '%', '2', '3', '5', 'a') }), fc.string());

it('never gives two things one key', () => {
  const parts = fc.tuple(part, part, part, part);
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      expect(partsOf(intentKey(...a))).toEqual(a);
      expect(intentKey(...a) === intentKey(...b)).toBe(a.join('\0') === b.join('\0'));
      const [x, y, z] = a;
      const [u, v, w] = b;
      expect(journeyKey(x, y, z) === journeyKey(u, v, w)).toBe([x, y, z].join('\0') === [u, v, w].join('\0'));
    }),
    { numRuns: 2_000 },
  );
});

it('never gives two things one key, however the parts are cut', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('#', '%', '2', '3', 'a'), maxLength: 8 }),
      fc.nat(8),
      fc.nat(8),
      (text, i, j) => {
        const cut = (at: number) => [text.slice(0, at), text.slice(at)] as const;
        const [a, b] = cut(i);
        const [c, d] = cut(j);
        const same = a === c && b === d;
        expect(intentKey('x', a, b, 'create') === intentKey('x', c, d, 'create')).toBe(same);
        expect(journeyKey('x', a, b) === journeyKey('x', c, d)).toBe(same);
        expect(journeyKey(a, b, 'x') === journeyKey(c, d, 'x')).toBe(same);
      },
    ),
    { numRuns: 2_000 },
  );
});
