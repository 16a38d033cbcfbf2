import * as z from 'zod';

/** Types that JSON does not have, as Tryton writes them (trytond/protocols/jsonrpc.py). */
export interface TrytonDecimal {
  readonly __class__: 'Decimal';
  readonly decimal: string;
}

export interface TrytonDate {
  readonly __class__: 'date';
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export const decimal = (value: string): TrytonDecimal => ({ __class__: 'Decimal', decimal: value });

/** @example trytonDate('2026-11-21') */
export const trytonDate = (day: string): TrytonDate => {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  return { __class__: 'date', year, month, day: date };
};

export interface TrytonDatetime {
  readonly __class__: 'datetime';
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
}

/** UTC, as Tryton keeps `write_date` and `create_date`. */
export const trytonDatetime = (ms: number): TrytonDatetime => {
  const at = new Date(ms);
  return {
    __class__: 'datetime',
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    microsecond: at.getUTCMilliseconds() * 1000,
  };
};

/** Read as its digits. */
export const Decimal = z
  .looseObject({ __class__: z.literal('Decimal'), decimal: z.string() })
  .transform(({ decimal: digits }) => digits);

/** Read as `YYYY-MM-DD`. */
export const Day = z
  .looseObject({ __class__: z.literal('date'), year: z.int(), month: z.int(), day: z.int() })
  .transform(({ year, month, day }) =>
    [String(year).padStart(4, '0'), ...[month, day].map((part) => String(part).padStart(2, '0'))].join('-'),
  );

/** SQLite has no booleans: 1 and 0 (observed on Tryton 6.0). */
export const Flag = z.union([z.boolean(), z.literal([0, 1])]).transform(Boolean);

/** Absent texts are null. */
export const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? '');

export const Id = z.int().positive();
