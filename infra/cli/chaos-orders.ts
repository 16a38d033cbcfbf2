import type { FakeOrderSpec } from '../../test/fakes/woocommerce.ts';

/** A repeatable generator of numbers from 0 to 1 (mulberry32): the same seed plays the same run. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

export const CHAOS_PRODUCTS = [
  { sku: 'TEA-OOL-150', name: '高山烏龍茶 Oolong 150g', price: 420 },
  { sku: 'MUG-TH-01', name: 'แก้วเซรามิก “Siam”', price: 149.5 },
  { sku: 'CUP-JP-02', name: '湯呑み', price: 500 },
  { sku: 'TEE-M-NAVY', name: 'T-Shirt M navy', price: 1180 },
  { sku: 'PIN-07', name: 'Pin', price: 33.33 },
];

/** One currency, tax and spelling of names per country; the rates are the shop's. */
const COUNTRIES = [
  { country: 'TW', currency: 'USD', city: '台北市', names: ['小明 王', '美玲 陳', '志豪 林'] },
  { country: 'TH', currency: 'THB', city: 'กรุงเทพมหานคร', names: ['สมชาย ใจดี', 'มาลี สุขใจ'] },
  { country: 'JP', currency: 'JPY', city: '千代田区', names: ['太郎 試験', '花子 見本'] },
] as const;

/** So few that many orders share a buyer: each must become one customer only. */
const BUYERS_PER_COUNTRY = 12;

/** A random order: one to four lines, coupons, fees, shipping, buyers who come back. */
export const randomOrder = (random: () => number): FakeOrderSpec => {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const { country, currency, city, names } = pick(COUNTRIES);
  const buyer = below(BUYERS_PER_COUNTRY);
  const [first_name = '', last_name = ''] = (names[buyer % names.length] ?? '').split(' ');
  // A currency without decimals: prices that stay whole after ten per cent off and ten per cent tax.
  const products =
    currency === 'JPY' ? CHAOS_PRODUCTS.filter(({ price }) => price % 100 === 0) : CHAOS_PRODUCTS;
  const lines = Array.from({ length: 1 + below(4) }, () => ({
    sku: pick(products).sku,
    quantity: 1 + below(5),
  }));
  return {
    via: pick(['checkout', 'rest-api'] as const),
    currency,
    lines,
    ...(random() < 0.3 ? { coupons: ['welcome10'] } : {}),
    ...(random() < 0.2 ? { fees: [{ name: 'Gift wrap', total: '20.00', taxable: true }] } : {}),
    ...(random() < 0.7 ? { shipping: { method: 'flat_rate', title: 'Standard', total: '60.00' } } : {}),
    paymentMethod: 'stripe',
    paid: true,
    billing: {
      first_name,
      last_name,
      address_1: `${buyer + 1} Example Road`,
      city,
      postcode: '100',
      country,
      email: `buyer-${country.toLowerCase()}-${buyer}@example.test`,
    },
  };
};
