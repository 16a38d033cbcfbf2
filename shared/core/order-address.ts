import type { OrderAddress } from '../events/order-changed.ts';
import { optionals } from './optionals.ts';
import { personName } from './person-name.ts';

/** Texts as a storefront sends them; '' where absent. */
export interface AddressTexts extends Record<Exclude<keyof OrderAddress, 'name'>, string> {
  readonly first: string;
  readonly last: string;
}

/** undefined: nothing in it. A country that is no code is left out with a warning; `path` names the field. */
export const orderAddress = (
  { first, last, ...texts }: AddressTexts,
  path: string,
  warnings: string[],
): OrderAddress | undefined => {
  const country = texts.country.trim().toUpperCase();
  const isCode = /^[A-Z]{2}$/.test(country);
  if (country && !isCode) warnings.push(`${path} is no ISO 3166-1 alpha-2 code: left out`);
  const value = optionals({
    name: personName(first, last),
    company: texts.company.trim(),
    line1: texts.line1.trim(),
    line2: texts.line2.trim(),
    city: texts.city.trim(),
    region: texts.region.trim(),
    postcode: texts.postcode.trim(),
    country: isCode ? country : undefined,
    phone: texts.phone.trim(),
  });
  return Object.keys(value).length > 0 ? value : undefined;
};
