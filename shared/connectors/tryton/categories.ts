import * as z from 'zod';
import { Text } from './json.ts';

/** Of `product.product`. */
export const CATEGORY_FIELDS = [
  'template.categories.rec_name',
  'template.account_category.rec_name',
] as const;

const Named = z.looseObject({ rec_name: Text });

/** What these fields are read as, of a template. */
export const Categories = { 'categories.': z.array(Named), 'account_category.': Named.nullish() };

/** By full name: the first of its categories, else the one by which it is booked. */
export const categoryOf = (template: {
  readonly 'categories.': readonly { readonly rec_name: string }[];
  readonly 'account_category.'?: { readonly rec_name: string } | null | undefined;
}): string | undefined =>
  template['categories.'][0]?.rec_name || template['account_category.']?.rec_name || undefined;
