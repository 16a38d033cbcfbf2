import { describe, expect, it } from 'vitest';
import {
  BusyError,
  PermanentError,
  RetryableError,
  UnknownOutcomeError,
} from '../../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { LEASE_MS, orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const V1 = Date.parse('2026-11-21T22:56:11Z');
const later = (seconds: number, override: Partial<OrderChangedV1> = {}) =>
  anOrder({ sourceVersion: V1 + seconds * 1000, contentHash: `v${seconds}`, ...override });
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const { payment, lines, total } = anOrder();

const edited: Partial<OrderChangedV1> = { buyerNote: 'please ring twice' };
const cancelled: Partial<OrderChangedV1> = { status: 'cancelled', sourceStatus: 'cancelled' };
const partly = (...refunds: OrderChangedV1['refunds']): Partial<OrderChangedV1> => ({
  refunds,
  payment: { ...payment, state: 'partially-refunded' },
});
const tax = (minor: number) => [{ key: '1', title: 'VAT', compound: false, amount: twd(minor) }];
const oneTea = {
  id: '77',
  reason: 'broken',
  total: twd(44100),
  lines: [{ lineId: '1', quantity: 1, total: twd(42000), taxes: tax(2100), restock: true }],
};
const goodwill = { id: '78', total: twd(1000) };

const failureOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
};
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await failureOf(work);
  if (error instanceof PermanentError) return error.code;
  throw error;
};
const noAnswer = () => {
  throw new UnknownOutcomeError('PEER_TIMEOUT', 'erp did not answer');
};
const down = () => {
  throw new RetryableError('PEER_FAILED', 'erp answered HTTP 503');
};

/** The order is at the ERP. */
const written = async (options: Parameters<typeof orderDesk>[0] = {}) => {
  const desk = orderDesk({ changes: true, ...options });
  await desk.push(anOrder());
  desk.calls.length = 0;
  return desk;
};

describe('an edit', () => {
  it('is written to the same document, and once', async () => {
    const desk = await written();
    expect(await desk.push(later(60, edited))).toMatchObject({
      kind: 'changed',
      document: { id: '1', name: 'S00001' },
      done: ['edited'],
      level: 'confirm',
    });
    expect(desk.calls).toEqual(['resolve', 'toWire', 'complete']);
    expect(desk.orders).toMatchObject([{ id: '1', content: expect.stringContaining('ring twice') }]);
    expect(desk.journal()).toMatchObject({
      state: 'done',
      code: 'CHANGED',
      text: 'S00001 in acme-odoo, edited',
    });
    expect(await desk.push(later(60, edited))).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(await desk.push(anOrder())).toMatchObject({ reason: 'OLDER_THAN_WRITTEN' });
  });

  it('says what the mapper and the ERP had to say', async () => {
    const desk = await written();
    expect(await desk.push(later(60, edited))).toMatchObject({
      warnings: ['mapped', 'rounded'],
      roundingMinor: 2,
    });
  });

  it('whose amounts do not add up is parked before anything is written', async () => {
    const desk = await written();
    expect(await codeOf(desk.push(later(60, { ...edited, total: twd(1) })))).toBe('TOTALS_DO_NOT_ADD_UP');
    expect(desk.calls).toEqual([]);
  });

  it.each(['EDITED_IN_ERP', 'TOO_LATE_IN_ERP'] as const)(
    'that the ERP refuses (%s) is not taken for begun: what staff make of it later is theirs',
    async (code) => {
      const desk = await written();
      const [order] = desk.orders;
      if (!order) throw new Error('nothing was written');
      if (code === 'EDITED_IN_ERP') order.content = 'of staff';
      else order.tooLate = 'delivered';
      expect(await codeOf(desk.push(later(60, edited)))).toBe(code);
      order.content = JSON.stringify([total.minor, lines.map((l) => [l.sku, l.quantity]), edited.buyerNote]);
      delete order.tooLate;
      expect(await codeOf(desk.push(later(120, { buyerNote: 'twice' })))).toBe('EDITED_IN_ERP');
    },
  );

  it('whose answer was lost waits for the lease, and is found as it should be', async () => {
    const desk = await written();
    desk.fails.complete = () => {
      const [order] = desk.orders;
      // It landed: only the answer is missing.
      if (order)
        order.content = JSON.stringify([
          total.minor,
          lines.map((l) => [l.sku, l.quantity]),
          edited.buyerNote,
        ]);
      noAnswer();
    };
    expect(await failureOf(desk.push(later(60, edited)))).toBeInstanceOf(UnknownOutcomeError);
    delete desk.fails.complete;
    expect(await failureOf(desk.push(later(60, edited)))).toBeInstanceOf(BusyError);
    desk.wait(LEASE_MS);
    expect(await desk.push(later(60, edited))).toMatchObject({ kind: 'changed', done: ['edited'] });
  });

  it('that failed is not undone by an older delivery', async () => {
    const desk = await written();
    desk.fails.complete = down;
    await failureOf(desk.push(later(60, edited)));
    delete desk.fails.complete;
    expect(await desk.push(anOrder())).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(await desk.push(later(60, edited))).toMatchObject({ kind: 'changed' });
  });

  it('loses against staff: what people changed in the ERP is not overwritten', async () => {
    const desk = await written();
    const [order] = desk.orders;
    if (order) order.content = 'by hand';
    expect(await codeOf(desk.push(later(60, edited)))).toBe('EDITED_IN_ERP');
    expect(desk.orders).toMatchObject([{ content: 'by hand' }]);
    expect(desk.journal()).toMatchObject({ state: 'parked', code: 'EDITED_IN_ERP' });
  });

  it('after delivery is parked in words', async () => {
    const desk = await written();
    const [order] = desk.orders;
    if (order) order.tooLate = 'delivered';
    expect(await failureOf(desk.push(later(60, edited)))).toMatchObject({
      code: 'TOO_LATE_IN_ERP',
      message:
        'The order was edited in the shop, and S00001 in acme-odoo cannot follow: goods were delivered already.',
    });
  });

  it('and a payment in one version are one change', async () => {
    const held: Partial<OrderChangedV1> = { status: 'on-hold' };
    const desk = orderDesk({ changes: true, route: { accept: { onHold: 'draft' } } });
    await desk.push(anOrder(held));
    expect(await desk.push(later(60, edited))).toMatchObject({
      done: ['edited', 'confirm'],
      level: 'confirm',
    });
  });

  it.each([
    ['and told the journal', false],
    ['and died before it could tell the journal', true],
  ])('of two versions at work at once, the later one stays: it was finished %s', async (_case, dies) => {
    const desk = await written();
    const { ledger, journal } = desk.ports;
    const settle = () => Promise.reject(new RetryableError('DOWN', 'no journal'));
    let isFirst = true;
    // The newer version is dealt with between the decision and the claim of the older one.
    const late = later(30, { buyerNote: 'older' });
    const outcome = await desk.push(late, {
      ledger: {
        ...ledger,
        claim: async (...args) => {
          if (isFirst) {
            isFirst = false;
            const newer = desk.push(later(60, edited), dies ? { journal: { ...journal, settle } } : {});
            await newer.catch(() => undefined);
          }
          return ledger.claim(...args);
        },
      },
    });
    expect(outcome).toMatchObject({ kind: 'skipped', reason: 'OLDER_THAN_WRITTEN' });
    expect(desk.orders).toMatchObject([{ content: expect.stringContaining('ring twice') }]);
    // Deciding again costs no attempt.
    expect(desk.entries.get('acme-odoo#acme-woo#1001#create')).toMatchObject({
      failures: 0,
      leaseUntilMs: 0,
    });
  });
});

describe('a cancellation', () => {
  it.each([
    ['cancelled', cancelled],
    ['failed', { status: 'failed' } as const],
    ['refunded before anything was shipped', { status: 'refunded' } as const],
  ])('cancels the document, once: %s', async (_case, override) => {
    const desk = await written();
    expect(await desk.push(later(60, override))).toMatchObject({ kind: 'changed', done: ['cancelled'] });
    expect(desk.orders).toMatchObject([{ state: 'cancelled' }]);
    expect(await desk.push(later(60, override))).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(desk.calls).toEqual(['cancel']);
  });

  it('needs no credit note for money that went back', async () => {
    const desk = await written();
    const refund = { id: '77', total };
    expect(await desk.push(later(60, { ...cancelled, refunds: [refund] }))).toMatchObject({
      done: ['cancelled'],
    });
    expect(await desk.push(later(90, { ...cancelled, refunds: [refund, goodwill] }))).toMatchObject({
      reason: 'ALREADY_DONE',
    });
    expect(desk.notes).toEqual([]);
  });

  it('of what was delivered, with all money back, becomes a credit note', async () => {
    const desk = await written();
    const [order] = desk.orders;
    if (order) order.tooLate = 'delivered';
    const all = { id: '79', total };
    expect(await desk.push(later(60, { status: 'refunded', refunds: [all] }))).toMatchObject({
      done: ['refunded', 'refund 79'],
    });
    expect(desk.notes).toMatchObject([{ reference: 'acme-woo:1001/refund/79', minor: 110198, posted: true }]);
  });

  it('of what was delivered, without money back, is parked', async () => {
    const desk = await written();
    const [order] = desk.orders;
    if (order) order.tooLate = 'invoiced';
    expect(await codeOf(desk.push(later(60, cancelled)))).toBe('TOO_LATE_IN_ERP');
    expect(desk.orders[0]?.state).toBeUndefined();
  });

  it('after a credit note credits the rest, or goes to people', async () => {
    const desk = await written();
    await desk.push(later(30, partly(oneTea)));
    expect(await codeOf(desk.push(later(60, { ...cancelled, refunds: [oneTea] })))).toBe(
      'ORDER_CHANGED_AFTER_WRITE',
    );
    const rest = { id: '79', total: twd(110198 - 44100) };
    expect(await desk.push(later(90, { ...cancelled, refunds: [oneTea, rest] }))).toMatchObject({
      done: ['cancelled', 'refund 79'],
    });
    expect(desk.notes.map(({ minor }) => minor)).toEqual([44100, 66098]);
    expect(desk.calls).not.toContain('cancel');
  });

  it('of an order that an unfinished attempt has begun cancels what is there', async () => {
    const desk = orderDesk({ changes: true });
    desk.fails.complete = down;
    await failureOf(desk.push(anOrder()));
    delete desk.fails.complete;
    const fetched = { receivedAtMs: 1, fetchedAtMs: 1 };
    expect(await desk.push(later(60, cancelled), {}, fetched)).toMatchObject({ done: ['cancelled'] });
    expect(desk.orders).toMatchObject([{ id: '1', state: 'cancelled' }]);
    expect(await desk.push(anOrder())).toMatchObject({ reason: 'OLDER_THAN_WRITTEN' });
    expect(desk.orders).toHaveLength(1);
  });

  it('taken back is for people: the ERP does not revive documents', async () => {
    const desk = await written();
    await desk.push(later(60, cancelled));
    expect(await failureOf(desk.push(later(90)))).toMatchObject({
      code: 'ORDER_CHANGED_AFTER_WRITE',
      message: 'The order was opened again in the shop after S00001 was written to acme-odoo.',
    });
  });

  it('loses against staff, too', async () => {
    const desk = await written();
    const [order] = desk.orders;
    if (order) order.content = 'by hand';
    expect(await codeOf(desk.push(later(60, cancelled)))).toBe('EDITED_IN_ERP');
  });
});

describe('a refund', () => {
  it('becomes one credit note with its lines, however often it is told', async () => {
    const desk = await written();
    expect(await desk.push(later(60, partly(oneTea)))).toMatchObject({
      kind: 'changed',
      done: ['refund 77'],
    });
    expect(desk.calls).toEqual(['resolve', 'toWire', 'refund.find', 'refund.create', 'refund.complete']);
    expect(desk.notes).toMatchObject([
      { reference: 'acme-woo:1001/refund/77', minor: 44100, parts: ['1 x TEA-OOL-150'], posted: true },
    ]);
    expect(desk.bound).toContain('acme-odoo acme-woo refund 1001/77 1');
    expect(await desk.push(later(90, partly(oneTea)))).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(desk.notes).toHaveLength(1);
  });

  it('after another adds a second one; what names no line is an amount', async () => {
    const desk = await written();
    await desk.push(later(60, partly(oneTea)));
    await desk.push(later(90, partly(oneTea, goodwill)));
    expect(desk.notes.map(({ parts }) => parts)).toEqual([['1 x TEA-OOL-150'], ['amount 1000']]);
  });

  it('that came with its order is credited, too', async () => {
    const desk = orderDesk({ changes: true });
    expect(await desk.push(anOrder(partly(oneTea)))).toMatchObject({ kind: 'written' });
    expect(desk.notes).toMatchObject([{ minor: 44100, posted: true }]);
  });

  it('whose answer was lost is looked up, not made again', async () => {
    const desk = await written();
    const lost = desk.fails;
    lost['refund.create'] = () => {
      desk.notes.push({ id: '1', reference: 'acme-woo:1001/refund/77', minor: 44100, parts: [] });
      noAnswer();
    };
    expect(await failureOf(desk.push(later(60, partly(oneTea))))).toBeInstanceOf(UnknownOutcomeError);
    delete lost['refund.create'];
    expect(await failureOf(desk.push(later(60, partly(oneTea))))).toBeInstanceOf(BusyError);
    desk.wait(LEASE_MS);
    expect(await desk.push(later(60, partly(oneTea)))).toMatchObject({ done: ['refund 77'] });
    expect(desk.notes).toMatchObject([{ id: '1', posted: true }]);
  });

  it('whose edit was done and whose credit failed does only the rest again', async () => {
    const desk = await written();
    desk.fails['refund.create'] = down;
    const both = { ...edited, ...partly(oneTea) };
    await failureOf(desk.push(later(60, both)));
    delete desk.fails['refund.create'];
    expect(await desk.push(later(60, both))).toMatchObject({ done: ['edited', 'refund 77'] });
    expect(desk.notes).toHaveLength(1);
  });
});

describe('what the route leaves to people', () => {
  it.each<[string, Record<string, unknown>, Partial<OrderChangedV1>, string]>([
    ['edits', { edits: 'park' }, edited, 'edited'],
    ['cancellations', { cancellations: 'park' }, cancelled, 'cancelled'],
    ['refunds', { refunds: 'park' }, partly(oneTea), 'refunded in part'],
  ])('%s', async (_case, route, override, change) => {
    const desk = await written({ route });
    expect(await failureOf(desk.push(later(60, override)))).toMatchObject({
      code: 'ORDER_CHANGED_AFTER_WRITE',
      message: `The order was ${change} in the shop after S00001 was written to acme-odoo.`,
    });
    expect(desk.calls).toEqual([]);
  });
});

it('a version that a person discarded is not done when it comes again; the next version is', async () => {
  const desk = await written({ route: { edits: 'park' } });
  const late = later(60, edited);
  expect(await codeOf(desk.push(late))).toBe('ORDER_CHANGED_AFTER_WRITE');
  const revision = { sourceVersion: late.sourceVersion, contentHash: undefined, seenAtMs: 0, fetched: false };
  const step = { atMs: 0, code: 'DISCARDED', text: 'done by hand' };
  await desk.ports.journal.settle('acme-odoo', 'acme-woo', '1001', { state: 'discarded', revision, step });
  for (let n = 0; n < 2; n += 1) {
    expect(await desk.push(late)).toMatchObject({ kind: 'skipped', reason: 'DISCARDED' });
    expect(desk.journal().state).toBe('discarded');
  }
  expect(await desk.push(later(90, cancelled))).toMatchObject({ kind: 'changed', done: ['cancelled'] });
});
