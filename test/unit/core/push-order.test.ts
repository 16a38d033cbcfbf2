import { describe, expect, it } from 'vitest';
import {
  BusyError,
  CredentialsError,
  PermanentError,
  RetryableError,
  UnknownOutcomeError,
} from '../../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { LEASE_MS, orderDesk, SETTLE_MS } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const V1 = Date.parse('2026-11-21T22:56:11Z');
const later = (seconds: number, override: Partial<OrderChangedV1> = {}) =>
  anOrder({ sourceVersion: V1 + seconds * 1000, contentHash: `v${seconds}`, ...override });
const { payment } = anOrder();
const awaitingTransfer: Partial<OrderChangedV1> = {
  status: 'on-hold',
  payment: { ...payment, kind: 'bank-transfer', state: 'pending' },
};
const paidByTransfer: Partial<OrderChangedV1> = { payment: { ...payment, kind: 'bank-transfer' } };
const held: Partial<OrderChangedV1> = { status: 'on-hold' };
const cancelled: Partial<OrderChangedV1> = { status: 'cancelled', sourceStatus: 'cancelled' };

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
const down = () => {
  throw new RetryableError('PEER_FAILED', 'erp answered HTTP 503');
};
const noAnswer = () => {
  throw new UnknownOutcomeError('PEER_TIMEOUT', 'erp did not answer');
};

describe('a new order', () => {
  it('is resolved, looked up, created, bound, completed and settled', async () => {
    const desk = orderDesk();
    expect(await desk.push(anOrder())).toEqual({
      kind: 'written',
      document: { id: '1', name: 'S00001', url: 'https://erp.test/1' },
      attempt: 1,
      level: 'confirm',
      warnings: ['mapped', 'rounded'],
      roundingMinor: 2,
    });
    expect(desk.calls).toEqual(['resolve', 'toWire', 'find', 'create', 'complete']);
    expect(desk.orders).toMatchObject([
      { id: '1', name: 'S00001', reference: 'acme-woo:1001', level: 'confirm' },
    ]);
    expect(desk.bound).toEqual(['acme-odoo acme-woo order 1001 1']);
    expect(desk.journal()).toMatchObject({
      state: 'done',
      code: 'WRITTEN',
      text: 'S00001 in acme-odoo, confirm',
      document: { id: '1', name: 'S00001', url: 'https://erp.test/1' },
    });
  });

  it.each(['draft', 'reserve', 'confirm'] as const)(
    'is taken as far as the policy says: %s',
    async (level) => {
      const desk = orderDesk({ route: { accept: { paid: level } } });
      expect(await desk.push(anOrder())).toMatchObject({ kind: 'written', level });
      expect(desk.orders).toMatchObject([{ level }]);
    },
  );

  it('delivered twice is written once', async () => {
    const desk = orderDesk();
    await desk.push(anOrder());
    desk.calls.length = 0;
    expect(await desk.push(anOrder())).toEqual({
      kind: 'skipped',
      reason: 'ALREADY_DONE',
      why: 'already in the ERP as S00001',
      document: { id: '1', name: 'S00001', url: 'https://erp.test/1' },
      holds: 'promised',
    });
    expect(desk.calls).toEqual([]);
    expect(desk.journal()).toMatchObject({ state: 'done', code: 'ALREADY_DONE' });
  });

  it('gives connectors a way to write customers once, of the ERP and not of one shop', async () => {
    const desk = orderDesk();
    await desk.push(anOrder());
    const steps = { find: async () => undefined, create: async () => ({ id: '7' }) };
    expect(await desk.resolved[0]?.once?.('partner:ab12', steps)).toEqual({ id: '7' });
    expect([...desk.entries.keys()]).toEqual([
      'acme-odoo#acme-woo#1001#create',
      'acme-odoo#*#partner:ab12#create',
    ]);
    // Somebody else's create would make a second one.
    const found = {
      find: async () => ({ id: '7' }),
      create: async () => {
        throw new Error('created twice');
      },
    };
    expect(await desk.resolved[0]?.once?.('partner:ab12', found)).toEqual({ id: '7' });
  });

  it('creates a customer again that the ERP has lost: its id may be somebody else by now', async () => {
    const desk = orderDesk();
    await desk.push(anOrder());
    const customers: { id: string }[] = [];
    let made = 6;
    const steps = {
      find: async () => customers[0],
      create: async () => {
        made += 1;
        const customer = { id: String(made) };
        customers.push(customer);
        return customer;
      },
    };
    const once = async () => desk.resolved[0]?.once?.('partner:ab12', steps);
    const first = await once();
    // Restored from a backup. So soon after it was made a search that finds nothing may only lag behind.
    customers.length = 0;
    expect(await once()).toEqual(first);
    desk.wait(SETTLE_MS + 1);
    const second = await once();
    expect(second).not.toEqual(first);
    expect(await once()).toEqual(second);
    expect(desk.entries.get('acme-odoo#*#partner:ab12#create')).toMatchObject({
      state: 'finished',
      document: second,
    });
    // Two workers at once still make one.
    customers.length = 0;
    desk.wait(SETTLE_MS + 1);
    const both = await Promise.allSettled([once(), once()]);
    expect(customers).toHaveLength(1);
    const [done] = both.filter(({ status }) => status === 'fulfilled');
    expect(done).toMatchObject({ value: customers[0] });
  });
});

describe('what is skipped says why, in the journal too', () => {
  it.each<[string, Record<string, unknown>, Partial<OrderChangedV1>, string, string]>([
    ['the route is off', { mode: 'off' }, {}, 'ROUTE_OFF', 'the route is switched off'],
    [
      'placed before the cut-over',
      { startAt: '2026-12-01T00:00:00+08:00' },
      {},
      'BEFORE_START',
      "placed at 2026-11-21T22:55:57Z, before the route's startAt 2026-12-01T00:00:00+08:00",
    ],
    [
      'not paid',
      {},
      { payment: { ...payment, state: 'pending' } },
      'NOT_ACCEPTED_YET',
      'not paid: status processing, payment pending',
    ],
    [
      'the policy ignores it',
      {},
      awaitingTransfer,
      'IGNORED_BY_POLICY',
      "the route's policy for bankTransferPending is ignore",
    ],
    ['a test', {}, { test: true }, 'IGNORED_BY_POLICY', "the route's policy for test is ignore"],
    ['cancelled', {}, cancelled, 'CANCELLED_BEFORE_WRITTEN', 'already cancelled when it came'],
  ])('%s', async (_case, route, override, reason, why) => {
    const desk = orderDesk({ route });
    expect(await desk.push(anOrder(override))).toMatchObject({ kind: 'skipped', reason, why });
    expect(desk.journal()).toMatchObject({ state: 'skipped', code: reason, text: why });
    expect(desk.calls).toEqual([]);
    expect(desk.entries.size).toBe(0);
  });

  it('is taken once it counts', async () => {
    const desk = orderDesk();
    await desk.push(anOrder({ payment: { ...payment, state: 'pending' } }));
    expect(await desk.push(later(60))).toMatchObject({ kind: 'written' });
    expect(desk.journal()).toMatchObject({ state: 'done' });
  });

  it('parks an order for which there is no route', async () => {
    const desk = orderDesk({ sources: ['other-shop'] });
    expect(await codeOf(desk.push(anOrder()))).toBe('ROUTE_MISSING');
    expect(desk.journal()).toMatchObject({
      state: 'parked',
      code: 'ROUTE_MISSING',
      text: expect.stringContaining('No route leads from acme-woo to acme-odoo'),
    });
    expect(desk.calls).toEqual([]);
  });
});

describe('shadow', () => {
  it('runs everything, writes nothing, and records what it would have written', async () => {
    const desk = orderDesk({ route: { mode: 'shadow' } });
    expect(await desk.push(anOrder())).toEqual({ kind: 'shadow', warnings: ['mapped'] });
    expect(desk.calls).toEqual(['resolve', 'toWire']);
    expect(desk.resolved[0]?.once).toBeUndefined();
    expect([desk.orders, desk.bound, desk.entries.size]).toEqual([[], [], 0]);
    expect(desk.journal()).toMatchObject({
      state: 'shadow',
      code: 'SHADOW',
      text: 'nothing written to acme-odoo',
      wire: { reference: 'acme-woo:1001', total: 110198, refs: { partner: 7 } },
    });
  });

  it('parks what live would park', async () => {
    const desk = orderDesk({ route: { mode: 'shadow' } });
    const wrong = anOrder({ total: { minor: 1, currency: 'TWD' } });
    expect(await codeOf(desk.push(wrong))).toBe('TOTALS_DO_NOT_ADD_UP');
  });

  it('changes nothing that was written before', async () => {
    const desk = orderDesk();
    await desk.push(anOrder());
    desk.calls.length = 0;
    const routes = desk.ports.routes.map((route) => ({ ...route, mode: 'shadow' as const }));
    expect(await desk.push(later(60, cancelled), { routes })).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(desk.calls).toEqual([]);
  });
});

describe('an order that is at the ERP', () => {
  const changes: [string, Partial<OrderChangedV1>, string][] = [
    ['cancelled', cancelled, 'cancelled'],
    ['failed', { status: 'failed' }, 'marked as failed'],
    ['refunded', { status: 'refunded' }, 'refunded'],
    [
      'refunded in part',
      { refunds: [{ id: 'r1', total: { minor: 100, currency: 'TWD' } }] },
      'refunded in part',
    ],
    ['other lines', { lines: anOrder().lines.map((line) => ({ ...line, quantity: 3 })) }, 'edited'],
    ['another address', { shipping: { ...anOrder().shipping, line1: '測試路二段 9 號' } }, 'edited'],
    ['another note', { buyerNote: 'please ring twice' }, 'edited'],
    ['other shipping', { charges: anOrder().charges.map((c) => ({ ...c, method: 'pickup' })) }, 'edited'],
  ];

  it.each(changes)('is parked with both sides named: %s', async (_case, override, change) => {
    const desk = orderDesk();
    await desk.push(anOrder());
    desk.calls.length = 0;
    const error = await failureOf(desk.push(later(60, override)));
    expect(error).toMatchObject({
      code: 'ORDER_CHANGED_AFTER_WRITE',
      message: `The order was ${change} in the shop after S00001 was written to acme-odoo.`,
    });
    expect(desk.journal()).toMatchObject({ state: 'parked', code: 'ORDER_CHANGED_AFTER_WRITE' });
    expect(desk.calls).toEqual([]);
  });

  it.each<[string, Partial<OrderChangedV1>]>([
    ['the shop completed it', { status: 'completed', sourceStatus: 'completed' }],
    ['the payment got its reference', { payment: { ...payment, reference: 'pi_2' } }],
    ['the buyer gave a phone number to the account', { buyer: { ...anOrder().buyer, phone: '0912' } }],
    ['a refund it was written with', {}],
  ])('is left alone: %s', async (_case, override) => {
    const desk = orderDesk({ changes: true });
    const refunds = [{ id: 'r1', total: { minor: 100, currency: 'TWD' } }];
    const partly = { refunds, payment: { ...payment, state: 'partially-refunded' as const } };
    await desk.push(anOrder(partly));
    desk.calls.length = 0;
    expect(await desk.push(later(60, { ...partly, ...override }))).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(desk.calls).toEqual([]);
  });

  it('is not touched by an older version', async () => {
    const desk = orderDesk();
    await desk.push(later(60));
    expect(await desk.push(anOrder(cancelled))).toMatchObject({
      kind: 'skipped',
      reason: 'OLDER_THAN_WRITTEN',
      why: 'a newer version was written already',
    });
    expect(desk.journal()).toMatchObject({ state: 'done', code: 'WRITTEN' });
  });

  it('was written and not finished when it was cancelled: parked', async () => {
    const desk = orderDesk();
    desk.fails.complete = down;
    await failureOf(desk.push(anOrder()));
    expect(await codeOf(desk.push(later(60, cancelled)))).toBe('ORDER_CHANGED_AFTER_WRITE');
    // What is left of the first version must not confirm it now.
    delete desk.fails.complete;
    expect(await desk.push(anOrder())).toMatchObject({ reason: 'OLDER_THAN_SETTLED' });
    expect(desk.orders).toMatchObject([{ id: '1' }]);
    expect(desk.orders[0]?.level).toBeUndefined();
  });
});

describe('levels', () => {
  const route = { accept: { bankTransferPending: 'draft', onHold: 'reserve' } };

  it('a draft is confirmed when the money arrives, once', async () => {
    const desk = orderDesk({ route });
    expect(await desk.push(anOrder(awaitingTransfer))).toMatchObject({ kind: 'written', level: 'draft' });
    desk.calls.length = 0;
    expect(await desk.push(later(60, paidByTransfer))).toMatchObject({ kind: 'confirmed', level: 'confirm' });
    expect(desk.calls).toEqual(['resolve', 'toWire', 'complete']);
    expect(desk.journal()).toMatchObject({ state: 'done', code: 'CONFIRMED' });
    expect(await desk.push(later(60, paidByTransfer))).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(await desk.push(later(90, paidByTransfer))).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(desk.orders).toMatchObject([{ level: 'confirm' }]);
  });

  it('a draft that was reserved is still confirmed', async () => {
    const desk = orderDesk({ route });
    await desk.push(anOrder(awaitingTransfer));
    expect(await desk.push(later(60, held))).toMatchObject({ kind: 'confirmed', level: 'reserve' });
    expect(await desk.push(later(90))).toMatchObject({ kind: 'confirmed', level: 'confirm' });
    expect(desk.orders).toMatchObject([{ level: 'confirm' }]);
  });

  it('never goes back', async () => {
    const desk = orderDesk({ route });
    await desk.push(anOrder());
    expect(await desk.push(later(60, held))).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(desk.orders).toMatchObject([{ level: 'confirm' }]);
  });

  it('a late draft event does not undo the confirmation', async () => {
    const desk = orderDesk({ route });
    await desk.push(later(60));
    expect(await desk.push(anOrder(awaitingTransfer))).toMatchObject({ reason: 'OLDER_THAN_WRITTEN' });
  });
});

describe('versions that overtake each other', () => {
  it('a parked order that was cancelled meanwhile is not written by a redrive', async () => {
    const desk = orderDesk();
    desk.fails.resolve = () => {
      throw new PermanentError('MISSING_SKU', { line: { kind: 'discount' } });
    };
    expect(await codeOf(desk.push(anOrder()))).toBe('MISSING_SKU');
    delete desk.fails.resolve;
    expect(await desk.push(later(60, cancelled))).toMatchObject({ reason: 'CANCELLED_BEFORE_WRITTEN' });
    expect(await desk.push(anOrder())).toEqual({
      kind: 'skipped',
      reason: 'OLDER_THAN_SETTLED',
      why: 'a newer version was dealt with already',
      document: undefined,
    });
    expect(desk.orders).toEqual([]);
    expect(desk.journal()).toMatchObject({ state: 'skipped', code: 'CANCELLED_BEFORE_WRITTEN' });
    expect([...desk.entries.values()]).toMatchObject([{ state: 'open', leaseUntilMs: 0 }]);
  });

  it('an old delivery that comes after the cancellation is not written', async () => {
    const desk = orderDesk();
    await desk.push(later(60, cancelled));
    expect(await desk.push(anOrder())).toMatchObject({ reason: 'OLDER_THAN_SETTLED' });
    expect(desk.orders).toEqual([]);
  });

  it('an order that was opened again is written', async () => {
    const desk = orderDesk();
    await desk.push(anOrder(cancelled));
    expect(await desk.push(later(60))).toMatchObject({ kind: 'written' });
  });

  it('a cancellation waits for the worker that may be writing', async () => {
    const desk = orderDesk();
    desk.fails.create = noAnswer;
    await failureOf(desk.push(anOrder()));
    desk.calls.length = 0;
    const busy = await failureOf(desk.push(later(60, cancelled)));
    expect(busy).toBeInstanceOf(BusyError);
    expect((busy as BusyError).leaseUntilMs - desk.ports.nowMs()).toBe(LEASE_MS);
    // Nothing is known yet: nobody is asked, and nothing is said.
    expect([desk.calls, desk.journal().state]).toEqual([[], undefined]);

    desk.wait(LEASE_MS);
    expect(await desk.push(later(60, cancelled))).toMatchObject({ reason: 'CANCELLED_BEFORE_WRITTEN' });
    expect(desk.calls).toEqual(['find']);
  });

  it('a cancellation finds the order that an unanswered write has made', async () => {
    const desk = orderDesk();
    desk.fails.create = () => {
      desk.orders.push({ id: '9', name: 'S00009', reference: 'acme-woo:1001' });
      noAnswer();
    };
    await failureOf(desk.push(anOrder()));
    desk.wait(LEASE_MS);
    const error = await failureOf(desk.push(later(60, cancelled)));
    expect(error).toMatchObject({
      message: 'The order was cancelled in the shop after S00009 was written to acme-odoo.',
    });
    expect(desk.journal()).toMatchObject({ state: 'parked' });
  });

  it('a cancellation that settles while a worker claims looks again', async () => {
    const desk = orderDesk();
    const { journal } = desk.ports;
    const busy = await failureOf(
      desk.push(later(60, cancelled), {
        journal: {
          ...journal,
          settle: async (...args) => {
            await desk.ports.ledger.claim('acme-odoo#acme-woo#1001#create', LEASE_MS);
            return journal.settle(...args);
          },
        },
      }),
    );
    expect(busy).toBeInstanceOf(BusyError);
    // Whatever becomes of its message: the sweep knows of it.
    expect(desk.rows.get('acme-odoo#acme-woo#1001')).toMatchObject({
      state: 'skipped',
      openSinceMs: desk.ports.nowMs(),
    });
    desk.wait(LEASE_MS);
    await desk.push(later(60, cancelled));
    expect(desk.rows.get('acme-odoo#acme-woo#1001')?.openSinceMs).toBeUndefined();
  });

  it('what an earlier attempt has written is completed although the newest version is skipped', async () => {
    const desk = orderDesk();
    desk.fails.complete = down;
    await failureOf(desk.push(anOrder()));
    delete desk.fails.complete;
    expect(await desk.push(later(60, held))).toMatchObject({ reason: 'IGNORED_BY_POLICY' });
    expect(await desk.push(anOrder())).toMatchObject({ kind: 'continued' });
    expect(desk.orders).toMatchObject([{ level: 'confirm' }]);
  });
});

describe('failures', () => {
  it('parks totals that do not add up at the first attempt, without asking anybody', async () => {
    const desk = orderDesk();
    const error = await failureOf(desk.push(anOrder({ total: { minor: 120198, currency: 'TWD' } })));
    expect(error).toMatchObject({ code: 'TOTALS_DO_NOT_ADD_UP' });
    expect(desk.calls).toEqual([]);
    expect(desk.entries.size).toBe(0);
    expect(desk.journal()).toMatchObject({
      state: 'parked',
      code: 'TOTALS_DO_NOT_ADD_UP',
      text: expect.stringContaining('100.00 TWD are unexplained. Look at the order in the shop'),
    });
  });

  it("keeps the peer's words out of the step and for the operator", async () => {
    const desk = orderDesk();
    desk.fails.create = () => {
      throw new PermanentError(
        'ERP_REFUSED',
        {
          destination: 'acme-odoo',
          operation: { what: 'create-order' },
          error: { why: 'words', words: 'ValidationError' },
        },
        { detail: '王小明 is blocked' },
      );
    };
    expect(await codeOf(desk.push(anOrder()))).toBe('ERP_REFUSED');
    const { text, detail } = desk.journal();
    expect(detail).toBe('王小明 is blocked');
    expect(text).not.toContain('王小明');
  });

  it('maps before it looks up or writes', async () => {
    const desk = orderDesk();
    desk.fails.toWire = () => {
      throw new PermanentError('UNMAPPED_TAX', {
        line: { kind: 'discount' },
        tax: '1',
        source: 's',
        destination: 'd',
      });
    };
    expect(await codeOf(desk.push(anOrder()))).toBe('UNMAPPED_TAX');
    expect(desk.calls).toEqual(['resolve', 'toWire']);
    expect([...desk.entries.values()]).toMatchObject([{ failures: 0, leaseUntilMs: 0 }]);
  });

  it.each<[string, () => void, string]>([
    ['a busy peer', down, 'PEER_FAILED'],
    [
      'refused credentials',
      () => {
        throw new CredentialsError('CREDENTIALS_REFUSED', 'erp answered HTTP 401');
      },
      'CREDENTIALS_REFUSED',
    ],
    [
      'what nobody foresaw',
      () => {
        throw new TypeError('王小明');
      },
      'UNFORESEEN',
    ],
  ])('counts attempts and parks the eighth: %s', async (_case, fail, lastCode) => {
    const desk = orderDesk();
    desk.fails.find = fail;
    for (const attempt of [1, 2, 3, 4, 5, 6, 7]) {
      const error = await failureOf(desk.push(anOrder()));
      expect(error).toBeInstanceOf(RetryableError);
      expect(error).toMatchObject({ code: lastCode, attempt });
      expect((error as Error).message).not.toContain('王小明');
      expect(desk.journal().state).toBeUndefined();
    }
    const last = await failureOf(desk.push(anOrder()));
    expect(last).toBeInstanceOf(PermanentError);
    expect(last).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      params: { attempts: 8, lastCode },
      message: expect.not.stringContaining('王小明'),
    });
    expect(desk.journal()).toMatchObject({ state: 'parked', code: 'RETRIES_EXHAUSTED' });

    // A person redrives it: a fresh budget, and still no second order.
    const again = await failureOf(desk.push(anOrder()));
    expect(again).toMatchObject({ code: lastCode, attempt: 1 });
    delete desk.fails.find;
    expect(await desk.push(anOrder())).toMatchObject({ kind: 'written', attempt: 10 });
    expect(desk.orders).toHaveLength(1);
  });

  it('keeps the error class, so that credentials are alarmed on', async () => {
    const desk = orderDesk();
    desk.fails.find = () => {
      throw new CredentialsError('CREDENTIALS_REFUSED', '401');
    };
    expect(await failureOf(desk.push(anOrder()))).toBeInstanceOf(CredentialsError);
  });

  it('waiting for another worker costs no attempt', async () => {
    const desk = orderDesk();
    desk.fails.create = noAnswer;
    expect(await failureOf(desk.push(anOrder()))).toMatchObject({ code: 'PEER_TIMEOUT', attempt: 1 });
    for (let n = 0; n < 20; n += 1) {
      const error = await failureOf(desk.push(anOrder()));
      expect(error).toBeInstanceOf(BusyError);
      expect(error).toMatchObject({ attempt: undefined });
    }
    expect([...desk.entries.values()]).toMatchObject([{ attempt: 1, failures: 1 }]);
    expect(desk.calls.filter((name) => name === 'create')).toHaveLength(1);
    desk.wait(LEASE_MS);
    expect(await failureOf(desk.push(anOrder()))).toMatchObject({ code: 'PEER_TIMEOUT', attempt: 2 });
  });

  it('waiting for a customer that another worker creates costs no attempt', async () => {
    const desk = orderDesk();
    desk.fails.resolve = () => {
      throw new BusyError('acme-odoo#*#customer:1#create', desk.ports.nowMs() + LEASE_MS);
    };
    for (let n = 0; n < 20; n += 1)
      expect(await failureOf(desk.push(anOrder()))).toMatchObject({ code: 'BUSY', attempt: undefined });
    expect([...desk.entries.values()]).toMatchObject([{ failures: 0, leaseUntilMs: 0 }]);
  });

  it.each(['resolve', 'find', 'create', 'complete'] as const)(
    'a peer that cannot be reached costs no attempt: %s',
    async (name) => {
      const desk = orderDesk();
      desk.fails[name] = () => {
        throw new RetryableError('PEER_UNREACHABLE', 'erp.test cannot be reached (ECONNREFUSED)');
      };
      for (let n = 0; n < 20; n += 1) {
        // Without a number, the message waits by how often it was delivered.
        expect(await failureOf(desk.push(anOrder()))).toMatchObject({
          code: 'PEER_UNREACHABLE',
          attempt: undefined,
        });
      }
      expect([...desk.entries.values()]).toMatchObject([{ attempt: 20, failures: 0, leaseUntilMs: 0 }]);
      delete desk.fails[name];
      expect(await desk.push(anOrder())).toMatchObject({ attempt: 21, level: 'confirm' });
      expect(desk.orders).toHaveLength(1);
    },
  );

  it('recovers what an unanswered write has made, when its lease has run out', async () => {
    const desk = orderDesk();
    desk.fails.create = () => {
      desk.orders.push({ id: '1', name: 'S00001', reference: 'acme-woo:1001' });
      delete desk.fails.create;
      noAnswer();
    };
    await failureOf(desk.push(anOrder()));
    expect(await failureOf(desk.push(anOrder()))).toBeInstanceOf(BusyError);
    desk.wait(LEASE_MS);
    expect(await desk.push(anOrder())).toMatchObject({ kind: 'recovered', attempt: 2, level: 'confirm' });
    expect(desk.orders).toHaveLength(1);
    expect(desk.journal()).toMatchObject({ state: 'done', code: 'RECOVERED' });
  });

  it.each<[string, () => void]>([
    [
      'an error that nobody foresaw',
      () => {
        throw new TypeError('terminated');
      },
    ],
    ['a lost answer', noAnswer],
  ])('keeps the lease after a write that may have happened: %s', async (_case, fail) => {
    const desk = orderDesk();
    desk.fails.create = fail;
    await failureOf(desk.push(anOrder()));
    expect([...desk.entries.values()]).toMatchObject([{ leaseUntilMs: desk.ports.nowMs() + LEASE_MS }]);
  });

  it('gives the lease back when the peer refused to write', async () => {
    const desk = orderDesk();
    desk.fails.create = down;
    await failureOf(desk.push(anOrder()));
    expect([...desk.entries.values()]).toMatchObject([{ leaseUntilMs: 0 }]);
  });

  it('keeps the lease, and knows the document no more, when the bookkeeping after the write fails', async () => {
    const desk = orderDesk();
    const { ledger } = desk.ports;
    const lost = async () => {
      throw new Error('DynamoDB is away');
    };
    await failureOf(desk.push(anOrder(), { ledger: { ...ledger, written: lost } }));
    expect(await failureOf(desk.push(anOrder()))).toBeInstanceOf(BusyError);
    desk.wait(LEASE_MS);
    expect(await desk.push(anOrder())).toMatchObject({ kind: 'recovered' });
    expect(desk.orders).toHaveLength(1);
  });

  it('continues after a crash between write and confirmation, without a second look-up', async () => {
    const desk = orderDesk();
    desk.fails.complete = down;
    await failureOf(desk.push(anOrder()));
    delete desk.fails.complete;
    desk.calls.length = 0;
    expect(await desk.push(anOrder())).toMatchObject({ kind: 'continued', attempt: 2 });
    expect(desk.calls).toEqual(['resolve', 'toWire', 'complete']);
  });

  it('binds before it finishes: what is finished is never looked at again', async () => {
    const desk = orderDesk();
    const put = async () => {
      throw new Error('DynamoDB is away');
    };
    await failureOf(desk.push(anOrder(), { bindings: { put } }));
    expect(await desk.push(anOrder())).toMatchObject({ kind: 'continued' });
    expect(desk.bound).toEqual(['acme-odoo acme-woo order 1001 1']);
  });

  it('begins no write when so little is left of the lease that it could still be settling afterwards', async () => {
    const stallAt = async (ms: number) => {
      const desk = orderDesk();
      const { erp } = desk.ports;
      const find: typeof erp.find = async (...args) => {
        desk.wait(ms);
        return erp.find(...args);
      };
      const outcome = await desk.push(anOrder(), { erp: { ...erp, find } }).catch((error: unknown) => error);
      return { outcome, orders: desk.orders.length, entries: [...desk.entries.values()] };
    };
    expect(await stallAt(LEASE_MS - SETTLE_MS)).toMatchObject({ outcome: { kind: 'written' }, orders: 1 });
    expect(await stallAt(LEASE_MS - SETTLE_MS + 1)).toMatchObject({
      outcome: { code: 'LEASE_LOST', attempt: 1 },
      orders: 0,
      entries: [{ leaseUntilMs: 0 }],
    });
  });

  it('is tried again when the journal does not answer, and does nothing twice', async () => {
    const desk = orderDesk();
    const { journal } = desk.ports;
    const settle = async () => {
      throw new Error('DynamoDB is away');
    };
    expect(await failureOf(desk.push(anOrder(), { journal: { ...journal, settle } }))).toMatchObject({
      message: 'DynamoDB is away',
    });
    expect(await desk.push(anOrder())).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(desk.journal()).toMatchObject({ state: 'done' });
    expect(desk.orders).toHaveLength(1);
  });
});

describe('independence', () => {
  it('two shops with the same order number are two orders', async () => {
    const desk = orderDesk({ sources: ['acme-woo', 'acme-shopify'] });
    await desk.push(anOrder());
    await desk.push(anOrder({ source: 'acme-shopify' }));
    expect(desk.orders.map(({ reference }) => reference)).toEqual(['acme-woo:1001', 'acme-shopify:1001']);
    expect([...desk.entries.keys()]).toEqual([
      'acme-odoo#acme-woo#1001#create',
      'acme-odoo#acme-shopify#1001#create',
    ]);
    expect(desk.journal('acme-shopify')).toMatchObject({ state: 'done', document: { id: '2' } });
  });

  it('one shop routed to two ERPs is an order in each, over the same tables', async () => {
    const odoo = orderDesk();
    const books = orderDesk({ destination: 'acme-books' });
    const shared = { ledger: odoo.ports.ledger, journal: odoo.ports.journal };
    await odoo.push(anOrder());
    expect(await books.push(anOrder(), shared)).toMatchObject({ kind: 'written' });
    expect([...odoo.entries.keys()]).toEqual([
      'acme-odoo#acme-woo#1001#create',
      'acme-books#acme-woo#1001#create',
    ]);
    expect([...odoo.rows.keys()]).toEqual(['acme-odoo#acme-woo#1001', 'acme-books#acme-woo#1001']);
    await expect(books.push(later(60, cancelled), shared)).rejects.toThrow('written to acme-books');
    expect(odoo.journal()).toMatchObject({ state: 'done' });
  });
});
