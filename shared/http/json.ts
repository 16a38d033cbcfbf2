import type * as z from 'zod';

/**
 * JSON as peers write it. Integers beyond 2^53 (64-bit ids) become strings instead of losing their last digits.
 * @throws SyntaxError
 * @throws RangeError nested too deep
 */
export const parseJson = (text: string): unknown =>
  JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? context?.source
      : value,
  );

/** What the text holds, see `parseJson`; undefined when it is no JSON. */
export const jsonOf = (text: string): unknown => {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
};

/** Strict UTF-8; undefined when the bytes are none. */
export const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** The first thing that does not fit: where, and what. Names fields and types, never values. */
export const firstProblem = (error: z.ZodError): string => problems(error, 1);

/** As many of the things that do not fit, for a sender who can mend them all at once. */
export const problems = ({ issues }: z.ZodError, most: number): string => {
  const told = issues.slice(0, most).map(({ path, message }) => {
    const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
    return `${place.replace(/^\./, '') || 'body'}: ${message}`;
  });
  const untold = most > 1 && issues.length > most ? [`and ${issues.length - most} more`] : [];
  return [...told, ...untold].join('; ') || 'unknown problem';
};
