import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { odooDatetime, toWire } from '../../../shared/connectors/odoo/orders.mapper.ts';

/** Amounts, signs and times of each pair were checked by hand against what the shop charges. */
const GOLDEN = new URL('../../golden/odoo/orders/', import.meta.url);
const cases = readdirSync(GOLDEN)
  .filter((file) => file.endsWith('.in.json'))
  .map((file) => file.slice(0, -'.in.json'.length));
const json = (file: string) => JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8'));

describe('toWire', () => {
  it('has golden pairs', () => expect(cases).toHaveLength(24));

  it.each(cases)('%s', (name) => {
    const { order, refs, reference, route } = json(`${name}.in.json`);
    expect(JSON.parse(JSON.stringify(toWire(order, refs, reference, route)))).toEqual(
      json(`${name}.out.json`),
    );
  });
});

it.each([
  ['2026-11-21T22:55:57Z', '2026-11-21 22:55:57'],
  ['2026-11-21T22:55:57.999Z', '2026-11-21 22:55:57'],
  ['2026-11-22T06:55:57+08:00', '2026-11-21 22:55:57'],
])('writes %s as Odoo takes it', (iso, odoo) => expect(odooDatetime(iso)).toBe(odoo));

describe('what decides about a line', () => {
  const wireOf = (name: string, change: { order?: object; refs?: object; route?: object } = {}) => {
    const { order, refs, reference, route } = json(`${name}.in.json`);
    return toWire({ ...order, ...change.order }, { ...refs, ...change.refs }, reference, {
      ...route,
      ...change.route,
    });
  };
  const input = (name: string) => json(`${name}.in.json`);

  it('taxes are in the order of their ids, whatever order the shop has', () => {
    const { order, refs } = input('tax-exclusive');
    const [line] = order.lines;
    const [tax] = line.taxes;
    const tax9 = { id: 9, included: false, fixed: false };
    const taxes = { ...refs.taxes, a: { ...tax9, id: 11 }, b: tax9 };
    const keys = (...names: string[]) => names.map((key) => ({ ...tax, key }));
    const { value } = wireOf('tax-exclusive', {
      order: { lines: [{ ...line, taxes: keys('a', 'b', '1', 'gone') }], charges: [] },
      refs: { taxes },
    });
    expect(value.vals.order_line.map(([, , { tax_id }]) => tax_id)).toEqual([[[6, 0, [4, 9, 11]]]]);
  });

  it('discounts of lines with the same taxes are one line, in whatever order they stand', () => {
    const { order, refs } = input('tax-exclusive');
    const [line] = order.lines;
    const [tax] = line.taxes;
    const eur = (minor: number) => ({ minor, currency: 'EUR' });
    const off = (id: string, ...keys: string[]) => ({
      ...line,
      id,
      quantity: 1,
      subtotal: eur(1000),
      discount: eur(100),
      total: eur(900),
      taxes: keys.map((key) => ({ ...tax, key, amount: eur(9) })),
    });
    const taxes = { ...refs.taxes, b: { id: 9, included: false, fixed: false } };
    const { value } = wireOf('tax-exclusive', {
      order: {
        lines: [off('1', '1', 'b'), off('2', 'b', '1')],
        charges: [],
        discounts: [{ code: '' }, { code: 'A' }],
      },
      refs: { taxes, lines: [refs.lines[0], refs.lines[0]], discountProductId: 55 },
    });
    const discounts = value.vals.order_line
      .map(([, , each]) => each)
      .filter(({ product_id }) => product_id === 55);
    expect(discounts).toMatchObject([{ name: 'Discount: A', price_unit: -2, tax_id: [[6, 0, [4, 9]]] }]);
    expect(value.lines.at(-1)).toEqual({ label: { kind: 'discount' }, net: '-2', tax: '-0.04' });
  });

  it.each<[string, object, string[]]>([
    ['both addresses', { partnerId: 44, invoiceId: 45, shippingId: 46 }, []],
    ['no address to invoice', { partnerId: 44, shippingId: 46 }, ['An address']],
    ['no address to deliver', { partnerId: 44, invoiceId: 45 }, ['An address']],
    ['nobody', {}, ['The customer']],
  ])('a customer who is not there yet is said: %s', (_case, customer, said) => {
    const { value, warnings } = wireOf('tax-exclusive', { refs: { customer } });
    expect(warnings.map((text) => said.find((start) => text.startsWith(start)) ?? text)).toEqual(said);
    const { partnerId, invoiceId, shippingId } = customer as Record<string, number>;
    for (const [key, id] of Object.entries({
      partner_id: partnerId,
      partner_invoice_id: invoiceId,
      partner_shipping_id: shippingId,
    })) {
      if (id === undefined) expect(value.vals).not.toHaveProperty(key);
      else expect(value.vals).toHaveProperty(key, id);
    }
  });

  it('what the route does not choose is left to Odoo', () => {
    const { value } = wireOf('tax-exclusive', {
      refs: { pricelistId: undefined, warehouseId: undefined, paymentTermId: undefined },
    });
    for (const key of ['pricelist_id', 'warehouse_id', 'payment_term_id', 'commitment_date']) {
      expect(value.vals).not.toHaveProperty(key);
    }
  });

  it.each<[string, string | undefined]>([
    ['2026-12-24', '2026-12-24 12:00:00'],
    [' 2026-12-24 ', '2026-12-24 12:00:00'],
    ['2026-12-24T08:00:00Z', '2026-12-24 08:00:00'],
    ['2026-12-24T08:00:00+08:00', '2026-12-24 00:00:00'],
    ['2026-12-24T08:00:00-05:00', '2026-12-24 13:00:00'],
    ['2026-12-24T08:00:00', undefined],
    ['2026-12-24 8 am', undefined],
    ['before 2026-12-24', undefined],
    ['2026-13-24', undefined],
    ['tomorrow', undefined],
    ['', undefined],
  ])('the day that the buyer asked for: %j', (requestedDelivery, day) => {
    const { value } = wireOf('tax-exclusive', { order: { requestedDelivery } });
    expect(value.vals.commitment_date).toBe(day);
  });
});
