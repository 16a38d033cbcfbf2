import { expect, it } from 'vitest';
import { type ReasonCode, type ReasonParams, reasonText } from '../../../shared/core/reasons.ts';

/** Every code with what it is told, each value as it would be: a code without an example does not compile. */
const EXAMPLES: { readonly [C in ReasonCode]: ReasonParams[C] } = {
  UNKNOWN_SKU: { line: 'Line 2 ("Mug")', sku: 'MUG-TH-01', destination: 'acme-odoo' },
  MISSING_SKU: { line: 'Line 2 ("Mug")' },
  AMBIGUOUS_SKU: { line: 'Line 2 ("Mug")', sku: 'MUG-TH-01', destination: 'acme-odoo', count: 3 },
  ARCHIVED_SKU: { line: 'Line 2 ("Mug")', sku: 'MUG-TH-01', destination: 'acme-odoo' },
  UNMAPPED_TAX: { line: 'Line 2 ("Mug")', tax: '17', source: 'acme-woo', destination: 'acme-odoo' },
  UNKNOWN_TAX: { tax: '17', to: 'VAT 5%', destination: 'acme-odoo' },
  UNMAPPED_CURRENCY: { currency: 'TWD', destination: 'acme-odoo' },
  UNKNOWN_COMPANY: { company: 'Acme Ltd', destination: 'acme-odoo' },
  UNKNOWN_WAREHOUSE: { warehouse: 'WH2', destination: 'acme-odoo' },
  UNKNOWN_COUNTRY: { country: 'XK', destination: 'acme-odoo' },
  UNKNOWN_PAYMENT_TERM: { method: 'bacs', to: '30 days', destination: 'acme-odoo' },
  MISSING_SERVICE_PRODUCT: { purpose: 'shipping', sku: 'SHIP', destination: 'acme-odoo' },
  TOTALS_DO_NOT_ADD_UP: { stated: '110.00 TWD', computed: '100.00 TWD', difference: '10.00 TWD' },
  AMOUNTS_UNUSABLE: { problem: 'TWD and USD do not add' },
  TOTAL_MISMATCH: {
    line: 'Line 2 ("Mug")',
    shop: '110.00 TWD',
    erp: '100.00 TWD',
    difference: '10.00 TWD',
    tolerance: '2.00 TWD',
  },
  AMBIGUOUS_REFERENCE: { reference: 'acme-woo:1001', count: 3, destination: 'acme-odoo' },
  ERP_REFUSED: { destination: 'acme-odoo', operation: 'create the order', error: 'ValidationError' },
  ERP_DOCUMENT_GONE: { destination: 'acme-odoo', document: 'S00042' },
  RETRIES_EXHAUSTED: { attempts: 8, lastCode: 'PEER_FAILED', lastReason: 'erp.test answered HTTP 503' },
  ORDER_CHANGED_AFTER_WRITE: { change: 'cancelled', document: 'S00042', destination: 'acme-odoo' },
  EVENT_NOT_UNDERSTOOD: { problem: 'data.total: invalid_type' },
  ROUTE_MISSING: { source: 'acme-woo', destination: 'acme-odoo' },
};
const codes = Object.keys(EXAMPLES) as ReasonCode[];

/** What a parameter may leave out of the sentence: nothing. */
it.each(codes)('%s says what happened, with all it was told, and what to do', (code) => {
  const params = EXAMPLES[code];
  const { reason, remedy } = reasonText(code, params);
  const all = `${reason} ${remedy}`;
  for (const value of Object.values(params)) expect(all).toContain(String(value));
  expect(all).not.toMatch(/undefined|null|NaN|\[object|\$\{/);
  expect(reason).toMatch(/^\S.{20,}/);
  expect(remedy).toMatch(/^[A-Z].{20,}\.$/s);
  expect(reason).not.toBe(remedy);
});

const withLine = codes.filter((code) => 'line' in EXAMPLES[code]);

it('there are reasons about lines', () => {
  expect(withLine).toEqual([
    'UNKNOWN_SKU',
    'MISSING_SKU',
    'AMBIGUOUS_SKU',
    'ARCHIVED_SKU',
    'UNMAPPED_TAX',
    'TOTAL_MISMATCH',
  ]);
});

it.each(withLine)('%s names the line', (code) => {
  expect(reasonText(code, EXAMPLES[code]).reason).toContain('Line 2 ("Mug")');
});

it('reads well', () => {
  expect(reasonText('TOTALS_DO_NOT_ADD_UP', EXAMPLES.TOTALS_DO_NOT_ADD_UP).reason).toBe(
    'The shop says the order costs 110.00 TWD, but its lines, shipping, fees and taxes make 100.00 TWD: 10.00 TWD are unexplained.',
  );
});
