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
