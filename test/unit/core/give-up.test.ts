import { expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import { givingUp, remember } from '../../../shared/core/give-up.ts';

const HOURS = 3_600_000;
const after = (error: unknown, receive: number, ms: number, timeScale = 1) =>
  givingUp(error, { receive, receivedAtMs: 1_000 }, { nowMs: () => 1_000 + ms, timeScale });
const failed = new RetryableError('PEER_FAILED', 'shop answered HTTP 503', { status: 503 });

it.each<[string, number, number, number]>([
  ['seven receives', 7, 3 * HOURS, 1],
  ['a millisecond short of two hours', 8, 2 * HOURS - 1, 1],
  ['a hundred receives in a minute', 100, 60_000, 1],
])('goes on after %s', (_case, receive, ms, timeScale) => {
  expect(after(failed, receive, ms, timeScale)).toBe(failed);
});

it('gives up after eight receives and two hours, with what was last', () => {
  const parked = after(failed, 8, 2 * HOURS) as PermanentError;
  expect(parked).toBeInstanceOf(PermanentError);
  expect(parked).toMatchObject({ code: 'RETRIES_EXHAUSTED', cause: failed });
  expect(parked.params).toStrictEqual({
    attempts: 8,
    lastCode: 'PEER_FAILED',
    lastReason: 'shop answered HTTP 503',
    lastStatus: 503,
  });
});

it('time may run faster in a sandbox', () => {
  expect(after(failed, 8, 2 * HOURS * 0.01, 0.01)).toBeInstanceOf(PermanentError);
});

it('of what nobody foresaw only the kind is told', () => {
  const parked = after(new TypeError('ming.wang@example.test'), 8, 2 * HOURS) as PermanentError;
  expect(parked.params).toMatchObject({
    lastCode: 'UNFORESEEN',
    lastReason: expect.stringMatching(/^TypeError/),
  });
  expect(parked.params).not.toHaveProperty('lastStatus');
});

it('a status in words is none', () => {
  const parked = after(new RetryableError('PEER_FAILED', 'x', { status: 'gone' }), 8, 2 * HOURS);
  expect((parked as PermanentError).params).not.toHaveProperty('lastStatus');
});

it('what a person must mend is left as it is', () => {
  const error = new PermanentError('EVENT_NOT_UNDERSTOOD', { problem: { kind: 'not-json' } });
  expect(after(error, 100, 100 * HOURS)).toBe(error);
});

it('remembers a thousand, the latest', () => {
  const recent = new Map<string, number>();
  for (let n = 0; n < 1_000; n += 1) remember(recent, `order ${n}`, n);
  expect([recent.size, recent.get('order 0')]).toEqual([1_000, 0]);
  remember(recent, 'order 0', 5_000);
  remember(recent, 'another', 5_001);
  expect([recent.size, recent.get('order 0'), recent.has('order 1'), recent.get('order 2')]).toEqual([
    1_000,
    5_000,
    false,
    2,
  ]);
});
