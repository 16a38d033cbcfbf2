import { beforeEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../shared/core/errors.ts';
import { decideHeld } from '../../../../shared/core/stock/poll-state.ts';
import {
  type PolledStock,
  type PollStockPorts,
  pollCursorName,
  pollStock,
} from '../../../../shared/core/stock/poll-stock.ts';
import { readStock } from '../../../../shared/core/stock/read-stock.ts';
import { memoryCursors } from '../../../fakes/memory-cursors.ts';
import { memoryPollStates } from '../../../fakes/memory-stock.ts';
import {
  call,
  ERP,
  MINUTE_MS,
  market,
  memoryErp,
  memoryShop,
  NOW,
  routeOf,
  SHOPS,
  sale,
  settlement,
} from './harness.ts';

const [SHOP] = SHOPS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const SKUS = Array.from({ length: 60 }, (_, index) => `SKU-${String(index).padStart(2, '0')}`);
const FULL = Object.fromEntries(SKUS.map((sku) => [sku, 5]));
const third = SKUS.slice(0, 20);

/** An ERP of 60 SKUs, five of each, polled every five minutes, and a shop that sells them. */
const scene = () => {
  const shop = memoryShop(FULL);
  const flow = market({ shops: { [SHOP]: shop } });
  const { clock } = flow;
  const erp = memoryErp(clock, FULL);
  const states = memoryPollStates();
  const cursors = memoryCursors(() => clock.nowMs);
  const ports: PollStockPorts = {
    ...flow.ports,
    stock: erp.stock,
    states,
    cursors,
    leaseMs: 5 * MINUTE_MS,
    overlapMs: 10 * MINUTE_MS,
    allEveryMs: DAY_MS,
  };
  const poll = (request: { all?: boolean } = {}, own: Partial<PollStockPorts> = {}) =>
    pollStock({ ...ports, ...own }, request, call);
  return {
    ...flow,
    shop,
    erp,
    states,
    readPorts: { ...flow.ports, stock: erp.stock, states },
    poll,
    cursor: async () => (await cursors.load(pollCursorName(ERP)))?.atMs,
    /** Five minutes later; what is told is taken and written. */
    next: async (request: { all?: boolean } = {}): Promise<PolledStock> => {
      clock.nowMs += 5 * MINUTE_MS;
      const polled = await poll(request);
      await flow.flow();
      return polled;
    },
    state: () => states.load(ERP),
    decide: (does: 'approve' | 'dismiss') =>
      decideHeld(states, ERP, { does, by: 'ops', why: 'stock-taking', atMs: clock.nowMs }),
    known: () => SKUS.map((sku) => flow.row(sku)?.levels['WH']?.free),
    change: (skus: readonly string[], pieces: number) => {
      for (const sku of skus) erp.free.set(sku, pieces);
      erp.changed = skus;
    },
  };
};
type Scene = ReturnType<typeof scene>;

let at: Scene;
const STARTED_MS = NOW + 5 * MINUTE_MS;
beforeEach(async () => {
  at = scene();
  await at.learn(SHOP);
  await at.next();
});
const unchanged = (value: number) => SKUS.map(() => value);

const counts = (some: object) => ({ known: 60, looked: 0, changed: 0, zeroed: 0, missing: 0, ...some });
const HELD: readonly {
  readonly name: string;
  readonly request: { readonly all?: boolean };
  readonly wrong: (at: Scene) => void;
  readonly right: (at: Scene) => void;
  readonly held: object;
}[] = [
  {
    name: 'an empty list',
    request: { all: true },
    wrong: ({ erp }) => erp.free.clear(),
    right: ({ erp }) => {
      for (const sku of SKUS) erp.free.set(sku, 5);
    },
    held: { kind: 'all', code: 'SHRUNKEN_LISTING', counts: counts({ missing: 60 }) },
  },
  {
    name: 'a shrunken listing',
    request: { all: true },
    wrong: ({ erp }) => {
      for (const sku of third) erp.free.delete(sku);
    },
    right: ({ erp }) => {
      for (const sku of third) erp.free.set(sku, 5);
    },
    held: { kind: 'all', code: 'SHRUNKEN_LISTING', counts: counts({ looked: 40, missing: 20 }) },
  },
  {
    name: 'a third of the SKUs at zero',
    request: {},
    wrong: ({ change }) => change(third, 0),
    right: ({ change }) => change(third, 5),
    held: { kind: 'changed', code: 'MASS_ZERO', counts: counts({ looked: 20, changed: 20, zeroed: 20 }) },
  },
  {
    name: 'a mass change',
    request: {},
    wrong: ({ change }) => change(third, 500),
    right: ({ change }) => change(third, 5),
    held: { kind: 'changed', code: 'MASS_CHANGE', counts: counts({ looked: 20, changed: 20 }) },
  },
  {
    name: "another company's list",
    request: {},
    wrong: ({ erp, change }) => {
      erp.company = '2 Bolt GmbH';
      change(third, 1);
    },
    right: ({ erp, change }) => {
      erp.company = '1 Acme GmbH';
      change(third, 5);
    },
    held: {
      kind: 'changed',
      code: 'OTHER_COMPANY',
      counts: counts({}),
      detail: '2 Bolt GmbH answers, it was 1 Acme GmbH',
    },
  },
  {
    name: 'a warehouse that is missing',
    request: {},
    wrong: ({ erp, change }) => {
      erp.warehouses = ['SEA'];
      change(third, 1);
    },
    right: ({ erp, change }) => {
      erp.warehouses = ['WH', 'SEA'];
      change(third, 5);
    },
    held: {
      kind: 'changed',
      code: 'WAREHOUSE_MISSING',
      counts: counts({}),
      detail: 'WH: no longer there',
    },
  },
];

describe.each(HELD)('$name', ({ request, wrong, right, held }) => {
  it('is held: the shop is left alone, the cursor stays, and while it lasts it is one incident', async () => {
    wrong(at);
    const sinceMs = STARTED_MS + 5 * MINUTE_MS;
    expect(await at.next(request)).toMatchObject({ kind: 'held', held: { ...held, sinceMs, atMs: sinceMs } });
    expect(await at.next()).toMatchObject({ kind: 'held', held: { ...held, sinceMs } });
    expect(await at.next()).toMatchObject({ kind: 'held', held: { ...held, sinceMs } });
    expect((await at.state()).held).toMatchObject({ ...held, sinceMs, atMs: sinceMs + 10 * MINUTE_MS });
    expect(await at.cursor()).toBe(STARTED_MS);
    expect(at.known()).toEqual(unchanged(5));
    expect([...at.shop.shown.values()]).toEqual(unchanged(5));
    expect(at.shop.writes).toEqual([]);
  });

  it('goes on by itself when the ERP is right again', async () => {
    wrong(at);
    await at.next(request);
    right(at);
    at.erp.free.set('SKU-59', 4);
    at.erp.changed = [...at.erp.changed, 'SKU-59'];
    expect(await at.next()).toMatchObject({ kind: 'done', published: 1 });
    expect(await at.state()).not.toHaveProperty('held');
    expect(at.shop.shown.get('SKU-59')).toBe(4);
    // Another time is another incident.
    wrong(at);
    expect(await at.next(request)).toMatchObject({ kind: 'held', held: { sinceMs: at.clock.nowMs } });
  });

  it('passes when a person approves, and only once', async () => {
    wrong(at);
    await at.next(request);
    expect(await at.decide('approve')).toMatchObject(held);
    expect(await at.next()).toMatchObject({ kind: 'done' });
    const state = await at.state();
    expect([state.held, state.decision]).toEqual([undefined, undefined]);
    expect(state).toMatchObject({ company: at.erp.company, warehouses: at.erp.warehouses });
    expect([...at.shop.shown.values()]).toEqual(SKUS.map((sku) => at.erp.free.get(sku) ?? 0));
    expect(await at.cursor()).toBe(at.clock.nowMs);
    at.erp.company = '9 Zap GmbH';
    expect(await at.next()).toMatchObject({ kind: 'held', held: { code: 'OTHER_COMPANY' } });
  });

  it('is stepped over when a person dismisses it', async () => {
    wrong(at);
    await at.next(request);
    await at.decide('dismiss');
    expect(await at.next()).toMatchObject({ kind: 'dismissed', published: 0 });
    expect(at.shop.writes).toEqual([]);
    expect(await at.cursor()).toBe(at.clock.nowMs);
    const state = await at.state();
    expect([state.held, state.decision]).toEqual([undefined, undefined]);
    // Who was asked at first is still the one.
    expect(state).toMatchObject({ known: 60, company: '1 Acme GmbH', warehouses: ['WH'] });
  });
});

describe('a decision', () => {
  it('counts for an hour', async () => {
    at.change(third, 0);
    await at.next();
    await at.decide('approve');
    at.clock.nowMs += 55 * MINUTE_MS - 1;
    expect(await at.next()).toMatchObject({ kind: 'done', published: 20 });
  });

  it('is forgotten then', async () => {
    at.change(third, 0);
    await at.next();
    await at.decide('approve');
    at.clock.nowMs += 55 * MINUTE_MS;
    expect(await at.next()).toMatchObject({ kind: 'held' });
  });

  it('counts for cycles of its kind only', async () => {
    at.change(third, 0);
    await at.next();
    await at.decide('approve');
    expect(await at.next({ all: true })).toMatchObject({ kind: 'held', held: { kind: 'all' } });
    expect(at.known()).toEqual(unchanged(5));
  });

  it('to dismiss does not step over what is healthy', async () => {
    at.change(third, 0);
    await at.next();
    await at.decide('dismiss');
    at.change(third, 5);
    at.change(['SKU-59'], 4);
    expect(await at.next()).toMatchObject({ kind: 'done', published: 1 });
    expect(at.shop.shown.get('SKU-59')).toBe(4);
  });

  it('that comes while a cycle is under way counts for the next one', async () => {
    at.change(third, 0);
    await at.next();
    at.change(['SKU-59'], 4);
    at.clock.nowMs += 5 * MINUTE_MS;
    const publish: PollStockPorts['publish'] = async (name, event) => {
      await at.decide('approve');
      await at.readPorts.publish(name, event);
    };
    expect(await at.poll({}, { publish })).toMatchObject({ kind: 'done', published: 1 });
    expect(await at.state()).toMatchObject({ decision: { does: 'approve', kind: 'changed' } });
  });
});

describe('a cycle', () => {
  it('publishes nothing of a complete listing that breaks off', async () => {
    at.change(SKUS.slice(0, 10), 1);
    at.erp.listing = async function* () {
      yield at.erp.page(SKUS.slice(0, 10));
      throw new RetryableError('UNAVAILABLE', 'page 2');
    };
    await expect(at.next({ all: true })).rejects.toThrow('page 2');
    expect([at.changed, at.shop.writes]).toEqual([[], []]);
    expect(await at.cursor()).toBe(STARTED_MS);
    expect(await at.state()).toMatchObject({ allAtMs: STARTED_MS });
    expect(await at.state()).not.toHaveProperty('held');
  });

  it('is repeated when the bus did not take it, and gives its lease back', async () => {
    at.change(['SKU-00'], 1);
    const publish = async () => Promise.reject(new RetryableError('THROTTLED', 'later'));
    at.clock.nowMs += MINUTE_MS;
    await expect(at.poll({}, { publish })).rejects.toThrow('later');
    expect(await at.cursor()).toBe(STARTED_MS);
    await at.poll();
    await at.flow();
    expect(at.shop.shown.get('SKU-00')).toBe(1);
  });

  it('goes by the clock of the ERP, and never back', async () => {
    const stock = { ...at.erp.stock, clock: async () => at.clock.nowMs + 60 * MINUTE_MS };
    at.clock.nowMs += MINUTE_MS;
    await at.poll({}, { stock });
    expect(await at.cursor()).toBe(STARTED_MS + 61 * MINUTE_MS);
    await at.next();
    expect(await at.cursor()).toBe(STARTED_MS + 61 * MINUTE_MS);
    expect(at.erp.asked.slice(1)).toEqual([
      ['changed', STARTED_MS - 10 * MINUTE_MS, STARTED_MS + 61 * MINUTE_MS],
      ['changed', STARTED_MS + 51 * MINUTE_MS, STARTED_MS + 6 * MINUTE_MS],
    ]);
  });

  it('reads everything once a day, and by hand', async () => {
    const asked = async (request = {}) => {
      at.erp.asked.splice(0);
      await at.next(request);
      return at.erp.asked.map((each) => (each as string[])[0]);
    };
    expect(await asked()).toEqual(['changed']);
    expect(await asked({ all: true })).toEqual(['all']);
    at.clock.nowMs += DAY_MS - 10 * MINUTE_MS;
    expect(await asked()).toEqual(['changed']);
    expect(await asked()).toEqual(['all']);
    expect(await asked()).toEqual(['changed']);
  });

  it('tells nobody of a SKU that two products have', async () => {
    at.change(['SKU-00', 'SKU-01'], 1);
    // The other one is on the next page.
    const levels = async function* (skus: readonly string[]) {
      yield at.erp.page(skus);
      yield { ...at.erp.page([]), ambiguous: ['SKU-00'] };
    };
    at.clock.nowMs += MINUTE_MS;
    const polled = await at.poll({}, { stock: { ...at.erp.stock, levels } });
    expect(polled).toMatchObject({ published: 1, ambiguous: ['SKU-00'] });
    await at.flow();
    expect(['SKU-00', 'SKU-01'].map((sku) => at.shop.shown.get(sku))).toEqual([5, 1]);
  });

  it('does nothing when it is switched off', async () => {
    at.change(['SKU-00'], 1);
    const off = { route: routeOf({ mode: 'off' }) };
    expect(await at.poll({ all: true }, off)).toMatchObject({ kind: 'done', published: 0 });
    expect(at.erp.asked).toHaveLength(1);
  });

  it.each([
    ['UNKNOWN_COMPANY', 'OTHER_COMPANY'],
    ['UNKNOWN_WAREHOUSE', 'WAREHOUSE_MISSING'],
  ] as const)('is held for %s as %s, and its numbers are not read', async (said, code) => {
    const identify = async () => {
      throw new PermanentError(said, { company: 'Acme', warehouse: 'WH', destination: ERP });
    };
    expect(await at.poll({}, { stock: { ...at.erp.stock, identify } })).toMatchObject({
      kind: 'held',
      held: { code },
    });
    expect(at.erp.asked).toEqual([['all']]);
  });

  it('is not held because nobody answers', async () => {
    const identify = async () => {
      throw new RetryableError('UNAVAILABLE', 'gone');
    };
    await expect(at.poll({}, { stock: { ...at.erp.stock, identify } })).rejects.toThrow('gone');
    expect(await at.state()).not.toHaveProperty('held');
  });
});

it.each([
  ['an order of another ERP', { destination: 'other' }, {}],
  ['a route that is off', {}, { mode: 'off' }],
  ['an order without SKUs', { skus: [] }, {}],
])('nothing is read again for %s', async (_, override, settings) => {
  const data = { ...settlement(sale(SHOP, '1', { 'SKU-00': 1 }), 'promised', NOW), ...override };
  expect(await readStock({ ...at.readPorts, route: routeOf(settings) }, [data], call)).toEqual({
    looked: 0,
    published: 0,
  });
  expect(at.erp.asked).toHaveLength(1);
});
