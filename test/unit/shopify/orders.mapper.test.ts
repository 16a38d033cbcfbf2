import { describe, expect, it } from 'vitest';
import { refundParts } from '../../../shared/core/refund-parts.ts';
import type { OrderRefund } from '../../../shared/events/order-changed.ts';
import { changed, receive } from './deliveries.ts';

type Json = Record<string, unknown>;
const orderOf = (name: string, change: (order: Json) => void = () => undefined, more: Json = {}) => {
  const received = receive(changed(name, change), undefined, more);
  if (received.kind !== 'order') throw new Error(JSON.stringify(received));
  return received;
};
const twd = (amount: string) => ({ shop_money: { amount, currency_code: 'TWD' }, presentment_money: {} });
const lineOf = (order: Json, index = 0) => (order['line_items'] as Json[])[index] as Json;

describe('settings', () => {
  it('a manual payment method is what the connection says, by its exact name', () => {
    const paymentKinds = { 貨到付款: 'cash-on-delivery' };
    const { order, warnings } = orderOf('own-payment-method', undefined, { paymentKinds });
    expect([order.payment.kind, order.payment.method, warnings]).toEqual([
      'cash-on-delivery',
      '貨到付款',
      [],
    ]);
  });

  it('an authorised payment counts as paid where the shop captures when it ships', () => {
    expect(orderOf('authorized').order.payment.state).toBe('pending');
    expect(orderOf('authorized', undefined, { authorized: 'paid' }).order.payment.state).toBe('paid');
  });

  it('tax number and day of delivery come from the attributes that the connection names', () => {
    const more = { taxNumberKeys: ['invoice_carrier'], deliveryDateKeys: ['nothing'] };
    const { order } = orderOf('paid-plain', undefined, more);
    expect(order.buyer.taxNumber).toBe('/ABC1234');
    expect(order).not.toHaveProperty('requestedDelivery');
  });

  it('the deep link leads to the stand-in where there is one', () => {
    const { order } = orderOf('paid-plain', undefined, { url: 'http://127.0.0.1:4000/' });
    expect(order.adminUrl).toBe('http://127.0.0.1:4000/admin/orders/5500000000001');
  });
});

describe('payment', () => {
  it.each([
    ['pending', 'pending'],
    ['partially_paid', 'partially-paid'],
    ['voided', 'failed'],
    ['expired', 'failed'],
    ['refunded', 'refunded'],
  ])('%s: %s', (financial_status, state) => {
    expect(orderOf('paid-plain', (o) => Object.assign(o, { financial_status })).order.payment.state).toBe(
      state,
    );
  });

  it('a state that nobody knows is unknown, and said', () => {
    const { order, warnings } = orderOf('paid-plain', (o) =>
      Object.assign(o, { financial_status: 'melted' }),
    );
    expect([order.payment.state, warnings]).toEqual(['unknown', ['financial_status "melted" is not known']]);
  });

  it.each([
    ['Cash on Delivery (COD)', 'cash-on-delivery'],
    ['cash on delivery', 'cash-on-delivery'],
    ['Bank Deposit', 'bank-transfer'],
    ['Money Order', 'bank-transfer'],
    ['manual', 'other'],
    ['shopify_payments', 'online'],
    ['constructor', 'online'],
  ])('%s: %s', (gateway, kind) => {
    const { order } = orderOf('paid-plain', (o) => Object.assign(o, { payment_gateway_names: [gateway] }));
    expect([order.payment.kind, order.payment.method]).toEqual([kind, gateway]);
  });

  it('the gateway beside a gift card is the method', () => {
    expect(orderOf('gift-card-paid-part').order.payment.method).toBe('shopify_payments');
    expect(orderOf('gift-card-paid-all').order.payment.method).toBe('gift_card');
  });

  it('transactions name the reference and the time; the hash is that of the webhook, which has none', () => {
    const read = orderOf('gift-card-paid-part-read').order;
    expect(read.payment).toMatchObject({ reference: '#1011.2', paidAt: '2026-11-21T01:00:00Z' });
    const pushed = orderOf('gift-card-paid-part-read', (o) => delete o['transactions']).order;
    expect(pushed.payment).not.toHaveProperty('reference');
    expect(pushed.contentHash).toBe(read.contentHash);
    const other = orderOf('gift-card-paid-part-read', (o) => Object.assign(o, { note: 'x' })).order;
    expect(other.contentHash).not.toBe(read.contentHash);
  });
});

describe('status', () => {
  it.each<[string, Json, string, string]>([
    [
      'cancelled before all else',
      { cancelled_at: '2026-11-21T09:00:00Z', financial_status: 'voided' },
      'cancelled',
      'cancelled, voided, unfulfilled',
    ],
    ['voided', { financial_status: 'voided' }, 'failed', 'voided, unfulfilled'],
    ['fulfilled', { fulfillment_status: 'fulfilled' }, 'completed', 'paid, fulfilled'],
    ['partly fulfilled', { fulfillment_status: 'partial' }, 'open', 'paid, partial'],
    ['archived', { closed_at: '2026-11-21T09:00:00Z' }, 'completed', 'paid, unfulfilled'],
    ['held', { fulfillment_status: 'on_hold' }, 'on-hold', 'paid, on_hold'],
    [
      'one part held, another not: somebody may begin',
      { fulfillment_orders: [{ status: 'ON_HOLD' }, { status: 'OPEN' }] },
      'open',
      'paid, unfulfilled',
    ],
    [
      'one part held, the others through',
      { fulfillment_orders: [{ status: 'ON_HOLD' }, { status: 'CLOSED' }] },
      'on-hold',
      'paid, unfulfilled',
    ],
    [
      'held no longer, whatever the payload says',
      { fulfillment_status: 'on_hold', fulfillment_orders: [{ status: 'OPEN' }] },
      'open',
      'paid, on_hold',
    ],
  ])('%s', (_case, change, status, sourceStatus) => {
    const { order } = orderOf('paid-plain', (o) => Object.assign(o, change));
    expect([order.status, order.sourceStatus]).toEqual([status, sourceStatus]);
  });
});

describe('edits and refunds', () => {
  it('a refund whose money was refused is no refund, and its pieces are gone like those of an edit', () => {
    const { order } = orderOf('partial-refund', (o) => {
      const refunds = o['refunds'] as Json[];
      o['refunds'] = [refunds[0]];
      ((refunds[0] as Json)['transactions'] as Json[])[0] = {
        kind: 'refund',
        status: 'failure',
        amount: '441.00',
      };
    });
    expect(order.refunds).toEqual([]);
    expect([order.lines[0]?.quantity, order.total.minor]).toEqual([1, 66098]);
  });

  it('pieces of another line do not count', () => {
    const { order } = orderOf('partial-refund', (o) => Object.assign(lineOf(o, 1), { current_quantity: 0 }));
    expect(order.lines.map(({ sku }) => sku)).toEqual(['TEA-OOL-150']);
    // 1,101.98 less the mug, 149.50 with 7.48 of tax.
    expect([order.total.minor, order.rounding.minor]).toEqual([94500, 0]);
  });

  it('before 2024-01 there is no current_quantity: the line is as ordered', () => {
    const { order } = orderOf('partial-refund', (o) => delete lineOf(o)['current_quantity']);
    expect([order.lines[0]?.quantity, order.total.minor]).toEqual([2, 110198]);
  });

  it('a refund of pieces settles no edit, even where an edit took something off, too', () => {
    const { order, warnings } = orderOf('partial-refund', (o) => {
      o['refunds'] = (o['refunds'] as Json[]).slice(0, 1);
      Object.assign(lineOf(o, 1), { current_quantity: 0 });
    });
    // The mug is gone; the tea that came back is a refund of its own, in full.
    expect(order.refunds.map(({ total }) => total.minor)).toEqual([44100]);
    expect([order.total.minor, warnings]).toEqual([94500, []]);
  });

  it('a part of a line that the order no longer has is an amount', () => {
    const { order } = orderOf('refunds-in-a-row', (o) => {
      const [refund] = o['refunds'] as Json[];
      Object.assign(((refund as Json)['refund_line_items'] as Json[])[0] as Json, { line_item_id: 99 });
    });
    expect(order.refunds[0]).toEqual({
      id: '84',
      reason: 'Broken',
      total: { minor: 15698, currency: 'TWD' },
      refundedAt: '2026-11-21T01:00:00Z',
    });
  });

  it('nobody knows what an unknown kind of restocking means, nor a time without its zone', () => {
    const { order } = orderOf('partial-refund', (o) => {
      const [refund] = o['refunds'] as Json[];
      Object.assign(refund as Json, { processed_at: '2026-11-21T09:00:00', created_at: null });
      Object.assign(((refund as Json)['refund_line_items'] as Json[])[0] as Json, { restock_type: 'sold' });
    });
    expect(order.refunds[0]).not.toHaveProperty('refundedAt');
    expect(order.refunds[0]?.lines?.[0]).not.toHaveProperty('restock');
  });

  it('without a rate on its line, tax that was given back is an amount', () => {
    const { order } = orderOf('partial-refund', (o) => {
      Object.assign(lineOf(o), { tax_lines: [] });
      Object.assign(o, { total_price_set: twd('1059.98'), total_tax_set: twd('10.48') });
    });
    expect(order.refunds[0]?.lines?.[0]).toMatchObject({ total: { minor: 42000 }, taxes: [] });
    expect(refundParts(order, order.refunds[0] as OrderRefund).at(-1)).toMatchObject({
      total: { minor: 2100 },
    });
  });

  it('the last rate takes what rounding leaves of a tax', () => {
    const { order } = orderOf('refund-taxes-included', (o) => {
      for (const tax of lineOf(o)['tax_lines'] as Json[]) {
        Object.assign(tax, { price: '22.62', price_set: twd('22.62') });
      }
      const [refund] = o['refunds'] as Json[];
      const [line] = (refund as Json)['refund_line_items'] as Json[];
      Object.assign(line as Json, { total_tax_set: twd('22.63') });
    });
    // 11.315 each
    expect(order.refunds[0]?.lines?.[0]?.taxes.map(({ amount }) => amount.minor)).toEqual([1132, 1131]);
  });

  it('an exchange is one by its return, or by delivered goods that came back', () => {
    const { order } = orderOf('exchange-even', (o) => delete ((o['refunds'] as Json[])[0] as Json)['return']);
    expect(order.refunds.map(({ total }) => total.minor)).toEqual([15698]);
    const edited = orderOf('exchange-even', (o) => {
      const [refund] = o['refunds'] as Json[];
      delete (refund as Json)['return'];
      Object.assign(((refund as Json)['refund_line_items'] as Json[])[0] as Json, { restock_type: 'cancel' });
    }).order;
    expect([edited.refunds, edited.total.minor, edited.lines.length]).toEqual([[], 110198, 2]);
  });

  it('a return that was refused its money is no exchange', () => {
    const { order } = orderOf('exchange-cheaper', (o) => {
      const [refund] = o['refunds'] as Json[];
      Object.assign(((refund as Json)['transactions'] as Json[])[0] as Json, { status: 'failure' });
    });
    expect([order.refunds, order.total.minor]).toEqual([[], 105000]);
  });

  it('nor is one of whose money a part was refused', () => {
    const { order } = orderOf('exchange-cheaper', (o) => {
      const transactions = ((o['refunds'] as Json[])[0] as Json)['transactions'] as Json[];
      transactions.push({ ...transactions[0], status: 'failure', gateway: 'gift_card' });
    });
    expect(order.refunds.map(({ total }) => total.minor)).toEqual([5198]);
  });

  it('nothing is exchanged in an order that was cancelled', () => {
    const { order } = orderOf('exchange-even', (o) => Object.assign(o, { cancelled_at: o['updated_at'] }));
    expect(order.refunds).toEqual([]);
  });

  it('a shipping line that an edit took off is gone, and its money with it', () => {
    const { order } = orderOf('paid-plain', (o) => {
      Object.assign((o['shipping_lines'] as Json[])[0] as Json, { is_removed: true });
      Object.assign(o, { current_total_price_set: twd('1038.98'), current_total_tax_set: twd('49.48') });
    });
    expect([order.charges, order.total.minor, order.tax.minor]).toEqual([[], 103898, 4948]);
  });

  it('a refund in the currency of the shop is taken as it is', () => {
    const { order } = orderOf('multi-currency-refund', (o) => {
      const [refund] = o['refunds'] as Json[];
      const [transaction] = (refund as Json)['transactions'] as Json[];
      Object.assign(transaction as Json, { currency: 'CAD', amount: '1000.00' });
    });
    expect(order.refunds[0]?.total).toEqual({ minor: 100000, currency: 'CAD' });
    // 1,000.00 at 0.74135079
    expect(order.presentment?.refunds?.[0]).toEqual({ minor: 74135, currency: 'USD' });
  });

  it("goodwill in the buyer's currency is converted at the order's rate", () => {
    const { order } = orderOf('multi-currency-refund', (o) => {
      o['refunds'] = [
        { id: 5, transactions: [{ kind: 'refund', status: 'success', amount: '10.00', currency: 'USD' }] },
      ];
      Object.assign(lineOf(o), { current_quantity: 3 });
    });
    expect(order.refunds).toEqual([{ id: '5', total: { minor: 1349, currency: 'CAD' } }]);
    expect(order.presentment?.refunds).toEqual([{ minor: 1000, currency: 'USD' }]);
  });
});

describe('amounts', () => {
  it("without the buyer's amounts only the shop's are stated, with a warning", () => {
    const { order, warnings } = orderOf('multi-currency', (o) => {
      const set = lineOf(o)['price_set'] as Json;
      delete set['presentment_money'];
    });
    expect(order).not.toHaveProperty('presentment');
    expect(warnings).toEqual(["the buyer's currency is left out: line_items[0].price: missing in USD"]);
  });

  it('plain amounts serve where there are no sets, as in old payloads', () => {
    const { order } = orderOf('paid-plain', (o) => {
      for (const key of Object.keys(o)) if (key.endsWith('_set')) delete o[key];
      for (const part of [...(o['line_items'] as Json[]), ...(o['shipping_lines'] as Json[])]) {
        for (const key of Object.keys(part)) if (key.endsWith('_set')) delete part[key];
        for (const tax of part['tax_lines'] as Json[]) delete tax['price_set'];
      }
    });
    expect([order.total.minor, order.tax.minor, order.rounding.minor]).toEqual([110198, 5248, 0]);
  });

  it('a cent that the shop itself cannot explain is its rounding', () => {
    const { order } = orderOf('paid-plain', (o) =>
      Object.assign(o, { current_total_price_set: twd('1101.99') }),
    );
    expect([order.total.minor, order.rounding.minor]).toEqual([110199, 1]);
  });

  it('included duties are part of the prices and no charge', () => {
    const { order } = orderOf('tip-and-duties', (o) => {
      Object.assign(o, { duties_included: true });
      for (const key of ['total_price_set', 'current_total_price_set']) {
        o[key] = {
          shop_money: { amount: '123.00', currency_code: 'EUR' },
          presentment_money: { amount: '105.78', currency_code: 'GBP' },
        };
      }
    });
    expect(order.charges.map(({ kind }) => kind)).toEqual(['tip']);
    expect([order.rounding.minor, order.lines[0]?.hsCode, order.lines[0]?.originCountry]).toEqual([
      0,
      '611710',
      'CN',
    ]);
  });

  it('two taxes of one name and another rate have two keys; a rate of zero that taxes nothing has none', () => {
    const { order } = orderOf('multi-currency');
    expect(order.lines[0]?.taxes.map(({ key, ratePercent }) => [key, ratePercent])).toEqual([
      ['Washington State Tax 6.5%', '6.5'],
      ['Puyallup City Tax 3.6%', '3.6'],
    ]);
  });

  it('discounts are told by code or title, with what each of them took', () => {
    expect(orderOf('discounts').order.discounts).toEqual([
      { code: 'TEN', amount: { minor: 9461, currency: 'TWD' } },
      { code: '茶葉折扣', amount: { minor: 5000, currency: 'TWD' } },
      { code: 'SHIPFREE', amount: { minor: 6000, currency: 'TWD' } },
    ]);
  });
});

describe('people and goods', () => {
  it('kinds of lines', () => {
    expect(orderOf('gift-card-sold').order.lines.map(({ kind }) => kind)).toEqual(['gift-card', 'goods']);
    const digital = orderOf('paid-plain', (o) => Object.assign(lineOf(o), { requires_shipping: false }));
    expect(digital.order.lines[0]?.kind).toBe('digital');
    const silent = orderOf('paid-plain', (o) => delete lineOf(o)['requires_shipping']);
    expect(silent.order.lines[0]?.kind).toBe('unknown');
  });

  it('one name only', () => {
    const { billing, buyer } = orderOf('thai-buyer').order;
    expect([billing?.name, billing?.region, buyer.name]).toEqual(['สมชาย ใจดี', 'TH-10', 'สมชาย ใจดี']);
  });

  it('nobody', () => {
    const { order } = orderOf('point-of-sale-nobody-named');
    expect(order.buyer).toEqual({ masked: false });
    expect(order).not.toHaveProperty('billing');
    expect(order).not.toHaveProperty('shipping');
  });

  it('a company on account, its purchase order and its ids', () => {
    const { order } = orderOf('b2b-on-account');
    expect(order.buyer.company).toBe('測試股份有限公司');
    expect(order.payment).toEqual({
      state: 'pending',
      kind: 'bank-transfer',
      method: 'payment_terms',
      title: 'Net 30',
    });
    expect(order.attributes).toEqual([
      { name: 'po_number', value: 'PO-7788' },
      { name: 'company_id', value: '90210001' },
      { name: 'company_location_id', value: '90210002' },
    ]);
  });

  it('a pickup has no address to ship to, and the shop it is fetched from as its method', () => {
    const { order } = orderOf('local-pickup');
    expect(order).not.toHaveProperty('shipping');
    expect(order.charges[0]).toMatchObject({ kind: 'shipping', method: '台北門市', title: '台北門市' });
    expect(order.requestedDelivery).toBe('2026/11/26');
  });

  it('lines that wait for their day', () => {
    expect(orderOf('scheduled').order.lines.map(({ availableAt }) => availableAt)).toEqual([
      undefined,
      '2026-12-23T16:00:00Z',
    ]);
  });

  it('the number as people call it', () => {
    for (const [name, number] of [
      ['#1001', '1001'],
      ['ACME-1001-TW', 'ACME-1001-TW'],
      ['', '5500000000001'],
    ]) {
      expect(orderOf('paid-plain', (o) => Object.assign(o, { name })).order.orderNumber).toBe(number);
    }
  });
});

describe('what cannot be stated is refused, and named', () => {
  const reasonOf = (change: (order: Json) => void, headers: Json = {}) => {
    const delivery = changed('paid-plain', change);
    const received = receive({
      ...delivery,
      headers: { ...delivery.headers, ...headers },
    } as typeof delivery);
    return received.kind === 'unreadable' ? received.reason : received.kind;
  };
  const withFields = (fields: Json) => (order: Json) => Object.assign(order, fields);

  it.each<[string, (order: Json) => void, string]>([
    ['a currency that is none', withFields({ currency: 'EURO' }), 'currency'],
    [
      'an order of no moment',
      withFields({ processed_at: '2026-11-20 10:00', created_at: 'soon' }),
      'processed_at: holds no moment',
    ],
  ])('%s', (_case, change, reason) => {
    expect(reasonOf(change)).toContain(reason);
  });

  it('without the moment of its change, the moment of the webhook is its version, and said', () => {
    const { order, warnings } = orderOf('paid-plain', withFields({ updated_at: 'soon' }));
    expect(order.sourceVersion).toBe(Date.parse('2026-11-20T10:05:00.123Z'));
    expect(warnings).toContain('updated_at is missing: the time of the webhook is the version');
    for (const at of [undefined, 'soon']) {
      expect(reasonOf(withFields({ updated_at: 'soon' }), { 'x-shopify-triggered-at': at })).toContain(
        'updated_at: holds no moment',
      );
    }
  });
});

describe('what people leave untidy', () => {
  const address = { first_name: '', last_name: '', name: '', company: '', phone: '' };
  const withFields = (fields: Json) => orderOf('paid-plain', (order) => Object.assign(order, fields)).order;

  it('blanks around what they typed', () => {
    const order = withFields({
      email: ' Ann@Example.test ',
      phone: ' +886 2 5550 0000 ',
      po_number: ' PO-1 ',
      billing_address: { ...address, company: ' Acme Ltd ' },
      note_attributes: [{ name: 'invoice_carrier', value: ' /ABC1234 ' }],
    });
    expect(order.buyer).toMatchObject({
      email: 'ann@example.test',
      phone: '+886 2 5550 0000',
      company: 'Acme Ltd',
    });
    expect(order.attributes).toContainEqual({ name: 'po_number', value: 'PO-1' });
    const { order: again } = orderOf(
      'paid-plain',
      (o) => Object.assign(o, { note_attributes: [{ name: 'carrier', value: ' /ABC1234 ' }] }),
      { taxNumberKeys: ['carrier'] },
    );
    expect(again.buyer.taxNumber).toBe('/ABC1234');
  });

  it.each<[string, Json, Json]>([
    ['the order', { email: 'a@example.test', contact_email: 'b@example.test' }, { email: 'a@example.test' }],
    ['its contact', { email: '', contact_email: 'b@example.test' }, { email: 'b@example.test' }],
    [
      'the account',
      { email: '', contact_email: '', customer: { id: 1, email: 'c@example.test', phone: '3' }, phone: '' },
      { email: 'c@example.test', phone: '3' },
    ],
    [
      'the order before the account',
      { phone: '1', customer: { id: 1, phone: '3' }, billing_address: { ...address, phone: '4' } },
      { phone: '1' },
    ],
    [
      'the invoice after all others',
      { phone: '', customer: { id: 1 }, billing_address: { ...address, phone: '4' } },
      { phone: '4' },
    ],
  ])('mail and phone are those of %s', (_case, fields, expected) => {
    expect(withFields(fields).buyer).toMatchObject(expected);
  });

  it.each<[Json, string]>([
    [{ first_name: 'Ann', last_name: 'Lee', name: 'Somebody' }, 'Ann Lee'],
    [{ first_name: 'Ann', last_name: '', name: 'Somebody' }, 'Ann'],
    [{ first_name: '', last_name: 'Lee', name: 'Somebody' }, 'Lee'],
    [{ first_name: '', last_name: '', name: 'Somebody' }, 'Somebody'],
  ])('a person is called %j', (names, name) => {
    const order = withFields({
      shipping_address: { ...address, ...names, address1: 'Street 1', city: 'Taipei' },
    });
    expect(order.shipping?.name).toBe(name);
  });

  it.each<[string, string]>([
    ['#1001', '1001'],
    ['A#1001', 'A#1001'],
    ['##1', '#1'],
  ])('of the number %s only the leading mark is taken off', (name, orderNumber) => {
    expect(withFields({ name }).orderNumber).toBe(orderNumber);
  });

  it.each<[string, string, string]>([
    ['Shopify says', 'gid://shopify/Order/5500000000009', '5500000000009'],
    ['names an order within something else', 'x gid://shopify/Order/5500000000009', '5500000000001'],
    ['names more than an order', 'gid://shopify/Order/5500000000009/Refund', '5500000000001'],
    ['is missing', '', '5500000000001'],
  ])(
    'all digits of its id stand in its global id, unless that %s',
    (_case, admin_graphql_api_id, orderId) => {
      expect(withFields({ admin_graphql_api_id }).orderId).toBe(orderId);
    },
  );

  it('a line has a name, or else the title of its product', () => {
    const titles = (fields: Json) =>
      orderOf('paid-plain', (order) => Object.assign(lineOf(order), fields)).order.lines[0]?.title;
    expect(titles({ name: 'Tea - 150 g', title: 'Tea' })).toBe('Tea - 150 g');
    expect(titles({ name: '', title: 'Tea' })).toBe('Tea');
    const sku = orderOf('paid-plain', (order) => Object.assign(lineOf(order), { sku: ' TEA ' })).order;
    expect(sku.lines[0]?.sku).toBe('TEA');
  });

  it.each<[unknown, number | undefined]>([
    [150, 300],
    [0, undefined],
    [undefined, undefined],
  ])('two pieces of %s g weigh %s', (grams, weightG) => {
    const { order } = orderOf('paid-plain', (o) => Object.assign(lineOf(o), { grams }));
    expect(order.lines[0]?.weightG).toBe(weightG);
  });

  it('the origin of goods is a country, and nothing else', () => {
    const origin = (...codes: string[]) =>
      orderOf('paid-plain', (order) =>
        Object.assign(lineOf(order), {
          duties: codes.map((code, id) => ({
            id,
            country_code_of_origin: code,
            harmonized_system_code: '0902',
            shop_money: { amount: '0.00', currency_code: 'TWD' },
            presentment_money: { amount: '0.00', currency_code: 'TWD' },
            tax_lines: [],
          })),
        }),
      ).order.lines[0]?.originCountry;
    expect([origin('TWN', 'tw', 'TW'), origin('TWN'), origin('XTW')]).toEqual(['TW', undefined, undefined]);
  });
});
