import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { manifest } from '../../../shared/connectors/woocommerce/manifest.ts';
import { toOrder } from '../../../shared/connectors/woocommerce/orders.mapper.ts';
import { WcOrder, WcRefund } from '../../../shared/connectors/woocommerce/wire.ts';
import { refundParts } from '../../../shared/core/refund-parts.ts';
import { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { parseJson } from '../../../shared/http/json.ts';

const FOLDER = new URL('../../golden/woocommerce/orders/', import.meta.url);
const settings = manifest.settings.parse({ url: 'https://shop.acme.example' });
const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8');
/** What the shop answered when it was asked for them. */
const refundsOf = (name: string): WcRefund[] | undefined =>
  existsSync(new URL(`${name}.refunds.json`, FOLDER))
    ? z.array(WcRefund).parse(parseJson(read(`${name}.refunds.json`)))
    : undefined;
const map = (name: string) =>
  toOrder(WcOrder.parse(parseJson(read(`${name}.in.json`))), {
    connection: 'acme-woo',
    settings,
    refunds: refundsOf(name),
  });
const cases = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.in.json'))
  .map((name) => name.replace('.in.json', ''));

describe.each(cases)('%s', (name) => {
  it('maps as the golden file says', () => {
    expect(JSON.parse(JSON.stringify(map(name)))).toEqual(JSON.parse(read(`${name}.out.json`)));
  });

  it('is an event of the catalogue', () => {
    const { value } = map(name);
    expect(OrderChangedV1.parse(value)).toEqual(value);
  });

  it('adds up: lines, charges, taxes and rounding make the total', () => {
    const { value } = map(name);
    const parts = [...value.lines, ...value.charges].flatMap((part) => [
      part.total.minor,
      ...part.taxes.map((tax) => tax.amount.minor),
    ]);
    expect(parts.reduce((a, b) => a + b, value.rounding.minor)).toBe(value.total.minor);
    for (const line of value.lines) {
      expect(line.subtotal.minor - line.discount.minor).toBe(line.total.minor);
      expect(line.discount.minor).toBeGreaterThanOrEqual(0);
    }
  });
});

// Typed from the payloads: total, total_tax, refunds.
it.each([
  ['025-order-created-pending-tax-shipping-chinese--order-created', 110198, 5248, []],
  ['026-order-created-pending-tax-shipping-chinese--order-updated', 110198, 5248, []],
  ['027-order-updated-processing--order-updated', 110198, 5248, []],
  ['030-order-updated-completed--order-updated', 110198, 5248, []],
  ['033-order-refund-partial-line--order-updated', 110198, 5248, [44100]],
  ['034-order-refund-partial-amount-only--order-updated', 110198, 5248, [1000, 44100]],
  ['035-order-refund-remaining-to-full--order-updated', 110198, 5248, [65098, 1000, 44100]],
  ['036-order-created-paid-thai-guest-coupon-fee--order-created', 50200, 3285, []],
  ['037-order-created-paid-thai-guest-coupon-fee--order-updated', 50200, 3285, []],
  ['039-order-updated-cancelled--order-updated', 50200, 3285, []],
  ['041-order-created-variable-product-meta--order-created', 198450, 9450, []],
  ['042-order-created-variable-product-meta--order-updated', 198450, 9450, []],
  ['045-order-created-two-coupons-and-no-sku-line--order-created', 44363, 2113, []],
  ['046-order-created-two-coupons-and-no-sku-line--order-updated', 44363, 2113, []],
  ['048-order-created-negative-fee--order-created', 121800, 5800, []],
  ['055-order-edit-0-created--order-created', 81795, 3895, []],
  ['056-order-edit-0-created--order-updated', 81795, 3895, []],
  ['057-order-edit-1-lines-changed-removed-added--order-updated', 60795, 2895, []],
  ['061-order-created-us-compound-tax--order-created', 95545, 7461, []],
  ['065-order-created-currency-usd-in-twd-store--order-created', 44100, 2100, []],
  ['066-order-created-currency-usd-in-twd-store--order-updated', 44100, 2100, []],
  ['068-order-delete-0-created--order-created', 44100, 2100, []],
  ['087-guest-checkout-store-api-bacs-on-hold--order-created', 75970, 4970, []],
  ['089-order-created-prices-include-tax-coupon--order-created', 135555, 6456, []],
  ['090-order-created-prices-include-tax-coupon--order-updated', 135555, 6456, []],
  ['093-order-created-jpy-0-decimals--order-created', 2091, 190, []],
  ['094-order-created-jpy-0-decimals--order-updated', 2091, 190, []],
  ['097-order-refund-jpy-0-decimals--order-updated', 2091, 190, [100]],
  ['108-order-created-twd-0-decimals-fractional-price--order-created', 53400, 2500, []],
  ['111-order-burst-created-then-4-status-changes-before-delivery--order-created', 45150, 2150, []],
  ['112-order-burst-created-then-4-status-changes-before-delivery--order-updated', 45150, 2150, []],
  ['132-receiver-500-delivery-1--order-created', 45150, 2150, []],
  ['made-old-version-jpy', 1200, 109, []],
  ['made-plugins-kwd', 25255, 0, [1005]],
  ['made-refund-fee-thai', 50200, 3285, [5000, 2140]],
  ['made-refund-prices-include-tax', 135555, 6456, [80000]],
  ['made-refunds-us-compound', 95545, 7461, [2172, 1234, 16234, 45608]],
  ['made-tax-precision-eur', 24000, 4107, []],
])('%s: total %i, tax %i', (name, total, tax, refunds) => {
  const { value } = map(name);
  expect([value.total.minor, value.tax.minor, value.refunds.map((refund) => refund.total.minor)]).toEqual([
    total,
    tax,
    refunds,
  ]);
  expect(value.rounding.minor).toBe(0);
});

it('every case has its totals above', () => expect(cases).toHaveLength(38));

// Typed from what the shop answered: what each refund is for, newest first.
it.each<[string, string[][]]>([
  ['033-order-refund-partial-line--order-updated', [['1 x TEA-OOL-150 42000 + 1 2100, restock true']]],
  [
    '034-order-refund-partial-amount-only--order-updated',
    [['amount 1000'], ['1 x TEA-OOL-150 42000 + 1 2100, restock true']],
  ],
  [
    '035-order-refund-remaining-to-full--order-updated',
    [['amount 65098'], ['amount 1000'], ['1 x TEA-OOL-150 42000 + 1 2100, restock true']],
  ],
  ['097-order-refund-jpy-0-decimals--order-updated', [['amount 100']]],
  // Nobody asked.
  ['made-plugins-kwd', [['amount 1005']]],
  ['made-refund-fee-thai', [['amount 5000'], ['fee 2000 + 2 140']]],
  // 34.00 were kept, and one of the two pieces went back into stock.
  [
    'made-refund-prices-include-tax',
    [['2 x TEA-OOL-150 73714 + 1 3686, restock undefined', 'shipping 5714 + 1 286', 'amount -3400']],
  ],
  [
    'made-refunds-us-compound',
    [
      ['0 x MUG-TH-01 2000 + 4 145 + 5 27, restock undefined'],
      ['shipping 1234'],
      ['1 x MUG-TH-01 14950 + 4 1084 + 5 200, restock true'],
      ['1 x TEA-OOL-150 42000 + 4 3045 + 5 563, restock false'],
    ],
  ],
])('%s gives back', (name, parts) => {
  const { value } = map(name);
  const inWords = value.refunds.map((refund) =>
    refundParts(value, refund).map((part) => {
      if (part.kind === 'amount') return `amount ${part.total.minor}`;
      const taxes = part.taxes.map(({ key, amount }) => ` + ${key} ${amount.minor}`).join('');
      return part.kind === 'line'
        ? `${part.quantity} x ${part.line.sku} ${part.total.minor}${taxes}, restock ${part.restock}`
        : `${part.charge.kind} ${part.total.minor}${taxes}`;
    }),
  );
  expect(inWords).toEqual(parts);
});

it.each<[string, string[]]>([
  ['made-plugins-kwd', ['refunds: what they are for is known only with a REST key: taken as sums']],
  ['made-refund-fee-thai', ['refunds[0].line_items[0] belongs to no line of the order: taken as an amount']],
  ['made-refunds-us-compound', []],
])('%s: what is said about its refunds', (name, warnings) => {
  expect(map(name).warnings.filter((warning) => warning.includes('refunds'))).toEqual(warnings);
});
