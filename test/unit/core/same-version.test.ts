import { describe, expect, it } from 'vitest';
import { BusyError, PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { LEASE_MS, orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

/** WooCommerce counts versions in seconds: two states of one second carry one version. */
const open = anOrder();
const cancelled = anOrder({ contentHash: 'second', status: 'cancelled', sourceStatus: 'cancelled' });
const desk = (route = {}) => orderDesk({ fetchable: ['acme-woo'], route });
type Desk = ReturnType<typeof desk>;

const pushAt = (at: Desk, order: OrderChangedV1, receivedAtMs: number) =>
  at.push(order, {}, { id: `push-${receivedAtMs}`, receivedAtMs });
const fetchAt = (at: Desk, order: OrderChangedV1, fetchedAtMs: number) =>
  at.push(order, {}, { id: `fetch-${fetchedAtMs}`, via: 'fetch', receivedAtMs: 1, fetchedAtMs });
const FETCHING = { kind: 'skipped', reason: 'FETCHING_AGAIN' };
const codeOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof PermanentError) return error.code;
  throw error;
};

describe('another copy of the version that was written', () => {
  it('is not believed: the storefront is asked', async () => {
    const at = desk();
    await pushAt(at, open, 1);
    expect(await pushAt(at, cancelled, 2)).toMatchObject(FETCHING);
    expect(at.notified).toEqual([
      {
        meta: {
          id: 'push-2:again',
          connection: 'acme-woo',
          correlationId: '1001',
          receivedAtMs: 2,
          via: 'webhook',
        },
        data: { source: 'acme-woo', orderId: '1001', why: 'same-version' },
      },
    ]);
    expect(at.journal()).toMatchObject({ state: 'done', code: 'WRITTEN' });
  });

  it('once it is fetched, is the truth: parked with both sides named', async () => {
    const at = desk();
    await pushAt(at, open, 1);
    await pushAt(at, cancelled, 2);
    expect(await codeOf(fetchAt(at, cancelled, 3))).toBe('ORDER_CHANGED_AFTER_WRITE');
    expect(at.notified).toHaveLength(1);
  });

  it('nothing more is asked once the storefront has confirmed what was written', async () => {
    const at = desk();
    await pushAt(at, open, 1);
    await pushAt(at, cancelled, 2);
    expect(await fetchAt(at, open, 3)).toMatchObject({ reason: 'ALREADY_DONE' });
    // The queue brings it once more.
    expect(await pushAt(at, cancelled, 2)).toMatchObject({ reason: 'OLDER_THAN_SETTLED' });
    expect(at.notified).toHaveLength(1);
    expect(at.journal()).toMatchObject({ state: 'done' });
  });

  it('pushed after that reading began: asked again', async () => {
    const at = desk();
    await fetchAt(at, open, 3);
    expect(await pushAt(at, cancelled, 4)).toMatchObject(FETCHING);
  });

  it('is found by the ledger when the journal was not written', async () => {
    const at = desk();
    await at.push(open, { journal: { ...at.ports.journal, settle: async () => 'newer' } });
    expect(await pushAt(at, cancelled, 2)).toMatchObject(FETCHING);
  });

  it('of two readings the later one holds, whichever comes first', async () => {
    const at = desk();
    expect(await codeOf(fetchAt(at, anOrder({ total: { minor: 1, currency: 'TWD' } }), 1))).toBe(
      'TOTALS_DO_NOT_ADD_UP',
    );
    expect(await fetchAt(at, cancelled, 5)).toMatchObject({ reason: 'CANCELLED_BEFORE_WRITTEN' });
    expect(await fetchAt(at, open, 4)).toMatchObject({ reason: 'OLDER_THAN_SETTLED' });
    expect(at.orders).toEqual([]);
  });
});

describe('two copies before anything was written', () => {
  it('cancelled first, then open: fetched, and written when the shop says so', async () => {
    const at = desk();
    expect(await pushAt(at, cancelled, 1)).toMatchObject({ reason: 'CANCELLED_BEFORE_WRITTEN' });
    expect(await pushAt(at, open, 2)).toMatchObject(FETCHING);
    // Nobody was asked, and no attempt was begun.
    expect(at.calls).toEqual([]);
    expect(at.entries.size).toBe(0);
    expect(await fetchAt(at, open, 3)).toMatchObject({ kind: 'written' });
    expect(at.journal()).toMatchObject({ state: 'done' });
  });

  it('cancelled first, then open: not written when the shop says cancelled', async () => {
    const at = desk();
    await pushAt(at, cancelled, 1);
    await pushAt(at, open, 2);
    expect(await fetchAt(at, cancelled, 3)).toMatchObject({ reason: 'CANCELLED_BEFORE_WRITTEN' });
    expect(await pushAt(at, open, 2)).toMatchObject({ reason: 'OLDER_THAN_SETTLED' });
    expect(at.orders).toEqual([]);
    expect(at.journal()).toMatchObject({ state: 'skipped' });
  });

  it('the other one settled between our first look and our claim: nothing is written', async () => {
    const at = desk();
    const { ledger, journal } = at.ports;
    const outcome = await at.push(
      open,
      {
        ledger: {
          ...ledger,
          claim: async (...args) => {
            await pushAt(at, cancelled, 1).catch((error: unknown) => {
              expect(error).toBeInstanceOf(BusyError);
            });
            return ledger.claim(...args);
          },
        },
        journal,
      },
      { receivedAtMs: 2 },
    );
    expect(outcome).toMatchObject(FETCHING);
    expect(at.orders).toEqual([]);
    expect(at.notified).toHaveLength(1);
  });

  it.each<[string, OrderChangedV1, object]>([
    ['skipped', cancelled, {}],
    ['in shadow', open, { mode: 'shadow' }],
  ])('the other one settled while this one was decided: fetched (%s)', async (_case, order, route) => {
    const at = desk(route);
    const { journal } = at.ports;
    const other = anOrder({ contentHash: 'third', payment: { ...open.payment, state: 'pending' } });
    const outcome = await at.push(
      order,
      {
        journal: {
          ...journal,
          settle: async (...args) => {
            if (at.rows.size === 0) await pushAt(at, other, 1);
            return journal.settle(...args);
          },
        },
      },
      { receivedAtMs: 2 },
    );
    expect(outcome).toMatchObject(FETCHING);
    expect(at.notified).toHaveLength(1);
  });

  it('the other one settled while this one was written: told as written, and fetched', async () => {
    const at = desk();
    const other = anOrder({ contentHash: 'third', payment: { ...open.payment, state: 'pending' } });
    const { journal } = at.ports;
    const outcome = await at.push(
      open,
      {
        journal: {
          ...journal,
          settle: async (...args) => {
            await journal.settle('acme-odoo', 'acme-woo', '1001', {
              state: 'skipped',
              step: { atMs: 1, code: 'NOT_ACCEPTED_YET', text: 'not paid' },
              revision: {
                sourceVersion: other.sourceVersion,
                contentHash: 'third',
                seenAtMs: 1,
                fetched: false,
              },
            });
            return journal.settle(...args);
          },
        },
      },
      { receivedAtMs: 2 },
    );
    expect(outcome).toMatchObject({ kind: 'written' });
    expect(at.notified).toHaveLength(1);
    expect(await fetchAt(at, open, 3)).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(at.journal()).toMatchObject({ state: 'done' });
  });

  it('what would be parked is not, while nobody knows whether it ever was so', async () => {
    const at = desk();
    const wrong = anOrder({ contentHash: 'wrong', total: { minor: 1, currency: 'TWD' } });
    const { journal } = at.ports;
    const outcome = await at.push(
      wrong,
      {
        journal: {
          ...journal,
          settle: async (...args) => {
            if (at.rows.size === 0) await pushAt(at, cancelled, 1);
            return journal.settle(...args);
          },
        },
      },
      { receivedAtMs: 2 },
    );
    expect(outcome).toMatchObject(FETCHING);
    expect(await codeOf(fetchAt(at, wrong, 3))).toBe('TOTALS_DO_NOT_ADD_UP');
  });

  it('a cancellation that finds a begun order does not know with which copy: the storefront is asked', async () => {
    const at = desk();
    at.fails.complete = () => {
      throw new RetryableError('PEER_FAILED', 'erp answered HTTP 503');
    };
    await expect(pushAt(at, open, 1)).rejects.toBeInstanceOf(RetryableError);
    at.wait(LEASE_MS);
    expect(await pushAt(at, cancelled, 2)).toMatchObject(FETCHING);
    expect(await codeOf(fetchAt(at, cancelled, 3))).toBe('ORDER_CHANGED_AFTER_WRITE');
  });
});

describe('an older version', () => {
  const later = (seconds: number, override: Partial<OrderChangedV1> = {}) =>
    anOrder({ sourceVersion: open.sourceVersion + seconds * 1000, contentHash: `v${seconds}`, ...override });

  it('that was cancelled says nothing about an order that was opened again and is parked', async () => {
    const at = orderDesk();
    at.fails.complete = () => {
      throw new PermanentError('UNKNOWN_COUNTRY', { country: 'XK', destination: 'acme-odoo' });
    };
    expect(await codeOf(at.push(later(60)))).toBe('UNKNOWN_COUNTRY');
    expect(await at.push(cancelled)).toMatchObject({ reason: 'OLDER_THAN_SETTLED' });
    expect(at.journal()).toMatchObject({ state: 'parked', code: 'UNKNOWN_COUNTRY' });
  });

  it('with an edit that was taken back since is not parked', async () => {
    const at = orderDesk();
    await at.push(open);
    const [first, ...rest] = open.lines;
    if (!first) throw new Error('the order has lines');
    await at.push(later(120));
    const edited = later(60, { lines: [{ ...first, title: 'other', sku: 'OTHER' }, ...rest] });
    expect(await at.push(edited)).toMatchObject({ reason: 'OLDER_THAN_SETTLED' });
  });
});

describe('a storefront that cannot be asked', () => {
  it('any copy of a version is as good as another, as it comes', async () => {
    const at = orderDesk();
    await pushAt(at, cancelled, 1);
    expect(await pushAt(at, open, 2)).toMatchObject({ kind: 'written' });
    expect(await codeOf(pushAt(at, cancelled, 3))).toBe('ORDER_CHANGED_AFTER_WRITE');
    expect(at.notified).toEqual([]);
  });
});

it('is tried again when the bus does not take the question', async () => {
  const at = desk();
  await pushAt(at, open, 1);
  const down = new RetryableError('NOT_PUBLISHED', 'the bus refused the event');
  const refetch = { sources: new Set(['acme-woo']), notify: () => Promise.reject(down) };
  await expect(at.push(cancelled, { refetch }, { receivedAtMs: 2 })).rejects.toBe(down);
});
