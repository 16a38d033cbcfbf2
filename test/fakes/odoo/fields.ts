import type { Field } from './orm.ts';

export const char = (string: string, more: Partial<Field> = {}): Field => ({ type: 'char', string, ...more });
export const number = (string: string, more: Partial<Field> = {}): Field => ({
  type: 'float',
  string,
  ...more,
});
export const flag = (string: string, value = false): Field => ({
  type: 'boolean',
  string,
  default: () => value,
});
export const many2one = (relation: string, string: string, more: Partial<Field> = {}): Field => ({
  type: 'many2one',
  relation,
  string,
  ...more,
});
export const many2many = (relation: string, string: string): Field => ({
  type: 'many2many',
  relation,
  string,
});
export const one2many = (relation: string, inverse: string, string: string): Field => ({
  type: 'one2many',
  relation,
  inverse,
  string,
});
export const computed = (
  type: Field['type'],
  string: string,
  get: NonNullable<Field['get']>,
  more: Partial<Field> = {},
) => ({
  type,
  string,
  readonly: true,
  get,
  ...more,
});
