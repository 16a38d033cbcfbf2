import { expect, it } from 'vitest';
import { BusyError, PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import type { PushOrderPorts } from '../../../shared/core/order-ports.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { LEASE_MS, orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

/** What workers that die in the middle leave behind, and what the next one makes of it. Found by `npm run simulate`. */

const V1 = Date.parse('2026-11-21T22:56:11Z');
const later = (seconds: number, override: Partial<OrderChangedV1> = {}) =>
  anOrder({ sourceVersion: V1 + seconds * 1000, contentHash: `v${seconds}`, ...override });
const twice: Partial<OrderChangedV1> = { buyerNote: 'please ring twice' };
const door: Partial<OrderChangedV1> = { buyerNote: 'leave it at the door' };
const cancelled: Partial<OrderChangedV1> = { status: 'cancelled', sourceStatus: 'cancelled' };
const { payment, total } = anOrder();
const refund = { id: '77', total: { minor: 1000, currency: 'TWD' } };
const rest = { id: '78', total: { minor: total.minor - 1000, currency: 'TWD' } };
const refunded = (...refunds: OrderChangedV1['refunds']): Partial<OrderChangedV1> => ({
  refunds,
  payment: { ...payment, state: 'partially-refunded' },
});

type Desk = ReturnType<typeof orderDesk>;
const died = new Error('the function was killed');

/** A worker with this version that dies right before `finish`, and the end of its lease. */
const dieUnfinished = async (desk: Desk, order: OrderChangedV1): Promise<void> => {
  const ledger: PushOrderPorts['ledger'] = {
    ...desk.ports.ledger,
    finish: () => Promise.reject(died),
    release: async () => undefined,
  };
  await expect(desk.push(order, { ledger })).rejects.toMatchObject({ cause: died });
  desk.wait(LEASE_MS);
  desk.calls.length = 0;
};
const written = async (): Promise<Desk> => {
  const desk = orderDesk({ changes: true });
  await desk.push(anOrder());
  desk.calls.length = 0;
  return desk;
};
const noteOf = ({ orders: [order] }: Desk) => JSON.parse(order?.content ?? '[]')[2];

it('an edit that was written and not finished is no edit by staff to the next version', async () => {
  const desk = await written();
  await dieUnfinished(desk, later(60, twice));
  expect(await desk.push(later(90, door))).toMatchObject({ kind: 'changed', done: ['edited'] });
  expect(noteOf(desk)).toBe('leave it at the door');
});

it('an edit that was written and not finished is taken back when the shop takes it back', async () => {
  const desk = await written();
  await dieUnfinished(desk, later(60, twice));
  expect(await desk.push(later(90))).toMatchObject({ kind: 'changed', done: ['edited'] });
  expect(noteOf(desk)).toBeNull();
});

it('an edit that was begun is not undone by an older delivery', async () => {
  const desk = await written();
  await dieUnfinished(desk, later(60, twice));
  expect(await desk.push(anOrder())).toMatchObject({ reason: 'ALREADY_DONE' });
  expect(noteOf(desk)).toBe('please ring twice');
  expect(await desk.push(later(60, twice))).toMatchObject({ kind: 'changed' });
});

it('a cancellation after an unfinished edit takes the document as that edit left it', async () => {
  const desk = await written();
  await dieUnfinished(desk, later(60, twice));
  expect(await desk.push(later(90, { ...twice, ...cancelled }))).toMatchObject({ done: ['cancelled'] });
  expect(desk.orders).toMatchObject([{ state: 'cancelled' }]);
});

it('staff still win over what is finished for somebody else', async () => {
  const desk = await written();
  await dieUnfinished(desk, later(60, twice));
  const [order] = desk.orders;
  if (order) order.content = 'by hand';
  await expect(desk.push(later(90, door))).rejects.toMatchObject({ code: 'EDITED_IN_ERP' });
  expect(desk.orders).toMatchObject([{ content: 'by hand' }]);
});

it('an edit that staff refused leaves no doubt behind: a refund that follows is credited', async () => {
  const desk = await written();
  const [order] = desk.orders;
  if (order) order.content = 'by hand';
  await expect(desk.push(later(60, twice))).rejects.toMatchObject({ code: 'EDITED_IN_ERP' });
  expect(await desk.push(later(90, refunded(refund)))).toMatchObject({ done: ['refund 77'] });
});

it('a cancellation that was written and not finished is known when the order is opened again', async () => {
  const desk = await written();
  await dieUnfinished(desk, later(60, cancelled));
  expect(desk.orders).toMatchObject([{ state: 'cancelled' }]);
  desk.fails.complete = () => {
    throw new PermanentError('ERP_DOCUMENT_GONE', { destination: 'acme-odoo', document: 'S00001' });
  };
  await expect(desk.push(later(90))).rejects.toMatchObject({ code: 'ERP_DOCUMENT_GONE' });
});

it('an order that an older version began is finished as that, then edited', async () => {
  const desk = orderDesk({ changes: true });
  await dieUnfinished(desk, anOrder());
  const complete = desk.ports.erp.complete;
  const asked: (string | undefined)[] = [];
  const erp: PushOrderPorts['erp'] = {
    ...desk.ports.erp,
    complete: (document, wire, level, call, asLeft) => {
      asked.push(`${JSON.parse((wire as { content: string }).content)[2]}, ${asLeft ? 'known' : 'unknown'}`);
      return complete(document, wire, level, call, asLeft);
    },
  };
  expect(await desk.push(later(60, twice), { erp })).toMatchObject({ kind: 'changed', done: ['edited'] });
  expect(asked).toEqual(['null, unknown', 'null, known', 'please ring twice, known']);
  expect(desk.orders).toHaveLength(1);
  expect(await desk.push(anOrder())).toMatchObject({ reason: 'OLDER_THAN_WRITTEN' });
});

it('a refund that was credited and not finished is not cancelled away', async () => {
  const desk = await written();
  await dieUnfinished(desk, later(60, refunded(refund)));
  expect(desk.notes).toHaveLength(1);
  expect(await desk.push(later(90, { ...refunded(refund, rest), status: 'refunded' }))).toMatchObject({
    done: ['refunded', 'refund 77', 'refund 78'],
  });
  expect(desk.orders[0]?.state).toBeUndefined();
  expect(desk.notes.map(({ minor }) => minor)).toEqual([1000, total.minor - 1000]);
});

it.each([
  ['may be landing', { document: undefined, leaseUntilMs: Number.MAX_SAFE_INTEGER }, BusyError],
  ['never landed', { document: undefined, leaseUntilMs: 0 }, undefined],
])('a refund that was begun and %s', async (_case, over, failure) => {
  const desk = await written();
  const intent = 'acme-odoo#acme-woo#1001#refund 77';
  const entry = { intent, state: 'open' as const, attempt: 1, failures: 1, facts: {}, ...over };
  desk.entries.set(intent, entry);
  const pushed = desk.push(later(90, { ...refunded(refund), ...cancelled }));
  if (failure) await expect(pushed).rejects.toBeInstanceOf(failure);
  else expect(await pushed).toMatchObject({ done: ['cancelled'] });
});

it.each([
  ['the first completion', anOrder(), 'complete'],
  ['an edit', later(60, twice), 'complete'],
  ['a cancellation', later(60, cancelled), 'cancel'],
] as const)('a worker that stalled does not begin a write: %s', async (_case, order, call) => {
  const desk =
    order.buyerNote || order.status === 'cancelled' ? await written() : orderDesk({ changes: true });
  const stall = async (): Promise<void> => {
    desk.wait(LEASE_MS);
  };
  const ledger: PushOrderPorts['ledger'] = {
    ...desk.ports.ledger,
    written: (...args) => desk.ports.ledger.written(...args).then(stall),
    note: (...args) => desk.ports.ledger.note(...args).then(stall),
  };
  const failed = await desk.push(order, { ledger }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(RetryableError);
  expect(failed).toMatchObject({ code: 'LEASE_LOST' });
  expect(desk.calls).not.toContain(call);
});

it('a version that asks for nothing looks again when an older one was at work meanwhile', async () => {
  const desk = await written();
  const { journal } = desk.ports;
  let isFirst = true;
  const pushed = desk.push(later(90), {
    journal: {
      ...journal,
      settle: async (...args) => {
        // Decided, not settled yet: an older version is written in between.
        if (isFirst) await desk.push(later(60, twice));
        isFirst = false;
        return journal.settle(...args);
      },
    },
  });
  await expect(pushed).rejects.toBeInstanceOf(BusyError);
  expect(await desk.push(later(90))).toMatchObject({ kind: 'changed', done: ['edited'] });
  expect(noteOf(desk)).toBeNull();
});

it('an order that somebody finishes while it is to be cancelled as begun is cancelled all the same', async () => {
  const desk = orderDesk({ changes: true });
  const { ledger } = desk.ports;
  desk.fails.complete = () => {
    throw new RetryableError('PEER_FAILED', 'erp answered HTTP 503');
  };
  await expect(desk.push(anOrder())).rejects.toBeInstanceOf(RetryableError);
  delete desk.fails.complete;
  let isFirst = true;
  const claim: typeof ledger.claim = async (...args) => {
    if (isFirst) {
      isFirst = false;
      await desk.push(anOrder());
    }
    return ledger.claim(...args);
  };
  expect(await desk.push(later(60, cancelled), { ledger: { ...ledger, claim } })).toMatchObject({
    done: ['cancelled'],
  });
  expect(desk.orders).toMatchObject([{ state: 'cancelled' }]);
});

it('whoever stalls while looking does not take a lease that was held then for one that has run out', async () => {
  const desk = orderDesk({ changes: true });
  const { ledger, journal } = desk.ports;
  let isSettled = false;
  const pushed = desk.push(later(60, cancelled), {
    journal: {
      ...journal,
      settle: async (...args) => {
        // An older version is claimed after we looked and before we settle.
        await ledger.claim('acme-odoo#acme-woo#1001#create', LEASE_MS);
        isSettled = true;
        return journal.settle(...args);
      },
    },
    ledger: {
      ...ledger,
      peek: async (intent) => {
        const entry = await ledger.peek(intent);
        if (isSettled) desk.wait(LEASE_MS + 1);
        return entry;
      },
    },
  });
  await expect(pushed).rejects.toBeInstanceOf(BusyError);
});

it('a document that says what is asked for, begun as an older version and handed over since, is nobody’s to decide', async () => {
  const desk = orderDesk({ changes: true });
  await dieUnfinished(desk, anOrder());
  const [order] = desk.orders;
  // Written by the newer version, whose own worker died before it could say so.
  if (order) {
    order.content = JSON.stringify([
      total.minor,
      anOrder().lines.map((l) => [l.sku, l.quantity]),
      'please ring twice',
    ]);
    order.tooLate = 'locked';
  }
  const complete = desk.ports.erp.complete;
  const erp: PushOrderPorts['erp'] = {
    ...desk.ports.erp,
    // Without knowing how it was left, a confirmed order is left as it is.
    complete: async (document, wire, level, call, asLeft) => {
      if (asLeft !== undefined) return complete(document, wire, level, call, asLeft);
      const { content } = desk.orders[0] ?? {};
      return {
        ...(await complete(document, { ...(wire as object), content }, level, call)),
        fingerprint: content,
      };
    },
  };
  expect(await desk.push(later(60, twice), { erp })).toMatchObject({ kind: 'changed', done: ['edited'] });
  expect(noteOf(desk)).toBe('please ring twice');
});

it('what a newer version began, and an older one cannot finish any more, is parked by the newer one', async () => {
  const desk = orderDesk({ changes: true });
  await dieUnfinished(desk, anOrder());
  const [document] = desk.orders;
  if (!document) throw new Error('it was created');
  const asCreated = document.content ?? '';
  // A newer version takes over and fails before it has changed anything; then the order is invoiced.
  desk.entries.clear();
  const { erp } = desk.ports;
  const says: typeof erp.complete = async (...args) => {
    const completed = await erp.complete(...args);
    document.content = asCreated;
    return { ...completed, fingerprint: asCreated };
  };
  const unfit: typeof erp.complete = () => Promise.reject(new RetryableError('DOWN', '503'));
  const newer = later(60, twice);
  await expect(desk.push(newer, { erp: { ...erp, complete: unfit } })).rejects.toMatchObject({
    code: 'DOWN',
  });
  document.tooLate = 'invoiced';
  const asLeft: typeof erp.complete = (...args) =>
    args[4] === undefined ? says(...args) : erp.complete(...args);
  const late = { erp: { ...erp, complete: asLeft } };
  expect(await desk.push(anOrder(), late)).toMatchObject({ reason: 'OLDER_THAN_WRITTEN' });
  await expect(desk.push(newer, late)).rejects.toMatchObject({ code: 'TOO_LATE_IN_ERP' });
});
