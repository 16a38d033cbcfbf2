import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refundToWire } from '../../../shared/connectors/odoo/refunds.mapper.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { refundParts } from '../../../shared/core/refund-parts.ts';

const GOLDEN = new URL('../../golden/odoo/refunds/', import.meta.url);
const json = (file: string) => JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8'));
const cases = readdirSync(GOLDEN)
  .filter((file) => file.endsWith('.in.json'))
  .map((file) => file.slice(0, -'.in.json'.length));

const wireOf = ({ request, refs }: ReturnType<typeof json>) =>
  refundToWire({ ...request, parts: refundParts(request.order, request.refund) }, refs);

it('has golden pairs', () => expect(cases).toHaveLength(3));

it.each(cases)('%s', (name) => {
  expect(JSON.parse(JSON.stringify(wireOf(json(`${name}.in.json`))))).toEqual(json(`${name}.out.json`));
});

describe('an amount for no line', () => {
  const pair = () => json('shipping-and-an-amount.in.json');

  it('is called a refund where the shop gives no reason', () => {
    const { request, refs } = pair();
    const { value } = wireOf({ request: { ...request, refund: { ...request.refund, reason: '' } }, refs });
    expect(value.vals.invoice_line_ids.map(([, , { name }]) => name)).toEqual([
      'Standard shipping',
      'Refund',
    ]);
  });

  it.each([
    [{ sku: 'FEE' }, 'FEE'],
    [undefined, ''],
  ])('waits for a product that stands for it: %j', (fee, sku) => {
    const { request, refs } = pair();
    const asked = () => wireOf({ request, refs: { ...refs, fee } });
    expect(asked).toThrow(PermanentError);
    expect(asked).toThrow(
      expect.objectContaining({
        code: 'MISSING_SERVICE_PRODUCT',
        params: { purpose: 'fee', sku, destination: 'acme-odoo' },
      }),
    );
  });
});

it('a charge that the order booked without a product is given back as a fee', () => {
  const { request, refs } = json('shipping-and-an-amount.in.json');
  const { value } = wireOf({ request, refs: { ...refs, charges: [null] } });
  expect(value.vals.invoice_line_ids.map(([, , line]) => line.product_id)).toEqual([91, 91]);
});

it('finds the line and the charge that are given back among others', () => {
  const { request, refs } = json('one-piece-back-on-the-shelf.in.json');
  const [line] = request.order.lines;
  const other = { ...line, id: '2', sku: 'B', title: 'Mug', attributes: [] };
  const order = { ...request.order, lines: [other, line] };
  const components = (productId: number, sku: string) => ({
    components: [{ productId, sku, quantity: 1, share: 1 }],
  });
  const { value } = wireOf({
    request: { ...request, order },
    refs: { ...refs, lines: [components(42, 'B'), components(41, 'A')] },
  });
  expect(value.vals.invoice_line_ids).toMatchObject([[0, 0, { product_id: 41, price_unit: 18 }]]);

  const shipping = json('shipping-and-an-amount.in.json');
  const [charge] = shipping.request.order.charges;
  const express = { ...charge, id: '10', title: 'Express' };
  const given = wireOf({
    request: { ...shipping.request, order: { ...shipping.request.order, charges: [express, charge] } },
    refs: { ...shipping.refs, charges: [78, 77] },
  });
  expect(given.value.vals.invoice_line_ids).toMatchObject([
    [0, 0, { product_id: 77, name: 'Standard shipping' }],
    [0, 0, { product_id: 91 }],
  ]);
});

it('is addressed to whom the order is invoiced, or to its customer, or to nobody yet', () => {
  const { request, refs } = json('one-piece-back-on-the-shelf.in.json');
  const addressed = (customer: object) => {
    const { vals } = wireOf({ request, refs: { ...refs, customer } }).value;
    return [vals.partner_id, vals.partner_shipping_id];
  };
  expect(addressed({ partnerId: 44, invoiceId: 45, shippingId: 46 })).toEqual([45, 46]);
  expect(addressed({ partnerId: 44 })).toEqual([44, undefined]);
});

it('a locked period is dealt with as the route says', () => {
  const { request, refs } = json('one-piece-back-on-the-shelf.in.json');
  const route = { ...request.route, lockedPeriod: 'next-open-day' };
  expect(wireOf({ request: { ...request, route }, refs }).value.lockedPeriod).toBe('next-open-day');
});

it('taxes are said in the field that this Odoo has', () => {
  const { request, refs } = json('one-piece-back-on-the-shelf.in.json');
  const fields = { ...refs.fields, taxes: 'tax_ids' };
  expect(wireOf({ request, refs: { ...refs, fields } }).value.vals.invoice_line_ids).toMatchObject([
    [0, 0, { tax_ids: [[6, 0, [4]]] }],
  ]);
});
