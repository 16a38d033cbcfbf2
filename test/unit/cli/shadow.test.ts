import { expect, it } from 'vitest';
import { shadowRunWords } from '../../../infra/cli/commands/poll.ts';
import { shadowWords } from '../../../infra/cli/commands/shadow.ts';
import type { ShadowReport } from '../../../shared/core/shadow-report.ts';

const report: ShadowReport = {
  from: 'acme-woo',
  to: 'acme-odoo',
  sinceMs: Date.parse('2026-11-22T05:00:00Z'),
  untilMs: Date.parse('2026-11-23T05:00:00Z'),
  isReady: false,
  identicalPercent: 50,
  counts: { identical: 1, different: 1, unmappable: 1, missing: 1 },
  failing: [{ code: 'UNKNOWN_SKU', orders: 1, reason: 'Line 1 ("Tea") has no product.' }],
  differing: [{ what: 'total', orders: 1 }],
  orders: [
    {
      orderId: '1',
      orderNumber: '1001',
      outcome: 'different',
      documents: ['S00001'],
      differences: [{ what: 'total', ours: '1102', theirs: '1000' }],
    },
  ],
  again: ['2'],
  documents: {},
};

it('a report, as a person reads it', () => {
  expect(shadowWords([report])).toEqual([
    'acme-woo to acme-odoo, what came after 2026-11-22 05:00 until 2026-11-23 05:00 (UTC)',
    '1  identical   as people entered them',
    '1  different   written otherwise than people entered them',
    '1  unmappable  parked',
    '1  missing     without a document that fits',
    '',
    'To be mended, or these orders are parked',
    '  1  UNKNOWN_SKU  Line 1 ("Tea") has no product.',
    '',
    'What differs, in how many orders',
    '  1  total',
    '',
    'Order by order',
    '  1001  S00001  total: 1102, there 1000',
    '',
    '50 % of what could be compared is identical',
    'not ready',
    '1 is looked at again by the next report: people may enter it yet',
  ]);
});

it('several, the first of which covers all of the shadow time; or none', () => {
  const ready = {
    ...report,
    sinceMs: 0,
    isReady: true,
    counts: { identical: 3 },
    failing: [],
    differing: [],
  };
  const words = shadowWords([report, { ...ready, again: [], orders: [], identicalPercent: 100 }]);
  expect(words.slice(-6)).toEqual([
    '',
    'acme-woo to acme-odoo, what came until 2026-11-23 05:00 (UTC)',
    '3  identical  as people entered them',
    '',
    '100 % of what could be compared is identical',
    'ready: every order would be written as people entered it',
  ]);
  expect(shadowWords([])).toEqual([
    'no report yet: there is one each morning while a route is in shadow mode',
  ]);
});

it.each([
  [
    { outcome: 'done', routes: [{ from: 'acme-woo', counts: { identical: 2, missing: 1 }, isReady: true }] },
    [
      'acme-woo to acme-odoo: 2 identical, 1 missing; ready',
      'all of it: npx waybill shadow --to acme-odoo --local',
    ],
  ],
  [
    { outcome: 'done', routes: [{ from: 'acme-woo', counts: {}, isReady: false }] },
    [
      'acme-woo to acme-odoo: nothing came since the last report',
      'all of it: npx waybill shadow --to acme-odoo --local',
    ],
  ],
  [{ outcome: 'done', routes: [] }, ['acme-odoo is being read at this moment, by another run']],
  [{ outcome: 'running' }, ['acme-odoo is still being read; its log says how it ends']],
  [
    { outcome: 'failed', code: 'PEER_TIMEOUT', reason: 'no answer' },
    ['acme-odoo could not be read: PEER_TIMEOUT, no answer'],
  ],
])('a report at once: %j', (ran, words) => {
  expect(shadowRunWords('acme-odoo', ran, '--local')).toEqual(words);
});
