import { createHmac, timingSafeEqual } from 'node:crypto';

export type SignatureProblem = 'SIGNATURE_MISSING' | 'SIGNATURE_MALFORMED' | 'SIGNATURE_WRONG';

const SHA256_BYTES = 32;

/**
 * What is wrong with an HMAC-SHA256 signature over `raw`; undefined: nothing, it is one of `secrets`'.
 * @param raw the body exactly as received: parsed and written again, or still base64, it will not match
 * @param header the signature as sent, in its canonical encoding; undefined or empty: there is none
 * @param secrets any of them may have signed (two while one replaces the other)
 * @throws RangeError no usable secret: a missing setting must never mean "accept"
 */
export const signatureProblem = (
  raw: Uint8Array,
  header: string | undefined,
  secrets: readonly string[],
  encoding: 'base64' | 'hex' = 'base64',
): SignatureProblem | undefined => {
  if (secrets.length === 0 || secrets.some((secret) => secret.trim() === '')) {
    throw new RangeError('webhook secret missing');
  }
  if (!header) return 'SIGNATURE_MISSING';
  const given = Buffer.from(header, encoding);
  // Node decodes leniently (blanks, URL-safe letters, missing padding): only the canonical text passes. The
  // length comes first because timingSafeEqual throws on two lengths.
  if (given.length !== SHA256_BYTES || given.toString(encoding) !== header) return 'SIGNATURE_MALFORMED';
  const matches = secrets
    .map((secret) => timingSafeEqual(given, createHmac('sha256', secret).update(raw).digest()))
    .includes(true);
  return matches ? undefined : 'SIGNATURE_WRONG';
};
