import { createHash } from 'node:crypto';

/**
 * 32 hexadecimal characters that change when the content does: SHA-256 over JSON with sorted keys, so the
 * order in which keys were set does not matter. The order of arrays does; undefined values count as absent.
 */
export const stableHash = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32);

const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  ) ?? 'null';
