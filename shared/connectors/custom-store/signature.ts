import { createPublicKey, verify as edVerify, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { decodeUtf8 } from '../../http/json.ts';
import type { Delivery, SignatureProblem } from '../contract.ts';
import { SigningKey } from './manifest.ts';

/** The value that the reference libraries of Standard Webhooks use. */
const TOLERANCE_S = 5 * 60;

/** Length of a signature by version: HMAC-SHA256, Ed25519. */
const SIGNATURE_BYTES = new Map([
  ['v1', 32],
  ['v1a', 64],
]);

/**
 * What is wrong with a delivery signed as Standard Webhooks asks; undefined: nothing, one of `keys` signed it.
 *
 * The package computes the signature; time and comparison are ours, because its own `verify` looks at the
 * machine's clock, reads a timestamp as leniently as parseInt, and takes bytes that are no UTF-8 for others.
 * @param keys `whsec_…` (HMAC-SHA256, v1) or `whpk_…` (Ed25519, v1a); any may have signed
 * @throws RangeError no key, or one that is none: a missing setting must never mean "accept"
 */
export const signatureProblem = (
  { headers, body }: Delivery,
  keys: readonly string[],
  nowMs: number,
): SignatureProblem | undefined => {
  if (keys.length === 0 || !keys.every((key) => SigningKey.safeParse(key).success)) {
    // Bytes that everybody knows, or none, would sign for everybody.
    throw new RangeError('webhook secret missing or no signing key');
  }
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const header = headers['webhook-signature'];
  if (!id || !timestamp || !header) return 'SIGNATURE_MISSING';
  // What is signed is `id.timestamp.body`: a dot in the id would let parts be moved from one to the other.
  if (id.includes('.') || !/^[1-9]\d{0,11}$/.test(timestamp)) return 'SIGNATURE_MALFORMED';
  const signatures = header.split(' ').flatMap(parseSignature);
  if (signatures.length === 0) return 'SIGNATURE_MALFORMED';
  const message = { id, timestampS: Number(timestamp), body: Buffer.from(body) };
  const matches = keys
    .flatMap((key) => signatures.map((signature) => isSignedBy(key, message, signature)))
    .includes(true);
  if (!matches || decodeUtf8(body) === undefined) return 'SIGNATURE_WRONG';
  const ageS = nowMs / 1000 - message.timestampS;
  return Math.abs(ageS) > TOLERANCE_S ? 'TIMESTAMP_OUT_OF_TOLERANCE' : undefined;
};

interface Signature {
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** Only canonical base64 of the right length: Node decodes leniently, and timingSafeEqual throws on two lengths. */
const parseSignature = (text: string): Signature[] => {
  const [version = '', encoded = '', ...rest] = text.split(',');
  const bytes = Buffer.from(encoded, 'base64');
  const isCanonical = bytes.toString('base64') === encoded && rest.length === 0;
  return isCanonical && bytes.length === SIGNATURE_BYTES.get(version) ? [{ version, bytes }] : [];
};

const isSignedBy = (
  key: string,
  { id, timestampS, body }: { readonly id: string; readonly timestampS: number; readonly body: Buffer },
  { version, bytes }: Signature,
): boolean => {
  const isPublic = key.startsWith('whpk_');
  if ((version === 'v1a') !== isPublic) return false;
  if (!isPublic) {
    const wanted = new Webhook(key).sign(id, new Date(timestampS * 1000), body).replace(/^v1,/, '');
    return timingSafeEqual(bytes, Buffer.from(wanted, 'base64'));
  }
  const x = Buffer.from(key.slice('whpk_'.length), 'base64').toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return edVerify(null, Buffer.concat([Buffer.from(`${id}.${timestampS}.`), body]), publicKey, bytes);
};
