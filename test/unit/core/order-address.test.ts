import { expect, it } from 'vitest';
import { orderAddress } from '../../../shared/core/order-address.ts';

const NOTHING = {
  first: '',
  last: '',
  company: '',
  line1: '',
  line2: '',
  city: '',
  region: '',
  postcode: '',
  country: '',
  phone: '',
};
const address = (texts: Partial<typeof NOTHING>) => {
  const warnings: string[] = [];
  return { value: orderAddress({ ...NOTHING, ...texts }, 'billing.country', warnings), warnings };
};

it('blanks around what people typed are no part of it', () => {
  const blank = Object.fromEntries(Object.keys(NOTHING).map((key) => [key, ` ${key} `]));
  expect(address({ ...blank, country: ' tw ' })).toEqual({
    value: {
      name: 'first last',
      company: 'company',
      line1: 'line1',
      line2: 'line2',
      city: 'city',
      region: 'region',
      postcode: 'postcode',
      country: 'TW',
      phone: 'phone',
    },
    warnings: [],
  });
});

it.each([{}, { city: ' ' }, { first: ' ', last: ' ' }])('nothing in it is no address: %j', (texts) => {
  expect(address(texts)).toEqual({ value: undefined, warnings: [] });
});

it.each(['Taiwan', 'TWN', 'T1'])('%s is no country', (country) => {
  expect(address({ city: 'Taipei', country })).toEqual({
    value: { city: 'Taipei' },
    warnings: ['billing.country is no ISO 3166-1 alpha-2 code: left out'],
  });
});
