import { expect, it } from 'vitest';
import {
  BusyError,
  CredentialsError,
  describeError,
  dispositionOf,
  PermanentError,
  RetryableError,
  UnknownOutcomeError,
} from '../../../shared/core/errors.ts';

const parked = new PermanentError(
  'MISSING_SKU',
  { line: { kind: 'line', number: 1, title: 'Mug' } },
  { detail: 'Dear Ming Wang' },
);

it.each<[string, unknown, 'retry' | 'park']>([
  ['permanent', parked, 'park'],
  ['retryable', new RetryableError('RATE_LIMITED', '429'), 'retry'],
  ['unknown outcome', new UnknownOutcomeError('PEER_TIMEOUT', 'no answer'), 'retry'],
  ['credentials', new CredentialsError('CREDENTIALS_REFUSED', '401'), 'retry'],
  ['busy', new BusyError('a#b#c#create', 1), 'retry'],
  ['foreign', new TypeError('x is not a function'), 'retry'],
  ['a string', 'boom', 'retry'],
  ['nothing', undefined, 'retry'],
  ['what only looks permanent', { name: 'PermanentError', code: 'MISSING_SKU' }, 'retry'],
])('%s: %s', (_case, error, disposition) => {
  expect(dispositionOf(error)).toBe(disposition);
});

it('tells a person what happened and what to do', () => {
  expect(parked).toMatchObject({
    name: 'PermanentError',
    code: 'MISSING_SKU',
    message: 'Line 1 ("Mug") has no SKU and its product has no row in the mapping table.',
    detail: 'Dear Ming Wang',
    context: {},
  });
  expect(parked.text.remedy).toContain('Give the product a SKU in the shop');
});

it('keeps the hint, the cause and the context', () => {
  const cause = new Error('socket hang up');
  const error = new UnknownOutcomeError(
    'PEER_TIMEOUT',
    'no answer',
    { status: 504, retryAfterMs: 7 },
    { cause },
  );
  expect(error).toMatchObject({
    name: 'UnknownOutcomeError',
    code: 'PEER_TIMEOUT',
    retryAfterMs: 7,
    context: { status: 504 },
    attempt: undefined,
    cause,
  });
  expect(new BusyError('key', 99)).toMatchObject({
    code: 'BUSY',
    leaseUntilMs: 99,
    context: { intent: 'key' },
  });
});

const SECRET = 'ming.wang@example.test';
const thrownHere = (message: string): Error => {
  try {
    throw new TypeError(message);
  } catch (error) {
    return error as Error;
  }
};

it('says of our own errors what they say', () => {
  expect(describeError(new RetryableError('DOWN', 'erp.test answered HTTP 503'))).toBe(
    'erp.test answered HTTP 503',
  );
  expect(describeError(parked)).toBe(parked.message);
});

it.each<[string, unknown, string | RegExp]>([
  ['an error', thrownHere(`no buyer ${SECRET}`), /^TypeError at errors\.test\.ts:\d+:\d+$/],
  ['no message', thrownHere(''), /^TypeError at errors\.test\.ts:\d+:\d+$/],
  [
    'a message that looks like a frame',
    thrownHere(`failed:\n    at ${SECRET}:1:2\n    at f (/home/${SECRET}:3:4)`),
    /^TypeError at errors\.test\.ts:\d+:\d+$/,
  ],
  ['no stack', Object.assign(new RangeError(SECRET), { stack: undefined }), 'RangeError'],
  [
    'a message set afterwards, whose lines look like frames',
    Object.assign(new TypeError('set afterwards'), {
      stack: `TypeError: x\n    at ${SECRET}:1:2\n    at f (/app/a.ts:3:4)`,
    }),
    'TypeError',
  ],
  [
    'a stack without a place',
    Object.assign(new Error(SECRET), { stack: `Error: ${SECRET}\n    at <anonymous>` }),
    'Error',
  ],
  [
    'frames of one word, and of built-ins first',
    Object.assign(new Error(SECRET), {
      stack: `Error: ${SECRET}\n    at JSON.parse (<anonymous>)\n    at f (index.js:10:20)\n    at g (b.js:1:1)`,
    }),
    'Error at index.js:10:20',
  ],
  [
    'a frame of Windows',
    Object.assign(new Error(SECRET), { stack: `Error: ${SECRET}\n    at f (C:\\Users\\ming\\app.ts:1:2)` }),
    'Error at app.ts:1:2',
  ],
  [
    'an asynchronous frame without a name',
    Object.assign(new Error(SECRET), {
      stack: `Error: ${SECRET}\n    at async file:///var/task/index.mjs:5:6`,
    }),
    'Error at index.mjs:5:6',
  ],
  ['a string', SECRET, 'a thrown string'],
  ['an object', { message: SECRET }, 'a thrown object'],
  ['undefined', undefined, 'a thrown undefined'],
])('repeats nothing of what others wrote: %s', (_case, error, told) => {
  const text = describeError(error);
  expect(text).not.toContain('ming');
  if (typeof told === 'string') expect(text).toBe(told);
  else expect(text).toMatch(told);
});
