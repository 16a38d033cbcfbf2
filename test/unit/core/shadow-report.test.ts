import { beforeEach, describe, expect, it } from 'vitest';
import type { ErpAdoption, ErpCandidate } from '../../../shared/connectors/contract.ts';
import { DAY_MS } from '../../../shared/core/adopt.ts';
import { PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import {
  MOST_ROWS,
  reportShadow,
  type ShadowReport,
  type ShadowReports,
} from '../../../shared/core/shadow-report.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { memoryJournal, memoryJournalReads } from '../../fakes/memory-journal.ts';
import { orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const SHOP = 'acme-woo';
const ERP = 'acme-odoo';
const MARGIN_MS = 300_000;

const opened = () => {
  const desk = orderDesk({ route: { mode: 'shadow' } });
  const [route] = desk.ports.routes;
  if (!route) throw new Error('there is a route');
  const kept: ShadowReport[] = [];
  const reports: ShadowReports = {
    list: async (_to, _from, most) => kept.toReversed().slice(0, most),
    put: async (report) => {
      if (kept.some(({ sinceMs }) => sinceMs === report.sinceMs)) return false;
      kept.push(JSON.parse(JSON.stringify(report)) as ShadowReport);
      return true;
    },
  };
  const documents: ErpCandidate[] = [];
  const compared: [string, unknown][] = [];
  let isDown = false;
  const adoption: ErpAdoption = {
    candidates: async function* () {
      if (isDown) throw new RetryableError('PEER_TIMEOUT', 'no answer');
      yield documents;
    },
    compare: async ({ id }, wire) => {
      compared.push([id, wire]);
      const differs = id.startsWith('other');
      return differs ? [{ what: 'total', ours: '1102', theirs: '1000' }] : [];
    },
    adopt: () => Promise.reject(new Error('a report adopts nothing')),
  };
  const journal = memoryJournal(desk.rows);
  return {
    ...desk,
    kept,
    documents,
    compared,
    reports,
    refuse: () => {
      isDown = true;
    },
    /** It comes in shadow mode: recorded, and dealt with. */
    come: async (orderNumber: string, change: Partial<OrderChangedV1> = {}) => {
      const order = anOrder({ orderId: `5${orderNumber}`, orderNumber, ...change });
      const meta = {
        id: orderNumber,
        connection: SHOP,
        correlationId: '',
        receivedAtMs: 0,
        via: 'webhook',
      } as const;
      await journal.record(ERP, { meta, data: order }, { atMs: 0, code: 'RECEIVED', text: '' });
      await desk.push(order).catch((error: unknown) => {
        if (!(error instanceof PermanentError)) throw error;
      });
      desk.wait(1_000);
    },
    typeIn: (orderNumber: string, id = `document ${orderNumber}`, over: Partial<ErpCandidate> = {}) => {
      documents.push({
        document: { id, name: `S${orderNumber}` },
        datedAtMs: Date.parse(anOrder().placedAt),
        total: anOrder().total,
        stepMinor: 1,
        state: 'confirmed',
        reference: '',
        mentions: [orderNumber],
        buyer: [],
        ...over,
      });
    },
    report: (endMs = Number.POSITIVE_INFINITY) =>
      reportShadow(
        {
          route,
          erp: { adoption },
          journal: memoryJournalReads(desk.rows),
          reports,
          nowMs: desk.ports.nowMs,
          marginMs: MARGIN_MS,
        },
        { signal: new AbortController().signal, endMs },
      ),
  };
};

let at: ReturnType<typeof opened>;
beforeEach(() => {
  at = opened();
});

it('says what is identical, different, without a document, and parked; with what was recorded, not mapped again', async () => {
  await at.come('1001');
  await at.come('1002');
  await at.come('1003');
  at.fails.resolve = () => {
    throw new PermanentError('UNKNOWN_SKU', {
      sku: 'TEA',
      line: { kind: 'line', number: 1, title: 'Tea' },
      destination: ERP,
    });
  };
  await at.come('1004');
  await at.come('1005', { status: 'cancelled' });
  at.typeIn('1001');
  at.typeIn('1002', 'other');
  at.wait(MARGIN_MS);
  at.calls.length = 0;
  expect(await at.report()).toEqual({
    from: SHOP,
    to: ERP,
    sinceMs: 0,
    untilMs: at.ports.nowMs() - MARGIN_MS,
    isReady: false,
    identicalPercent: 50,
    counts: { unmappable: 1, 'not-accepted': 1, identical: 1, different: 1, missing: 1 },
    failing: [{ code: 'UNKNOWN_SKU', orders: 1, reason: expect.stringContaining('"TEA"') }],
    differing: [{ what: 'total', orders: 1 }],
    orders: [
      expect.objectContaining({ orderNumber: '1004', outcome: 'unmappable', code: 'UNKNOWN_SKU' }),
      expect.objectContaining({ orderNumber: '1002', outcome: 'different', documents: ['S1002'] }),
      expect.objectContaining({ orderNumber: '1003', outcome: 'missing' }),
    ],
    again: ['51003'],
    documents: { '51001': 'document 1001', '51002': 'other' },
  });
  expect(at.compared[0]).toEqual(['document 1001', expect.objectContaining({ reference: `${SHOP}:51001` })]);
  expect(at.calls).toEqual([]);
  expect(JSON.stringify(at.kept)).not.toMatch(/ming|王小明|example\.test/);
});

describe('the next report', () => {
  it('tells of what came since, and of what people had not entered yet, for a week', async () => {
    await at.come('1001');
    await at.come('1002');
    at.typeIn('1001');
    at.wait(MARGIN_MS);
    await at.report();
    await at.come('1003');
    at.typeIn('1002');
    at.typeIn('1003');
    at.wait(DAY_MS);
    const second = await at.report();
    expect(second).toMatchObject({
      sinceMs: at.kept[0]?.untilMs,
      counts: { identical: 2 },
      again: [],
      isReady: true,
      orders: [],
    });
    expect(Object.keys(second?.documents ?? {}).sort()).toEqual(['51002', '51003']);
  });

  it('gives up on what nobody has entered after a week', async () => {
    await at.come('1001');
    at.wait(MARGIN_MS);
    for (let day = 0; day < 8; day += 1) {
      await at.report();
      at.wait(DAY_MS);
    }
    expect(at.kept.map(({ counts, again }) => [counts.missing, again.length])).toEqual([
      ...Array.from({ length: 7 }, () => [1, 1]),
      [1, 0],
    ]);
    expect(await at.report()).toMatchObject({ counts: {}, isReady: false, identicalPercent: undefined });
  });

  it('does not give a document of yesterday to an order of today that looks alike', async () => {
    const buyer = [`mail ${anOrder().orderNumber}`];
    await at.come('1001');
    at.typeIn('1001', 'document 1001', { mentions: [], buyer });
    at.documents[0] = { ...(at.documents[0] as ErpCandidate), mentions: ['1001'] };
    at.wait(MARGIN_MS);
    await at.report();
    at.documents[0] = { ...(at.documents[0] as ErpCandidate), mentions: ['1002'] };
    await at.come('1002');
    at.wait(DAY_MS);
    expect(await at.report()).toMatchObject({ counts: { missing: 1 } });
  });

  it('leaves what is still being written down to the one after', async () => {
    await at.come('1001');
    at.typeIn('1001');
    expect(await at.report()).toMatchObject({ counts: {} });
    at.wait(MARGIN_MS);
    expect(await at.report()).toMatchObject({ counts: { identical: 1 } });
  });
});

it('what there was no time for is looked at by the next report', async () => {
  await at.come('1001');
  await at.come('1002');
  await at.come('1003');
  for (const n of ['1001', '1002', '1003']) at.typeIn(n);
  at.wait(MARGIN_MS);
  expect(await at.report(0)).toMatchObject({ counts: { identical: 1 }, again: ['51002', '51003'] });
  at.wait(1);
  expect(await at.report()).toMatchObject({ counts: { identical: 2 }, again: [] });
});

it('of two runs at once one tells, and the other keeps silent', async () => {
  await at.come('1001');
  at.wait(MARGIN_MS);
  const [one, other] = await Promise.all([at.report(), at.report()]);
  expect([one === undefined, other === undefined].sort()).toEqual([false, true]);
  expect(at.kept).toHaveLength(1);
});

it('stays small enough to be kept, whatever differs', async () => {
  for (let n = 0; n < MOST_ROWS + 5; n += 1) await at.come(String(2000 + n));
  at.wait(MARGIN_MS);
  const report = await at.report();
  expect(report?.orders).toHaveLength(MOST_ROWS);
  expect(report?.counts).toEqual({ missing: MOST_ROWS + 5 });
});

it('an ERP that does not answer leaves no report, so that the next covers its time', async () => {
  await at.come('1001');
  at.wait(MARGIN_MS);
  at.refuse();
  await expect(at.report()).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
  expect(at.kept).toEqual([]);
});
