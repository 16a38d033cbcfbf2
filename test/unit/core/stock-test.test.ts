import { describe, expect, it } from 'vitest';
import type { ErpLevel, ShopListing } from '../../../shared/connectors/stock-contract.ts';
import {
  isOneForAll,
  notAsBefore,
  notOffered,
  notSoldOut,
} from '../../../shared/core/stock-test/expectations.ts';
import { countsFor, restored, type StockTestNote } from '../../../shared/core/stock-test/note.ts';
import { type StockTestPorts, stockTest } from '../../../shared/core/stock-test/stock-test.ts';
import { StockRoute } from '../../../shared/settings/stock-route.ts';

const ROUTE = StockRoute.parse({ from: 'erp', to: ['woo', 'store'], policy: 'shared', testSkus: ['TEST'] });

describe('what is put back', () => {
  it.each([
    ['nothing was set yet', { was: 9, set: 1 }, 9, 9],
    ['as it was set', { was: 9, set: 1 }, 1, 9],
    ['three arrived meanwhile', { was: 9, set: 1 }, 4, 12],
    ['one was delivered meanwhile', { was: 9, set: 1 }, 0, 8],
    ['more went than there was', { was: 0, set: 3 }, 1, 0],
  ])('%s', (_, counts, now, expected) => {
    expect(restored({ warehouse: 'WH', ...counts }, now)).toBe(expected);
  });

  it('what is promised stays promised', () => {
    const levels = [
      { warehouse: 'WH', onHand: 9, free: 5 },
      { warehouse: 'EU', onHand: 3, free: 3 },
    ];
    expect(countsFor(levels, 1)).toEqual([
      { warehouse: 'WH', was: 9, set: 5 },
      { warehouse: 'EU', was: 3, set: 0 },
    ]);
  });
});

describe('what is waited for', () => {
  const shown = (woo: number | undefined, store: number | undefined) =>
    new Map([
      ['woo', woo],
      ['store', store],
    ]);
  it.each([
    [notOffered(shown(1, 1), true), undefined],
    [notOffered(shown(1, 20), true), 'store shows 20; each should show 1'],
    [notOffered(shown(1, 0), false), undefined],
    [notOffered(shown(1, 1), false), 'woo shows 1, store shows 1; together they should show 1'],
    [notSoldOut(shown(0, 0)), undefined],
    [notSoldOut(shown(0, undefined)), 'store shows nothing; each should show 0'],
    [notAsBefore(shown(2, 1), shown(1, 2)), undefined],
    [
      notAsBefore(shown(2, 1), shown(9, 9)),
      'woo shows 2, store shows 1; before the test woo shows 9, store shows 9',
    ],
  ])('%s', (found, expected) => expect(found).toBe(expected));

  it.each([
    ['shared', true],
    ['partitioned', false],
    [{ partitionedBelow: 5 }, false],
    [{ partitionedBelow: 1 }, true],
  ] as const)('policy %j: every shop shows the last piece: %s', (policy, expected) => {
    expect(isOneForAll(StockRoute.parse({ ...ROUTE, policy }), { sku: 'TEST' })).toBe(expected);
  });
});

/** An ERP and two shops that follow it at once; what a test may do to them can be broken. */
const market = (broken: { readonly neverReserves?: boolean; readonly dies?: 'after-placing' } = {}) => {
  const erp = { onHand: 12, reserved: 2 };
  const orders = new Map<string, 'open' | 'cancelled'>();
  const said: string[] = [];
  let held: StockTestNote | undefined;
  let now = 0;
  const free = () => erp.onHand - erp.reserved;
  const listing = (): ShopListing => ({
    sku: 'TEST',
    location: 'default',
    ref: {},
    title: 'Test',
    quantity: Math.max(0, free()),
    duplicates: 1,
    status: 'active',
  });
  const testOrders = {
    place: async () => {
      const id = `order-${orders.size + 1}`;
      orders.set(id, 'open');
      if (!broken.neverReserves) erp.reserved += 1;
      if (broken.dies) throw new Error('killed');
      return id;
    },
    cancel: async (id: string) => {
      if (orders.get(id) === 'open' && !broken.neverReserves) erp.reserved -= 1;
      orders.set(id, 'cancelled');
    },
  };
  const ports: StockTestPorts = {
    erp: 'erp',
    sku: 'TEST',
    route: ROUTE,
    stock: {
      levels: async function* () {
        const levels: ErpLevel[] = [{ sku: 'TEST', warehouse: 'WH', onHand: erp.onHand, free: free() }];
        yield { asOfMs: now, levels, missing: [], ambiguous: [] };
      },
      adjust: async ({ onHand }) => {
        erp.onHand = onHand;
      },
    },
    shops: new Map([
      ['woo', { stock: { find: async () => [listing()], testOrders }, refuses: undefined }],
      [
        'store',
        { stock: { find: async () => [listing()] }, refuses: 'test orders of store reserve nothing' },
      ],
    ]),
    notes: {
      load: async () => held,
      save: async (note) => {
        if (note.version !== (held?.version ?? 0)) return false;
        held = { ...note, version: note.version + 1 };
        return true;
      },
    },
    wake: async () => undefined,
    pause: async ({ signal }) => {
      signal.throwIfAborted();
      now += 1000;
    },
    consent: async () => true,
    say: (line) => void said.push(line.trim()),
    nowMs: () => now,
    waitMs: 10_000,
    restoring: () => ({ signal: new AbortController().signal }),
  };
  return { ports, erp, orders, said, note: () => held };
};
const call = { signal: new AbortController().signal };

describe('a test', () => {
  it('sells the last piece, and leaves everything as it was', async () => {
    const { ports, erp, orders, said, note } = market();
    expect(await stockTest(ports, undefined, call)).toEqual({ kind: 'passed', failure: undefined, left: [] });
    expect(erp).toEqual({ onHand: 12, reserved: 2 });
    expect([...orders]).toEqual([['order-1', 'cancelled']]);
    expect(note()).toMatchObject({ state: 'closed', counts: [{ warehouse: 'WH', was: 12, set: 3 }] });
    expect(said).toContain('every shop shows 0');
    expect(await stockTest(ports, undefined, call)).toMatchObject({ kind: 'passed' });
  });

  it('that does not see what it waits for says so, and puts everything back', async () => {
    const { ports, erp, orders } = market({ neverReserves: true });
    expect(await stockTest(ports, 'woo', call)).toEqual({
      kind: 'failed',
      failure: 'after 10 s erp has not reserved it',
      left: [],
    });
    expect(erp).toEqual({ onHand: 12, reserved: 2 });
    expect([...orders.values()]).toEqual(['cancelled']);
  });

  it('that is interrupted puts everything back', async () => {
    const { ports, erp, note } = market({ neverReserves: true });
    const stop = new AbortController();
    const pause: StockTestPorts['pause'] = async (during) => {
      await ports.pause(during);
      stop.abort(new Error('interrupted'));
    };
    expect(await stockTest({ ...ports, pause }, undefined, { signal: stop.signal })).toMatchObject({
      kind: 'failed',
      failure: 'interrupted',
      left: [],
    });
    expect(erp).toEqual({ onHand: 12, reserved: 2 });
    expect(note()?.state).toBe('closed');
  });

  it('that was killed is found by the next run, which puts back what it left', async () => {
    const { ports, erp, note } = market();
    const killed: StockTestPorts = {
      ...ports,
      // From here on nothing of it happens any more.
      restoring: () => {
        throw new Error('SIGKILL');
      },
      stock: {
        ...ports.stock,
        adjust: async (...args) =>
          ports.stock.adjust?.(...args).then(() => Promise.reject(new Error('SIGKILL'))),
      },
    };
    await expect(stockTest(killed, undefined, call)).rejects.toThrow('SIGKILL');
    expect(erp.onHand).toBe(3);
    expect(note()?.state).toBe('open');
    const refusing = { ...ports, consent: async () => false };
    expect(await stockTest(refusing, undefined, call)).toEqual({ kind: 'declined', left: [] });
    expect(await stockTest(ports, undefined, call)).toEqual({ kind: 'restored', left: [] });
    expect(erp).toEqual({ onHand: 12, reserved: 2 });
    expect(await stockTest(ports, undefined, call)).toMatchObject({ kind: 'passed' });
  });

  it('whose order got no answer tells a person to look, and keeps what is left until it is gone', async () => {
    const { ports, erp, said, note } = market({ dies: 'after-placing' });
    expect(await stockTest(ports, undefined, call)).toMatchObject({
      kind: 'failed',
      failure: 'killed',
      left: [
        expect.stringMatching(
          /^see that the order of the test in woo is cancelled in erp, too: after 10 s erp still holds it$/,
        ),
        expect.stringMatching(/^look at the shops again/),
      ],
    });
    expect(said).toContainEqual(
      expect.stringContaining('cancel "Waybill Stock test" in woo, if it is there'),
    );
    expect(note()?.state).toBe('open');
    erp.reserved -= 1;
    expect(await stockTest(ports, undefined, call)).toEqual({ kind: 'restored', left: [] });
    expect(erp).toEqual({ onHand: 12, reserved: 2 });
  });

  it.each<[string, string | undefined, Partial<StockTestPorts>, string]>([
    ['a shop whose route ignores tests', 'store', {}, 'test orders of store reserve nothing'],
    ['a shop that is none', 'shop', {}, '"shop" is no shop of this route; known: woo, store'],
    [
      'shops that are not offered the same',
      undefined,
      { route: StockRoute.parse({ ...ROUTE, rules: [{ shops: ['woo'], safetyStock: 2 }] }) },
      'safety stock or backorders of TEST differ',
    ],
  ])('%s is refused before anything is changed', async (_, shop, override, message) => {
    const { ports, erp, note } = market();
    await expect(stockTest({ ...ports, ...override }, shop, call)).rejects.toThrow(message);
    expect([erp.onHand, note()]).toEqual([12, undefined]);
  });
});
