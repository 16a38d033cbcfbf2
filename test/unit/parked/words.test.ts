import { expect, it } from 'vitest';
import {
  ageWords,
  listWords,
  planWords,
  rowWords,
  shortIds,
  verdictWords,
} from '../../../infra/cli/commands/parked-words.ts';
import type { Verdict } from '../../../shared/core/redrive.ts';
import { aRow, NOW } from './memory-parked.ts';

const english = { language: 'en', nowMs: NOW } as const;

it('shows by connection what waits, since when, why, and what to do', () => {
  const rows = [
    aRow({ id: 'aaaaaaaa-1', orderNumber: '#1001' }),
    aRow({ id: 'bbbbbbbb-2', code: 'FROM_ANOTHER_RELEASE', orderNumber: undefined }),
    aRow({
      id: 'cccccccc-3',
      connection: 'journal',
      code: 'EVENT_NOT_UNDERSTOOD',
      orderId: undefined,
      orderNumber: undefined,
      params: { problem: { kind: 'not-json' } },
    }),
  ];
  expect(listWords(rows, english)).toEqual([
    'acme-odoo: 2 messages',
    '  aaaaaaaa  order #1001    UNMAPPED_TAX          since 2025-11-24 15:59 UTC (1 min)',
    '    Line 1 ("Lamp") carries the tax "1" of acme-woo, which has no counterpart in acme-odoo yet.',
    '    → Add a row "tax, acme-woo, acme-odoo, 1, <tax name or id>" to the mapping table, then redrive.',
    '  bbbbbbbb  order id 1001  FROM_ANOTHER_RELEASE  since 2025-11-24 15:59 UTC (1 min)',
    '    the reason',
    '    → the remedy',
    'journal: 1 message',
    '  cccccccc  order unknown  EVENT_NOT_UNDERSTOOD  since 2025-11-24 15:59 UTC (1 min)',
    '    The message is not an event of the catalogue: not JSON.',
    '    → A release is wrong or somebody else writes to the bus: stop and look before redriving.',
  ]);
});

it('says so when a redrive was interrupted', () => {
  const result = { atMs: NOW, outcome: 'written', documentName: 'S00001' };
  expect(listWords([aRow({ result })], { language: 'zh-Hant', nowMs: NOW })).toEqual([
    'acme-odoo: 1 message',
    '  m1  order 1001  UNMAPPED_TAX  since 2025-11-24 15:59 UTC (1 min)',
    '    第 1 項「Lamp」使用 acme-woo 的稅別「1」，在 acme-odoo 中尚無對應的稅別。',
    '    → 請在對照表新增一列「tax, acme-woo, acme-odoo, 1, <稅別名稱或編號>」，然後重送。',
    '    the command that redrove it was interrupted; since then: written S00001',
  ]);
});

it('shows everything of one message', () => {
  const row = aRow({
    detail: 'ValidationError: …',
    attempts: 2,
    receives: 3,
    correlationId: 'c1',
    previousId: 'm0',
    state: 'redriven',
    actions: [{ verb: 'redrive', by: 'ada', why: 'the tax is mapped', atMs: NOW }],
    result: { atMs: NOW, outcome: 'parked', code: 'UNKNOWN_SKU' },
  });
  const journey = {
    state: 'parked' as const,
    openSinceMs: NOW,
    document: undefined,
    steps: [{ atMs: NOW - 3_600_000, code: 'RECEIVED', text: 'by webhook' }],
  };
  expect(rowWords(row, { ...english, journey, queue: 'https://q/parked' })).toEqual([
    'message     m1',
    'connection  acme-odoo',
    'order       order 1001 of acme-woo, id 1001',
    'version     7',
    'correlation c1',
    'code        UNMAPPED_TAX',
    'what        Line 1 ("Lamp") carries the tax "1" of acme-woo, which has no counterpart in acme-odoo yet.',
    'to do       Add a row "tax, acme-woo, acme-odoo, 1, <tax name or id>" to the mapping table, then redrive.',
    'peer said   ValidationError: …',
    'parked      2025-11-24 15:59 UTC (1 min ago)',
    'tried       received 3 times, 2 times at the peer',
    'earlier     m0 was redriven and led here',
    'where       moved back to the queue of acme-odoo',
    'result      2025-11-24 16:00 UTC  parked again, UNKNOWN_SKU',
    'what people did',
    '  2025-11-24 16:00 UTC  redrive by ada: the tax is mapped',
    'the order in the journal: parked',
    '  2025-11-24 15:00 UTC  RECEIVED  by webhook',
  ]);
});

it('shows where a message waits, and that a redrive is safe', () => {
  const words = rowWords(aRow(), { ...english, journey: undefined, queue: 'https://q/parked' });
  expect(words).toContain('where       in the parked queue of acme-odoo: https://q/parked');
  expect(words).toContain(
    'redrive     safe, as often as you like: what was written is found by its reference',
  );
});

it('counts by connection and code', () => {
  expect(
    planWords([
      { connection: 'acme-odoo', code: 'UNMAPPED_TAX', messages: 12 },
      { connection: 'acme-woo', code: 'ORDER_UNREADABLE', messages: 1 },
    ]),
  ).toEqual(['  acme-odoo  UNMAPPED_TAX      12 messages', '  acme-woo   ORDER_UNREADABLE  1 message']);
});

it('shortens ids to what tells them apart', () => {
  const ids = shortIds([
    { id: '12345678-aaaa' },
    { id: '12345678-aabb' },
    { id: 'abcdefgh-1' },
    { id: 'm1' },
  ]);
  expect([...ids.values()]).toEqual(['12345678-aaa', '12345678-aab', 'abcdefgh', 'm1']);
});

it.each([
  [-5, '0 min'],
  [59_000, '0 min'],
  [7_199_999, '119 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 days'],
])('an age of %i ms is %s', (ms, words) => {
  expect(ageWords(ms)).toBe(words);
});

it.each<[Verdict, string]>([
  [
    { kind: 'done', outcome: 'written', document: 'S1', url: 'https://erp.test/1' },
    'written S1 https://erp.test/1',
  ],
  [{ kind: 'no-op', because: 'ALREADY_DONE', document: 'S1' }, 'already done: S1'],
  [{ kind: 'no-op', because: 'ORDER_GONE' }, 'nothing to do, ORDER_GONE'],
  [{ kind: 'parked-again', code: 'UNKNOWN_SKU' }, 'parked again, UNKNOWN_SKU'],
  [{ kind: 'retrying', code: 'HTTP_503' }, 'still retrying, HTTP_503'],
  [{ kind: 'waiting' }, 'no answer yet: it waits in its queue'],
])('%o', (verdict, words) => {
  expect(verdictWords(verdict)).toBe(words);
});
