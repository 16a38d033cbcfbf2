import { describe, expect, it } from 'vitest';
import { manifest } from '../../../shared/connectors/woocommerce/manifest.ts';
import { changedAtMs, toOrder } from '../../../shared/connectors/woocommerce/orders.mapper.ts';
import { WcOrder } from '../../../shared/connectors/woocommerce/wire.ts';

const LINE = {
  id: 1,
  name: 'Tea',
  product_id: 10,
  variation_id: 0,
  quantity: 1,
  sku: 'TEA',
  subtotal: '10.00',
  total: '10.00',
  total_tax: '0.50',
  taxes: [{ id: 1, total: '0.50', subtotal: '0.50' }],
  meta_data: [],
};
const ORDER = {
  id: 7,
  number: '7',
  status: 'processing',
  currency: 'EUR',
  date_created_gmt: '2026-01-05T02:04:05',
  date_modified_gmt: '2026-01-05T02:05:00',
  date_paid_gmt: '2026-01-05T02:04:30',
  total: '10.50',
  total_tax: '0.50',
  payment_method: 'stripe',
  line_items: [LINE],
  tax_lines: [{ id: 9, rate_id: 1, label: 'VAT', rate_code: 'VAT-1', compound: false, rate_percent: 5 }],
};

const map = (fields: object = {}, settings: Partial<ReturnType<typeof manifest.settings.parse>> = {}) =>
  toOrder(WcOrder.parse({ ...ORDER, ...fields }), {
    connection: 'acme-woo',
    settings: { ...manifest.settings.parse({ url: 'https://shop.acme.example/' }), ...settings },
  });
const line = (fields: object) => ({ line_items: [{ ...LINE, ...fields }] });

describe('status', () => {
  it.each([
    ['pending', 'pending'],
    ['on-hold', 'on-hold'],
    ['processing', 'open'],
    ['completed', 'completed'],
    ['cancelled', 'cancelled'],
    ['failed', 'failed'],
    ['refunded', 'refunded'],
    ['wc-processing', 'open'],
  ])('%s is %s', (status, expected) => {
    const { value, warnings } = map({ status });
    expect([value.status, value.sourceStatus, warnings]).toEqual([expected, status, []]);
  });

  it.each(['awaiting-shipment', 'constructor', 'toString'])('%s is unknown, and said so', (status) => {
    const { value, warnings } = map({ status });
    expect([value.status, value.sourceStatus]).toEqual(['unknown', status]);
    expect(warnings).toEqual([`status "${status}" is not in the connection's "statuses"`]);
  });

  it('of a plug-in, as the settings say', () => {
    const statuses = { 'awaiting-shipment': 'open', shipped: 'completed' } as const;
    expect(map({ status: 'awaiting-shipment' }, { statuses }).value.status).toBe('open');
    expect(map({ status: 'wc-shipped' }, { statuses })).toMatchObject({
      value: { status: 'completed' },
      warnings: [],
    });
  });
});

describe('payment', () => {
  const unpaid = { date_paid_gmt: null };
  it.each([
    ['online, paid', {}, 'paid', 'online'],
    ['online, processing without date', unpaid, 'paid', 'online'],
    ['online, completed without date', { ...unpaid, status: 'completed' }, 'paid', 'online'],
    ['online, pending', { ...unpaid, status: 'pending' }, 'pending', 'online'],
    ['online, on hold', { ...unpaid, status: 'on-hold' }, 'pending', 'online'],
    ['online, failed', { ...unpaid, status: 'failed' }, 'failed', 'online'],
    ['cancelled after payment', { status: 'cancelled' }, 'paid', 'online'],
    ['cash on delivery, accepted', { ...unpaid, payment_method: 'cod' }, 'pending', 'cash-on-delivery'],
    [
      'cash on delivery, completed without date',
      { ...unpaid, payment_method: 'cod', status: 'completed' },
      'pending',
      'cash-on-delivery',
    ],
    ['cash on delivery, paid', { payment_method: 'cod', status: 'completed' }, 'paid', 'cash-on-delivery'],
    [
      'bank transfer, waiting',
      { ...unpaid, payment_method: 'bacs', status: 'on-hold' },
      'pending',
      'bank-transfer',
    ],
    ['cheque, arrived', { payment_method: 'cheque' }, 'paid', 'bank-transfer'],
    ['no method', { payment_method: '' }, 'paid', 'other'],
    ['free', { total: '0.00', line_items: [], payment_method: '' }, 'paid', 'free'],
    ['refunded in full', { refunds: [{ id: 1, total: '-10.50' }] }, 'refunded', 'online'],
    [
      'refunded in two parts',
      {
        refunds: [
          { id: 1, total: '-10.00' },
          { id: 2, total: '-0.50' },
        ],
      },
      'refunded',
      'online',
    ],
    ['refunded by status', { status: 'refunded' }, 'refunded', 'online'],
    ['refunded in part', { refunds: [{ id: 1, total: '-0.01' }] }, 'partially-refunded', 'online'],
    ['a plug-in status that means open', { ...unpaid, status: 'packing' }, 'paid', 'online'],
  ])('%s', (_name, fields, state, kind) => {
    const { payment } = map(fields, { statuses: { packing: 'open' } }).value;
    expect([payment.state, payment.kind]).toEqual([state, kind]);
  });

  const meta = (entries: Record<string, unknown>) => ({
    meta_data: Object.entries(entries).map(([key, value]) => ({ key, value })),
  });
  it.each([
    ['Stripe', { _stripe_fee: '0.55', _stripe_currency: 'EUR' }, { minor: 55, currency: 'EUR' }],
    [
      'Stripe, currency in lower case, fee as a number',
      { _stripe_fee: 0.55, _stripe_currency: 'usd' },
      { minor: 55, currency: 'USD' },
    ],
    [
      'WooPayments',
      { _wcpay_transaction_fee: 0.7, _wcpay_intent_currency: 'eur' },
      { minor: 70, currency: 'EUR' },
    ],
    [
      'PayPal Payments',
      { _ppcp_paypal_fees: { paypal_fee: { value: '0.61', currency_code: 'EUR' } } },
      { minor: 61, currency: 'EUR' },
    ],
    ['currency not known', { _stripe_fee: '0.55' }, undefined],
    ['no currency', { _stripe_fee: '0.55', _stripe_currency: 'XXXX' }, undefined],
    ['no amount', { _stripe_fee: 'free', _stripe_currency: 'EUR' }, undefined],
    ['serialised PHP', { _ppcp_paypal_fees: 'a:1:{s:10:"paypal_fee"}' }, undefined],
    ['null', { _ppcp_paypal_fees: null }, undefined],
  ])('fee: %s', (_name, entries, fee) => expect(map(meta(entries)).value.payment.fee).toEqual(fee));

  it.each([
    [{ _wcpay_mode: 'test' }, true],
    [{ _wcpay_mode: 'prod' }, false],
    [{ _ppcp_paypal_payment_mode: 'sandbox' }, true],
    [{ _ppcp_paypal_payment_mode: 'live' }, false],
    [{}, false],
  ])('test order: %j', (entries, expected) => expect(map(meta(entries)).value.test).toBe(expected));

  it('reference, title and date', () => {
    const fields = { transaction_id: ' ch_1 ', payment_method_title: 'Card &amp; wallet' };
    expect(map(fields).value.payment).toEqual({
      state: 'paid',
      kind: 'online',
      method: 'stripe',
      title: 'Card & wallet',
      reference: 'ch_1',
      paidAt: '2026-01-05T02:04:30Z',
    });
    const local = map({ date_paid_gmt: null, date_paid: '2026-01-05T10:04:30', status: 'on-hold' });
    expect(local.value.payment).toMatchObject({ state: 'paid' });
    expect(local.value.payment).not.toHaveProperty('paidAt');
    expect(local.warnings).toEqual([
      'date_paid_gmt: missing; the local time has no zone, so the moment is not known',
    ]);
  });
});

describe('taxes of a line', () => {
  const amounts = (total_tax: unknown, ...totals: unknown[]) => {
    const taxes = totals.map((total, index) => ({ id: index + 1, total }));
    const { value, warnings } = map(line({ total_tax, taxes }));
    return [value.lines[0]?.taxes.map((tax) => tax.amount.minor), warnings];
  };
  it.each([
    ['one', '0.50', ['0.50'], [50], []],
    ['free precision', '28.26', ['28.2555'], [2826], []],
    ['fewer decimals', '9.50', ['9.5'], [950], []],
    ['two halves round up, the first gives back', '0.67', ['0.335', '0.335'], [33, 34], []],
    ['the largest takes what is left', '1.00', ['0.3333', '0.3334', '0.3333'], [34, 33, 33], []],
    ['the largest, wherever it stands', '1.01', ['0.10', '0.905'], [10, 91], []],
    ['noise of floats', '0.50', ['-7.1E-15', 0.49999999999999994], [0, 50], []],
    ['a rate that does not apply', '0.50', ['0.50', ''], [50], []],
    ['a rate of zero', '0.50', ['0.50', '0.00'], [50, 0], []],
    ['negative', '-0.51', ['-0.255', '-0.255'], [-25, -26], []],
    ['total_tax missing', '', ['0.105', '0.105'], [10, 11], []],
    ['none at all', '0.00', [], [], []],
    ['not adding up', '0.90', ['0.50'], [90], ['line_items[0].taxes do not add up to total_tax']],
    ['only total_tax', '0.50', [], [50], ['line_items[0].taxes is empty though total_tax is not zero']],
  ])('%s', (_name, totalTax, totals, expected, warnings) => {
    expect(amounts(totalTax, ...totals)).toEqual([expected, warnings]);
  });

  it('know their rate: label, or code, or id; percent as written; compound', () => {
    const { value } = map({
      ...line({ total_tax: '0.04', taxes: [1, '2', 3, 'AVA-TX'].map((id) => ({ id, total: '0.01' })) }),
      tax_lines: [
        { rate_id: '1', label: 'MwSt. 19&nbsp;%', rate_percent: '19.0000' },
        { rate_id: 2, label: '', rate_code: 'US-CA-2', rate_percent: 7.25, compound: true },
        { rate_id: 'AVA-TX', label: 'Texas' },
      ],
    });
    expect(
      value.lines[0]?.taxes.map(({ key, title, ratePercent, compound }) => [
        key,
        title,
        ratePercent,
        compound,
      ]),
    ).toEqual([
      ['1', 'MwSt. 19\u00A0%', '19', false],
      ['2', 'US-CA-2', '7.25', true],
      ['3', 'Tax 3', undefined, false],
      ['AVA-TX', 'Texas', undefined, false],
    ]);
  });
});

describe('lines and charges', () => {
  it('discount is subtotal minus total; a total above subtotal raises it', () => {
    expect(map(line({ subtotal: '12.00' })).value.lines[0]).toMatchObject({
      subtotal: { minor: 1200 },
      discount: { minor: 200 },
      total: { minor: 1000 },
    });
    const raised = map(line({ subtotal: '8.00' }));
    expect(raised.value.lines[0]).toMatchObject({
      subtotal: { minor: 1000 },
      discount: { minor: 0 },
      total: { minor: 1000 },
    });
    expect(raised.warnings).toEqual(['line_items[0].total is above subtotal: subtotal raised']);
    expect(map(line({ subtotal: '' })).value.lines[0]).toMatchObject({
      subtotal: { minor: 1000 },
      discount: { minor: 0 },
    });
  });

  it('ids: none of the product when it is gone, none of a variation when there is none', () => {
    expect(map(line({ sku: '', product_id: 0 })).value.lines[0]).not.toHaveProperty('productId');
    expect(map(line({ sku: ' ' })).value.lines[0]).toMatchObject({ productId: '10' });
    expect(map(line({ sku: ' ' })).value.lines[0]).not.toHaveProperty('sku');
    expect(map(line({ variation_id: 14, sku: null })).value.lines[0]).toMatchObject({
      productId: '10',
      variantId: '14',
    });
  });

  it('quantity 0: left out without money, a fee with money; negative quantities too', () => {
    const empty = map({
      line_items: [LINE, { ...LINE, quantity: 0, total: '0', subtotal: '0', total_tax: '0', taxes: [] }],
    });
    expect([empty.value.lines.length, empty.value.charges, empty.warnings]).toEqual([
      1,
      [],
      ['line_items[1] has quantity 0 and no money: left out'],
    ]);
    const costly = map(line({ quantity: 0 }));
    expect(costly.value.lines).toEqual([]);
    expect(costly.value.charges).toMatchObject([
      { id: '1', kind: 'fee', title: 'Tea', total: { minor: 1000 }, taxes: [{ amount: { minor: 50 } }] },
    ]);
    const negative = map(
      line({
        quantity: -1,
        total: '-10.00',
        subtotal: '-10.00',
        total_tax: '-0.50',
        taxes: [{ id: 1, total: '-0.50' }],
      }),
    );
    expect(negative.value.charges[0]?.total.minor).toBe(-1000);
    expect(negative.warnings).toEqual(['line_items[0] has quantity -1 but costs money: taken as a fee']);
  });

  it('shipping method without the instance that old versions append; fees may be negative', () => {
    const { value } = map({
      shipping_lines: [{ id: 2, method_id: 'flat_rate:4', method_title: 'Flat &#8211; rate', total: '5' }],
      fee_lines: [
        { id: 3, name: 'Loyalty', total: '-5.00', total_tax: '-0.25', taxes: [{ id: 1, total: '-0.25' }] },
      ],
      total: '10.25',
    });
    expect(value.charges).toMatchObject([
      {
        id: '2',
        kind: 'shipping',
        method: 'flat_rate',
        title: 'Flat – rate',
        total: { minor: 500 },
        taxes: [],
      },
      { id: '3', kind: 'fee', title: 'Loyalty', total: { minor: -500 }, taxes: [{ amount: { minor: -25 } }] },
    ]);
    expect(value.rounding.minor).toBe(0);
  });

  it('attributes: shown ones, decoded, scalars only', () => {
    const meta_data = [
      { key: 'pa_color', value: 'deep-blue', display_key: 'Color', display_value: 'Deep &amp; blue' },
      { key: 'Engraving', value: '3 < 4', display_key: 'Engraving', display_value: '<p>3 &lt; 4</p>\n' },
      { key: 'size', value: 42 },
      { key: 'gift', value: true, display_key: 'gift', display_value: true },
      { key: '_hidden', value: 'x', display_key: 'Hidden', display_value: 'x' },
      { key: '_reduced_stock', value: '1', display_key: '_reduced_stock', display_value: '1' },
      { key: 'config', value: { a: 1 }, display_key: 'config', display_value: { a: 1 } },
      { key: 'list', value: ['a'] },
      { key: 'empty', value: '', display_key: 'empty', display_value: '' },
      { key: 'long', value: 'x'.repeat(4001) },
    ];
    const { value, warnings } = map(line({ meta_data }));
    expect(value.lines[0]?.attributes).toEqual([
      { name: 'Color', value: 'Deep & blue' },
      { name: 'Engraving', value: '3 < 4' },
      { name: 'size', value: '42' },
      { name: 'gift', value: 'true' },
    ]);
    expect(warnings).toEqual(['line_items[0].meta_data "long" is longer than 4000 characters: left out']);
  });
});

describe('totals', () => {
  it('what the shop rounded away is named', () => {
    expect(map({ total: '10.49' }).value.rounding).toEqual({ minor: -1, currency: 'EUR' });
  });

  it('amounts of a part with more decimals than the currency are rounded, and said so', () => {
    const { value, warnings } = map(line({ subtotal: '10.004', total: '10.004' }));
    expect([value.lines[0]?.total.minor, value.rounding.minor]).toEqual([1000, 0]);
    expect(warnings).toEqual([
      'line_items[0].total has more decimals than EUR: rounded',
      'line_items[0].subtotal has more decimals than EUR: rounded',
    ]);
  });

  it.each([
    ['JPY', '1200.00', 1200],
    ['JPY', '1200', 1200],
    ['TWD', '1200', 120000],
    ['KWD', '1.005', 1005],
    ['jpy', '7', 7],
  ])('%s %s', (currency, total, minor) => {
    expect(map({ currency, total, total_tax: '0', line_items: [] }).value.total.minor).toBe(minor);
  });

  it('gift cards of WooCommerce Gift Cards were taken off the total, and are part of it here', () => {
    const { value } = map({ total: '4.50', gift_cards: [{ id: 21, code: 'SECRET-CODE', amount: 6 }] });
    expect(value).toMatchObject({
      total: { minor: 1050 },
      giftCards: [{ id: '21', amount: { minor: 600, currency: 'EUR' } }],
      rounding: { minor: 0 },
      payment: { kind: 'online' },
    });
    expect(JSON.stringify(value)).not.toContain('SECRET-CODE');
  });

  it('refunds are positive', () => {
    const refunds = [
      { id: 31, reason: 'damaged', total: '-1.00' },
      { id: 30, reason: '', total: '2.00' },
    ];
    expect(map({ refunds }).value.refunds).toEqual([
      { id: '31', reason: 'damaged', total: { minor: 100, currency: 'EUR' } },
      { id: '30', total: { minor: 200, currency: 'EUR' } },
    ]);
  });

  it('coupons are for people', () => {
    const coupon_lines = [
      { code: 'a&amp;b', discount: '52.5' },
      { code: 'free', discount: '' },
    ];
    expect(map({ coupon_lines }).value.discounts).toEqual([
      { code: 'a&b', amount: { minor: 5250, currency: 'EUR' } },
      { code: 'free', amount: { minor: 0, currency: 'EUR' } },
    ]);
  });
});

describe('time and version', () => {
  it.each([
    ['2026-01-05T02:05:00', 1767578700000],
    ['2026-01-05 02:05:00', 1767578700000],
    ['2026-01-05T02:05:00Z', 1767578700000],
    ['2026-01-05T10:05:00+08:00', 1767578700000],
    ['2026-01-05T02:05:00.000', 1767578700000],
    ['2026-01-05T02:05', 1767578700000],
  ])('date_modified_gmt %s', (date_modified_gmt, version) => {
    expect(map({ date_modified_gmt }).value.sourceVersion).toBe(version);
  });

  it('local time counts only with its zone', () => {
    const fields = { date_created_gmt: null, date_created: '2026-01-05T10:04:05+08:00' };
    expect(map(fields).value.placedAt).toBe('2026-01-05T02:04:05Z');
    expect(() => map({ ...fields, date_created: '2026-01-05T10:04:05' })).toThrow(
      'date_created_gmt: missing',
    );
  });

  it('never changed: the version is the time of the order, and said so', () => {
    const { value, warnings } = map({ date_modified_gmt: null });
    expect([value.sourceVersion, warnings]).toEqual([
      Date.parse('2026-01-05T02:04:05Z'),
      ['date_modified_gmt is missing: the time of the order is its version'],
    ]);
  });

  it('the hash sees content, not the version, nor what staff cannot see', () => {
    const { contentHash } = map().value;
    expect(contentHash).toMatch(/^[0-9a-f]{32}$/);
    expect(map({ date_modified_gmt: '2026-01-06T00:00:00' }).value.contentHash).toBe(contentHash);
    expect(map({ meta_data: [{ key: '_edit_lock', value: '1' }] }).value.contentHash).toBe(contentHash);
    for (const change of [
      { status: 'completed' },
      { total: '10.51' },
      { customer_note: 'x' },
      line({ quantity: 2 }),
    ]) {
      expect(map(change).value.contentHash).not.toBe(contentHash);
    }
  });
});

describe('people', () => {
  const billing = {
    first_name: ' 小明 ',
    last_name: '王',
    company: '測試股份有限公司',
    address_1: '1 號',
    country: 'tw',
    state: 'TPE',
    email: ' Ming.WANG@Example.test ',
    phone: ' 0900 ',
  };
  it('buyer and billing', () => {
    const { value } = map({ billing, customer_id: 2, customer_note: ' 請放管理室\n<b>' });
    expect(value.buyer).toEqual({
      id: '2',
      email: 'ming.wang@example.test',
      phone: '0900',
      name: '王小明',
      company: '測試股份有限公司',
      masked: false,
    });
    expect(value.billing).toEqual({
      name: '王小明',
      company: '測試股份有限公司',
      line1: '1 號',
      region: 'TPE',
      country: 'TW',
      phone: '0900',
    });
    expect(value.buyerNote).toBe(' 請放管理室\n<b>');
    expect(value.shipping).toBeUndefined();
  });

  it('an empty shipping address is none, even when the shop fills in its default country', () => {
    expect(map({ shipping: { first_name: '', country: '' } }).value).not.toHaveProperty('shipping');
    expect(map({ shipping: { country: 'DE', state: 'DE-BE' } }).value).not.toHaveProperty('shipping');
    expect(map({ shipping: { country: 'DE', city: 'Berlin' } }).value.shipping).toEqual({
      country: 'DE',
      city: 'Berlin',
    });
  });

  it.each([['Taiwan'], ['T'], ['T1'], ['臺灣']])(
    'country %s is left out, and said without quoting it',
    (country) => {
      const { value, warnings } = map({ billing: { ...billing, country } });
      expect(value.billing).not.toHaveProperty('country');
      expect(warnings).toEqual(['billing.country is no ISO 3166-1 alpha-2 code: left out']);
    },
  );

  it('tax number by the first key that holds one', () => {
    const meta_data = [
      { key: 'vat_number', value: 'B' },
      { key: '_billing_vat_number', value: ' ' },
      { key: '統一編號', value: 12345678 },
    ];
    expect(map({ meta_data }).value.buyer.taxNumber).toBe('B');
    expect(map({ meta_data }, { taxNumberKeys: ['nothing', '統一編號'] }).value.buyer.taxNumber).toBe(
      '12345678',
    );
    expect(map().value.buyer).not.toHaveProperty('taxNumber');
  });

  it('order attributes: visible scalars', () => {
    const meta_data = [
      { key: 'gift_message', value: 'Hi &amp; bye' },
      { key: 'count', value: 3 },
      { key: '_private', value: 'x' },
      { key: 'survey', value: { q: 1 } },
      { key: 'nothing', value: null },
      { key: '', value: 'x' },
    ];
    expect(map({ meta_data }).value.attributes).toEqual([
      { name: 'gift_message', value: 'Hi &amp; bye' },
      { name: 'count', value: '3' },
    ]);
  });

  it('link for staff', () => {
    expect(map().value.adminUrl).toBe(
      'https://shop.acme.example/wp-admin/admin.php?page=wc-orders&action=edit&id=7',
    );
  });

  it('a parent is worth a warning', () => {
    expect(map({ parent_id: 6 }).warnings).toEqual([
      'parent_id is set: a marketplace plug-in may send the same goods in two orders',
    ]);
  });
});

describe('what cannot be stated exactly is refused, and named', () => {
  const HUGE = '99999999999999999999';
  it.each<[string, object, string]>([
    ['a currency that is none', { currency: 'EURO' }, 'currency'],
    ['no total', { total: undefined }, 'total: missing'],
    ['a total that is too large', { total: HUGE }, 'total: '],
    ['a tax', line({ taxes: [{ id: 1, total: HUGE }] }), 'line_items[0].taxes[0].total'],
    ['shipping', { shipping_lines: [{ id: 3, total: HUGE }] }, 'shipping_lines[0].total'],
    ['a fee', { fee_lines: [{ id: 3, name: 'x', total: HUGE }] }, 'fee_lines[0].total'],
    ['a gift card', { gift_cards: [{ id: 3, amount: HUGE }] }, 'gift_cards[0].amount'],
    ['a coupon', { coupon_lines: [{ code: 'x', discount: HUGE }] }, 'coupon_lines[0].discount'],
    ['all tax', { total_tax: HUGE }, 'total_tax'],
    ['when it changed', { date_modified_gmt: 'yesterday' }, 'date_modified_gmt: is no date'],
    [
      'when it changed, in a zone that nobody knows',
      { date_modified_gmt: '', date_modified: '2026-01-05T02:05:00' },
      'date_modified_gmt: missing; the local time has no zone',
    ],
    [
      'when it changed, in a zone that nobody knows and a blank',
      { date_modified_gmt: ' ', date_modified: '2026-01-05T02:05:00' },
      'date_modified_gmt: missing; the local time has no zone',
    ],
  ])('%s', (_case, fields, message) => {
    expect(() => map(fields)).toThrow(message);
  });
});

describe('what a shop leaves out', () => {
  it('ids of parts are their places', () => {
    const { value } = map({
      line_items: [LINE, { ...LINE, id: undefined }],
      shipping_lines: [{ id: 3, total: '0' }, { total: '0' }],
      fee_lines: [
        { id: 4, name: 'a', total: '0' },
        { name: 'b', total: '0' },
      ],
      gift_cards: [{ id: 5, amount: '0' }, {}],
      total: '21.00',
      total_tax: '1.00',
    });
    expect(value.lines.map(({ id }) => id)).toEqual(['1', 'line-2']);
    expect(value.charges.map(({ id }) => id)).toEqual(['3', 'shipping-2', '4', 'fee-2']);
    expect(value.giftCards).toEqual([
      { id: '5', amount: { minor: 0, currency: 'EUR' } },
      { id: 'gift-card-2', amount: { minor: 0, currency: 'EUR' } },
    ]);
  });

  it.each([
    [
      { id: 1, total: '0.50' },
      { key: '1', title: 'VAT', ratePercent: '5' },
    ],
    [
      { id: 9, total: '0.50' },
      { key: '9', title: 'Tax 9' },
    ],
    [{ total: '0.50' }, { key: 'unknown', title: 'Tax' }],
  ])('names and rates of taxes: %j', (tax, expected) => {
    const { value } = map(line({ taxes: [tax] }));
    expect(value.lines[0]?.taxes).toEqual([
      { ...expected, compound: false, amount: { minor: 50, currency: 'EUR' } },
    ]);
  });

  it('when it changed: then it is as old as itself, and said so', () => {
    const { value, warnings } = map({ date_modified_gmt: '', date_modified: '' });
    expect(value.sourceVersion).toBe(Date.parse('2026-01-05T02:04:05Z'));
    expect(warnings).toEqual(['date_modified_gmt is missing: the time of the order is its version']);
  });

  it.each<[string, object, number | undefined]>([
    [
      'GMT',
      { date_modified_gmt: '2026-01-05T02:05:00', date_modified: '' },
      Date.parse('2026-01-05T02:05:00Z'),
    ],
    ['nothing', { date_modified_gmt: '', date_modified: '' }, undefined],
    ['a local time', { date_modified_gmt: '', date_modified: '2026-01-05T02:05:00' }, undefined],
  ])('a listing knows when it changed only from GMT: %s', (_case, wire, expected) => {
    expect(changedAtMs(wire as { date_modified: string; date_modified_gmt: string })).toBe(expected);
  });
});

describe('a line without pieces', () => {
  const none = { quantity: 0, subtotal: '0.00', total: '0.00' };
  it.each<[string, object, number, number]>([
    ['is left out with its money', { ...none, total_tax: '0.00', taxes: [{ id: 1, total: '0.00' }] }, 0, 0],
    ['is a fee if it carries tax', { ...none, total_tax: '0.50', taxes: [{ id: 1, total: '0.50' }] }, 0, 1],
  ])('%s', (_case, fields, lines, charges) => {
    const { value } = map({ ...line(fields), total: '0.50' });
    expect([value.lines.length, value.charges.length]).toEqual([lines, charges]);
  });
});

it('one unit of tax per rate may be rounding; more is said', () => {
  const twoRates = [
    { id: 1, total: '0.20' },
    { id: 2, total: '0.20' },
  ];
  const said = (total_tax: string) =>
    map({ ...line({ total_tax, taxes: twoRates }) }).warnings.filter((text) => text.includes('add up'));
  expect(said('0.42')).toEqual([]);
  expect(said('0.43')).toEqual(['line_items[0].taxes do not add up to total_tax']);
});

describe('when it was paid', () => {
  it.each<[string, object, string, string[]]>([
    ['in GMT', { date_paid_gmt: '2026-01-05T02:04:30' }, '2026-01-05T02:04:30Z', []],
    ['is no date', { date_paid_gmt: 'soon' }, '', ['date_paid_gmt: is no date']],
    [
      'in a zone that nobody knows',
      { date_paid_gmt: '', date_paid: '2026-01-05T02:04:30' },
      '',
      ['date_paid_gmt: missing; the local time has no zone, so the moment is not known'],
    ],
  ])('%s', (_case, fields, paidAt, said) => {
    const { value, warnings } = map({ status: 'on-hold', ...fields });
    expect([value.payment.state, value.payment.paidAt ?? '', warnings]).toEqual(['paid', paidAt, said]);
  });

  it('never: it waits', () => {
    const { value } = map({ status: 'on-hold', date_paid_gmt: '', date_paid: '' });
    expect(value.payment.state).toBe('pending');
  });
});

describe('what plug-ins leave in the order', () => {
  const meta = (entries: Record<string, unknown>) => ({
    meta_data: Object.entries(entries).map(([key, value], id) => ({ id, key, value })),
  });

  it.each<[string, Record<string, unknown>, boolean]>([
    ['WooPayments in test mode', { _wcpay_mode: 'test' }, true],
    ['WooPayments', { _wcpay_mode: 'prod' }, false],
    ['a stock test of ours', { _waybill_test: 'yes' }, true],
    ['PayPal in its sandbox', { _ppcp_paypal_payment_mode: 'sandbox' }, true],
    ['PayPal', { _ppcp_paypal_payment_mode: 'live' }, false],
    ['others who write "test" or "sandbox"', { utm_campaign: 'test', utm_source: 'sandbox' }, false],
  ])('test orders: %s', (_case, entries, expected) => {
    expect(map(meta(entries)).value.test).toBe(expected);
  });

  it.each<[string, Record<string, unknown>, object | undefined]>([
    ['with its currency', { _stripe_fee: '0.59', _stripe_currency: 'eur' }, { minor: 59, currency: 'EUR' }],
    ['without currency', { _stripe_fee: '0.59' }, undefined],
    ['without amount', { _stripe_currency: 'EUR' }, undefined],
    ['in a currency that is none', { _stripe_fee: '0.59', _stripe_currency: 7 }, undefined],
    [
      'of the second plug-in',
      {
        _stripe_fee: '',
        _stripe_currency: 'EUR',
        _wcpay_transaction_fee: '0.31',
        _wcpay_intent_currency: 'EUR',
      },
      { minor: 31, currency: 'EUR' },
    ],
  ])("the provider's fee %s", (_case, entries, fee) => {
    expect(map(meta(entries)).value.payment.fee).toEqual(fee);
  });

  it('lines show what the buyer saw, without the markup of old versions', () => {
    const { value } = map(
      line({
        meta_data: [
          {
            id: 1,
            key: 'pa_colour',
            value: 'red',
            display_key: 'Colour',
            display_value: '<p class="x">Red</p>',
          },
          { id: 2, key: 'size', value: 'M', display_key: 'Size', display_value: '' },
        ],
      }),
    );
    expect(value.lines[0]?.attributes).toEqual([
      { name: 'Colour', value: 'Red' },
      { name: 'Size', value: 'M' },
    ]);
  });
});

it.each(['my-wc-open', 'open-wc-'])('only a prefix is a prefix: %s', (status) => {
  const statuses = { 'my-open': 'open', 'open-': 'open' } as const;
  expect(map({ status }, { statuses }).value.status).toBe('unknown');
});

it('people type blanks', () => {
  const { value } = map({
    billing: { first_name: 'Ann', company: ' Acme Ltd ', phone: ' 123 ', email: ' ANN@example.test ' },
  });
  expect(value.buyer).toMatchObject({ company: 'Acme Ltd', phone: '123', email: 'ann@example.test' });
});
