import { describe, expect, it } from 'vitest';
import type { ErpCandidate } from '../../../shared/connectors/contract.ts';
import { type AdoptPorts, adoptable, adoptOrder, planAdoption } from '../../../shared/core/adopt-order.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { PushOrderPorts } from '../../../shared/core/order-ports.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { memoryJournalReads } from '../../fakes/memory-journal.ts';
import { orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const SHOP = 'acme-woo';
const ERP = 'acme-odoo';
const call = { signal: new AbortController().signal };
const V1 = anOrder().sourceVersion;
const later = (seconds: number, change: Partial<OrderChangedV1> = {}) =>
  anOrder({ sourceVersion: V1 + seconds * 1000, contentHash: `v${seconds}`, ...change });
const edited = later(60, { buyerNote: 'ring twice' });

/** A route that was in shadow mode and went live, its `startAt` left where it was: before the orders. */
const afterShadow = () => {
  const desk = orderDesk({ changes: true });
  const inMode = (mode: 'shadow' | 'live' | 'off'): Partial<PushOrderPorts> => ({
    routes: desk.ports.routes.map((route) => ({ ...route, mode })),
  });
  const failureOf = async (order: OrderChangedV1): Promise<PermanentError | 'nothing failed'> =>
    desk.push(order).then(
      () => 'nothing failed' as const,
      (error: unknown) => {
        if (error instanceof PermanentError) return error;
        throw error;
      },
    );
  return {
    ...desk,
    shadow: (order: OrderChangedV1) => desk.push(order, inMode('shadow')),
    off: (order: OrderChangedV1) => desk.push(order, inMode('off')),
    failureOf,
    permit: () =>
      memoryJournalReads(desk.rows).permit(ERP, SHOP, '1001', { atMs: 1, code: 'NOT_ENTERED', text: 'ada' }),
  };
};

it('what people may have entered is parked, whatever is new about it, with the command that binds it', async () => {
  const at = afterShadow();
  expect(await at.shadow(anOrder())).toMatchObject({ kind: 'shadow' });
  for (const order of [anOrder(), edited]) {
    expect(await at.failureOf(order)).toMatchObject({
      code: 'SEEN_IN_SHADOW',
      params: { source: SHOP, destination: ERP, day: '2026-11-21' },
    });
  }
  expect(at.journal()).toMatchObject({ state: 'parked', code: 'SEEN_IN_SHADOW' });
  expect(at.calls).not.toContain('find');
  expect(at.orders).toEqual([]);
});

it('an older copy that comes late is skipped, not parked', async () => {
  const at = afterShadow();
  await at.shadow(edited);
  expect(await at.push(anOrder())).toMatchObject({ kind: 'skipped', reason: 'OLDER_THAN_SETTLED' });
});

it('what nobody entered is written once a person says so, however often it changed since', async () => {
  const at = afterShadow();
  await at.shadow(anOrder());
  await at.failureOf(edited);
  await at.permit();
  expect(await at.push(edited)).toMatchObject({ kind: 'written' });
  expect(await at.push(later(120, { buyerNote: 'leave at the door' }))).toMatchObject({ kind: 'changed' });
  expect(at.orders).toHaveLength(1);
});

it.each<[string, (at: ReturnType<typeof afterShadow>) => Promise<unknown>]>([
  ['could not be mapped', async (at) => (at.fails.resolve = refuse)],
  ['was not paid yet', async () => undefined],
])('counts what %s in shadow mode, too: people may have entered it all the same', async (what, before) => {
  const at = afterShadow();
  await before(at);
  const { payment } = anOrder();
  const first =
    what === 'was not paid yet'
      ? anOrder({ status: 'pending', payment: { ...payment, state: 'pending' } })
      : anOrder();
  await at.shadow(first).catch(() => undefined);
  delete at.fails.resolve;
  expect(await at.failureOf(edited)).toMatchObject({ code: 'SEEN_IN_SHADOW' });
});

describe('cancelled after the switch', () => {
  const cancelled = later(60, { status: 'cancelled' });
  it('parked: what people entered is still on its way to the buyer', async () => {
    const at = afterShadow();
    await at.shadow(anOrder());
    expect(await at.failureOf(cancelled)).toMatchObject({ code: 'SEEN_IN_SHADOW' });
  });

  it('skipped if it never counted', async () => {
    const at = afterShadow();
    await at.shadow(anOrder({ status: 'pending', payment: { ...anOrder().payment, state: 'pending' } }));
    expect(await at.push(cancelled)).toMatchObject({ reason: 'CANCELLED_BEFORE_WRITTEN' });
  });

  it('skipped if people knew of it: it was cancelled in shadow mode', async () => {
    const at = afterShadow();
    await at.shadow(anOrder());
    await at.shadow(cancelled);
    expect(await at.push(later(120, { status: 'cancelled' }))).toMatchObject({
      reason: 'CANCELLED_BEFORE_WRITTEN',
    });
  });
});

it('what was placed before startAt is skipped as ever', async () => {
  const at = afterShadow();
  await at.shadow(anOrder());
  const routes = at.ports.routes.map((route) => ({ ...route, startAt: '2026-12-01T00:00:00Z' }));
  expect(await at.push(edited, { routes })).toMatchObject({ reason: 'BEFORE_START' });
});

it('nothing is asked of a route that is off, or of what came while it was live', async () => {
  const at = afterShadow();
  await at.shadow(anOrder());
  expect(await at.off(edited)).toMatchObject({ reason: 'ROUTE_OFF' });
  const fresh = anOrder({ orderId: '1002', orderNumber: '1002' });
  expect(await at.push(fresh)).toMatchObject({ kind: 'written' });
});

it('an order that is ours stays ours while its route is in shadow mode, and is followed afterwards', async () => {
  const at = afterShadow();
  await at.push(anOrder());
  expect(await at.shadow(edited)).toMatchObject({ kind: 'skipped', reason: 'ALREADY_DONE' });
  expect(await at.push(later(120, { buyerNote: 'leave at the door' }))).toMatchObject({ kind: 'changed' });
});

it('one that was begun before is finished', async () => {
  const at = afterShadow();
  at.fails.complete = () => {
    throw new TypeError('terminated');
  };
  await at.push(anOrder()).catch(() => undefined);
  delete at.fails.complete;
  await at.shadow(anOrder());
  at.wait(200_000);
  expect(await at.push(edited)).toMatchObject({ kind: 'changed' });
  expect(at.orders).toHaveLength(1);
});

describe('adopt, without startAt being moved', () => {
  const adopting = (shop: readonly OrderChangedV1[]) => {
    const at = afterShadow();
    const [route] = at.ports.routes;
    if (!route) throw new Error('there is a route');
    at.orders.push({ id: '1', name: 'S00001', reference: '', content: 'as people typed it' });
    const ports: AdoptPorts = {
      ...at.ports,
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
        find: at.ports.erp.find,
        adoption: {
          candidates: async function* () {
            yield at.orders.map(
              ({ id, name, reference }): ErpCandidate => ({
                document: { id, name },
                datedAtMs: Date.parse(anOrder().placedAt),
                total: anOrder().total,
                stepMinor: 1,
                state: 'confirmed',
                reference,
                mentions: ['1001'],
                buyer: [],
              }),
            );
          },
          compare: async () => [],
          adopt: async ({ id }) => ({
            id,
            name: 'S00001',
            state: 'confirmed',
            fingerprint: 'as people typed it',
          }),
        },
      },
      publish: async () => undefined,
      newId: () => 'a1',
    };
    const range = { fromMs: 0, days: 7 };
    const who = { by: 'ada', why: 'go-live' };
    const adopt = async () => {
      const planned = await planAdoption(ports, range, call);
      const kinds: string[] = [];
      for (const one of planned) {
        if (!adoptable(one, false)) kinds.push(one.kind);
        else kinds.push((await adoptOrder(ports, one, { range, writeReference: false, who }, call)).kind);
      }
      return kinds;
    };
    return { ...at, adopt };
  };

  it('finds what came in shadow mode; then it is followed, and nothing is written twice', async () => {
    const at = adopting([anOrder()]);
    await at.shadow(anOrder());
    expect(await at.failureOf(edited)).toMatchObject({ code: 'SEEN_IN_SHADOW' });
    expect(await at.adopt()).toEqual(['adopted']);
    at.orders[0] = { ...at.orders[0], id: '1', reference: `${SHOP}:1001`, content: 'as people typed it' };
    expect(await at.push(edited)).toMatchObject({ kind: 'changed' });
    expect(at.orders).toHaveLength(1);
    expect(await at.adopt()).toEqual(['already']);
  });

  it('leaves alone what came while the route is live', async () => {
    const at = adopting([anOrder()]);
    expect(await at.adopt()).toEqual([]);
    await at.push(anOrder());
    expect(await at.adopt()).toEqual([]);
  });

  it('takes refunds as made by people until the last that came in shadow mode, and as ours since', async () => {
    const refund = (id: string, seconds: number) => ({
      id,
      total: { minor: 1000, currency: 'TWD' },
      refundedAt: new Date(V1 + seconds * 1000).toISOString(),
    });
    const shop = later(1000, { refunds: [refund('1', 60), refund('2', 900)] });
    const at = adopting([shop]);
    await at.shadow(anOrder());
    at.wait(600_000);
    await at.shadow(later(60, { refunds: [refund('1', 60)] }));
    expect(await at.adopt()).toEqual(['adopted']);
    expect(await at.push(shop)).toMatchObject({ kind: 'changed', done: ['refund 2'] });
  });
});

function refuse(): never {
  throw new PermanentError('UNKNOWN_SKU', {
    sku: 'TEA',
    line: { kind: 'line', number: 1, title: 'Tea' },
    destination: ERP,
  });
}
