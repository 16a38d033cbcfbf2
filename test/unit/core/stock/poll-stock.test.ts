import { expect, it } from 'vitest';
import type { ErpLevel, ErpStock } from '../../../../shared/connectors/stock-contract.ts';
import { PermanentError } from '../../../../shared/core/errors.ts';
import { decideHeld, type PollState } from '../../../../shared/core/stock/poll-state.ts';
import { type PollStockPorts, pollCursorName, pollStock } from '../../../../shared/core/stock/poll-stock.ts';
import { projectStock } from '../../../../shared/core/stock/project-stock.ts';
import { readStock } from '../../../../shared/core/stock/read-stock.ts';
import type { StockChangedV1 } from '../../../../shared/events/stock-changed.ts';
import { memoryCursors } from '../../../fakes/memory-cursors.ts';
import { heldStock, memoryPollStates, memoryStock } from '../../../fakes/memory-stock.ts';
import { aRoute, ERP } from './rows.ts';

const DAY_MS = 24 * 60 * 60_000;
const call = { signal: new AbortController().signal };

/** An ERP of so many SKUs, its poll, and the sums that follow. */
const anErp = (size = 100) => {
  const free = new Map(Array.from({ length: size }, (_, n) => [`S${n}`, 10]));
  let nowMs = DAY_MS;
  let company = 'Acme';
  let warehouses = ['WH'];
  let changedSkus: string[] = [];
  const windows: { fromMs: number; untilMs: number }[] = [];
  const calls = { changed: 0, levels: 0, all: 0 };
  const published: StockChangedV1[] = [];
  const held = heldStock();
  const states = new Map<string, PollState>();
  const level = (sku: string): ErpLevel => ({ sku, warehouse: 'WH', onHand: 10, free: free.get(sku) ?? 0 });
  const page = (skus: readonly string[]) => ({
    asOfMs: nowMs,
    levels: skus.filter((sku) => free.has(sku)).map(level),
    missing: skus.filter((sku) => !free.has(sku)),
    ambiguous: [],
  });
  const stock: ErpStock = {
    reservedWhen: 'confirmed',
    identify: async () => {
      if (company === '') throw new PermanentError('UNKNOWN_COMPANY', { company: 'Acme', destination: ERP });
      return { company, warehouses };
    },
    changed: async function* (window) {
      calls.changed += 1;
      windows.push(window);
      if (changedSkus.length > 0) yield changedSkus;
    },
    levels: async function* (skus) {
      calls.levels += 1;
      yield page(skus);
    },
    all: async function* () {
      calls.all += 1;
      yield page([...free.keys()]);
    },
  };
  const store = memoryStock(held);
  const common = {
    erp: ERP,
    route: aRoute(),
    store,
    nowMs: () => nowMs,
    newId: () => 'id',
    states: memoryPollStates(states),
  };
  const mappings = { lookup: async () => new Map() };
  const publish: PollStockPorts['publish'] = async (name, event) => {
    if (name !== 'stock.changed.v1') return;
    const data = event.data as StockChangedV1;
    published.push(data);
    await projectStock(
      {
        ...common,
        mappings,
        orderRoutes: [],
        watermarks: { of: async () => undefined },
        publish: async () => undefined,
      },
      [{ name: 'stock.changed.v1', event: { ...event, data } }],
    );
  };
  const cursors = memoryCursors(() => nowMs);
  const ports: PollStockPorts = {
    ...common,
    stock,
    publish,
    cursors,
    leaseMs: 60_000,
    overlapMs: 120_000,
    allEveryMs: DAY_MS,
  };
  const known = (sku: string) => held.rows.get(`${ERP} ${sku}`)?.levels['WH']?.free;
  return {
    free,
    calls,
    windows,
    published,
    states,
    ports,
    known,
    wait: (ms: number) => {
      nowMs += ms;
    },
    cursor: () => cursors.load(pollCursorName(ERP)),
    become: (now: { company?: string; warehouses?: string[] }) => {
      company = now.company ?? company;
      warehouses = now.warehouses ?? warehouses;
    },
    poll: (skus: string[] = [], all = false) => {
      nowMs += 60_000;
      changedSkus = skus;
      return pollStock(ports, { all }, call);
    },
    read: (...skus: string[]) => {
      nowMs += 1_000;
      const settled = {
        source: 'north',
        orderId: '1',
        destination: ERP,
        sourceVersion: 1,
        state: 'promised',
        atMs: 0,
      } as const;
      return readStock({ ...common, stock, mappings, publish }, [{ ...settled, skus }], call);
    },
    decide: (does: 'approve' | 'dismiss') =>
      decideHeld(common.states, ERP, { does, by: 'ann', why: 'stocktaking', atMs: nowMs }),
    set: (from: number, to: number, pieces: number) => {
      for (let n = from; n < to; n += 1) free.set(`S${n}`, pieces);
      return Array.from({ length: to - from }, (_, n) => `S${from + n}`);
    },
  };
};

it('the first run reads everything, the next ones what changed, with an overlap', async () => {
  const erp = anErp();
  expect(await erp.poll()).toMatchObject({ kind: 'done', cycle: 'all', published: 100 });
  expect(await erp.poll(erp.set(0, 3, 4))).toMatchObject({ kind: 'done', cycle: 'changed', published: 3 });
  expect(erp.known('S2')).toBe(4);
  expect(erp.windows).toEqual([{ fromMs: DAY_MS - 60_000, untilMs: DAY_MS + 120_000 }]);
  expect(await erp.cursor()).toMatchObject({ atMs: DAY_MS + 120_000 });
});

it('nothing changed: one question, nothing published', async () => {
  const erp = anErp();
  await erp.poll();
  const before = erp.published.length;
  expect(await erp.poll()).toMatchObject({ published: 0 });
  // Told again by the overlap: read, and nothing new.
  expect(await erp.poll(['S1', 'S2'])).toMatchObject({ published: 0 });
  expect(erp.published).toHaveLength(before);
  expect(erp.calls).toEqual({ changed: 2, levels: 1, all: 1 });
});

it('ten thousand SKUs are told in events of 500', async () => {
  const erp = anErp(10_000);
  expect(await erp.poll()).toMatchObject({ published: 10_000 });
  expect(erp.published.map(({ levels }) => levels.length)).toEqual(Array(20).fill(500));
  expect(await erp.poll(erp.set(0, 500, 3))).toMatchObject({ published: 500 });
  expect(erp.published).toHaveLength(21);
});

type World = ReturnType<typeof anErp>;
it.each<[string, string, (erp: World) => Promise<unknown>]>([
  [
    'SHRUNKEN_LISTING',
    'an empty list',
    (erp) => {
      erp.free.clear();
      return erp.poll([], true);
    },
  ],
  [
    'SHRUNKEN_LISTING',
    'a list that lacks a third',
    (erp) => {
      for (let n = 0; n < 33; n += 1) erp.free.delete(`S${n}`);
      return erp.poll([], true);
    },
  ],
  ['MASS_ZERO', 'a third at zero', (erp) => erp.poll(erp.set(0, 33, 0))],
  [
    'MASS_ZERO',
    'a third below zero, in a full list',
    (erp) => {
      erp.set(0, 33, -1);
      return erp.poll([], true);
    },
  ],
  ['MASS_CHANGE', 'a third changed', (erp) => erp.poll(erp.set(0, 33, 7))],
  [
    'OTHER_COMPANY',
    "another company's list",
    (erp) => {
      erp.become({ company: 'Other' });
      return erp.poll(erp.set(0, 2, 7));
    },
  ],
  [
    'OTHER_COMPANY',
    'no such company',
    (erp) => {
      erp.become({ company: '' });
      return erp.poll(erp.set(0, 2, 7));
    },
  ],
  [
    'WAREHOUSE_MISSING',
    'a warehouse is gone',
    (erp) => {
      erp.become({ warehouses: ['NEW'] });
      return erp.poll(erp.set(0, 2, 7));
    },
  ],
])('%s: %s is held, the shops are told nothing', async (code, _what, happens) => {
  const erp = anErp();
  await erp.poll();
  const told = erp.published.length;
  const cursor = await erp.cursor();
  expect(await happens(erp)).toMatchObject({ kind: 'held', held: { code } });
  expect(erp.published).toHaveLength(told);
  expect(await erp.cursor()).toEqual(cursor);
  expect(erp.known('S0')).toBe(10);
  expect(erp.states.get(ERP)?.held).toMatchObject({ code });
});

it('a fifth is not more than a normal day, and small numbers never are', async () => {
  const erp = anErp();
  await erp.poll();
  expect(await erp.poll(erp.set(0, 20, 0))).toMatchObject({ kind: 'done', published: 20 });
  const small = anErp(10);
  await small.poll();
  expect(await small.poll(small.set(0, 10, 0))).toMatchObject({ kind: 'done', published: 10 });
});

it('a SKU that is gone counts as zero', async () => {
  const erp = anErp();
  await erp.poll();
  erp.free.delete('S7');
  expect(await erp.poll([], true)).toMatchObject({ kind: 'done', published: 1 });
  expect(erp.known('S7')).toBe(0);
});

it('what is healthy again goes on by itself', async () => {
  const erp = anErp();
  await erp.poll();
  await erp.poll(erp.set(0, 33, 0));
  expect(await erp.poll(erp.set(0, 33, 9))).toMatchObject({ kind: 'held' });
  erp.set(0, 33, 10);
  expect(await erp.poll(erp.set(0, 2, 9))).toMatchObject({ kind: 'done', published: 2 });
  expect(erp.states.get(ERP)?.held).toBeUndefined();
});

it('since when it is held stays, whatever the later cycles say', async () => {
  const erp = anErp();
  await erp.poll();
  await erp.poll(erp.set(0, 33, 0));
  const since = erp.states.get(ERP)?.held?.sinceMs;
  await erp.poll(erp.set(0, 40, 0));
  expect(erp.states.get(ERP)?.held).toMatchObject({ sinceMs: since, counts: { zeroed: 40 } });
});

it('approve lets exactly one cycle through', async () => {
  const erp = anErp();
  await erp.poll();
  await erp.poll(erp.set(0, 33, 0));
  expect(await erp.decide('approve')).toMatchObject({ code: 'MASS_ZERO' });
  expect(await erp.poll(erp.set(0, 33, 0))).toMatchObject({ kind: 'done', published: 33 });
  expect(erp.known('S0')).toBe(0);
  expect(erp.states.get(ERP)).not.toHaveProperty('held');
  expect(await erp.poll(erp.set(33, 66, 0))).toMatchObject({ kind: 'held' });
});

it('approve of a full list lets a full list through, not what comes before it', async () => {
  const erp = anErp();
  await erp.poll();
  erp.set(0, 33, 0);
  await erp.poll([], true);
  await erp.decide('approve');
  // Held full lists are read again until they are healthy or decided.
  expect(await erp.poll()).toMatchObject({ kind: 'done', cycle: 'all', published: 33 });
});

it('an approval counts for the next cycle, also when that one is healthy', async () => {
  const erp = anErp();
  await erp.poll();
  await erp.poll(erp.set(0, 33, 0));
  await erp.decide('approve');
  await erp.poll();
  expect(await erp.poll(erp.set(0, 33, 0))).toMatchObject({ kind: 'held' });
});

it('an approval is forgotten after an hour', async () => {
  const erp = anErp();
  await erp.poll();
  await erp.poll(erp.set(0, 33, 0));
  await erp.decide('approve');
  erp.wait(60 * 60_000);
  expect(await erp.poll(erp.set(0, 33, 0))).toMatchObject({ kind: 'held' });
});

it('dismiss skips what was told', async () => {
  const erp = anErp();
  await erp.poll();
  await erp.poll(erp.set(0, 33, 0));
  await erp.decide('dismiss');
  expect(await erp.poll(erp.set(0, 33, 0))).toMatchObject({ kind: 'dismissed', published: 0 });
  expect(erp.known('S0')).toBe(10);
  expect(await erp.cursor()).toMatchObject({ atMs: DAY_MS + 180_000 });
  expect(await erp.poll()).toMatchObject({ kind: 'done', published: 0 });
});

it('nothing is held: there is nothing to decide', async () => {
  const erp = anErp();
  await erp.poll();
  expect(await erp.decide('approve')).toBeUndefined();
});

it('another company that a person approves is the company from then on', async () => {
  const erp = anErp();
  await erp.poll();
  erp.become({ company: 'Other' });
  await erp.poll();
  await erp.decide('approve');
  expect(await erp.poll(erp.set(0, 2, 7))).toMatchObject({ kind: 'done', published: 2 });
  expect(await erp.poll(erp.set(0, 2, 8))).toMatchObject({ kind: 'done', published: 2 });
});

it('while it is held, an order makes less known, never more', async () => {
  const erp = anErp();
  await erp.poll();
  await erp.poll(erp.set(0, 33, 0));
  erp.free.set('S1', 8).set('S2', 12).delete('S3');
  expect(await erp.read('S1', 'S2', 'S3')).toEqual({ looked: 3, published: 1 });
  expect(['S1', 'S2', 'S3'].map(erp.known)).toEqual([8, 10, 10]);
});

it('an order is read at once, also when it says what is known', async () => {
  const erp = anErp();
  await erp.poll();
  expect(await erp.read('S1', 'S2')).toEqual({ looked: 2, published: 2 });
});

it('one poll at a time', async () => {
  const erp = anErp();
  await erp.ports.cursors.claim(pollCursorName(ERP), 120_000);
  expect(await erp.poll()).toMatchObject({ kind: 'busy' });
});
