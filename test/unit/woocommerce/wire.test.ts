import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { decodeHtml, decodeSpecialChars } from '../../../shared/connectors/woocommerce/html-entities.ts';
import {
  WcEntity,
  WcError,
  WcOrder,
  WcProduct,
  WcRefund,
  WcWebhook,
} from '../../../shared/connectors/woocommerce/wire.ts';
import { firstProblem, parseJson } from '../../../shared/http/json.ts';
import { capture, captureNames } from './deliveries.ts';

describe('every captured body parses', () => {
  const schemaOf = (topic: string): z.ZodType => {
    if (topic.endsWith('.deleted')) return WcEntity;
    return topic.startsWith('order.') ? WcOrder : topic.startsWith('product.') ? WcProduct : WcEntity;
  };
  it.each(captureNames.filter((name) => !name.startsWith('001')))('delivery %s', (name) => {
    const { headers, body } = capture(name);
    expect(schemaOf(headers['x-wc-webhook-topic'] ?? '').safeParse(parseJson(body)).success).toBe(true);
  });

  const REST: Readonly<Record<string, z.ZodType>> = {
    '01-tax-create': WcEntity,
    '02-webhook-create': WcWebhook,
    '03-product-create-simple': WcProduct,
    '04-product-create-variable': WcProduct,
    '06-coupon-create': WcEntity,
    '07-customer-create': WcEntity,
    '08-order-create-pending': WcOrder,
    '09-order-to-processing': WcOrder,
    '10-refund-partial-line': WcRefund,
    '11-refund-partial-amount-only': WcRefund,
    '12-order-get-after-refunds': WcOrder,
    '13-order-create-paid-coupon-fee-thai': WcOrder,
    '14-order-cancel': WcOrder,
    '16-order-edit-lines': WcOrder,
    '18-order-delete-force': WcOrder,
    '20-product-update-stock-price': WcProduct,
    '22-order-create-prices-include-tax': WcOrder,
    '23-order-create-jpy-0-decimals': WcOrder,
    '24-refund-jpy': WcRefund,
    '26-orders-list-page': z.array(WcOrder),
    '27-order-404': WcError,
    '28-product-by-sku': z.array(WcProduct),
    '30-product-duplicate-sku-400': WcError,
    '31-product-set-stock': WcProduct,
    '32-products-batch-with-one-missing': z.object({ update: z.array(z.union([WcError, WcEntity])) }),
    '61-webhook-disabled-after-5-failures': WcWebhook,
    '90-no-auth-401': WcError,
  };
  const FOLDER = new URL('../../fixtures/woocommerce/rest/', import.meta.url);
  it.each(readdirSync(FOLDER).map((name) => name.replace('.json', '')))('REST %s', (name) => {
    const { response } = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as {
      response: { body: string };
    };
    expect(REST[name]?.safeParse(parseJson(response.body)).success).toBe(true);
  });
});

describe('liberal in what it takes', () => {
  const minimal = { id: 1, status: 'processing', currency: 'EUR', total: '1.00', line_items: [] };
  const parsed = (fields: object) => WcOrder.parse({ ...minimal, ...fields });

  it('an order of five fields', () => {
    expect(parsed({})).toMatchObject({
      id: '1',
      number: '',
      prices_include_tax: false,
      shipping_lines: [],
      billing: { first_name: '', country: '' },
    });
  });

  it.each([
    ['12', '12'],
    [' 12 ', '12'],
    [12, '12'],
    ['wc-12-a', 'wc-12-a'],
  ])('id %j', (id, expected) => expect(parsed({ id }).id).toBe(expected));

  it.each([[0], ['0'], [''], [null], [undefined], [{}]])('a guest is customer %j', (customer_id) => {
    expect(parsed({ customer_id }).customer_id).toBeUndefined();
  });

  it.each([
    ['12.30', '12.3'],
    ['-5', '-5'],
    ['.5', '0.5'],
    ['1.', '1'],
    [' 7.25 ', '7.25'],
    ['1.0E-5', '0.00001'],
    ['-7.1054273576E-15', '-0.0000000000000071054273576'],
    [134.54999999999998, '134.55'],
    [1e21, '1000000000000000000000'],
    ['', undefined],
    [null, undefined],
    [false, undefined],
  ])('amount %j', (total, expected) => expect(parsed({ total }).total).toBe(expected));

  it.each([
    ['1,5'],
    ['12 EUR'],
    ['NaN'],
    ['Infinity'],
    ['0x10'],
    [true],
    [[]],
    [{}],
    ['1e999'],
    ['9'.repeat(41)],
  ])('refuses amount %j', (total) => {
    const { error } = WcOrder.safeParse({ ...minimal, total });
    expect(error && firstProblem(error)).toBe('total: is no decimal amount');
  });

  it.each([
    [true, true],
    ['yes', true],
    ['1', true],
    [1, true],
    [false, false],
    ['no', false],
    ['', false],
    [null, false],
  ])('flag %j', (flag, expected) =>
    expect(parsed({ prices_include_tax: flag }).prices_include_tax).toBe(expected),
  );

  it.each([[null], [''], [false], [[]], [{}]])('an empty list written as %j', (list) => {
    expect(parsed({ shipping_lines: list, refunds: list }).shipping_lines).toEqual([]);
  });

  it('a list with gaps, which PHP writes as an object, and null among lines', () => {
    expect(
      parsed({ coupon_lines: { 1: { code: 'a' }, 3: { code: 'b' } } }).coupon_lines.map((c) => c.code),
    ).toEqual(['a', 'b']);
    expect(parsed({ fee_lines: [null, { id: 1, total: '1' }] }).fee_lines).toHaveLength(1);
  });

  it.each([[[]], [null], [''], [undefined]])('an empty address written as %j', (billing) => {
    expect(parsed({ billing }).billing.city).toBe('');
  });

  it('keeps the digits of integers beyond 2^53, in ids and elsewhere, and of nothing else', () => {
    expect(parseJson('{"id":820982911946154508,"a":[9007199254740993,-9007199254740993]}')).toEqual({
      id: '820982911946154508',
      a: ['9007199254740993', '-9007199254740993'],
    });
    expect(parseJson('[9007199254740991,1.5,1e300,0.1,"9007199254740993"]')).toEqual([
      9007199254740991,
      1.5,
      1e300,
      0.1,
      '9007199254740993',
    ]);
  });
});

describe('HTML entities', () => {
  it.each([
    ['Tom &amp; Jerry', 'Tom & Jerry'],
    ['&lt;b&gt; &quot;x&quot; &#039;y&#039;', '<b> "x" \'y\''],
    ['2 &times; 3 &#8211; 5 &#x2013;', '2 × 3 – 5 –'],
    ['&#128591;', '🙏'],
    ['&amp;lt;', '&lt;'],
    ['R&D, AT&T; &unknown; &;', 'R&D, AT&T; &unknown; &;'],
    ['&#0; &#55296; &#9999999;', '&#0; &#55296; &#9999999;'],
    ['王&nbsp;小明', '王\u00A0小明'],
  ])('decodeHtml %s', (html, text) => expect(decodeHtml(html)).toBe(text));

  it.each([
    ['a&amp;b', 'a&b'],
    ['a&#038;b&#38;c&#x26;d&#X0026;e', 'a&b&c&d&e'],
    ['&quot;&#034;&#x22;', '"""'],
    ['&#039;&#39;&#x27;', "'''"],
    ['&lt;&#060;&gt;&#62;', '<<>>'],
    ['&amp;amp;', '&amp;'],
    ['&amp;lt;', '&lt;'],
    ['&AMP; &apos; &#x3c; &nbsp; &#8211;', '&AMP; &apos; &#x3c; &nbsp; &#8211;'],
    ['plain', 'plain'],
  ])('decodeSpecialChars %s', (stored, decoded) => expect(decodeSpecialChars(stored)).toBe(decoded));
});
