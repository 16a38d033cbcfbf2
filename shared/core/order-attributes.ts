import type { OrderLine } from '../events/order-changed.ts';

/** An attribute longer than this is an app's private storage, not something a person reads. */
const ATTRIBUTE_CHARS = 4000;

/** Text of a string, number or boolean; undefined for everything else. */
export const scalar = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;

/**
 * Entries that people see: storefronts hide those whose key starts with "_", and so do we. What is empty, no scalar
 * or too long is left out, the last with a warning.
 */
export const orderAttributes = (
  entries: readonly (readonly [name: string, value: unknown, key: string])[],
  path: string,
  warnings: string[],
): OrderLine['attributes'] =>
  entries.flatMap(([name, value, key]) => {
    const text = scalar(value);
    if (!name || key.startsWith('_') || name.startsWith('_') || !text?.trim()) return [];
    if (text.length > ATTRIBUTE_CHARS) {
      warnings.push(`${path} "${key}" is longer than ${ATTRIBUTE_CHARS} characters: left out`);
      return [];
    }
    return [{ name, value: text }];
  });
