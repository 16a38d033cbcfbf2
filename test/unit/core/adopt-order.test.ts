import { describe, expect, it } from 'vitest';
import type { ErpCandidate } from '../../../shared/connectors/contract.ts';
import {
  type AdoptPorts,
  adoptable,
  adoptOrder,
  planAdoption,
  resendPending,
} from '../../../shared/core/adopt-order.ts';
import { type CheckPorts, checkOrders, repairOrder } from '../../../shared/core/check-orders.ts';
import type { Journal } from '../../../shared/core/journal.ts';
import { twinOf } from '../../../shared/core/order-changes.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { memoryJournalReads } from '../../fakes/memory-journal.ts';
import { memoryLedgerRepairs } from '../../fakes/memory-ledger-repairs.ts';
import { orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const START = '2026-11-22T00:00:00Z';
const SHOP = 'acme-woo';
const ERP = 'acme-odoo';
const call = { signal: new AbortController().signal };
const range = { fromMs: 0, days: 7 };
const old = (change: Partial<OrderChangedV1> = {}) =>
  anOrder({ placedAt: '2026-11-20T10:00:00Z', ...change });
const refund = (id: string, refundedAt?: string) => ({
  id,
  total: { minor: 44100, currency: 'TWD' },
  ...(refundedAt && { refundedAt }),
});

/** The desk's ERP with one order that people typed in, as the connector tells it; and a shop that lists its orders. */
const cutOver = (
  options: { shop?: OrderChangedV1[]; typed?: Partial<ErpCandidate>; changes?: boolean } = {},
) => {
  const desk = orderDesk({ changes: options.changes ?? true, route: { startAt: START } });
  const shop = options.shop ?? [old()];
  const [route] = desk.ports.routes;
  if (!route) throw new Error('there is a route');
  const content = JSON.stringify('as people typed it');
  desk.orders.push({ id: '1', name: 'S00001', reference: '', content });
  const published: { name: string; id: string; via: string }[] = [];
  let ids = 0;
  const ports: AdoptPorts = {
    ...desk.ports,
    route,
    reads: {
      changed: async function* () {
        yield shop.map((order) => ({
          id: order.orderId,
          changedAtMs: 0,
          fetched: { kind: 'order' as const, order, warnings: [] },
        }));
      },
      order: async () => undefined,
    },
    erp: {
      find: desk.ports.erp.find,
      adoption: {
        candidates: async function* () {
          yield desk.orders.map(
            (order): ErpCandidate => ({
              document: { id: order.id, name: order.name },
              datedAtMs: Date.parse('2026-11-20T12:00:00Z'),
              total: { minor: 110198, currency: 'TWD' },
              stepMinor: 1,
              state: order.state ?? 'confirmed',
              reference: order.reference,
              mentions: ['1001'],
              buyer: [],
              ...options.typed,
            }),
          );
        },
        compare: async () => [],
        adopt: async ({ id }, reference) => {
          const order = desk.orders.find((each) => each.id === id);
          if (!order) throw new Error('it is gone');
          if (reference) Object.assign(order, { reference });
          return { id, name: order.name, state: order.state ?? 'confirmed', fingerprint: order.content };
        },
      },
    },
    publish: async (name, event) => {
      published.push({ name, id: 'orderId' in event.data ? event.data.orderId : '', via: event.meta.via });
    },
    newId: () => `a${++ids}`,
  };
  const settings = { range, writeReference: true, who: { by: 'ada', why: 'go-live' } };
  return {
    ...desk,
    /** Of the consumer. */
    deskPorts: desk.ports,
    shop,
    ports,
    published,
    plan: () => planAdoption(ports, range, call),
    adopt: async (over: Partial<AdoptPorts> = {}, differing = false, using = range) => {
      const all = { ...ports, ...over };
      const outcomes = [];
      for (const planned of await planAdoption(all, using, call)) {
        if (!adoptable(planned, differing)) continue;
        outcomes.push(await adoptOrder(all, planned, { ...settings, range: using }, call));
      }
      return outcomes;
    },
    twin: () => twinOf(desk.entries.get(`${ERP}#${SHOP}#1001#create`)?.facts ?? {}),
  };
};

describe('what was placed before startAt', () => {
  it('is never created, however it comes, until it is adopted; then it is followed', async () => {
    const at = cutOver();
    expect(await at.push(old())).toMatchObject({ kind: 'skipped', reason: 'BEFORE_START' });
    expect(await at.adopt()).toMatchObject([
      { kind: 'adopted', document: { id: '1', name: 'S00001' }, pending: [] },
    ]);
    expect(at.orders).toMatchObject([{ reference: `${SHOP}:1001` }]);
    expect(at.bound).toEqual([`${ERP} ${SHOP} order 1001 1`]);
    expect(at.journal()).toMatchObject({
      state: 'done',
      code: 'ADOPTED',
      text: `S00001 in ${ERP}, by ada: go-live`,
    });
    expect(at.published).toEqual([]);

    expect(await at.push(old())).toMatchObject({ kind: 'skipped', reason: 'ALREADY_DONE' });
    const later = { sourceVersion: Date.parse('2026-11-23T00:00:00Z'), contentHash: 'later' };
    const refunds = [refund('7', '2026-11-23T00:00:00Z')];
    expect(await at.push(old({ ...later, refunds }))).toMatchObject({ kind: 'changed', done: ['refund 7'] });
    expect(at.calls).not.toContain('create');
  });

  it.each(['webhook', 'fetch', 'reconciliation', 'replay'] as const)('by %s: not created', async (via) => {
    const at = cutOver();
    const meta = via === 'webhook' ? {} : { fetchedAtMs: 1 };
    expect(await at.push(old(), {}, { via, ...meta })).toMatchObject({ reason: 'BEFORE_START' });
    expect(at.calls).toEqual([]);
  });

  it.each<[string, Partial<OrderChangedV1>, string]>([
    ['edited', { buyerNote: 'ring twice' }, 'edited'],
    ['cancelled', { status: 'cancelled' }, 'cancelled'],
  ])('%s after it was adopted: applied', async (_case, change, done) => {
    const at = cutOver();
    await at.adopt();
    const later = { sourceVersion: Date.parse('2026-11-23T00:00:00Z'), contentHash: 'later' };
    expect(await at.push(old({ ...later, ...change }))).toMatchObject({ kind: 'changed', done: [done] });
  });

  it('changed by staff after it was adopted: theirs', async () => {
    const at = cutOver();
    await at.adopt();
    const [order] = at.orders;
    if (order) order.content = 'changed by staff';
    const later = {
      sourceVersion: Date.parse('2026-11-23T00:00:00Z'),
      contentHash: 'later',
      buyerNote: 'ring',
    };
    await expect(at.push(old(later))).rejects.toMatchObject({ code: 'EDITED_IN_ERP' });
  });

  it('placed after it: not looked for, it is created', async () => {
    const at = cutOver({ shop: [old(), anOrder({ orderId: '1002', placedAt: START })] });
    expect((await at.plan()).map((one) => one.kind === 'matched' && one.match.order.orderId)).toEqual([
      '1001',
    ]);
  });
});

describe('refunds', () => {
  const done = ['1', '3'];
  const shop = [old({ refunds: [refund('1', '2026-11-21T23:59:59Z'), refund('2', START), refund('3')] })];

  it('made before startAt, or nobody knows when, are people’s; the others are applied', async () => {
    const at = cutOver({ shop });
    expect(await at.plan()).toMatchObject([{ kind: 'matched', pending: ['refund 2'] }]);
    expect(await at.adopt()).toMatchObject([{ kind: 'adopted', pending: ['refund 2'] }]);
    expect(at.twin()?.refunds).toEqual(done);
    expect(at.published).toEqual([{ name: 'order.changed.v1', id: '1001', via: 'replay' }]);
  });

  it('the day from which they are ours can be chosen', async () => {
    const at = cutOver({ shop });
    const refundsFromMs = Date.parse('2026-11-20T00:00:00Z');
    const [adopted] = await at.adopt({}, false, { ...range, refundsFromMs } as typeof range);
    expect(adopted).toMatchObject({ pending: ['refund 1', 'refund 2'] });
  });

  it('all of it given back by people: nothing is cancelled, nothing credited', async () => {
    const all = { ...refund('1', '2026-11-21T00:00:00Z'), total: { minor: 110198, currency: 'TWD' } };
    const at = cutOver({ shop: [old({ status: 'refunded', refunds: [all] })] });
    expect(await at.adopt()).toMatchObject([{ pending: [] }]);
    expect(at.twin()).toMatchObject({ ended: 'credited', refunds: ['1'] });
  });
});

describe('what the document says', () => {
  it('cancelled in both: nothing is left to do', async () => {
    const at = cutOver({ shop: [old({ status: 'cancelled' })], typed: { state: 'cancelled' } });
    const [order] = at.orders;
    if (order) order.state = 'cancelled';
    expect(await at.adopt()).toMatchObject([{ kind: 'adopted', pending: [] }]);
    expect(at.twin()?.ended).toBe('cancelled');
  });

  it('cancelled in the shop only: cancelled, once it is ours', async () => {
    const at = cutOver({ shop: [old({ status: 'cancelled' })] });
    expect(await at.adopt()).toMatchObject([{ kind: 'adopted', pending: ['cancelled'] }]);
    await at.push(old({ status: 'cancelled' }));
    expect(at.orders).toMatchObject([{ state: 'cancelled' }]);
  });

  it('something else: only where that is asked for, and then it is brought to what the shop says', async () => {
    const at = cutOver({ typed: { total: { minor: 90000, currency: 'TWD' } } });
    expect(await at.adopt()).toEqual([]);
    expect(await at.adopt({}, true)).toMatchObject([{ kind: 'adopted', pending: ['edited'] }]);
    expect(await at.push(old())).toMatchObject({ kind: 'changed', done: ['edited'] });
  });

  it('a draft stays the draft of people, also when the shop is paid', async () => {
    const at = cutOver({ typed: { state: 'draft' } });
    await at.adopt({
      erp: {
        ...at.ports.erp,
        adoption: {
          ...present(at.ports.erp.adoption),
          adopt: async () => ({ id: '1', state: 'draft', fingerprint: 'f' }),
        },
      },
    });
    expect(at.twin()?.level).toBe('draft');
    expect(await at.push(old())).toMatchObject({ kind: 'skipped', reason: 'ALREADY_DONE' });
  });
});

describe('two at once', () => {
  it('a document is not adopted twice, also without our reference on it', async () => {
    const at = cutOver({ shop: [old()] });
    const bare = {
      ...at.ports.erp,
      adoption: {
        ...present(at.ports.erp.adoption),
        adopt: async () => ({ id: '1', state: 'confirmed' as const }),
      },
    };
    await at.adopt({ erp: bare });
    at.shop.splice(0, 1, old({ orderId: '2002' }));
    expect(await at.adopt({ erp: bare })).toEqual([
      { kind: 'conflict', reason: `it was adopted for ${SHOP}:1001` },
    ]);
  });

  it('an order that Waybill wrote is not given a second document', async () => {
    const at = cutOver();
    at.orders.push({ id: '2', name: 'S00002', reference: `${SHOP}:1001` });
    const only = { ...present(at.ports.erp.adoption) };
    const erp = {
      ...at.ports.erp,
      adoption: {
        ...only,
        candidates: async function* (...args: Parameters<typeof only.candidates>) {
          for await (const page of only.candidates(...args))
            yield page.filter(({ document }) => document.id === '1');
        },
      },
    };
    expect(await at.adopt({ erp })).toEqual([{ kind: 'conflict', reason: 'the order is S00002 already' }]);
  });

  it('a newer version was skipped while we read an older one: the shop is asked again', async () => {
    const at = cutOver();
    const newer = old({
      sourceVersion: Date.parse('2026-11-23T00:00:00Z'),
      contentHash: 'later',
      refunds: [refund('7', START)],
    });
    const find = async (...args: Parameters<typeof at.ports.erp.find>) => {
      await at.push(newer);
      return at.ports.erp.find(...args);
    };
    await at.adopt({ erp: { ...at.ports.erp, find } });
    expect(at.published).toEqual([{ name: 'order.notified.v1', id: '1001', via: 'replay' }]);
  });

  it('it is adopted while a newer version is skipped as too old: that version comes again', async () => {
    const at = cutOver();
    const newer = old({
      sourceVersion: Date.parse('2026-11-23T00:00:00Z'),
      contentHash: 'later',
      refunds: [refund('7', START)],
    });
    const { journal } = at.deskPorts;
    const settle: Journal['settle'] = async (...args) => {
      await at.adopt();
      return journal.settle(...args);
    };
    await expect(at.push(newer, { journal: { ...journal, settle } })).rejects.toMatchObject({ code: 'BUSY' });
    expect(await at.push(newer)).toMatchObject({ kind: 'changed', done: ['refund 7'] });
  });

  it('a run that died half-way: the order is skipped as before, and adopted by the next run', async () => {
    const at = cutOver();
    const dies = async () => {
      throw new Error('killed');
    };
    await expect(at.adopt({ bindings: { put: dies } })).rejects.toThrow();
    at.wait(200_000);
    expect(await at.push(old())).toMatchObject({ kind: 'skipped', reason: 'BEFORE_START' });
    expect(await at.adopt()).toMatchObject([{ kind: 'adopted' }]);
    expect(await at.plan()).toMatchObject([{ kind: 'already', pending: [] }]);
  });
});

it('the ERP was restored to before the adoption: repair creates nothing, and what people typed is adopted again', async () => {
  const refunded = old({
    sourceVersion: Date.parse('2026-11-23T00:00:00Z'),
    contentHash: 'later',
    refunds: [refund('7', START)],
  });
  const at = cutOver();
  await at.adopt();
  await at.push(refunded);
  at.shop.splice(0, 1, refunded);
  Object.assign(present(at.orders[0]), { reference: '' });
  at.notes.splice(0);

  const reads = memoryJournalReads(at.rows);
  const ports: CheckPorts = {
    ...at.deskPorts,
    repairs: memoryLedgerRepairs(at.entries),
    journal: reads,
    timeline: reads,
    publish: at.ports.publish,
    fetchable: new Set([SHOP]),
    newId: () => 'r1',
  };
  const always = { ...call, endMs: Number.POSITIVE_INFINITY };
  const { missing } = await checkOrders(ports, { sinceMs: 0, beforeMs: Number.POSITIVE_INFINITY }, always);
  expect(missing).toMatchObject([{ source: SHOP, orderId: '1001' }]);
  const who = { by: 'ada', why: 'restored' };
  expect(await repairOrder(ports, present(missing[0]), who, call)).toBe('sent');
  expect(await at.push(refunded)).toMatchObject({ kind: 'skipped', reason: 'BEFORE_START' });
  expect(at.orders).toHaveLength(1);

  expect(await at.adopt()).toMatchObject([{ kind: 'adopted', pending: ['refund 7'] }]);
  await at.push(refunded);
  expect(at.orders).toHaveLength(1);
  expect(at.notes).toMatchObject([{ reference: `${SHOP}:1001/refund/7` }]);
});

describe('what is pending', () => {
  it('is handed on again by the next run, unless it is parked', async () => {
    const at = cutOver({ shop: [old({ refunds: [refund('2', START)] })] });
    await at.adopt();
    const [planned] = await at.plan();
    if (planned?.kind !== 'already') throw new Error('it is ours');
    expect(planned.pending).toEqual(['refund 2']);
    expect(await resendPending(at.ports, planned.event)).toBe(true);
    expect(at.published).toHaveLength(2);

    await at.ports.journal.settle(ERP, SHOP, '1001', {
      state: 'parked',
      revision: {
        sourceVersion: Date.parse('2026-11-24T00:00:00Z'),
        contentHash: 'x',
        seenAtMs: 0,
        fetched: false,
      },
      step: { atMs: 0, code: 'ERP_REFUSED', text: 'no' },
    });
    expect(await resendPending(at.ports, planned.event)).toBe(false);
    expect(at.published).toHaveLength(2);
  });

  it('an answer of the shop that is no order is listed', async () => {
    const at = cutOver();
    const reads = {
      changed: async function* () {
        yield [
          { id: '9', changedAtMs: 0, fetched: { kind: 'unreadable' as const, reason: 'total: missing' } },
        ];
        yield [{ id: '1001', changedAtMs: 0 }];
      },
      order: async () => ({ kind: 'order' as const, order: old(), warnings: [] }),
    };
    expect(await planAdoption({ ...at.ports, reads }, range, call)).toMatchObject([
      { kind: 'matched' },
      { kind: 'unreadable', orderId: '9', reason: 'total: missing' },
    ]);
  });
});

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('it is there');
  return value;
};
