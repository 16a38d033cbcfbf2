import { expect, it } from 'vitest';
import { CredentialsError, PermanentError, RetryableError } from '../../shared/core/errors.ts';
import { repeatRead } from '../../shared/http/repeat-read.ts';

const reading = (...answers: readonly (Error | string)[]) => {
  const left = [...answers];
  const read = async () => {
    const next = left.shift() ?? new Error('asked too often');
    if (next instanceof Error) throw next;
    return next;
  };
  return { read, asked: () => answers.length - left.length };
};
const down = new RetryableError('PEER_FAILED', '503');
const signal = new AbortController().signal;

it('asks up to three times', async () => {
  const twice = reading(down, down, 'here');
  expect(await repeatRead(signal, twice.read)).toBe('here');
  const thrice = reading(down, down, down, 'never asked');
  await expect(repeatRead(signal, thrice.read)).rejects.toBe(down);
  expect(thrice.asked()).toBe(3);
});

it.each([
  ['refused credentials', new CredentialsError('CREDENTIALS_REFUSED', '401')],
  ['a peer that let it wait', new RetryableError('PEER_TIMEOUT', 'no answer within 20000 ms')],
  ['a peer that asks for a minute', new RetryableError('PEER_BUSY', '429', { retryAfterMs: 60_000 })],
  [
    'what a person must mend',
    new PermanentError('MISSING_SKU', { line: { kind: 'goods', number: 1, title: 'x' } } as never),
  ],
  ['what nobody foresaw', new TypeError('undefined is no function')],
])('does not repeat after %s', async (_what, error) => {
  const once = reading(error, 'never asked');
  await expect(repeatRead(signal, once.read)).rejects.toBe(error);
  expect(once.asked()).toBe(1);
});

it('does not repeat when time is up', async () => {
  const aborted = reading(down, 'never asked');
  await expect(repeatRead(AbortSignal.abort(), aborted.read)).rejects.toBe(down);
});
