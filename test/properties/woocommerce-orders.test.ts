import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Received } from '../../shared/connectors/contract.ts';
import { woocommerce } from '../../shared/connectors/woocommerce/index.ts';
import { toOrder } from '../../shared/connectors/woocommerce/orders.mapper.ts';
import { WcOrder, WcRefund } from '../../shared/connectors/woocommerce/wire.ts';
import { refundParts } from '../../shared/core/refund-parts.ts';
import { OrderChangedV1 } from '../../shared/events/order-changed.ts';

const SECRET = 'lab-whsec-7Qm2x9Vd4kT1';
const settings = woocommerce.manifest.settings.parse({ url: 'https://shop.acme.example' }) as Parameters<
  typeof woocommerce.receive
>[1]['settings'];

const receive = (text: string): Received =>
  woocommerce.receive(
    {
      method: 'POST',
      headers: {
        'x-wc-webhook-topic': 'order.updated',
        'x-wc-webhook-signature': createHmac('sha256', SECRET).update(text).digest('base64'),
      },
      body: new TextEncoder().encode(text),
    },
    { connection: 'acme-woo', settings, credentials: { webhookSecrets: [SECRET] }, nowMs: Date.now },
  );

const decimal = (decimals: number, max = 1_000_000) =>
  fc.integer({ min: 0, max }).map((minor) => (minor / 10 ** decimals).toFixed(decimals));
/** As versions and plug-ins write the same amount. */
const written = (text: string) =>
  fc.constantFrom(text, Number(text), ` ${text}`, `${text}${text.includes('.') ? '00' : '.00'}`);
const absent = fc.constantFrom('', null, undefined);
const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), absent);
const meta = fc.array(
  fc.record({ key: fc.string(), value: fc.jsonValue(), display_key: anyText, display_value: fc.jsonValue() }),
  { maxLength: 4 },
);

/** A shop's order whose taxes, with more precision than the currency, add up to total_tax after rounding. */
const anyOrder = fc
  .constantFrom<[string, number]>(['EUR', 2], ['TWD', 2], ['JPY', 0], ['KWD', 3])
  .chain(([currency, decimals]) => {
    const taxes = fc.array(
      fc.record({
        id: fc.integer({ min: 1, max: 5 }),
        total: fc.oneof(decimal(decimals + 3), fc.constant('')),
        subtotal: anyText,
      }),
      { maxLength: 4 },
    );
    const taxed = { total: decimal(decimals).chain(written), taxes };
    const withTotalTax = <T extends { taxes: { total: string }[] }>(part: T) => ({
      ...part,
      total_tax: part.taxes.reduce((sum, tax) => sum + Number(tax.total || 0), 0).toFixed(decimals),
    });
    const line = fc
      .record({
        id: fc.oneof(fc.integer({ min: 1 }), fc.string(), absent),
        name: anyText,
        product_id: fc.constantFrom(0, 10, '11', null),
        variation_id: fc.constantFrom(0, 14),
        quantity: fc.constantFrom(1, 2, '3', 0.5, 7, 0, -1),
        sku: fc.oneof(fc.constant('TEA'), absent),
        subtotal: fc.oneof(decimal(decimals).chain(written), absent),
        meta_data: meta,
        ...taxed,
      })
      .map(withTotalTax);
    const charge = fc
      .record({ id: fc.integer(), name: anyText, method_id: anyText, method_title: anyText, ...taxed })
      .map(withTotalTax);
    const address = fc.oneof(
      fc.record({
        first_name: anyText,
        last_name: anyText,
        city: anyText,
        country: fc.constantFrom('TW', 'de', 'Taiwan', '', null),
        email: anyText,
      }),
      fc.constant([]),
      absent,
    );
    return fc.record({
      id: fc.oneof(fc.integer({ min: 1 }), fc.constant('820982911946154508')),
      number: anyText,
      status: fc.constantFrom(
        'pending',
        'processing',
        'on-hold',
        'completed',
        'cancelled',
        'refunded',
        'failed',
        'shipped',
        'wc-x',
      ),
      currency: fc.constantFrom(currency, currency.toLowerCase()),
      prices_include_tax: fc.constantFrom(true, false, 'yes', null),
      date_created_gmt: fc.constant('2026-01-05T02:04:05'),
      date_modified_gmt: fc.constantFrom('2026-01-05T02:05:00', null, ''),
      date_paid_gmt: fc.constantFrom('2026-01-05T02:04:30', null, '', 'soon'),
      total: decimal(decimals, 10_000_000),
      total_tax: fc.oneof(decimal(decimals), absent),
      customer_id: fc.constantFrom(0, 2, '3', null),
      payment_method: fc.constantFrom('cod', 'bacs', 'cheque', 'stripe', '', null),
      customer_note: anyText,
      billing: address,
      shipping: address,
      line_items: fc.array(line, { maxLength: 4 }),
      shipping_lines: fc.oneof(fc.array(charge, { maxLength: 2 }), absent),
      fee_lines: fc.array(charge, { maxLength: 2 }),
      coupon_lines: fc.array(
        fc.record({ code: anyText, discount: fc.oneof(decimal(decimals + 2), absent) }),
        { maxLength: 2 },
      ),
      tax_lines: fc.array(
        fc.record({
          rate_id: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant('2')),
          label: anyText,
          compound: fc.boolean(),
          rate_percent: fc.constantFrom(5, '7.2500', null),
        }),
        { maxLength: 3 },
      ),
      refunds: fc.array(
        fc.record({
          id: fc.integer({ min: 1 }),
          reason: anyText,
          total: decimal(decimals, 1000).map((text) => `-${text}`),
        }),
        { maxLength: 2 },
      ),
      meta_data: meta,
    });
  });

const shuffledKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffledKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, shuffledKeys(part)]),
  );
};

describe('any order of a shop', () => {
  it('becomes an event whose sums hold exactly, and whose hash does not depend on the order of keys', () => {
    fc.assert(
      fc.property(anyOrder, (wire) => {
        const received = receive(JSON.stringify(wire));
        expect(received).toMatchObject({ kind: 'order' });
        if (received.kind !== 'order') return;
        const { order } = received;
        expect(OrderChangedV1.parse(order)).toEqual(order);

        const parts = [...order.lines, ...order.charges];
        const sum = parts.reduce(
          (all, part) =>
            all + part.total.minor + part.taxes.reduce((taxes, tax) => taxes + tax.amount.minor, 0),
          0,
        );
        expect(sum + order.rounding.minor).toBe(order.total.minor);
        for (const line of order.lines) {
          expect(line.subtotal.minor - line.discount.minor).toBe(line.total.minor);
          expect(line.discount.minor).toBeGreaterThanOrEqual(0);
          expect(line.quantity).toBeGreaterThan(0);
        }
        // The taxes of a part are exactly its total_tax, whatever their own precision.
        const scale = { JPY: 1, KWD: 1000 }[order.currency] ?? 100;
        const kept = wire.line_items.filter((line) => Number(line.quantity) > 0);
        expect(
          order.lines.map((line) => line.taxes.reduce((taxes, tax) => taxes + tax.amount.minor, 0)),
        ).toEqual(kept.map((line) => Math.round(Number(line.total_tax) * scale)));
        expect(order.refunds.every((refund) => refund.total.minor >= 0)).toBe(true);

        const shuffled = receive(JSON.stringify(shuffledKeys(wire)));
        expect(shuffled).toEqual(received);
      }),
      { numRuns: 400 },
    );
  });

  it('changes its hash with any amount', () => {
    fc.assert(
      fc.property(anyOrder, (wire) => {
        const one = receive(JSON.stringify(wire));
        const other = receive(JSON.stringify({ ...wire, total: '98765432' }));
        if (one.kind !== 'order' || other.kind !== 'order') return expect.unreachable();
        expect(other.order.contentHash).not.toBe(one.order.contentHash);
      }),
      { numRuns: 50 },
    );
  });
});

it('whatever its refunds are for, the parts add up to what went back', () => {
  const part = fc.record({
    item: fc.nat(9),
    quantity: fc.constantFrom(-1, -2, 0),
    total: decimal(3).map((text) => `-${text}`),
    total_tax: fc.oneof(
      decimal(2, 500).map((text) => `-${text}`),
      absent,
    ),
    taxes: fc.array(
      fc.record({ id: fc.integer({ min: 1, max: 5 }), total: decimal(4, 1000).map((text) => `-${text}`) }),
      { maxLength: 3 },
    ),
  });
  fc.assert(
    fc.property(anyOrder, fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 2 }), (wire, parts) => {
      const order = WcOrder.parse(wire);
      const items = [...order.line_items, ...order.shipping_lines, ...order.fee_lines];
      const details = order.refunds.map(({ id }, n) => {
        const of = (parts[n] ?? []).map(({ item, ...each }) => ({
          ...each,
          meta_data: [{ key: '_refunded_item_id', value: items[item]?.id ?? '' }],
        }));
        return WcRefund.parse({
          id,
          date_created_gmt: '2026-01-05T02:06:00',
          line_items: of.slice(0, 2),
          fee_lines: of.slice(2),
        });
      });
      const { value } = toOrder(order, { connection: 'acme-woo', settings, refunds: details });
      expect(OrderChangedV1.parse(value)).toEqual(value);
      for (const refund of value.refunds) {
        const minor = refundParts(value, refund).map((each) =>
          each.kind === 'amount'
            ? each.total.minor
            : each.taxes.reduce((all, { amount }) => all + amount.minor, each.total.minor),
        );
        expect(minor.reduce((a, b) => a + b, 0)).toBe(refund.total.minor);
      }
    }),
    { numRuns: 200 },
  );
});

describe('anything at all, well signed', () => {
  it('never throws: any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(['ignored', 'unreadable', 'order']).toContain(receive(text).kind);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws: any bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['ignored', 'unreadable', 'order']).toContain(receive(text).kind);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws: an order of which any field is anything', () => {
    fc.assert(
      fc.property(anyOrder, fc.jsonValue(), fc.nat(), (wire, value, pick) => {
        const keys = Object.keys(wire);
        const broken = { ...wire, [keys[pick % keys.length] ?? 'id']: value };
        const received = receive(JSON.stringify(broken));
        expect(['ignored', 'unreadable', 'order']).toContain(received.kind);
        if (received.kind === 'order') expect(OrderChangedV1.safeParse(received.order).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws: an order of which any field of a line is anything', () => {
    fc.assert(
      fc.property(
        anyOrder,
        fc.constantFrom('quantity', 'total', 'taxes', 'meta_data', 'id', 'sku', 'name'),
        fc.jsonValue(),
        (wire, key, value) => {
          const broken = { ...wire, line_items: wire.line_items.map((line) => ({ ...line, [key]: value })) };
          expect(['ignored', 'unreadable', 'order']).toContain(receive(JSON.stringify(broken)).kind);
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('no delivery passes with a changed bit in the body or the signature', () => {
  const text = '{"id":1,"status":"trash"}';
  const signature = createHmac('sha256', SECRET).update(text).digest();
  const context = {
    connection: 'acme-woo',
    settings,
    credentials: { webhookSecrets: [SECRET] },
    nowMs: Date.now,
  };
  const deliver = (body: Uint8Array, bytes: Uint8Array) =>
    woocommerce.receive(
      {
        method: 'POST',
        headers: {
          'x-wc-webhook-topic': 'order.updated',
          'x-wc-webhook-signature': Buffer.from(bytes).toString('base64'),
        },
        body,
      },
      context,
    ).kind;
  const flipped = (bytes: Uint8Array, bit: number) =>
    bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
  const body = new TextEncoder().encode(text);
  expect(deliver(body, signature)).toBe('ignored');
  for (let bit = 0; bit < body.length * 8; bit += 1)
    expect(deliver(flipped(body, bit), signature)).toBe('rejected');
  for (let bit = 0; bit < 256; bit += 1) expect(deliver(body, flipped(signature, bit))).toBe('rejected');
});
