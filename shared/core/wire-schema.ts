import Big from 'big.js';
import * as z from 'zod';

/**
 * Parts for the schemas of what peers send. Liberal on purpose: versions and plug-ins differ in whether an id or
 * an amount is a string or a number, and whether an absent text is "", null or missing. After parsing, texts are
 * strings ('' when absent), ids are strings (undefined when absent or 0), and amounts are plain decimal strings
 * without exponent or noise (undefined when absent).
 */

/** Optional, because zod refuses absent keys otherwise: what absence means is the transform's to say. */
export const Anything = z.unknown().optional();

const scalarText = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : '';

export const Text = Anything.transform(scalarText);

export const RequiredText = Anything.transform((value, context) => {
  const text = scalarText(value).trim();
  if (text === '') context.addIssue('missing');
  return text;
});

export const Id = Anything.transform((value) => {
  const text = scalarText(value).trim();
  return text === '' || text === '0' ? undefined : text;
});

export const RequiredId = Anything.transform((value, context) => {
  const text = scalarText(value).trim();
  if (text === '' || text === '0') context.addIssue('is no id');
  return text;
});

/** PHP writes floats as "1.0E-5"; JSON numbers carry noise such as 134.54999999999998. */
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?$/;
const NUMBER_DECIMALS = 8;

export const Decimal = Anything.transform((value, context): string | undefined => {
  if (value === null || value === undefined || value === false) return undefined;
  if (typeof value === 'number') return new Big(value).round(NUMBER_DECIMALS, Big.roundHalfUp).toFixed();
  const text = typeof value === 'string' ? value.trim() : undefined;
  if (text === '') return undefined;
  if (text === undefined || text.length > 40 || !DECIMAL.test(text)) {
    context.addIssue('is no decimal amount');
    return undefined;
  }
  return new Big(text).toFixed();
});

export const Quantity = Anything.transform((value, context) => {
  const text = scalarText(value).trim();
  const number = Number(text);
  if (text === '' || !Number.isFinite(number)) context.addIssue('is no number');
  return number;
});

export const Flag = Anything.transform((value) => [true, 1, '1', 'yes', 'true'].includes(value as string));

/** PHP writes an empty object as [] and an array with gaps as an object. */
const elements = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.values(value).filter((element) => element !== null && element !== undefined)
    : value;

/** A list that must be there, though it may be empty. */
export const RequiredList = <T extends z.ZodType>(item: T) =>
  Anything.transform(elements).pipe(z.array(item));

export const List = <T extends z.ZodType>(item: T) =>
  Anything.transform((value) =>
    value === null || value === undefined || value === '' || value === false ? [] : elements(value),
  ).pipe(z.array(item));

/** An object that may be absent: then all of its fields are. */
export const Part = <S extends z.ZodRawShape>(shape: S) =>
  Anything.transform((value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {},
  ).pipe(z.object(shape));
