import { describe, expect, it } from 'vitest';
import { journeyKey } from '../../../shared/core/intent-key.ts';
import type { Journal } from '../../../shared/core/journal.ts';
import type { ParkedResult } from '../../../shared/core/parked.ts';
import {
  choose,
  countOf,
  type Done,
  discard,
  redrive,
  unindexed,
  type Verdict,
  verdictOf,
  verdicts,
  type WaitingRow,
} from '../../../shared/core/redrive.ts';
import { revisionOf } from '../../../shared/core/revision.ts';
import { memoryJournal } from '../../fakes/memory-journal.ts';
import { aMessage, aRow, bodyOf, eventOf, memoryParked, NOW } from './memory-parked.ts';

const ADA = { by: 'ada', why: 'the tax is mapped' };
const deeds = async (done: AsyncIterable<Done>) => {
  const all: [string, string][] = [];
  for await (const { row, deed } of done) all.push([row.id, deed]);
  return all;
};
const parkedPair = (n: number) => ({
  rows: Array.from({ length: n }, (_, i) =>
    aRow({ id: `m${i}`, orderId: `${i}`, parkedAtMs: NOW - 1000 + i }),
  ),
  messages: Array.from({ length: n }, (_, i) =>
    aMessage({ messageId: `in-parked-${i}`, parkedId: `m${i}`, body: bodyOf(`${i}`) }),
  ),
});

describe('choose', () => {
  const rows = [
    aRow({ id: 'abc-1', parkedAtMs: 3 }),
    aRow({ id: 'abd-2', parkedAtMs: 1 }),
    aRow({ id: 'abc', parkedAtMs: 2 }),
  ];
  const ids = (choice: ReturnType<typeof choose>) =>
    choice.kind === 'chosen' ? { ids: choice.rows.map(({ id }) => id), remaining: choice.remaining } : choice;

  it('takes the oldest first, and no more than it may', () => {
    expect(ids(choose(rows, 'all', 100))).toEqual({ ids: ['abd-2', 'abc', 'abc-1'], remaining: 0 });
    expect(ids(choose(rows, 'all', 2))).toEqual({ ids: ['abd-2', 'abc'], remaining: 1 });
  });

  it.each<[string, string[], unknown]>([
    ['the beginning of an id', ['abd'], { ids: ['abd-2'], remaining: 0 }],
    ['a whole id, although another begins with it', ['abc'], { ids: ['abc'], remaining: 0 }],
    ['one twice', ['abd', 'abd-2'], { ids: ['abd-2'], remaining: 0 }],
    ['none such', ['abd', 'x'], { kind: 'unknown', id: 'x' }],
    ['more than one', ['ab'], { kind: 'ambiguous', id: 'ab', rows }],
  ])('%s', (_case, wanted, expected) => {
    expect(ids(choose(rows, wanted, 100))).toEqual(expected);
  });

  it('counts by connection and code', () => {
    const other = { connection: 'acme-woo', code: 'UNMAPPED_TAX' };
    expect(countOf([aRow(), aRow({ code: 'UNKNOWN_SKU' }), aRow(), other])).toEqual([
      { connection: 'acme-odoo', code: 'UNMAPPED_TAX', messages: 2 },
      { connection: 'acme-odoo', code: 'UNKNOWN_SKU', messages: 1 },
      { connection: 'acme-woo', code: 'UNMAPPED_TAX', messages: 1 },
    ]);
  });
});

describe('redrive', () => {
  it('writes down who and why, sends, deletes, closes, in this order', async () => {
    const { ports, log, source, rows } = memoryParked(parkedPair(1));
    const row = rows.get('m0') as WaitingRow;
    expect(await deeds(redrive(ports, [row], ADA, { perSecond: 5 }))).toEqual([['m0', 'redriven']]);
    expect(log).toEqual([
      'begin redrive m0 by ada: the tax is mapped',
      'send in-parked-0',
      'delete in-parked-0',
      'close m0 redriven',
    ]);
    expect(source).toEqual([{ body: bodyOf('0'), redriveOf: 'm0', group: 'acme-woo' }]);
    expect(rows.get('m0')).toMatchObject({
      state: 'redriven',
      actions: [{ verb: 'redrive', by: 'ada', why: 'the tax is mapped', atMs: NOW }],
    });
  });

  it.each<[string, string, boolean, string[]]>([
    ['asked, of what came in shadow mode', 'SEEN_IN_SHADOW', true, ['SHADOW', 'NOT_ENTERED']],
    ['not asked', 'SEEN_IN_SHADOW', false, ['SHADOW']],
    ['asked, of anything else', 'UNMAPPED_TAX', true, ['SHADOW']],
  ])('lets be written what nobody entered, before it is sent: %s', async (_case, code, notInErp, steps) => {
    const { ports, journal, rows, log } = memoryParked({
      rows: [aRow({ id: 'm0', code })],
      messages: [aMessage({ messageId: 'in-parked-0', parkedId: 'm0' })],
    });
    await ports.journal.settle('acme-odoo', 'acme-woo', '1001', {
      state: 'shadow',
      revision: revisionOf(eventOf('1001')),
      step: { atMs: 1, code: 'SHADOW', text: '' },
      inShadow: true,
    });
    const permit = ports.journal.permit;
    const watched: typeof permit = async (...args) => {
      log.push('permit');
      await permit(...args);
    };
    const desk = { ...ports, journal: { ...ports.journal, permit: watched } };
    await deeds(redrive(desk, [...rows.values()], ADA, { perSecond: 5, notInErp }));
    const row = journal.get(journeyKey('acme-odoo', 'acme-woo', '1001'));
    expect(row?.steps.map((step) => step.code)).toEqual(steps);
    expect(row?.seenInShadow).toEqual(steps.length > 1 ? undefined : { atMs: 1, state: 'shadow' });
    if (steps.length > 1) {
      expect(row?.steps.at(-1)?.text).toBe('nobody entered it by hand, says ada: the tax is mapped');
      expect(log.slice(0, 3)).toEqual([
        'begin redrive m0 by ada: the tax is mapped',
        'permit',
        'send in-parked-0',
      ]);
    }
  });

  it('leaves all that was not chosen visible', async () => {
    const { ports, rows, visible, hidden, source } = memoryParked(parkedPair(25));
    const row = rows.get('m23') as WaitingRow;
    expect(await deeds(redrive(ports, [row], ADA, { perSecond: 5 }))).toEqual([['m23', 'redriven']]);
    expect(source).toHaveLength(1);
    expect(hidden).toEqual([]);
    expect(visible).toHaveLength(24);
  });

  it('keeps to the pace', async () => {
    const { ports, rows, slept } = memoryParked(parkedPair(4));
    await deeds(redrive(ports, [...rows.values()], ADA, { perSecond: 5 }));
    expect(slept).toEqual([200, 200, 200]);
  });

  it.each<['send' | 'delete' | 'close', { atSource: number; parked: number }]>([
    ['send', { atSource: 0, parked: 1 }],
    ['delete', { atSource: 1, parked: 1 }],
    ['close', { atSource: 1, parked: 0 }],
  ])('loses nothing when it dies at %s, and says who tried', async (step, left) => {
    const { ports, rows, visible, source } = memoryParked(parkedPair(1));
    const messages = ports.messages('acme-odoo');
    const dies = async () => {
      throw new Error('died');
    };
    const dying =
      step === 'close'
        ? { ...ports, rows: { ...ports.rows, close: dies } }
        : { ...ports, messages: () => ({ ...messages, [step]: dies }) };
    const row = rows.get('m0') as WaitingRow;
    await expect(deeds(redrive(dying, [row], ADA, { perSecond: 5 }))).rejects.toThrow('died');
    expect({ atSource: source.length, parked: visible.length }).toEqual(left);
    expect(rows.get('m0')).toMatchObject({ state: 'parked', actions: [{ by: 'ada' }] });
  });

  it('moves nothing when it cannot write down who and why', async () => {
    const { ports, rows, visible, source } = memoryParked(parkedPair(1));
    const begin = async () => {
      throw new Error('throttled');
    };
    const row = rows.get('m0') as WaitingRow;
    const refusing = { ...ports, rows: { ...ports.rows, begin } };
    await expect(deeds(redrive(refusing, [row], ADA, { perSecond: 5 }))).rejects.toThrow('throttled');
    expect({ atSource: source.length, parked: visible.length }).toEqual({ atSource: 0, parked: 1 });
  });

  it('does nothing to what somebody else closed meanwhile', async () => {
    const { ports, rows, source, visible } = memoryParked(parkedPair(1));
    const row = rows.get('m0') as WaitingRow;
    rows.set('m0', { ...row, state: 'discarded' });
    expect(await deeds(redrive(ports, [row], ADA, { perSecond: 5 }))).toEqual([['m0', 'closed']]);
    expect(source).toEqual([]);
    expect(visible).toHaveLength(1);
  });

  it.each<[string, Partial<WaitingRow>, string, string]>([
    ['another command holds it, or SQS deleted it', {}, 'missing', 'parked'],
    [
      'moved by a command that died, not yet answered',
      { actions: [{ verb: 'redrive', by: 'bob', why: 'w', atMs: 1 }] },
      'missing',
      'parked',
    ],
    [
      'moved by a command that died, still tried again',
      {
        actions: [{ verb: 'redrive', by: 'bob', why: 'w', atMs: 1 }],
        result: { atMs: 2, outcome: 'retry', code: 'HTTP_503' },
      },
      'missing',
      'parked',
    ],
    [
      'moved by a command that died, and written',
      {
        actions: [{ verb: 'redrive', by: 'bob', why: 'w', atMs: 1 }],
        result: { atMs: 2, outcome: 'written', documentName: 'S00001' },
      },
      'finished',
      'redriven',
    ],
  ])('a row without its message: %s', async (_case, override, deed, state) => {
    const row = aRow(override);
    const { ports, rows } = memoryParked({ rows: [row] });
    expect(await deeds(redrive(ports, [row], ADA, { perSecond: 5 }))).toEqual([['m1', deed]]);
    expect(rows.get('m1')?.state).toBe(state);
  });
});

describe('what SQS has deleted after 14 days', () => {
  const DAY = 24 * 60 * 60_000;
  const waited = async (ms: number, override: Partial<WaitingRow> = {}) => {
    const row = aRow({ parkedAtMs: NOW, ...override });
    const memory = memoryParked({ rows: [row] });
    await memoryJournal(memory.journal).record('acme-odoo', eventOf('1001', 9), {
      atMs: 1,
      code: 'R',
      text: '',
    });
    memory.wait(ms);
    return { ...memory, result: await deeds(redrive(memory.ports, [row], ADA, { perSecond: 5 })) };
  };

  it('is sent as the journal holds it, by the same rules', async () => {
    const { result, source, log } = await waited(21 * DAY);
    expect(result).toEqual([['m1', 'redriven']]);
    expect(log).toEqual([
      'begin redrive m1 by ada: the tax is mapped',
      'send as the journal holds it',
      'close m1 redriven',
    ]);
    const { meta, data } = eventOf('1001', 9);
    expect(source.map(({ body, ...rest }) => ({ ...rest, body: JSON.parse(body) }))).toEqual([
      {
        redriveOf: 'm1',
        group: 'acme-woo',
        body: { 'detail-type': 'order.changed.v1', detail: { meta: { ...meta, via: 'replay' }, data } },
      },
    ]);
  });

  it('is read again at its storefront, where that is what it asked for', async () => {
    const { result, source } = await waited(21 * DAY, { connection: 'acme-woo', correlationId: 'c' });
    expect(result).toEqual([['m1', 'redriven']]);
    expect(JSON.parse(source[0]?.body ?? '')).toEqual({
      'detail-type': 'order.notified.v1',
      detail: {
        meta: { id: 'new', connection: 'acme-woo', correlationId: 'c', receivedAtMs: NOW, via: 'replay' },
        data: { source: 'acme-woo', orderId: '1001', why: 'push' },
      },
    });
  });

  it.each<[string, number, Partial<WaitingRow>]>([
    ['before that, somebody else holds it', 13 * DAY, {}],
    ['of what the journal does not know', 21 * DAY, { orderId: '2' }],
    ['of what names no order', 21 * DAY, { orderId: undefined }],
  ])('%s: missing', async (_case, ms, override) => {
    const { result, source } = await waited(ms, override);
    expect(result).toEqual([['m1', 'missing']]);
    expect(source).toEqual([]);
  });

  it('somebody else was faster', async () => {
    const row = aRow({ parkedAtMs: NOW });
    const { ports, rows, journal, source, wait } = memoryParked({ rows: [row] });
    await memoryJournal(journal).record('acme-odoo', eventOf('1001'), { atMs: 1, code: 'R', text: '' });
    wait(21 * DAY);
    rows.set('m1', { ...row, state: 'redriven' });
    expect(await deeds(redrive(ports, [row], ADA, { perSecond: 5 }))).toEqual([['m1', 'closed']]);
    expect(source).toEqual([]);
  });
});

describe('what AWS parked by itself', () => {
  const bySqs = aMessage({ messageId: 'q1', body: bodyOf('77') });
  const byBus = aMessage({
    messageId: 'q2',
    byAws: { by: 'eventbridge', error: 'NO_PERMISSIONS' },
    body: 'not even JSON',
  });
  const leftOver = aMessage({
    messageId: 'q3',
    parkedId: 'm9',
    told: { code: 'UNKNOWN_SKU', text: { reason: 'as it was said', remedy: 'do this' } },
  });

  it('is found in the queue, beside what has a row, and stays visible', async () => {
    const row = aRow({ id: 'm1' });
    const indexed = aMessage({ messageId: 'q0', parkedId: 'm1' });
    const { ports, visible } = memoryParked({ messages: [indexed, bySqs, byBus, leftOver] });
    const found = await unindexed('acme-odoo', ports.messages('acme-odoo'), [row]);
    expect(found).toMatchObject([
      {
        id: 'q1',
        code: 'PARKED_BY_AWS',
        params: { by: 'sqs', receives: 100 },
        source: 'acme-woo',
        orderId: '77',
      },
      { id: 'q2', code: 'PARKED_BY_AWS', params: { by: 'eventbridge', error: 'NO_PERMISSIONS' } },
      { id: 'm9', code: 'UNKNOWN_SKU', text: { reason: 'as it was said' } },
    ]);
    expect(visible).toHaveLength(4);
  });

  it('gets a row before it is moved, also where an old row was closed', async () => {
    const closed = aRow({
      id: 'm9',
      state: 'redriven',
      actions: [{ verb: 'redrive', by: 'bob', why: 'w', atMs: 1 }],
    });
    const { ports, log, rows } = memoryParked({ rows: [closed], messages: [bySqs, leftOver] });
    const found = await unindexed('acme-odoo', ports.messages('acme-odoo'), []);
    expect(await deeds(redrive(ports, found, ADA, { perSecond: 5 }))).toEqual([
      ['q1', 'redriven'],
      ['m9', 'redriven'],
    ]);
    expect(log.slice(0, 3)).toEqual([
      'put q1 PARKED_BY_AWS',
      'begin redrive q1 by ada: the tax is mapped',
      'send q1',
    ]);
    expect(rows.get('m9')?.actions.map(({ by }) => by)).toEqual(['bob', 'ada']);
  });
});

describe('discard', () => {
  const key = journeyKey('acme-odoo', 'acme-woo', '1001');
  const message = aMessage({ messageId: 'q1', parkedId: 'm1' });
  const settled = (journal: Pick<Journal, 'settle'>, state: 'parked' | 'done', sourceVersion = 7) =>
    journal.settle('acme-odoo', 'acme-woo', '1001', {
      state,
      revision: revisionOf(eventOf('1001', sourceVersion)),
      step: { atMs: 1, code: 'ANY', text: 'any' },
    });

  it('writes down who and why, settles the journal, deletes, closes, in this order', async () => {
    const row = aRow();
    const { ports, log, journal, source, visible, hidden } = memoryParked({
      rows: [row],
      messages: [message],
    });
    await settled(ports.journal, 'parked');
    expect(await deeds(discard(ports, [row], ADA))).toEqual([['m1', 'discarded']]);
    expect(log).toEqual(['begin discard m1 by ada: the tax is mapped', 'delete q1', 'close m1 discarded']);
    expect([source, visible, hidden]).toEqual([[], [], []]);
    expect(journal.get(key)).toMatchObject({
      state: 'discarded',
      steps: [
        { code: 'ANY' },
        { code: 'DISCARDED', text: 'UNMAPPED_TAX, discarded by ada: the tax is mapped' },
      ],
    });
  });

  it.each([
    ['done by another copy', 'done' as const, 7],
    ['done by a newer version', 'done' as const, 8],
    ['parked in a newer version', 'parked' as const, 8],
  ])('leaves the journal of an order alone that is %s', async (_case, state, version) => {
    const row = aRow();
    const { ports, journal } = memoryParked({ rows: [row], messages: [message] });
    await settled(ports.journal, state, version);
    expect(await deeds(discard(ports, [row], ADA))).toEqual([['m1', 'discarded']]);
    expect(journal.get(key)).toMatchObject({ state, steps: [{ code: 'ANY' }] });
  });

  it('keeps an order open of which a newer version is still under way', async () => {
    const row = aRow();
    const { ports, journal } = memoryParked({ rows: [row], messages: [message] });
    const memory = memoryJournal(journal);
    await settled(memory, 'parked');
    await memory.record('acme-odoo', eventOf('1001', 8), { atMs: 2, code: 'RECEIVED', text: 'by webhook' });
    await deeds(discard(ports, [row], ADA));
    expect(journal.get(key)).toMatchObject({ state: 'open' });
  });

  it('closes a row whose message is gone, and its order', async () => {
    const row = aRow();
    const { ports, journal, rows } = memoryParked({ rows: [row] });
    await settled(ports.journal, 'parked');
    expect(await deeds(discard(ports, [row], ADA))).toEqual([['m1', 'discarded']]);
    expect(rows.get('m1')?.state).toBe('discarded');
    expect(journal.get(key)?.state).toBe('discarded');
  });

  it.each([
    ['a reading at the storefront', { connection: 'acme-woo' }],
    ['a recording', { connection: 'journal' }],
    ['what nobody can read', { source: undefined, orderId: undefined }],
  ])('finds nothing in the journal for %s', async (_case, override) => {
    const row = aRow(override);
    const { ports, journal } = memoryParked({ rows: [row], messages: [message] });
    await deeds(discard(ports, [row], ADA));
    expect(journal.size).toBe(0);
  });
});

describe('verdicts', () => {
  it.each<[ParkedResult | undefined, Verdict]>([
    [undefined, { kind: 'waiting' }],
    [
      { atMs: 1, outcome: 'retry', code: 'HTTP_503' },
      { kind: 'retrying', code: 'HTTP_503' },
    ],
    [
      { atMs: 1, outcome: 'busy', code: 'BUSY' },
      { kind: 'retrying', code: 'BUSY' },
    ],
    [
      { atMs: 1, outcome: 'parked', code: 'UNKNOWN_SKU' },
      { kind: 'parked-again', code: 'UNKNOWN_SKU' },
    ],
    [
      { atMs: 1, outcome: 'skipped', code: 'ALREADY_DONE', documentName: 'S1' },
      { kind: 'no-op', because: 'ALREADY_DONE', document: 'S1' },
    ],
    [
      { atMs: 1, outcome: 'written', documentName: 'S1', documentUrl: 'https://erp.test/1' },
      { kind: 'done', outcome: 'written', document: 'S1', url: 'https://erp.test/1' },
    ],
    [
      { atMs: 1, outcome: 'recorded' },
      { kind: 'done', outcome: 'recorded' },
    ],
  ])('%o', (result, verdict) => {
    expect(verdictOf(result)).toEqual(verdict);
  });

  it('come as soon as they are known, the rest when the time is up', async () => {
    const rows = [aRow({ id: 'slow' }), aRow({ id: 'quick' })];
    const { ports, rows: index } = memoryParked({ rows });
    const answer = (id: string, result: ParkedResult) => index.set(id, { ...aRow({ id }), result });
    answer('slow', { atMs: 1, outcome: 'retry', code: 'HTTP_503' });
    const sleep = async (ms: number) => {
      await ports.sleep(ms);
      if (ports.nowMs() === NOW + 1_000) answer('quick', { atMs: 1, outcome: 'written' });
    };
    const told: unknown[] = [];
    for await (const { row, verdict } of verdicts({ ...ports, sleep }, rows, { waitMs: 2_000 }))
      told.push([ports.nowMs() - NOW, row.id, verdict.kind]);
    expect(told).toEqual([
      [1_000, 'quick', 'done'],
      [2_000, 'slow', 'retrying'],
    ]);
  });
});
