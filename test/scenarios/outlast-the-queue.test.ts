import { beforeEach, describe, expect, it } from 'vitest';
import { RETENTION, SWEEP } from '../../infra/constructs/parked-queue.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { PARKED_KEPT_MS, type ParkedRow, parkedMessage } from '../../shared/core/parked.ts';
import { pushOrder } from '../../shared/core/push-order.ts';
import { redrive } from '../../shared/core/redrive.ts';
import { sweepOrders } from '../../shared/core/sweep.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { memoryJournal, memoryJournalReads } from '../fakes/memory-journal.ts';
import { orderDesk } from '../fakes/order-desk.ts';
import { anOrder } from '../fakes/orders.ts';

const DAY = 24 * 60 * 60_000;
const ERP = 'acme-odoo';
const SHOP = 'acme-woo';

/** A queue that forgets, as SQS does: silently, by the age of the message. */
const forgetfulQueue = (nowMs: () => number, keptMs: number) => {
  let messages: { id: string; body: Envelope<OrderChangedV1>; sentAtMs: number }[] = [];
  let sent = 0;
  const forget = () => {
    messages = messages.filter(({ sentAtMs }) => nowMs() - sentAtMs < keptMs);
  };
  return {
    send: (body: Envelope<OrderChangedV1>) => {
      sent += 1;
      messages.push({ id: `m${sent}`, body, sentAtMs: nowMs() });
    },
    take: () => {
      forget();
      const taken = messages;
      messages = [];
      return taken;
    },
    size: () => {
      forget();
      return messages.length;
    },
  };
};

/** One ERP with its queue, its parked queue and index, recorder and sweep, over weeks of a clock that is moved by hand. */
const open = () => {
  const desk = orderDesk({ destination: ERP });
  const { nowMs } = desk.ports;
  const queue = forgetfulQueue(nowMs, RETENTION.source.toMilliseconds());
  const parked = forgetfulQueue(nowMs, RETENTION.parked.toMilliseconds());
  const index = new Map<string, ParkedRow>();
  const journal = memoryJournal(desk.rows);
  const reads = memoryJournalReads(desk.rows);
  let ids = 0;
  let isPaused = false;

  /** As the bus does it: the consumer's queue and the recorder. */
  const publish = async (_name: string, event: unknown) => {
    const envelope = event as Envelope<OrderChangedV1>;
    queue.send(envelope);
    await journal.record(ERP, envelope, { atMs: nowMs(), code: 'RECEIVED', text: `by ${envelope.meta.via}` });
  };
  const place = async (orderId: string) =>
    publish('order.changed.v1', {
      meta: {
        id: `w${orderId}`,
        connection: SHOP,
        correlationId: orderId,
        receivedAtMs: nowMs(),
        via: 'webhook',
      },
      data: anOrder({ orderId, orderNumber: orderId }),
    });
  const consume = async () => {
    if (isPaused) return;
    for (const { id, body } of queue.take()) {
      await pushOrder(desk.ports, body, { signal: new AbortController().signal }).catch((error: unknown) => {
        if (!(error instanceof PermanentError)) throw error;
        const { source, orderId } = body.data;
        const row = parkedMessage(error, {
          connection: ERP,
          id,
          atMs: nowMs(),
          receives: 1,
          about: { source, orderId },
        });
        index.set(id, { ...row, state: 'parked', actions: [] });
        parked.send(body);
      });
    }
  };
  const sweep = () =>
    sweepOrders(
      {
        destinations: [ERP],
        unfinished: reads,
        parked: {
          references: async () =>
            new Set(
              [...index.values()].flatMap(({ state, source, orderId }) =>
                state === 'parked' ? [`${source}:${orderId}`] : [],
              ),
            ),
        },
        timeline: reads,
        publish,
        nowMs,
        newId: () => `s${++ids}`,
        keptMs: SWEEP.after.toMilliseconds(),
      },
      { endMs: Number.POSITIVE_INFINITY },
    );
  return {
    ...desk,
    queue,
    parked,
    index,
    place,
    consume,
    sweep,
    pause: (paused: boolean) => {
      isPaused = paused;
    },
    /** A day: the consumer works if it may, and the sweep runs once. */
    day: async () => {
      desk.wait(DAY);
      await consume();
      return sweep();
    },
    redriveAll: async () => {
      const who = { by: 'ada', why: 'the tax is mapped' };
      const rows = [...index.values()].filter(({ state }) => state === 'parked');
      const ports = {
        rows: {
          list: async () => rows,
          get: async (_connection: string, id: string) => index.get(id),
          find: async () => rows,
          begin: async () => true,
          close: async ({ id }: ParkedRow) => {
            const row = index.get(id);
            if (row) index.set(id, { ...row, state: 'redriven' });
          },
        },
        index: { put: async () => undefined },
        messages: () => ({
          count: async () => parked.size(),
          // Whatever SQS still has would be found by its row; here it must not be needed.
          take: async () => [],
          putBack: async () => undefined,
          send: async ({ body }: { body: string }) => queue.send(JSON.parse(body).detail),
          delete: async () => undefined,
        }),
        journal: { ...journal, ...reads },
        newId: () => `r${++ids}`,
        nowMs,
        sleep: async () => undefined,
      };
      const deeds: string[] = [];
      for await (const { deed } of redrive(ports, rows, who, { perSecond: 100 })) deeds.push(deed);
      return deeds;
    },
    written: () => desk.orders.map(({ reference }) => reference).toSorted(),
  };
};

let at: ReturnType<typeof open>;
beforeEach(() => {
  at = open();
});

describe('21 days paused', () => {
  const orders = Array.from({ length: 21 }, (_, day) => String(1000 + day));
  const paused = async (isSwept: boolean) => {
    at.pause(true);
    for (const id of orders) {
      await at.place(id);
      if (isSwept) await at.day();
      else at.wait(DAY);
    }
    at.pause(false);
    await at.consume();
    return at.written();
  };

  it('0 lost, none twice', async () => {
    expect(await paused(true)).toEqual(orders.map((id) => `${SHOP}:${id}`));
    expect([...at.rows.values()].map(({ state }) => state)).toEqual(orders.map(() => 'done'));
    // The queue's copies that came too many are known.
    await at.day();
    expect(at.written()).toHaveLength(21);
  });

  it('without the sweep, all that are older than the queue keeps', async () => {
    expect(await paused(false)).toHaveLength(9);
  });

  it('each is published again before its queue forgets it, not once a day', async () => {
    at.pause(true);
    await at.place('1000');
    const swept: number[] = [];
    for (let day = 1; day <= 23; day += 1) if ((await at.day()).published > 0) swept.push(day);
    expect(swept).toEqual([9, 18]);
    expect(at.queue.size()).toBe(1);
    expect(at.rows.get(`${ERP}#${SHOP}#1000`)?.steps.map(({ code }) => code)).toEqual([
      'RECEIVED',
      'SWEPT',
      'SWEPT',
    ]);
  });
});

describe('21 days parked', () => {
  beforeEach(async () => {
    at.fails.resolve = () => {
      throw new PermanentError('ROUTE_MISSING', { source: SHOP, destination: ERP });
    };
    for (const id of ['1', '2', '3']) await at.place(id);
    await at.consume();
    for (let day = 1; day <= 21; day += 1) await at.day();
  });

  it('SQS has deleted them; all are listed, and nothing is sent behind the back of whoever has to decide', async () => {
    expect(at.parked.size()).toBe(0);
    expect([...at.index.values()].map(({ orderId, state }) => `${orderId} ${state}`)).toEqual([
      '1 parked',
      '2 parked',
      '3 parked',
    ]);
    expect(await at.sweep()).toEqual({ kind: 'done', looked: 3, published: 0, parked: 3 });
  });

  it('0 lost: redriven, they are written, each once', async () => {
    delete at.fails.resolve;
    expect(await at.redriveAll()).toEqual(['redriven', 'redriven', 'redriven']);
    await at.consume();
    expect(at.written()).toEqual(['acme-woo:1', 'acme-woo:2', 'acme-woo:3']);
    expect([...at.rows.values()].map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    await at.day();
    expect(at.written()).toHaveLength(3);
  });
});

describe('sent again by a person while the ERP is away', () => {
  it('the queue forgets it, the sweep does not: written once, when the ERP is back', async () => {
    at.fails.resolve = () => {
      throw new PermanentError('ROUTE_MISSING', { source: SHOP, destination: ERP });
    };
    await at.place('1');
    await at.consume();
    for (let day = 1; day <= 14; day += 1) await at.day();
    delete at.fails.resolve;
    at.pause(true);
    expect(await at.redriveAll()).toEqual(['redriven']);
    for (let day = 1; day <= 21; day += 1) await at.day();
    at.pause(false);
    await at.consume();
    expect(at.written()).toEqual(['acme-woo:1']);
    expect(at.rows.get(`${ERP}#${SHOP}#1`)?.steps.map(({ code }) => code)).toEqual([
      'RECEIVED',
      'ROUTE_MISSING',
      // At once, because it is unfinished for so long already; then before the queue forgets that, too.
      'SWEPT',
      'SWEPT',
      'SWEPT',
      'WRITTEN',
    ]);
  });
});

it('what is known of the queues is what is deployed', () => {
  // Also of what is one day short of it when the sweep runs.
  const latestMs = SWEEP.after.toMilliseconds() + SWEEP.every.toMilliseconds();
  expect(latestMs).toBeLessThan(RETENTION.source.toMilliseconds());
  expect(PARKED_KEPT_MS).toBe(RETENTION.parked.toMilliseconds());
});
