import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../shared/connectors/contract.ts';
import { manifest } from '../../../shared/connectors/custom-store/manifest.ts';
import { signatureProblem } from '../../../shared/connectors/custom-store/signature.ts';
import { message, NOW_MS, OTHER_SECRET, payload, receive, SECRET, sign, signed } from './deliveries.ts';

interface Vector {
  readonly name: string;
  readonly key: string;
  readonly id: string;
  readonly timestamp: string;
  readonly body: string;
  readonly signature: string;
}

/** The first is published with the specification (and in its reference libraries); ours were computed with OpenSSL. */
const VECTORS = JSON.parse(
  readFileSync(new URL('../../fixtures/custom-store/signatures.json', import.meta.url), 'utf8'),
) as Vector[];
const vector = (index: number): Vector => {
  const found = VECTORS[index];
  if (!found) throw new Error(`there is no vector ${index}`);
  return found;
};
const delivery = (
  { id, timestamp, body, signature }: Vector,
  headers: Readonly<Record<string, string | undefined>> = {},
): Delivery => ({
  method: 'POST',
  headers: {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signature,
    ...headers,
  },
  body: Buffer.from(body),
});
const atItsTime = ({ timestamp }: Vector) => Number(timestamp) * 1000;
const problemOf = (given: Vector, headers: Readonly<Record<string, string | undefined>> = {}) =>
  signatureProblem(delivery(given, headers), [given.key], atItsTime(given));

const SPEC = vector(0);
const [, TEXT = ''] = SPEC.signature.split(',');

describe('vectors', () => {
  it.each(VECTORS.map((each) => [each.name, each] as const))('%s', (_name, given) => {
    expect(problemOf(given)).toBeUndefined();
  });

  it('the published one is what the standard says it is', () => {
    expect(SPEC).toMatchObject({
      key: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: '{"test": 2432232314}',
      signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('what the package signs, we verify; what we sign by hand, the package verifies', () => {
    const body = message(payload('twd-chinese-everything-said'));
    const signature = new Webhook(SECRET).sign('msg_1', new Date(NOW_MS), body);
    expect(signature).toBe(sign(body));
    expect(receive(signed(body, { 'webhook-signature': signature })).kind).toBe('order');
  });
});

describe('a header', () => {
  it.each([
    ['webhook-id', undefined, 'SIGNATURE_MISSING'],
    ['webhook-id', '', 'SIGNATURE_MISSING'],
    ['webhook-timestamp', undefined, 'SIGNATURE_MISSING'],
    ['webhook-timestamp', '', 'SIGNATURE_MISSING'],
    ['webhook-signature', undefined, 'SIGNATURE_MISSING'],
    ['webhook-signature', '', 'SIGNATURE_MISSING'],
    // Bound into the signature.
    ['webhook-id', 'msg_p5jXN8AQM9LWM0D4loKWxJeK', 'SIGNATURE_WRONG'],
    ['webhook-id', ` ${SPEC.id}`, 'SIGNATURE_WRONG'],
    ['webhook-timestamp', '1614265331', 'SIGNATURE_WRONG'],
    // `id.timestamp.body`: with a dot in the id, parts could be moved from one to the other.
    ['webhook-id', 'msg.1', 'SIGNATURE_MALFORMED'],
    // parseInt would take each of them for 1614265330.
    ['webhook-timestamp', '1614265330.0', 'SIGNATURE_MALFORMED'],
    ['webhook-timestamp', '1614265330x', 'SIGNATURE_MALFORMED'],
    ['webhook-timestamp', '01614265330', 'SIGNATURE_MALFORMED'],
    ['webhook-timestamp', '1614265330, 1614265330', 'SIGNATURE_MALFORMED'],
    ['webhook-timestamp', '-1614265330', 'SIGNATURE_MALFORMED'],
    ['webhook-timestamp', '1.6e9', 'SIGNATURE_MALFORMED'],
    ['webhook-timestamp', '1614265330000', 'SIGNATURE_MALFORMED'],
  ])('%s: %j', (name, value, problem) => {
    expect(problemOf(SPEC, { [name]: value })).toBe(problem);
  });
});

describe('a signature', () => {
  it.each([
    ['without a version', TEXT, 'SIGNATURE_MALFORMED'],
    ['version v2', `v2,${TEXT}`, 'SIGNATURE_MALFORMED'],
    ['version V1', `V1,${TEXT}`, 'SIGNATURE_MALFORMED'],
    ['of the asymmetric version', `v1a,${TEXT}`, 'SIGNATURE_MALFORMED'],
    ['as other standards write it', `v1=${TEXT}`, 'SIGNATURE_MALFORMED'],
    ['empty after the version', 'v1,', 'SIGNATURE_MALFORMED'],
    ['a version only', 'v1', 'SIGNATURE_MALFORMED'],
    [
      'a byte short',
      `v1,${Buffer.from(TEXT, 'base64').subarray(0, 31).toString('base64')}`,
      'SIGNATURE_MALFORMED',
    ],
    [
      'a byte long',
      `v1,${Buffer.concat([Buffer.from(TEXT, 'base64'), Buffer.of(0)]).toString('base64')}`,
      'SIGNATURE_MALFORMED',
    ],
    ['cut', SPEC.signature.slice(0, 20), 'SIGNATURE_MALFORMED'],
    ['without padding', SPEC.signature.replace('=', ''), 'SIGNATURE_MALFORMED'],
    ['URL-safe', SPEC.signature.replaceAll('+', '-').replaceAll('/', '_'), 'SIGNATURE_MALFORMED'],
    ['hexadecimal', `v1,${Buffer.from(TEXT, 'base64').toString('hex')}`, 'SIGNATURE_MALFORMED'],
    ['with a comma behind', `${SPEC.signature},`, 'SIGNATURE_MALFORMED'],
    ['of zeros', `v1,${Buffer.alloc(32).toString('base64')}`, 'SIGNATURE_WRONG'],
    [
      'by another secret',
      sign(SPEC.body, { id: SPEC.id, timestampS: 1614265330, secret: OTHER_SECRET }),
      'SIGNATURE_WRONG',
    ],
    ['of the body alone', sign(SPEC.body, { id: '', timestampS: 0 }), 'SIGNATURE_WRONG'],
  ])('%s', (_case, signature, problem) => {
    expect(problemOf(SPEC, { 'webhook-signature': signature })).toBe(problem);
  });

  it('several in one header: one of them is enough, in any place', () => {
    const wrong = `v1,${Buffer.alloc(32).toString('base64')}`;
    for (const header of [
      `${wrong} ${SPEC.signature}`,
      `${SPEC.signature} ${wrong}`,
      `v1a,AAAA v9,anything ${wrong} ${SPEC.signature}`,
    ]) {
      expect(problemOf(SPEC, { 'webhook-signature': header })).toBeUndefined();
    }
    expect(problemOf(SPEC, { 'webhook-signature': `${wrong} ${wrong}` })).toBe('SIGNATURE_WRONG');
    // Between them stands a blank, and nothing else.
    expect(problemOf(SPEC, { 'webhook-signature': `${wrong};${SPEC.signature}` })).toBe(
      'SIGNATURE_MALFORMED',
    );
  });

  it('of any bit changed, of the body or of itself, is refused', () => {
    const flipped = (bytes: Uint8Array, bit: number) =>
      Buffer.from(bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)));
    const body = Buffer.from(SPEC.body);
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const changed = { ...delivery(SPEC), body: flipped(body, bit) };
      expect(signatureProblem(changed, [SPEC.key], atItsTime(SPEC))).toBe('SIGNATURE_WRONG');
    }
    for (let bit = 0; bit < 256; bit += 1) {
      const signature = `v1,${flipped(Buffer.from(TEXT, 'base64'), bit).toString('base64')}`;
      expect(problemOf(SPEC, { 'webhook-signature': signature })).toBe('SIGNATURE_WRONG');
    }
  });

  it.each([
    ['one byte more', `${SPEC.body} `],
    ['parsed and written again', JSON.stringify(JSON.parse(SPEC.body))],
    ['still base64, as API Gateway hands it over', Buffer.from(SPEC.body).toString('base64')],
    ['empty', ''],
  ])('of another body: %s', (_case, body) => {
    expect(problemOf({ ...SPEC, body })).toBe('SIGNATURE_WRONG');
  });

  it('over bytes that are no UTF-8 is refused, though the package would take them for others', () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]);
    const asTheReplacement = sign('{\ufffd}');
    const sent = { ...signed('', { 'webhook-signature': asTheReplacement }), body: bytes };
    expect(signatureProblem(sent, [SECRET], NOW_MS)).toBe('SIGNATURE_WRONG');
    const ofTheBytes = { ...signed('', { 'webhook-signature': sign(bytes) }), body: bytes };
    expect(signatureProblem(ofTheBytes, [SECRET], NOW_MS)).toBe('SIGNATURE_WRONG');
  });

  it('of an Ed25519 key is verified with that key only', () => {
    const asymmetric = vector(2);
    expect(problemOf({ ...asymmetric, body: `${asymmetric.body} ` })).toBe('SIGNATURE_WRONG');
    expect(signatureProblem(delivery(asymmetric), [SECRET], atItsTime(asymmetric))).toBe('SIGNATURE_WRONG');
    // The public key is no secret: nobody may sign with it as if it were one.
    const secret = asymmetric.key.replace('whpk_', 'whsec_');
    const forged = sign(asymmetric.body, {
      id: asymmetric.id,
      timestampS: Number(asymmetric.timestamp),
      secret,
    });
    expect(problemOf(asymmetric, { 'webhook-signature': forged })).toBe('SIGNATURE_WRONG');
  });
});

describe('the time', () => {
  const S = 1000;
  it.each([
    ['now', 0, undefined],
    ['five minutes old', 300 * S, undefined],
    ['a millisecond older', 300 * S + 1, 'TIMESTAMP_OUT_OF_TOLERANCE'],
    ['a day old', 86_400 * S, 'TIMESTAMP_OUT_OF_TOLERANCE'],
    ['five minutes ahead', -300 * S, undefined],
    ['a millisecond further', -300 * S - 1, 'TIMESTAMP_OUT_OF_TOLERANCE'],
  ])('%s', (_case, ageMs, problem) => {
    expect(signatureProblem(delivery(SPEC), [SPEC.key], atItsTime(SPEC) + ageMs)).toBe(problem);
  });

  it('says nothing to somebody who did not sign', () => {
    const forged = delivery(SPEC, { 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` });
    expect(signatureProblem(forged, [SPEC.key], 0)).toBe('SIGNATURE_WRONG');
  });
});

describe('secrets', () => {
  it('either of two while one replaces the other, and no third', () => {
    const body = message(payload('usd-several-taxes-discount'));
    expect(receive(signed(body), [SECRET, OTHER_SECRET]).kind).toBe('order');
    expect(receive(signed(body), [OTHER_SECRET, SECRET]).kind).toBe('order');
    expect(receive(signed(body), [OTHER_SECRET])).toEqual({ kind: 'rejected', reason: 'SIGNATURE_WRONG' });
    // The sender may sign with both, too.
    const both = `${sign(body, { secret: OTHER_SECRET })} ${sign(body)}`;
    expect(receive(signed(body, { 'webhook-signature': both })).kind).toBe('order');
  });

  const unusable = [
    ['empty', ''],
    ['a prefix only', 'whsec_'],
    ['a blank', ' '],
    ['too short: 23 bytes', `whsec_${Buffer.alloc(23, 1).toString('base64')}`],
    ['too long: 65 bytes', `whsec_${Buffer.alloc(65, 1).toString('base64')}`],
    ['without the prefix', SECRET.slice('whsec_'.length)],
    ['no base64', 'whsec_no base64 at all, but long enough'],
    ['a private key', `whsk_${Buffer.alloc(64, 1).toString('base64')}`],
    ['a public key of another length', `whpk_${Buffer.alloc(31, 1).toString('base64')}`],
  ] as const;

  it.each(unusable)('%s: nothing is accepted, and it cannot be stored', (_case, secret) => {
    const body = message(payload('usd-several-taxes-discount'));
    // What anybody could compute who knows that the key is empty.
    const forged = signed(body, { 'webhook-signature': sign(body, { secret: 'whsec_' }) });
    expect(() => receive(forged, [secret])).toThrow(RangeError);
    expect(() => receive(signed(body), [SECRET, secret])).toThrow(RangeError);
    expect(manifest.credentials.safeParse({ webhookSecrets: [secret] }).success).toBe(false);
  });

  it('none: nothing is accepted, and it cannot be stored', () => {
    expect(() => receive(signed('{}'), [])).toThrow(RangeError);
    expect(manifest.credentials.safeParse({ webhookSecrets: [] }).success).toBe(false);
  });

  it('24 to 64 bytes are secrets', () => {
    for (const bytes of [24, 32, 64]) {
      const webhookSecrets = [`whsec_${Buffer.alloc(bytes, 7).toString('base64')}`];
      expect(manifest.credentials.safeParse({ webhookSecrets }).success).toBe(true);
    }
  });
});
