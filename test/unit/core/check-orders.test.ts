import { beforeEach, describe, expect, it } from 'vitest';
import { type CheckPorts, checkOrders, noteMissing, repairOrder } from '../../../shared/core/check-orders.ts';
import { PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import type { WrittenOrder } from '../../../shared/core/ledger-repairs.ts';
import type { Envelope } from '../../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import type { OrderNotifiedV1 } from '../../../shared/events/order-notified.ts';
import { memoryJournal, memoryJournalReads } from '../../fakes/memory-journal.ts';
import { memoryLedgerRepairs, type Repaired } from '../../fakes/memory-ledger-repairs.ts';
import { orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const ERP = 'acme-odoo';
const SHOP = 'acme-woo';
const ADA = { by: 'ada', why: 'restored to yesterday' };
const call = { signal: new AbortController().signal, endMs: Number.POSITIVE_INFINITY };
const ALL = { sinceMs: 0, beforeMs: Number.POSITIVE_INFINITY };
/** A later version of an order. */
const SINCE = { sourceVersion: Date.parse('2026-11-22T10:00:00Z'), contentHash: 'second' };
const twd = (minor: number) => ({ minor, currency: 'TWD' });

const open = (route: Record<string, unknown> = {}) => {
  const desk = orderDesk({ destination: ERP, changes: true, route });
  const journal = memoryJournal(desk.rows);
  const reads = memoryJournalReads(desk.rows);
  const repaired: Repaired[] = [];
  const published: Envelope<OrderChangedV1>[] = [];
  const notified: Envelope<OrderNotifiedV1>[] = [];
  /** Orders were finished one after the other. */
  const atMs = new Map<string, number>();
  const finishedAtMs = (intent: string) => {
    const id = intent.split('#')[2] ?? '';
    return atMs.get(id) ?? Number(id) * 1_000;
  };
  const ports: CheckPorts = {
    destination: ERP,
    routes: desk.ports.routes,
    erp: desk.ports.erp,
    ledger: desk.ports.ledger,
    repairs: memoryLedgerRepairs(desk.entries, repaired, finishedAtMs),
    journal: reads,
    timeline: reads,
    publish: async (name, event) => {
      if (name === 'order.changed.v1') published.push(event as Envelope<OrderChangedV1>);
      else notified.push(event as Envelope<OrderNotifiedV1>);
    },
    fetchable: new Set(),
    nowMs: desk.ports.nowMs,
    newId: () => 'new',
    leaseMs: 60_000,
  };
  const write = async (orderId: string, more: Partial<OrderChangedV1> = {}) => {
    const data = anOrder({ orderId, orderNumber: orderId, ...more });
    const meta = {
      id: orderId,
      connection: SHOP,
      correlationId: orderId,
      receivedAtMs: 0,
      via: 'webhook',
    } as const;
    await journal.record(ERP, { meta, data }, { atMs: 1, code: 'RECEIVED', text: '' });
    await desk.push(data);
  };
  return {
    ...desk,
    ports,
    /** When the last change was finished, where that is later. */
    atMs,
    repaired,
    published,
    notified,
    write,
    check: (window = ALL, more: Partial<typeof call> = {}) =>
      checkOrders(ports, window, { ...call, ...more }),
    repair: (order: WrittenOrder, over: Partial<CheckPorts> = {}) =>
      repairOrder({ ...ports, ...over }, order, ADA, call),
    /** What was published reaches the consumer. */
    deliver: async () => {
      for (const { meta, data } of published.splice(0)) await desk.push(data, {}, meta);
    },
    restoredTo: (count: number) => {
      desk.orders.length = count;
      desk.notes.length = 0;
    },
    references: () => desk.orders.map(({ reference }) => reference),
  };
};

let at: ReturnType<typeof open>;
beforeEach(() => {
  at = open();
});
const missingIds = async (window = ALL) => (await at.check(window)).missing.map(({ orderId }) => orderId);

describe('the daily check', () => {
  it('an ERP restored from a backup: what it has forgotten, the newest first', async () => {
    for (const id of ['1', '2', '3', '4']) await at.write(id);
    expect(await at.check()).toEqual({ looked: 4, missing: [], outdated: [], leftBeforeMs: undefined });
    at.restoredTo(2);
    const { looked, missing } = await at.check();
    expect(looked).toBe(4);
    expect(missing).toEqual([
      {
        source: SHOP,
        orderId: '4',
        state: 'finished',
        atMs: 4_000,
        attempt: 1,
        document: { id: '4', name: 'S00004', url: 'https://erp.test/4' },
        isCancelled: false,
        refunds: [],
        payments: ['paid'],
      },
      expect.objectContaining({ orderId: '3' }),
    ]);
    await noteMissing(at.ports, { missing, outdated: [] });
    expect(at.journal(SHOP, '4')).toMatchObject({
      state: 'done',
      code: 'MISSING_IN_ERP',
      text: 'acme-odoo has no S00004 any more: see waybill orders repair',
    });
    expect(at.calls).not.toContain('create ');
  });

  it('and what was changed, refunded or cancelled there since: it may lack that', async () => {
    for (const id of ['1', '2', '3', '4', '5', '6']) await at.write(id);
    at.atMs.set('1', 9_000);
    // Before the day that was lost, and a new order that was cancelled on it.
    await at.write('2', { ...SINCE, buyerNote: 'ring twice' });
    await at.write('6', { ...SINCE, status: 'cancelled' });
    for (const [id, change] of [
      ['1', { buyerNote: 'ring twice' }],
      ['3', { refunds: [{ id: 'r1', total: twd(100) }] }],
      ['4', { status: 'cancelled' }],
    ] as const) {
      at.atMs.set(id, 9_000);
      await at.write(id, { ...SINCE, ...change, refunds: 'refunds' in change ? [...change.refunds] : [] });
    }
    expect((await at.check()).outdated).toEqual([]);
    at.restoredTo(4);
    const found = await at.check();
    expect(found.missing.map(({ orderId }) => orderId)).toEqual(['5']);
    expect(found.outdated.map(({ orderId }) => orderId).toSorted()).toEqual(['1', '3', '4']);
    await noteMissing(at.ports, found);
    expect(at.journal(SHOP, '3')).toMatchObject({
      code: 'OUTDATED_IN_ERP',
      text: 'acme-odoo lacks orders that are older than the last change of S00003, so it may lack that change: compare it with the shop',
    });
  });

  it('only what was finished in the window', async () => {
    for (const id of ['1', '2', '3', '4']) await at.write(id);
    at.restoredTo(0);
    expect(await missingIds({ sinceMs: 2_000, beforeMs: 4_000 })).toEqual(['3', '2']);
  });

  it('time runs out: says from where to go on', async () => {
    for (const id of ['1', '2', '3']) await at.write(id);
    at.restoredTo(0);
    const endMs = at.ports.nowMs() + 2;
    const erp = {
      find: async (...args: Parameters<CheckPorts['erp']['find']>) => {
        at.wait(1);
        return at.ports.erp.find(...args);
      },
    };
    const first = await checkOrders({ ...at.ports, erp }, ALL, { ...call, endMs });
    expect(first).toMatchObject({
      looked: 2,
      missing: [{ orderId: '3' }, { orderId: '2' }],
      leftBeforeMs: 1_001,
    });
    const rest = await at.check({ sinceMs: 0, beforeMs: first.leftBeforeMs ?? 0 });
    expect(rest).toMatchObject({ missing: [{ orderId: '1' }], leftBeforeMs: undefined });
  });

  it.each([
    ['cancelled in both', async () => at.write('1', { status: 'cancelled', sourceVersion: 2e12 })],
    [
      'found twice',
      async () => {
        at.fails.find = () => {
          throw new PermanentError('AMBIGUOUS_REFERENCE', { reference: 'r', count: 2, destination: ERP });
        };
      },
    ],
  ])('%s: not missing', async (_case, then) => {
    await at.write('1');
    await then();
    if (!at.fails.find) at.restoredTo(0);
    expect(await missingIds()).toEqual([]);
  });

  it.each(['off', 'shadow'])('of a route that is %s nobody asks', async (mode) => {
    await at.write('1');
    at.restoredTo(0);
    const routes = at.ports.routes.map((route) => ({ ...route, mode: mode as 'off' }));
    const { looked } = await checkOrders({ ...at.ports, routes }, ALL, call);
    expect(looked).toBe(0);
  });

  it('an ERP that does not answer says nothing about any order', async () => {
    await at.write('1');
    at.fails.find = () => {
      throw new RetryableError('PEER_FAILED', 'HTTP 503');
    };
    await expect(at.check()).rejects.toMatchObject({ code: 'PEER_FAILED' });
  });

  it('one that is being worked on at this moment is left alone', async () => {
    await at.write('1');
    at.restoredTo(0);
    const find = at.ports.erp.find;
    const erp = {
      find: async (...args: Parameters<typeof find>) => {
        await at.ports.ledger.claim(`${ERP}#${SHOP}#1#create`, 1_000, { reopen: true });
        return find(...args);
      },
    };
    expect(await checkOrders({ ...at.ports, erp }, ALL, call)).toMatchObject({ looked: 1, missing: [] });
  });
});

describe('repairing', () => {
  it('each comes back once, also when everything is done twice', async () => {
    for (const id of ['1', '2', '3']) await at.write(id);
    at.restoredTo(1);
    for (let times = 0; times < 2; times += 1) {
      for (const order of (await at.check()).missing) expect(await at.repair(order)).toBe('sent');
      const copies = [...at.published];
      await at.deliver();
      at.published.push(...copies);
      await at.deliver();
    }
    expect(at.references().toSorted()).toEqual(['acme-woo:1', 'acme-woo:2', 'acme-woo:3']);
    expect(await missingIds()).toEqual([]);
    expect(at.journal(SHOP, '2')).toMatchObject({ state: 'done', code: 'ALREADY_DONE' });
  });

  it('says who and why, in the ledger and in the timeline, and is unfinished until it is written', async () => {
    await at.write('1');
    at.restoredTo(0);
    const [order] = (await at.check()).missing as [WrittenOrder];
    await at.repair(order);
    const document = { id: '1', name: 'S00001', url: 'https://erp.test/1' };
    expect(at.repaired).toEqual([
      { intent: `${ERP}#${SHOP}#1#create`, repair: { ...ADA, atMs: at.ports.nowMs(), document } },
    ]);
    expect(at.journal(SHOP, '1')).toMatchObject({
      state: 'open',
      code: 'REPAIRED',
      text: 'written again, because acme-odoo has no S00001 any more; ada: restored to yesterday',
    });
    expect(at.published[0]?.meta).toMatchObject({ id: 'new', via: 'replay', connection: SHOP });
    await at.deliver();
    expect(at.journal(SHOP, '1')).toMatchObject({ state: 'done', code: 'WRITTEN' });
  });

  it('with its credit notes', async () => {
    await at.write('1');
    const refunds = [{ id: '77', total: twd(10_000) }];
    await at.write('1', { refunds, sourceVersion: 2e12, contentHash: 'second' });
    expect(at.notes.map(({ reference }) => reference)).toEqual(['acme-woo:1/refund/77']);
    at.restoredTo(0);
    const [order] = (await at.check()).missing as [WrittenOrder];
    expect(order.refunds).toEqual(['77']);
    await at.repair(order);
    await at.deliver();
    expect(at.references()).toEqual(['acme-woo:1']);
    expect(at.notes.map(({ reference }) => reference)).toEqual(['acme-woo:1/refund/77']);
  });

  it('the ERP has it after all: nothing is forgotten', async () => {
    await at.write('1');
    const [kept] = at.orders;
    at.restoredTo(0);
    const [order] = (await at.check()).missing as [WrittenOrder];
    if (kept) at.orders.push(kept);
    expect(await at.repair(order)).toBe('there');
    expect(at.published).toEqual([]);
    // The lease was given back.
    expect(await at.repair({ ...order, attempt: order.attempt + 1 })).toBe('there');
  });

  it('another worker is at it; something happened to it since', async () => {
    await at.write('1');
    at.restoredTo(0);
    const [order] = (await at.check()).missing as [WrittenOrder];
    await at.ports.ledger.claim(`${ERP}#${SHOP}#1#create`, 60_000, { reopen: true });
    expect(await at.repair(order)).toBe('busy');
    at.wait(60_000);
    expect(await at.repair(order)).toBe('changed');
    expect(at.published).toEqual([]);
  });

  it('without a snapshot it is read at the shop, where that can be asked', async () => {
    await at.write('1');
    at.restoredTo(0);
    const [order] = (await at.check()).missing as [WrittenOrder];
    at.rows.clear();
    expect(await at.repair(order)).toBe('no-snapshot');
    expect(await at.repair(order, { fetchable: new Set([SHOP]) })).toBe('sent');
    expect(at.notified.map(({ meta, data }) => [meta.via, data])).toEqual([
      ['replay', { source: SHOP, orderId: '1', why: 'same-version' }],
    ]);
  });

  it.each(['reopen', 'forget', 'publish'] as const)(
    'dies before it can %s: found again, and comes back once',
    async (where) => {
      for (const id of ['1', '2']) await at.write(id);
      at.restoredTo(0);
      const die = async () => {
        throw new RetryableError('DIED', 'died');
      };
      const dying: Partial<CheckPorts> = {
        reopen: { timeline: { ...at.ports.timeline, reopen: die } },
        forget: { repairs: { ...at.ports.repairs, forget: die } },
        publish: { publish: die },
      }[where];
      for (const order of (await at.check()).missing) {
        await expect(at.repair(order, dying)).rejects.toMatchObject({ code: 'DIED' });
      }
      at.wait(11 * 60_000);
      const { missing } = await at.check();
      expect(missing).toHaveLength(2);
      for (const order of missing) expect(await at.repair(order)).toBe('sent');
      await at.deliver();
      expect(at.references().toSorted()).toEqual(['acme-woo:1', 'acme-woo:2']);
      expect(await missingIds()).toEqual([]);
    },
  );

  it('what was let go minutes ago is on its way, and not missing', async () => {
    await at.write('1');
    at.restoredTo(0);
    for (const order of (await at.check()).missing) await at.repair(order);
    at.wait(9 * 60_000);
    expect(await missingIds()).toEqual([]);
    at.wait(2 * 60_000);
    expect(await missingIds()).toEqual(['1']);
  });
});
