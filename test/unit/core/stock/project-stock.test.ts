import { describe, expect, it } from 'vitest';
import { RetryableError } from '../../../../shared/core/errors.ts';
import { projectStock } from '../../../../shared/core/stock/project-stock.ts';
import type { OrderChangedV1 } from '../../../../shared/events/order-changed.ts';
import { OrderRoute } from '../../../../shared/settings/order-route.ts';
import { ERP, key, MINUTE_MS, market, memoryShop, NOW, opened, routeOf, SHOPS, sale } from './harness.ts';

const [A, B] = SHOPS;
type Scene = Awaited<ReturnType<typeof opened>>;

/** The shop takes its own pieces from sale at once; the webhook tells of it. */
const sells = (at: Scene, name: 'a' | 'b', order: OrderChangedV1) => {
  const { shown } = at[name];
  for (const { sku = '', quantity } of order.lines) shown.set(sku, (shown.get(sku) ?? 0) - quantity);
  return at.ordered(order);
};
const shows = ({ a, b }: Scene, sku = 'TEA') => [a.shown.get(sku), b.shown.get(sku)];
/** The first shop's reconciliation has read up to now; its writer comes again. */
const salesAreKnown = async (at: Scene) => {
  at.clock.nowMs += 5 * MINUTE_MS;
  at.watermarks.set(A, at.clock.nowMs);
  await at.write(A, [key('TEA')]);
  await at.flow();
};
const refunded = (pieces: number, restock: boolean): OrderChangedV1['refunds'] => {
  const total = { minor: 100, currency: 'TWD' };
  return [{ id: 'r', total, lines: [{ lineId: 'TEA', quantity: pieces, total, taxes: [], restock }] }];
};

describe('a sale', () => {
  it('lowers every other shop at once, and is not written to the shop that sold', async () => {
    const at = await opened({ TEA: 10 });
    expect(await at.project(sells(at, 'a', sale(A, '1', { TEA: 3 })))).toMatchObject({ rows: 1, due: 1 });
    expect(at.due).toEqual([
      { source: ERP, destination: B, listings: [{ sku: 'TEA', location: 'default' }] },
    ]);
    await at.flow();
    expect(shows(at)).toEqual([7, 7]);
    expect(at.a.writes).toEqual([]);
    expect(at.claim(A, 'TEA')).toMatchObject({ bound: 7, want: 7 });
  });

  it('told twice, by webhook and by reconciliation, is counted once', async () => {
    const at = await opened({ TEA: 10 });
    const news = sells(at, 'a', sale(A, '1', { TEA: 3 }));
    await at.project(news, news);
    await at.project(news);
    await at.flow();
    expect(shows(at)).toEqual([7, 7]);
    expect(at.b.writes).toHaveLength(1);
  });

  it('is told again when the worker dies before it was', async () => {
    const at = await opened({ TEA: 10 });
    const news = sells(at, 'a', sale(A, '1', { TEA: 3 }));
    await at.project(news);
    at.due.splice(0);
    expect(await at.project(news)).toMatchObject({ due: 1 });
  });

  it.each<[string, Partial<OrderChangedV1>]>([
    ['before the route began', { placedAt: '2025-12-31T23:00:00Z' }],
    ['not paid yet', { status: 'pending' }],
    ['cancelled already', { status: 'cancelled' }],
    ['a test', { test: true }],
    ['of another shop', { source: 'acme-store' }],
  ])('%s is no demand', async (_, override) => {
    const at = await opened({ TEA: 10 });
    await at.project(at.ordered(sale(A, '1', { TEA: 3 }, override)));
    await at.flow();
    expect(at.b.shown.get('TEA')).toBe(10);
  });

  it('of a route in shadow mode is no demand', async () => {
    const at = await opened({ TEA: 10 });
    const orderRoutes = [
      OrderRoute.parse({ from: A, to: ERP, startAt: '2026-01-01T00:00:00Z', mode: 'shadow' }),
    ];
    expect(
      await projectStock({ ...at.ports, orderRoutes }, [at.ordered(sale(A, '1', { TEA: 3 }))]),
    ).toMatchObject({
      rows: 0,
    });
  });

  it('counts nothing where stock is switched off', async () => {
    const at = await opened({ TEA: 10 });
    const ports = { ...at.ports, route: routeOf({ mode: 'off' }) };
    expect(await projectStock(ports, [at.ordered(sale(A, '1', { TEA: 3 }))])).toEqual({
      rows: 0,
      due: 0,
      low: [],
    });
  });
});

describe('what becomes of it', () => {
  const first = sale(A, '1', { TEA: 3 });
  const version = (sourceVersion: number, pieces: number, override: Partial<OrderChangedV1> = {}) =>
    sale(A, '1', { TEA: pieces }, { sourceVersion, ...override });

  it.each<[string, OrderChangedV1, number]>([
    ['edited to less', version(2, 1), 9],
    ['edited to more', version(2, 5), 5],
    ['edited to something else', sale(A, '1', { MUG: 1 }, { sourceVersion: 2 }), 10],
    ['cancelled', version(2, 3, { status: 'cancelled' }), 10],
    ['refunded and put back on sale', version(2, 3, { refunds: refunded(2, true) }), 9],
    ['refunded without return', version(2, 3, { refunds: refunded(2, false) }), 7],
  ])('%s: the other shop follows', async (_, second, expected) => {
    const at = await opened({ TEA: 10, MUG: 10 });
    await at.project(sells(at, 'a', first));
    await at.flow();
    at.a.shown.set('TEA', expected);
    await at.project(at.ordered(second));
    await at.flow();
    expect(shows(at)).toEqual([expected, expected]);

    // The newest version came first.
    const reversed = await opened({ TEA: 10, MUG: 10 });
    reversed.a.shown.set('TEA', expected);
    await reversed.project(reversed.ordered(second), reversed.ordered(first));
    await reversed.flow();
    expect(shows(reversed)).toEqual([expected, expected]);
    expect(reversed.row('TEA')?.demand[`${A}#1`]?.quantity).toBe(10 - expected);
  });

  it('cancelled, and the shop does not put it back: that comes when all of its sales are known', async () => {
    const at = await opened({ TEA: 10 });
    await at.project(sells(at, 'a', first));
    await at.flow();
    await at.project(at.ordered(version(2, 3, { status: 'cancelled' })));
    await at.flow();
    // Three are missing there: they may have been sold meanwhile.
    expect(shows(at)).toEqual([7, 7]);
    await salesAreKnown(at);
    expect(shows(at)).toEqual([10, 10]);
  });
});

describe('settled', () => {
  const order = sale(A, '1', { TEA: 3 });
  const start = async () => {
    const at = await opened({ TEA: 10 });
    await at.project(sells(at, 'a', order));
    await at.flow();
    return at;
  };

  it('promised: subtracted until a reading contains it, and not twice', async () => {
    const at = await start();
    await at.project(at.settled(order, 'promised', NOW + 3 * MINUTE_MS));
    // Read before it was promised.
    await at.project(at.levels({ TEA: 10 }, NOW + 3 * MINUTE_MS - 1));
    await at.flow();
    expect(shows(at)).toEqual([7, 7]);
    const writes = at.b.writes.length;
    await at.project(at.levels({ TEA: 7 }, NOW + 3 * MINUTE_MS + 1));
    await at.flow();
    expect(shows(at)).toEqual([7, 7]);
    expect([at.a.writes.length, at.b.writes.length]).toEqual([0, writes]);
  });

  it.each(['ended', 'dropped'] as const)('%s: it is no demand any more', async (state) => {
    const at = await start();
    await at.project(at.settled(order, state));
    await at.flow();
    await salesAreKnown(at);
    expect(shows(at)).toEqual([10, 10]);
    // A late copy of it counts nothing.
    await at.project(at.ordered(order));
    await at.flow();
    expect(shows(at)).toEqual([10, 10]);
  });

  it('promised before the order was heard of', async () => {
    const at = await opened({ TEA: 10 });
    await at.project(at.settled(order, 'promised', NOW + MINUTE_MS));
    await at.project(at.levels({ TEA: 7 }, NOW + MINUTE_MS + 1));
    await at.project(sells(at, 'a', order));
    await at.flow();
    expect(shows(at)).toEqual([7, 7]);
  });

  it('at another ERP: nothing', async () => {
    const at = await start();
    const news = at.settled(order, 'ended');
    const { event } = news as Extract<typeof news, { name: 'order.settled.v1' }>;
    const elsewhere = { ...event, data: { ...event.data, destination: 'acme-tryton' } };
    expect(await at.project({ name: 'order.settled.v1', event: elsewhere })).toMatchObject({ rows: 0 });
  });
});

describe('bundles', () => {
  it('are limited by the part of which there is least, and take their parts', async () => {
    const bundles = { SET: { TEA: 2, MUG: 1 }, 'TEA-6': { TEA: 6 } };
    const a = memoryShop({ TEA: 0, SET: 0 });
    const b = memoryShop({ TEA: 0, MUG: 0, 'TEA-6': 0 });
    const at = market({ shops: { [A]: a, [B]: b }, bundles });
    await at.learn(A);
    await at.learn(B);
    at.clock.nowMs += 1_000;
    await at.project(at.levels({ TEA: 20, MUG: 7 }));
    await at.flow();
    const shown = () => [a, b].map((shop) => Object.fromEntries(shop.shown));
    expect(shown()).toEqual([
      { TEA: 20, SET: 7 },
      { TEA: 20, MUG: 7, 'TEA-6': 3 },
    ]);
    a.shown.set('SET', 4);
    at.clock.nowMs = NOW + 2 * MINUTE_MS;
    await at.project(at.ordered(sale(A, '1', { SET: 3 })));
    await at.flow();
    expect(shown()).toEqual([
      { TEA: 14, SET: 4 },
      { TEA: 14, MUG: 4, 'TEA-6': 2 },
    ]);
  });
});

describe('under contention', () => {
  it('flash sale: a thousand orders of one SKU', async () => {
    const at = await opened({ TEA: 1_000 });
    at.counts.puts = 0;
    const orders = Array.from({ length: 1_000 }, (_, index) => sale(A, `${index}`, { TEA: 1 }));
    for (let first = 0; first < 1_000; first += 20) {
      // Two workers, ten orders each.
      await Promise.all(
        [0, 10].map((more) =>
          at.project(...orders.slice(first + more, first + more + 10).map((order) => sells(at, 'a', order))),
        ),
      );
    }
    const row = at.row('TEA');
    expect(Object.keys(row?.demand ?? {})).toHaveLength(1_000);
    expect(JSON.stringify(row).length).toBeLessThan(400_000);
    expect(at.claim(A, 'TEA')).toMatchObject({ bound: 0, want: 0 });
    // A write and, of two at once, the loser's second one.
    expect(at.counts.puts).toBeLessThanOrEqual(200);
    // All that was due meanwhile is one value.
    await at.flow();
    expect(shows(at)).toEqual([0, 0]);
    expect(at.b.writes).toHaveLength(1);
  });

  it('gives up for now when others are faster every time, and nothing is lost', async () => {
    const at = await opened({ TEA: 10 });
    const store = { ...at.ports.store, put: async () => false };
    const news = at.ordered(sale(A, '1', { TEA: 3 }));
    await expect(projectStock({ ...at.ports, store }, [news])).rejects.toBeInstanceOf(RetryableError);
    await at.project(news);
    await at.flow();
    expect(at.b.shown.get('TEA')).toBe(7);
  });
});

describe('partitioned', () => {
  const route = routeOf({ policy: 'partitioned' });

  it('divides what there is, and the last piece is shown once', async () => {
    const at = await opened({ TEA: 10 }, { route });
    expect(shows(at)).toEqual([5, 5]);
    await at.project(at.levels({ TEA: 3 }, NOW + 3 * MINUTE_MS));
    await at.flow();
    expect(shows(at).toSorted()).toEqual([1, 2]);
    await at.project(at.levels({ TEA: 1 }, NOW + 4 * MINUTE_MS));
    await at.flow();
    expect(shows(at).toSorted()).toEqual([0, 1]);
    await at.project(at.levels({ TEA: 0 }, NOW + 5 * MINUTE_MS));
    await at.flow();
    expect(shows(at)).toEqual([0, 0]);
  });

  it('a sale takes nothing from the others, as long as they have enough', async () => {
    const at = await opened({ TEA: 10 }, { route });
    await at.project(sells(at, 'a', sale(A, '1', { TEA: 2 })));
    await at.flow();
    expect(shows(at)).toEqual([3, 5]);
    expect(at.b.writes).toEqual([]);
  });

  it('moves pieces to a shop that has sold its own', async () => {
    const at = await opened({ TEA: 10 }, { route });
    await at.project(sells(at, 'a', sale(A, '1', { TEA: 5 })));
    await at.flow();
    expect(shows(at).toSorted()).toEqual([2, 3]);
  });

  it('gives a shop more only when the other has acknowledged less', async () => {
    const at = await opened({ TEA: 10 }, { route });
    await at.project(sells(at, 'a', sale(A, '1', { TEA: 5 })));
    at.b.instead.push(async (writes) =>
      writes.map(({ sku, location }) => ({ sku, location, kind: 'unknown', detail: 'no answer' })),
    );
    await at.flow();
    expect(shows(at)).toEqual([0, 5]);
    expect(at.claim(A, 'TEA')?.bound).toBe(0);
    at.clock.nowMs += 10 * MINUTE_MS;
    await at.write(B, [key('TEA')]);
    await at.flow();
    expect(shows(at).toSorted()).toEqual([2, 3]);
  });

  it('below a number of pieces only', async () => {
    const at = await opened({ TEA: 10 }, { route: routeOf({ policy: { partitionedBelow: 5 } }) });
    expect(shows(at)).toEqual([10, 10]);
    await at.project(at.levels({ TEA: 5 }, NOW + 3 * MINUTE_MS));
    await at.flow();
    expect(shows(at)).toEqual([5, 5]);
    await at.project(at.levels({ TEA: 4 }, NOW + 4 * MINUTE_MS));
    await at.flow();
    expect(shows(at)).toEqual([2, 2]);
  });
});
