import { describe, expect, it } from 'vitest';
import {
  isReasonCode,
  LANGUAGES,
  type Language,
  lineText,
  operationText,
  type ReasonCode,
  type ReasonParams,
  reasonText,
} from '../../../shared/core/reasons.ts';
import { WORDINGS } from '../../../shared/core/wordings.ts';

const MUG = { kind: 'line', number: 2, title: 'Mug' } as const;
const on = (destination: string, error: ReasonParams['ERP_REFUSED']['error']) => ({
  destination,
  operation: { what: 'create-order' } as const,
  error,
});

/** Every code with what it is told, each form of it once: a code without an example does not compile. */
const EXAMPLES: { readonly [C in ReasonCode]: readonly ReasonParams[C][] } = {
  UNKNOWN_SKU: [
    { line: MUG, sku: 'MUG-TH-01', destination: 'acme-odoo' },
    { line: { kind: 'shipping', title: '宅配' }, sku: 'MUG-TH-01', destination: 'acme-odoo' },
    { line: { kind: 'fee', title: '包裝' }, sku: 'MUG-TH-01', destination: 'acme-odoo' },
    { line: { kind: 'duty', title: '關稅' }, sku: 'MUG-TH-01', destination: 'acme-odoo' },
    { line: { kind: 'tip', title: '謝謝' }, sku: 'MUG-TH-01', destination: 'acme-odoo' },
    { line: { kind: 'discount' }, sku: 'MUG-TH-01', destination: 'acme-odoo' },
  ],
  MISSING_SKU: [{ line: MUG }],
  AMBIGUOUS_SKU: [{ line: MUG, sku: 'MUG-TH-01', destination: 'acme-odoo', count: 3 }],
  ARCHIVED_SKU: [{ line: MUG, sku: 'MUG-TH-01', destination: 'acme-odoo' }],
  UNMAPPED_TAX: [{ line: MUG, tax: '17', source: 'acme-woo', destination: 'acme-odoo' }],
  UNKNOWN_TAX: [{ tax: '17', to: 'VAT5', destination: 'acme-odoo' }],
  UNMAPPED_CURRENCY: [{ currency: 'TWD', destination: 'acme-odoo' }],
  UNKNOWN_PRICELIST: [{ pricelist: 'Web', destination: 'acme-odoo' }],
  UNKNOWN_COMPANY: [{ company: '3', destination: 'acme-odoo' }, { destination: 'acme-odoo' }],
  UNKNOWN_WAREHOUSE: [{ warehouse: 'WH2', destination: 'acme-odoo' }],
  UNKNOWN_COUNTRY: [{ country: 'XK', destination: 'acme-odoo' }],
  UNKNOWN_PAYMENT_TERM: [{ method: 'bacs', to: 'NET30', destination: 'acme-odoo' }],
  UNKNOWN_PAYMENT_JOURNAL: [
    { method: 'stripe', source: 'acme-woo', destination: 'acme-odoo' },
    { method: 'stripe', to: 'STRP', source: 'acme-woo', destination: 'acme-odoo' },
  ],
  MISSING_SERVICE_PRODUCT: (['shipping', 'fee', 'duty', 'tip', 'discount', 'rounding'] as const).map(
    (purpose) => ({ purpose, sku: 'SVC', destination: 'acme-odoo' }),
  ),
  TOTALS_DO_NOT_ADD_UP: [{ stated: '110.00 TWD', computed: '100.00 TWD', difference: '10.00 TWD' }],
  AMOUNTS_UNUSABLE: [
    { problem: { kind: 'two-currencies', one: 'TWD', other: 'USD' } },
    { problem: { kind: 'unknown-currency', currency: 'ABC' } },
    { problem: { kind: 'too-large' } },
  ],
  TOTAL_MISMATCH: [MUG, undefined].map((line) => ({
    line,
    shop: '110.00 TWD',
    erp: '100.00 TWD',
    difference: '10.00 TWD',
    tolerance: '2.00 TWD',
  })),
  AMBIGUOUS_REFERENCE: [{ reference: 'acme-woo:1001', count: 3, destination: 'acme-odoo' }],
  ERP_REFUSED: [
    on('acme-odoo', { why: 'words', words: 'ValidationError' }),
    on('acme-odoo', { why: 'record-missing', exception: 'MissingError', model: 'res.partner' }),
    on('acme-odoo', {
      why: 'constraint',
      exception: 'ValidationError',
      model: 'res.partner',
      field: 'vat',
    }),
    on('acme-odoo', { why: 'reference-shared', count: 2 }),
    on('acme-odoo', { why: 'reference-unknown' }),
    on('acme-odoo', { why: 'asked-a-question' }),
    on('acme-odoo', { why: 'tax-number-invalid' }),
    ...(
      [
        { what: 'log-in' },
        { what: 'rewrite-draft' },
        { what: 'book-rounding' },
        { what: 'note-payment-pending' },
        { what: 'create-customer' },
        { what: 'create-delivery-address' },
        { what: 'create-invoice-address' },
        { what: 'confirm-order', document: 'S00042' },
        { what: 'restore-order-date', document: 'S00042' },
        { what: 'change-order', document: 'S00042' },
        { what: 'cancel-order', document: 'S00042' },
        { what: 'create-credit-note' },
        { what: 'post-credit-note', document: 'RINV/1' },
        { what: 'create-payment' },
        { what: 'post-payment', document: 'PBNK/1' },
        { what: 'use-collective-customer', reference: 'WEB' },
        { what: 'read', model: 'res.partner' },
      ] as const
    ).map((operation) => ({
      destination: 'acme-odoo',
      operation,
      error: { why: 'words', words: 'UserError' } as const,
    })),
  ],
  ERP_DOCUMENT_GONE: [{ destination: 'acme-odoo', document: 'S00042' }],
  RETRIES_EXHAUSTED: [
    { attempts: 8, lastCode: 'PEER_FAILED', lastReason: 'erp.test answered HTTP 503', lastStatus: 503 },
    { attempts: 8, lastCode: 'SOMETHING_NEW', lastReason: 'nobody knows' },
  ],
  ORDER_CHANGED_AFTER_WRITE: (
    ['edited', 'cancelled', 'failed', 'refunded', 'refunded-in-part', 'reopened'] as const
  ).map((change) => ({ change, document: 'S00042', destination: 'acme-odoo' })),
  EDITED_IN_ERP: ['110.00 TWD', undefined].map((shop) => ({
    document: 'S00042',
    destination: 'acme-odoo',
    erp: '100.00 TWD',
    shop,
  })),
  TOO_LATE_IN_ERP: (['delivered', 'invoiced', 'locked', 'cancelled'] as const).map((because) => ({
    change: 'cancelled' as const,
    document: 'S00042',
    destination: 'acme-odoo',
    because,
  })),
  PERIOD_LOCKED: [
    { what: 'credit-note', day: '2026-10-15', openFrom: '2026-11-01', destination: 'acme-odoo' },
    { what: 'payment', day: '2026-10-15', destination: 'acme-tryton' },
  ],
  EVENT_NOT_UNDERSTOOD: [
    { problem: { kind: 'not-json' } },
    { problem: { kind: 'other-event', got: 'stock.changed.v1', wanted: 'order.changed.v1' } },
    { problem: { kind: 'fields', fields: '$.data.total: invalid_type' } },
  ],
  ROUTE_MISSING: [{ source: 'acme-woo', destination: 'acme-odoo' }],
  SEEN_IN_SHADOW: [{ source: 'acme-woo', destination: 'acme-odoo', day: '2026-11-21' }],
  STOREFRONT_CREDENTIALS_MISSING: [{ source: 'acme-woo', orderId: '1001' }],
  ORDER_UNREADABLE: [{ source: 'acme-woo', orderId: '1001', problem: 'total: missing' }],
  PAYMENT_UNREADABLE: [{ source: 'acme-stripe', paymentId: 'pi_1', problem: 'status: missing' }],
  PARKED_BY_AWS: [
    { by: 'sqs', receives: 100 },
    { by: 'eventbridge', error: 'NO_PERMISSIONS' },
  ],
};
const codes = Object.keys(EXAMPLES) as ReasonCode[];
const every = codes.flatMap((code) =>
  EXAMPLES[code].map((params, n) => [`${code} ${n + 1}`, code, params] as const),
);
const textOf = (code: ReasonCode, params: unknown, language: Language = 'en') =>
  reasonText(code, params as never, WORDINGS[language]);

/** Every value that may stand in a sentence as it is: not the words by which alternatives are told apart. */
const SWITCHES = ['kind', 'why', 'what', 'purpose', 'change', 'because', 'by'];
const valuesOf = (params: unknown): string[] => {
  if (typeof params !== 'object' || params === null) return params === undefined ? [] : [String(params)];
  return Object.entries(params).flatMap(([key, value]) => (SWITCHES.includes(key) ? [] : valuesOf(value)));
};

describe.each(LANGUAGES)('in %s', (language) => {
  it.each(every)('%s says what happened, with all it was told, and what to do', (_case, code, params) => {
    const { reason, remedy } = textOf(code, params, language);
    const all = `${reason} ${remedy}`;
    // The log's own English text of a failed attempt has no place in another language.
    const { lastReason: _, ...told } = params as { lastReason?: string };
    for (const value of valuesOf(language === 'en' ? params : told)) expect(all).toContain(value);
    expect(all).not.toMatch(/undefined|null|NaN|\[object|\$\{/);
    expect(reason).not.toBe(remedy);
  });

  it('says something else for every form', () => {
    const sentences = every.map(([, code, params]) => textOf(code, params, language).reason);
    expect(new Set(sentences).size).toBe(sentences.length);
  });
});

it.each(every)('%s is whole sentences in English', (_case, code, params) => {
  const { reason, remedy } = textOf(code, params);
  expect(reason).toMatch(/^\S.{20,}/);
  expect(remedy).toMatch(/^[A-Z].{20,}\.$/s);
});

/** What is written so in Chinese too: names of systems and formats, and what has to be typed exactly so. */
const LATIN_IN_CHINESE =
  /SKU|ERP|API|SQS|EventBridge|JSON|HTTP|ISO 4217|「(company|warehouse|lockedPeriod|first-open-day)」|「id:<|「product:<|「(sku|tax|journal), |「waybill [^」]+」|「--[a-z-]+」/g;

it.each(every)('%s is Chinese in Chinese', (_case, code, params) => {
  const { reason, remedy } = textOf(code, params, 'zh-Hant');
  let rest = `${reason} ${remedy}`;
  for (const value of valuesOf(params).sort((a, b) => b.length - a.length)) rest = rest.replaceAll(value, '');
  expect(rest.replaceAll(LATIN_IN_CHINESE, '').match(/[A-Za-z]+/g) ?? []).toEqual([]);
  for (const sentence of [reason, remedy]) {
    expect(sentence).toMatch(/\p{Script=Han}.*。$/su);
    // Half-width punctuation beside Chinese is a slip of the translator.
    expect(sentence).not.toMatch(/\p{Script=Han}[,;:!?]|[,;:!?]\p{Script=Han}/u);
    // Characters and words of the mainland.
    expect(sentence).not.toMatch(/[订单发货仓库币别这个请对应税]/);
    expect(sentence).not.toMatch(/信息|數據|默認|用戶|軟件|網絡/);
  }
});

const withLine = codes.filter((code) => EXAMPLES[code].some((params) => 'line' in params));

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
  expect(textOf(code, EXAMPLES[code][0]).reason).toContain('Line 2 ("Mug")');
  expect(textOf(code, EXAMPLES[code][0], 'zh-Hant').reason).toContain('第 2 項「Mug」');
});

it.each([
  [MUG, 'Line 2 ("Mug")', '第 2 項「Mug」'],
  [{ kind: 'shipping', title: '宅配' }, 'Shipping line ("宅配")', '運費項目「宅配」'],
  [{ kind: 'discount' }, 'Discount line', '折扣項目'],
] as const)('a line is called alike everywhere: %o', (label, en, zh) => {
  expect([lineText(label), lineText(label, WORDINGS['zh-Hant'])]).toEqual([en, zh]);
});

it('says what was asked of the ERP', () => {
  const confirm = { what: 'confirm-order', document: 'S00042' } as const;
  expect([operationText(confirm), operationText(confirm, WORDINGS['zh-Hant'])]).toEqual([
    'confirm S00042',
    '確認訂單 S00042',
  ]);
});

it('knows its codes, and nothing that objects inherit', () => {
  expect(codes.every(isReasonCode)).toBe(true);
  expect(['toString', 'UNHEARD_OF', ''].some(isReasonCode)).toBe(false);
});

it('reads well', () => {
  const totals = { stated: '110.00 TWD', computed: '100.00 TWD', difference: '10.00 TWD' };
  expect(reasonText('TOTALS_DO_NOT_ADD_UP', totals).reason).toBe(
    'The shop says the order costs 110.00 TWD, but its lines, shipping, fees and taxes make 100.00 TWD: 10.00 TWD are unexplained.',
  );
  const unknown = { line: MUG, sku: 'MUG-TH-01', destination: 'acme-odoo' };
  expect(reasonText('UNKNOWN_SKU', unknown, WORDINGS['zh-Hant'])).toEqual({
    reason: '第 2 項「Mug」的 SKU「MUG-TH-01」在 acme-odoo 中沒有對應的商品。',
    remedy: '請在 acme-odoo 建立使用這個 SKU 的商品，或在對照表新增一列「sku, MUG-TH-01」，然後重送。',
  });
  // A form that it was not told of must not read as if something were missing.
  expect(reasonText('TOTAL_MISMATCH', { ...EXAMPLES.TOTAL_MISMATCH[1] } as never).reason).toContain(
    'No single line explains it.',
  );
});
