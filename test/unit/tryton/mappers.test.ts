import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dayIn, toWire } from '../../../shared/connectors/tryton/orders.mapper.ts';
import { refundToWire } from '../../../shared/connectors/tryton/refunds.mapper.ts';
import { refundParts } from '../../../shared/core/refund-parts.ts';

const casesIn = (folder: string) => {
  const url = new URL(`../../golden/tryton/${folder}/`, import.meta.url);
  const json = (file: string) => JSON.parse(readFileSync(new URL(file, url), 'utf8'));
  const names = readdirSync(url)
    .filter((file) => file.endsWith('.in.json'))
    .map((file) => file.slice(0, -'.in.json'.length));
  return { names, json };
};
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('orders', () => {
  const { names, json } = casesIn('orders');

  it('has golden pairs', () => expect(names).toHaveLength(18));

  it.each(names)('%s', (name) => {
    const { order, refs, reference, route } = json(`${name}.in.json`);
    expect(plain(toWire(order, refs, reference, route))).toEqual(json(`${name}.out.json`));
  });
});

describe('refunds', () => {
  const { names, json } = casesIn('refunds');

  it('has golden pairs', () => expect(names).toHaveLength(3));

  it.each(names)('%s', (name) => {
    const { request, refs } = json(`${name}.in.json`);
    const parts = refundParts(request.order, request.refund);
    expect(plain(refundToWire({ ...request, parts }, refs))).toEqual(json(`${name}.out.json`));
  });
});

it('an amount that no unit price meets is split into two adjacent ones', () => {
  const { json } = casesIn('orders');
  const { order, refs, reference, route } = json('does-not-divide.in.json');
  const [line] = order.lines;
  const lines = [{ ...line, quantity: 7, total: { minor: 10000, currency: 'EUR' } }];
  const digits = { ...refs, lines: [refs.lines[0]], priceDigits: 2 };
  const { value } = toWire({ ...order, lines }, digits, reference, route);
  expect(
    value.values.lines[0][1].map(({ quantity, unit_price }) => `${quantity} x ${unit_price.decimal}`),
  ).toEqual(['4 x 14.29', '3 x 14.28']);
});

it.each([
  ['Asia/Taipei', '2026-11-21T15:59:59Z', '2026-11-21'],
  ['Asia/Taipei', '2026-11-21T16:00:00Z', '2026-11-22'],
  ['America/New_York', '2026-11-22T04:59:59Z', '2026-11-21'],
  ['UTC', '2026-11-22T00:00:00+08:00', '2026-11-21'],
])('the calendar of %s shows %s as %s', (zone, iso, day) => expect(dayIn(zone, iso)).toBe(day));

describe('a refund', () => {
  const { json } = casesIn('refunds');
  const refund = (
    name: string,
    change: { request?: object; order?: object; refund?: object; refs?: object } = {},
  ) => {
    const { request, refs } = json(`${name}.in.json`);
    const order = { ...request.order, ...change.order };
    const given = { ...request.refund, ...change.refund };
    const parts = refundParts(order, given);
    return refundToWire(
      { ...request, ...change.request, order, refund: given, parts },
      { ...refs, ...change.refs },
    ).value;
  };
  const products = ({ values }: ReturnType<typeof refund>) =>
    values.lines[0][1].map(({ product, description }) => `${product} ${description.split('\n')[0]}`);

  it('for no line is called a refund where the shop gives no reason', () => {
    const given = refund('shipping-and-an-amount', { refund: { reason: '' } });
    expect(products(given)).toEqual(['77 Standard shipping', '91 Refund']);
    expect(given.values.comment).toBe('');
  });

  it('waits for a product that stands for what names no line', () => {
    expect(() => refund('shipping-and-an-amount', { refs: { fee: { sku: 'FEE' } } })).toThrow(
      expect.objectContaining({
        code: 'MISSING_SERVICE_PRODUCT',
        params: { purpose: 'fee', sku: 'FEE', destination: 'acme-tryton' },
      }),
    );
  });

  it('finds the line that is given back among others', () => {
    const { request, refs } = json('one-piece-back-on-the-shelf.in.json');
    const [line] = request.order.lines;
    const [components] = refs.lines;
    const mug = { ...line, id: '2', sku: 'B', title: 'Mug', attributes: [] };
    const given = refund('one-piece-back-on-the-shelf', {
      order: { lines: [mug, line] },
      refs: { lines: [{ components: [{ id: 42, unit: 1, sku: 'B', quantity: 1, share: 1 }] }, components] },
    });
    expect(products(given)).toEqual(['41 T-Shirt red, M']);
  });

  it('finds the charge that is given back among others', () => {
    const { request, refs } = json('shipping-and-an-amount.in.json');
    const [charge] = request.order.charges;
    const given = refund('shipping-and-an-amount', {
      order: { charges: [{ ...charge, id: '10', title: 'Express' }, charge] },
      refs: { charges: [{ id: 78, unit: 1 }, ...refs.charges] },
    });
    expect(products(given)).toEqual(['77 Standard shipping', '91 Late']);
  });

  it.each<[string, object, string]>([
    ['what is back on the shelf', {}, 'order'],
    ['not what stays with the buyer', { restock: false }, 'manual'],
    ['not what the shop says nothing of', { restock: undefined }, 'manual'],
    ['not money without pieces', { quantity: 0 }, 'manual'],
  ])('is expected in the warehouse: %s', (_case, change, method) => {
    const { request } = json('one-piece-back-on-the-shelf.in.json');
    const [line] = request.refund.lines;
    const given = refund('one-piece-back-on-the-shelf', { refund: { lines: [{ ...line, ...change }] } });
    expect(given.values.shipment_method).toBe(method);
  });

  it('is expected in the warehouse if one of two lines is', () => {
    const { request, refs } = json('one-piece-back-on-the-shelf.in.json');
    const [line] = request.order.lines;
    const [back] = request.refund.lines;
    const given = refund('one-piece-back-on-the-shelf', {
      order: { lines: [line, { ...line, id: '2' }] },
      refund: {
        lines: [{ ...back, lineId: '2', restock: false }, back],
        total: { minor: 4284, currency: 'EUR' },
      },
      refs: { lines: [...refs.lines, ...refs.lines] },
    });
    expect(given.values.shipment_method).toBe('order');
    expect(given.values.lines[0][1].map(({ quantity }) => quantity)).toEqual([-1, -1]);
  });

  it('has no customer who does not exist yet', () => {
    const given = refund('one-piece-back-on-the-shelf', { refs: { customer: {} } });
    for (const key of ['party', 'invoice_address', 'shipment_address']) {
      expect(given.values).not.toHaveProperty(key);
    }
  });

  it.each([
    ['credit-note', true],
    ['draft-credit-note', false],
  ])('is posted if the route wants credit notes: %s', (refunds, post) => {
    const { request } = json('one-piece-back-on-the-shelf.in.json');
    const given = refund('one-piece-back-on-the-shelf', {
      request: { route: { ...request.route, refunds, lockedPeriod: 'next-open-day' } },
    });
    expect(given).toMatchObject({ post, lockedPeriod: 'next-open-day' });
  });
});

describe('what decides about a sale', () => {
  const { json } = casesIn('orders');
  const wireOf = (name: string, change: { order?: object; refs?: object; route?: object } = {}) => {
    const { order, refs, reference, route } = json(`${name}.in.json`);
    return toWire({ ...order, ...change.order }, { ...refs, ...change.refs }, reference, {
      ...route,
      ...change.route,
    });
  };
  const eur = (minor: number) => ({ minor, currency: 'EUR' });
  const sevenFor = (minor: number) => {
    const { order, refs } = json('does-not-divide.in.json');
    const [line] = order.lines;
    return {
      order: {
        lines: [
          { ...line, quantity: 7, subtotal: eur(minor), discount: eur(0), total: eur(minor), taxes: [] },
        ],
        charges: [],
        total: eur(minor),
        rounding: eur(0),
      },
      refs: { ...refs, lines: [refs.lines[0]], charges: [], priceDigits: 2 },
    };
  };
  const pieces = ({ value }: ReturnType<typeof wireOf>) =>
    value.values.lines[0][1].map(({ quantity, unit_price }) => `${quantity} x ${unit_price.decimal}`);

  it('taxes are in the order of their ids, whatever order the shop has', () => {
    const { order, refs } = json('tax-exclusive.in.json');
    const [line] = order.lines;
    const [tax] = line.taxes;
    const taxes = ['a', 'b', '1', 'gone'].map((key) => ({ ...tax, key }));
    const { value } = wireOf('tax-exclusive', {
      order: { lines: [{ ...line, taxes }], charges: [] },
      refs: { taxes: { ...refs.taxes, a: 11, b: 9 } },
    });
    expect(value.values.lines[0][1].map((each) => each.taxes)).toEqual([[['add', [4, 9, 11]]]]);
  });

  it.each<[string, number, number, string[], string]>([
    ['a cent that is left is borne by the rounding line', 1, 9997, ['7 x 14.28'], '0.02'],
    [
      'a cent that is left is borne by a price where no tolerance is',
      0,
      9997,
      ['6 x 14.28', '1 x 14.29'],
      '0',
    ],
    ['more than a cent is borne by prices', 1, 10000, ['4 x 14.29', '3 x 14.28'], '0.02'],
    ['nothing is left', 0, 9996, ['7 x 14.28'], '0'],
  ])('%s', (_case, roundingTolerance, minor, expected, tolerance) => {
    const { order, refs } = sevenFor(minor);
    const wire = wireOf('does-not-divide', { order, refs, route: { roundingTolerance } });
    expect(pieces(wire)).toEqual(expected);
    expect(wire.value.expected.tolerance).toBe(tolerance);
  });

  it('what no price can meet is said, and how much may be off', () => {
    const { order, refs } = sevenFor(10000);
    const [line] = order.lines;
    const wire = wireOf('does-not-divide', {
      order: { ...order, lines: [{ ...line, quantity: 0.3 }] },
      refs: { ...refs, priceDigits: 0 },
      route: { roundingTolerance: 1 },
    });
    expect(wire.warnings).toEqual([
      `Line 1 ("${line.title}") has no exact unit price with the 0 decimals of acme-tryton.`,
    ]);
  });

  it('a currency that the books round coarser is said', () => {
    const { refs } = json('tax-exclusive.in.json');
    const wire = wireOf('tax-exclusive', { refs: { currency: { ...refs.currency, rounding: '1' } } });
    expect(wire.warnings).toContain('acme-tryton rounds EUR to 1: 70.15 EUR is booked as 70.');
    expect(wire.value.expected.erpTotal).toBe('70');
  });

  it.each<[string, object, string[]]>([
    ['both addresses', { partyId: 44, invoiceAddressId: 31, shipmentAddressId: 32 }, []],
    ['no address to invoice', { partyId: 44, shipmentAddressId: 32 }, ['An address']],
    ['no address to deliver', { partyId: 44, invoiceAddressId: 31 }, ['An address']],
    ['nobody', {}, ['The customer']],
  ])('a customer who is not there yet is said: %s', (_case, customer, said) => {
    const { value, warnings } = wireOf('tax-exclusive', { refs: { customer } });
    expect(warnings.map((text) => said.find((start) => text.startsWith(start)) ?? text)).toEqual(said);
    const { partyId, invoiceAddressId, shipmentAddressId } = customer as Record<string, number>;
    for (const [key, id] of Object.entries({
      party: partyId,
      invoice_address: invoiceAddressId,
      shipment_address: shipmentAddressId,
    })) {
      if (id === undefined) expect(value.values).not.toHaveProperty(key);
      else expect(value.values).toHaveProperty(key, id);
    }
  });

  it('what the route does not choose is left to Tryton', () => {
    const { value } = wireOf('tax-exclusive', { refs: { warehouseId: undefined, paymentTermId: undefined } });
    for (const key of ['warehouse', 'payment_term', 'shipping_date']) {
      expect(value.values).not.toHaveProperty(key);
    }
  });
});
