import { expect, it } from 'vitest';
import { pollWords, type Ran } from '../../../infra/cli/commands/poll.ts';

it.each<[Ran, string]>([
  [
    { outcome: 'done', looked: 3, found: 1, readUpTo: '2026-11-22T10:00:00.000Z' },
    'woo: 3 orders looked at, up to 2026-11-22T10:00:00.000Z, 1 found that no webhook had brought',
  ],
  [{ outcome: 'done', looked: 0, found: 0 }, 'woo: 0 orders looked at, 0 found that no webhook had brought'],
  [
    { outcome: 'continues', looked: 900, found: 7 },
    'woo: 900 orders looked at, 7 found that no webhook had brought; there is more: the next run goes on',
  ],
  [{ outcome: 'busy', code: 'BUSY' }, 'woo is being read at this moment, by another run'],
  [{ outcome: 'running' }, 'woo is still being read; its log says how it ends'],
  [
    { outcome: 'failed', code: 'CREDENTIALS_MISSING', reason: 'the connection has no apiToken' },
    'woo could not be read: CREDENTIALS_MISSING, the connection has no apiToken',
  ],
])('%j', (ran, words) => {
  expect(pollWords('woo', ran)).toBe(words);
});
