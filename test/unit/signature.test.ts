import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signatureProblem } from '../../shared/http/signature.ts';

const SECRET = 'wc_secret_Tes7&Key';
const BODY = '{"id":727,"status":"processing","total":"29.35"}';
const SIGNATURE = 'qukHsEQuku4E2BydLKGLGWqsM1BUcFD+fWn/h7fpVZ4=';

const bytes = (text: string) => new TextEncoder().encode(text);
const check = (body: string, header: string | undefined, secrets: readonly string[] = [SECRET]) =>
  signatureProblem(bytes(body), header, secrets);
const sign = (body: string, secret: string) => createHmac('sha256', secret).update(body).digest('base64');

describe('accepted', () => {
  it.each([
    ['the vector', BODY, SIGNATURE, [SECRET]],
    ['the newer of two secrets', BODY, SIGNATURE, ['the one that goes away', SECRET]],
    ['the older of two secrets', BODY, SIGNATURE, [SECRET, 'the one that comes']],
    ['an empty body', '', sign('', SECRET), [SECRET]],
    [
      'a body and a secret beyond ASCII',
      '{"名":"王小明 🙏"}',
      sign('{"名":"王小明 🙏"}', '密鑰密鑰密鑰密鑰'),
      ['密鑰密鑰密鑰密鑰'],
    ],
  ])('%s', (_name, body, header, secrets) => expect(check(body, header, secrets)).toBeUndefined());

  it('as hexadecimal, when that is asked for', () => {
    const hex = Buffer.from(SIGNATURE, 'base64').toString('hex');
    expect(signatureProblem(bytes(BODY), hex, [SECRET], 'hex')).toBeUndefined();
    expect(signatureProblem(bytes(BODY), SIGNATURE, [SECRET], 'hex')).toBe('SIGNATURE_MALFORMED');
  });
});

describe('refused', () => {
  const digest = Buffer.from(SIGNATURE, 'base64');
  it.each([
    ['none', undefined, 'SIGNATURE_MISSING'],
    ['empty', '', 'SIGNATURE_MISSING'],
    ['hexadecimal for base64', digest.toString('hex'), 'SIGNATURE_MALFORMED'],
    ['truncated by a byte', digest.subarray(0, 31).toString('base64'), 'SIGNATURE_MALFORMED'],
    ['truncated to nothing', '=', 'SIGNATURE_MALFORMED'],
    ['longer by a byte', Buffer.concat([digest, Buffer.from([0])]).toString('base64'), 'SIGNATURE_MALFORMED'],
    ['URL-safe letters', SIGNATURE.replaceAll('+', '-').replaceAll('/', '_'), 'SIGNATURE_MALFORMED'],
    ['without padding', SIGNATURE.slice(0, -1), 'SIGNATURE_MALFORMED'],
    ['a blank before', ` ${SIGNATURE}`, 'SIGNATURE_MALFORMED'],
    ['a line end after', `${SIGNATURE}\n`, 'SIGNATURE_MALFORMED'],
    ['a blank within', `${SIGNATURE.slice(0, 8)} ${SIGNATURE.slice(8)}`, 'SIGNATURE_MALFORMED'],
    ['other bits behind the last byte', SIGNATURE.replace('Z4=', 'Z5='), 'SIGNATURE_MALFORMED'],
    ['two joined by a proxy', `${SIGNATURE}, ${SIGNATURE}`, 'SIGNATURE_MALFORMED'],
    ['a prefix', `sha256=${SIGNATURE}`, 'SIGNATURE_MALFORMED'],
    ['letters beyond ASCII', '簽章簽章簽章簽章', 'SIGNATURE_MALFORMED'],
    ['upper case', SIGNATURE.toUpperCase(), 'SIGNATURE_WRONG'],
    ['one letter changed', SIGNATURE.replace('q', 'r'), 'SIGNATURE_WRONG'],
    ['by another secret', sign(BODY, 'another secret of the shop'), 'SIGNATURE_WRONG'],
    [
      'SHA-512 cut to 32 bytes',
      createHmac('sha512', SECRET).update(BODY).digest().subarray(0, 32).toString('base64'),
      'SIGNATURE_WRONG',
    ],
  ])('signature: %s', (_name, header, problem) => expect(check(BODY, header)).toBe(problem));

  it.each([
    ['one byte changed', BODY.replace('29.35', '29.36')],
    ['one byte more', `${BODY}\n`],
    ['one byte less', BODY.slice(0, -1)],
    ['serialised again, with blanks', JSON.stringify(JSON.parse(BODY), null, 1)],
    ['base64, as an API gateway hands it over', Buffer.from(BODY).toString('base64')],
    ['nothing', ''],
  ])('body: %s', (_name, body) => expect(check(body, SIGNATURE)).toBe('SIGNATURE_WRONG'));

  it('a body whose escapes were resolved', () => {
    const sent = '{"name":"\\u738b"}';
    const header = sign(sent, SECRET);
    expect(check(sent, header)).toBeUndefined();
    expect(check(JSON.stringify(JSON.parse(sent)), header)).toBe('SIGNATURE_WRONG');
  });

  it('the old secret, once it is gone', () => {
    expect(check(BODY, SIGNATURE, ['the one that came instead'])).toBe('SIGNATURE_WRONG');
  });

  it.each([1, 31, 33, 64])('%i bytes never reach the comparison, which throws on two lengths', (length) => {
    const header = Buffer.alloc(length, 7).toString('base64');
    expect(() => check(BODY, header)).not.toThrow();
    expect(check(BODY, header)).toBe('SIGNATURE_MALFORMED');
  });
});

it.each([
  ['none', []],
  ['empty', ['']],
  ['blank', ['   ']],
  ['one of two empty', [SECRET, '']],
])('a missing secret never means "accept": %s', (_name, secrets) => {
  for (const header of [undefined, '', SIGNATURE, sign(BODY, ' ')]) {
    expect(() => check(BODY, header, secrets)).toThrow(RangeError);
  }
});
