import { describe, expect, it } from 'vitest';
import type { ErpProduct } from '../../../../shared/connectors/stock-contract.ts';
import { heldBecause, priceAt, priceForShop } from '../../../../shared/core/products/price.ts';

const money = (minor: number, currency = 'EUR') => ({ minor, currency });
const product = (rest: Partial<ErpProduct> = {}): ErpProduct => ({
  sku: 'A',
  title: 'Mug',
  status: 'active',
  price: money(1_000),
  priceIncludesTax: false,
  taxPercent: '21',
  ...rest,
});
const gross = { price: money(1), priceIncludesTax: true };
const net = { price: money(1), priceIncludesTax: false };

describe('priceForShop', () => {
  it.each([
    ['as it is where both leave tax out', product(), net, 1_000],
    ['with tax where the shop counts it in', product(), gross, 1_210],
    [
      'without tax where only the ERP counts it in',
      product({ price: money(1_210), priceIncludesTax: true }),
      net,
      1_000,
    ],
    ['rounded half up', product({ price: money(1_050), taxPercent: '5' }), gross, 1_103],
    ['with a tax of a fraction', product({ price: money(10_000), taxPercent: '7.25' }), gross, 10_725],
    [
      'in whole units where the currency has no others',
      product({ price: money(99, 'JPY'), taxPercent: '10' }),
      { price: money(1, 'JPY'), priceIncludesTax: true },
      109,
    ],
    [
      "in the ERP's way where the shop does not say",
      product(),
      { price: money(1), priceIncludesTax: undefined },
      1_000,
    ],
    ['also where the shop shows none yet', product(), { price: undefined, priceIncludesTax: true }, 1_210],
    ['zero, which the guard looks at', product({ price: money(0) }), gross, 0],
  ])('%s', (_, of, shop, minor) => {
    expect(priceForShop(of, shop)).toMatchObject({ kind: 'price', price: { minor }, warnings: [] });
  });

  it.each([
    ['NO_PRICE', product({ price: undefined }), gross],
    ['NEGATIVE_PRICE', product({ price: money(-1) }), gross],
    ['CURRENCY_DIFFERS', product(), { price: money(1, 'USD'), priceIncludesTax: true }],
    ['TAX_UNKNOWN', product({ taxPercent: undefined }), gross],
  ])('none: %s', (problem, of, shop) => {
    expect(priceForShop(of, shop)).toEqual({ kind: 'none', problem });
  });

  it('takes a sale the same way, with its dates', () => {
    const sale = { price: money(800), from: '2026-11-27T00:00:00Z', until: '2026-12-01T00:00:00Z' };
    expect(priceForShop(product({ sale }), gross)).toEqual({
      kind: 'price',
      price: money(1_210),
      sale: { ...sale, price: money(968) },
      warnings: [],
    });
  });

  it.each([
    ['as high as the price', money(1_000)],
    ['higher', money(1_100)],
    ['in another currency', money(800, 'USD')],
    ['below zero', money(-1)],
  ])('leaves out a sale that is %s, and says so', (_, price) => {
    const result = priceForShop(product({ sale: { price } }), net);
    if (result.kind !== 'price') return expect.fail('it has a price');
    const { sale, warnings } = result;
    expect(sale).toBeUndefined();
    expect(warnings).toHaveLength(1);
  });
});

describe('priceAt', () => {
  const from = '2026-11-27T00:00:00Z';
  const until = '2026-12-01T00:00:00Z';
  const of = (sale?: object) => ({
    price: money(1_000),
    ...(sale && { sale: { price: money(800), ...sale } }),
  });
  it.each([
    ['no sale', of(), from, 1_000],
    ['before it begins', of({ from }), '2026-11-26T23:59:59Z', 1_000],
    ['when it begins', of({ from }), from, 800],
    ['when it ends', of({ from, until }), until, 1_000],
    ['just before', of({ from, until }), '2026-11-30T23:59:59Z', 800],
    ['without dates', of({}), from, 800],
  ])('%s', (_, price, at, minor) => {
    expect(priceAt(price, Date.parse(at)).minor).toBe(minor);
  });
});

describe('heldBecause', () => {
  it.each([
    ['a small drop', 1_000, 701, undefined],
    ['exactly the limit', 1_000, 700, undefined],
    ['more than that', 1_000, 699, 'PRICE_DROP'],
    ['to zero', 1_000, 0, 'PRICE_ZERO'],
    ['zero stays zero', 0, 0, undefined],
    ['up from zero', 0, 500, undefined],
    ['a rise', 1_000, 5_000, undefined],
    ['a first price', undefined, 1, undefined],
    ['a first price of zero', undefined, 0, 'PRICE_ZERO'],
  ])('%s', (_, was, is, code) => {
    expect(heldBecause(was === undefined ? undefined : money(was), money(is), 0.3)).toBe(code);
  });
});
