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
