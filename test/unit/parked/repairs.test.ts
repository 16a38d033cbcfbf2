import { expect, it } from 'vitest';
import type { MappingRow } from '../../../shared/connectors/contract.ts';
import type { ParkedRow } from '../../../shared/core/parked.ts';
import { repairs } from '../../../shared/core/repairs.ts';
import { aRow } from './memory-parked.ts';

const row = (override: Partial<MappingRow> = {}): MappingRow => ({
  kind: 'tax',
  source: 'acme-woo',
  destination: 'acme-odoo',
  key: '1',
  to: [{ value: '19% USt', quantity: 1, share: 1 }],
  ...override,
});
const sku = { code: 'UNKNOWN_SKU', params: { sku: 'MUG', destination: 'acme-odoo' } };

it.each<[string, Partial<MappingRow>, Partial<ParkedRow>, boolean]>([
  ['the tax that was missing', {}, {}, true],
  ['for every source', { source: '*' }, {}, true],
  ['another tax', { key: '2' }, {}, false],
  ['another source', { source: 'acme-shopify' }, {}, false],
  ['another ERP', { destination: 'acme-tryton' }, {}, false],
  ['another kind', { kind: 'sku' }, {}, false],
  ['a tax that led to nothing', {}, { code: 'UNKNOWN_TAX', params: { tax: '1', to: 'VAT5' } }, true],
  ['the SKU that was missing', { kind: 'sku', key: 'MUG' }, sku, true],
  ['another SKU', { kind: 'sku', key: 'CUP' }, sku, false],
  [
    'the payment term',
    { kind: 'payment', key: 'bacs' },
    { code: 'UNKNOWN_PAYMENT_TERM', params: { method: 'bacs', to: 'NET30' } },
    true,
  ],
  [
    'the journal of a payment method',
    { kind: 'journal', key: 'bacs' },
    { code: 'UNKNOWN_PAYMENT_JOURNAL', params: { method: 'bacs', source: 'acme-woo' } },
    true,
  ],
  ['what no row repairs', {}, { code: 'TOTAL_MISMATCH' }, false],
  ['what another release parked', {}, { params: null }, false],
])('%s', (_case, mapping, parked, expected) => {
  expect(repairs(row(mapping), aRow(parked))).toBe(expected);
});
