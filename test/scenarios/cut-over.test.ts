import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ListedOrder } from '../../shared/connectors/contract.ts';
import {
  type AdoptPorts,
  adoptable,
  adoptOrder,
  type Planned,
  planAdoption,
} from '../../shared/core/adopt-order.ts';
import type { LedgerEntry } from '../../shared/core/ledger.ts';
import type { PushOrderPorts } from '../../shared/core/order-ports.ts';
import { type PushOutcome, pushOrder } from '../../shared/core/push-order.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { type JournalRow, memoryJournal } from '../fakes/memory-journal.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { anOrder } from '../fakes/orders.ts';
import { aRoute, type Connected, connect, mappingsOf } from '../unit/odoo/harness.ts';

const DAY = 86_400_000;
const START = Date.parse('2026-11-25T00:00:00Z');
const FIRST = START - 10 * DAY;
const call = { signal: new AbortController().signal };
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const vat = (minor: number) => [
  { key: '1', title: 'VAT', ratePercent: '5', compound: false, amount: twd(minor) },
];
const iso = (ms: number) => new Date(ms).toISOString().replace('.000', '');

/** `pieces` of tea at NT$420 and shipping of NT$60, 5 % on top. */
const sale = (pieces: number): Partial<OrderChangedV1> => {
  const [tea] = anOrder().lines;
  const [shipping] = anOrder().charges;
  if (!tea || !shipping) throw new Error('there are tea and shipping');
  return {
    lines: [
      {
        ...tea,
        quantity: pieces,
        subtotal: twd(42000 * pieces),
        total: twd(42000 * pieces),
        taxes: vat(2100 * pieces),
      },
    ],
    charges: [shipping],
    tax: twd(2100 * pieces + 300),
    total: twd(44100 * pieces + 6300),
  };
};
const onePieceBack = (id: string, atMs: number): OrderChangedV1['refunds'][number] => ({
  id,
  total: twd(44100),
  refundedAt: iso(atMs),
  lines: [{ lineId: '1', quantity: 1, total: twd(42000), taxes: vat(2100) }],
  charges: [],
});

type How = 'number' | 'buyer' | 'twice alike' | 'counter sale' | 'forgotten';
const howOf = (i: number): How => {
  if (i < 120) return 'number';
  if (i < 190) return 'buyer';
  if (i < 194) return 'twice alike';
  return i < 197 ? 'counter sale' : 'forgotten';
};

/** A shop with a past of 200 orders, and an Odoo in which people typed them. */
const open = async () => {
  const clock = { nowMs: FIRST };
  const at: Connected = await connect({ nowMs: () => clock.nowMs });
  const route = aRoute({ startAt: iso(START) });
  const shop = new Map<string, OrderChangedV1>();
  const entries = new Map<string, LedgerEntry>();
  const rows = new Map<string, JournalRow>();
  const queue: Envelope<OrderChangedV1>[] = [];
  let ids = 0;

  const place = (i: number, change: Partial<OrderChangedV1> = {}): OrderChangedV1 => {
    // Of two that are alike, nothing tells one from the other.
    const who = howOf(i) === 'twice alike' ? i - (i % 2) : i;
    const name = `Buyer ${who}`;
    const order = anOrder({
      orderId: String(50_000 + i),
      orderNumber: String(1000 + i),
      placedAt: iso(FIRST + (who % 9) * DAY),
      sourceVersion: FIRST + (who % 9) * DAY,
      contentHash: 'placed',
      buyer: { id: String(who), email: `buyer${who}@example.test`, name, masked: false },
      billing: { name, line1: `${who} Test Road`, city: 'Taipei', country: 'TW' },
      shipping: { name, line1: `${who} Test Road`, city: 'Taipei', country: 'TW' },
      ...sale(howOf(i) === 'forgotten' ? 9 : 2 + (who % 3)),
      ...change,
    });
    shop.set(order.orderId, order);
    return order;
  };
  const typeIn = (i: number, { orderNumber, placedAt, lines, buyer }: OrderChangedV1): void => {
    const how = howOf(i);
    if (how === 'forgotten') return;
    const { fake } = at;
    const placedAtMs = Date.parse(placedAt);
    clock.nowMs = placedAtMs + DAY / 2;
    const partner =
      how === 'counter sale'
        ? { name: 'Web shop' }
        : { name: buyer.name ?? '', ...(how !== 'number' && { email: buyer.email?.toUpperCase() ?? '' }) };
    const tax = [[6, 0, [1]]];
    const id = fake.call('sale.order', 'create', [
      {
        partner_id: fake.call('res.partner', 'create', [partner]),
        ...(how === 'number' &&
          (i % 2 === 0 ? { client_order_ref: `#${orderNumber}` } : { origin: `Web ${orderNumber}` })),
        ...(i % 10 === 4 && { note: 'ring twice' }),
        order_line: [
          [0, 0, { product_id: 1, product_uom_qty: lines[0]?.quantity, price_unit: 420, tax_id: tax }],
          [0, 0, { product_id: 3, product_uom_qty: 1, price_unit: 60, tax_id: tax }],
        ],
      },
    ]);
    if (i % 5 !== 0) fake.call('sale.order', 'action_confirm', [[id]]);
  };
  for (let i = 0; i < 200; i += 1) typeIn(i, place(i));
  clock.nowMs = START;

  const adopting: AdoptPorts = {
    destination: 'acme-odoo',
    route,
    reads: {
      changed: async function* () {
        const listed = [...shop.values()].map(
          (order): ListedOrder => ({
            id: order.orderId,
            changedAtMs: order.sourceVersion,
            fetched: { kind: 'order', order, warnings: [] },
          }),
        );
        for (let from = 0; from < listed.length; from += 50) yield listed.slice(from, from + 50);
      },
      order: async () => undefined,
    },
    erp: at.orders,
    ledger: memoryLedger(() => clock.nowMs, entries),
    journal: memoryJournal(rows),
    bindings: { put: async () => undefined },
    publish: async (_name, event) => {
      queue.push(event as Envelope<OrderChangedV1>);
    },
    nowMs: () => clock.nowMs,
    newId: () => `a${++ids}`,
    leaseMs: 105_000,
    settleMs: 35_000,
  };
  const pushing: PushOrderPorts = {
    ...adopting,
    routes: [route],
    erp: at.orders,
    journal: memoryJournal(rows),
    mappings: mappingsOf([['tax', '1', '5%']]),
    refetch: { sources: new Set(), notify: async () => undefined },
  };
  const range = { fromMs: FIRST, days: 7 };
  const plan = () => planAdoption(adopting, range, call);
  const push = (data: OrderChangedV1): Promise<PushOutcome> => {
    const meta = {
      id: `w${++ids}`,
      connection: data.source,
      correlationId: data.orderId,
      via: 'webhook',
    } as const;
    return pushOrder(pushing, { meta: { ...meta, receivedAtMs: clock.nowMs }, data }, call);
  };
  return {
    ...at,
    clock,
    shop,
    entries,
    rows,
    queue,
    plan,
    push,
    place,
    /** What is certain becomes ours. */
    adopt: async (using: Partial<AdoptPorts> = {}) => {
      const outcomes: string[] = [];
      for (const planned of await plan()) {
        if (!adoptable(planned, false)) continue;
        const options = { range, writeReference: true, who: { by: 'ada', why: 'cut-over' } };
        const { kind } = await adoptOrder({ ...adopting, ...using }, planned, options, call);
        outcomes.push(kind);
      }
      return outcomes;
    },
    consume: async () => {
      for (const event of queue.splice(0)) await pushOrder(pushing, event, call);
    },
    /** Something happens to an order in the shop, and its webhook comes. */
    change: (i: number, change: Partial<OrderChangedV1>): Promise<PushOutcome> => push(happens(i, change)),
    happens,
    credited: () =>
      at.fake
        .records('account.move')
        .map(({ ref, amount_total }) => `${String(ref)} ${String(amount_total)}`),
    orderOf: (i: number) =>
      at.fake.orders().find(({ client_order_ref }) => client_order_ref === `acme-woo:${50_000 + i}`),
  };

  function happens(i: number, change: Partial<OrderChangedV1>): OrderChangedV1 {
    clock.nowMs += 1_000;
    const old = shop.get(String(50_000 + i));
    if (!old) throw new Error(`the shop has no order ${i}`);
    const order = { ...old, ...change, sourceVersion: clock.nowMs, contentHash: `c${clock.nowMs}` };
    shop.set(order.orderId, order);
    return order;
  }
};

const tally = (words: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
};

const wordOf = (planned: Planned): string => {
  if (planned.kind !== 'matched') return planned.kind;
  const { match } = planned;
  if (match.kind === 'certain' || match.kind === 'differs') return `${match.kind} by ${match.by}`;
  return match.kind === 'ambiguous' ? `ambiguous: ${match.because}` : match.kind;
};

let at: Awaited<ReturnType<typeof open>>;
beforeEach(async () => {
  at = await open();
});
afterEach(() => at.fake.stop());

describe('200 orders typed in by hand, then going live', () => {
  it('each is found or listed; nothing is written to find them', async () => {
    const before = at.fake.records('sale.order').map((row) => ({ ...row }));
    const planned = await at.plan();
    expect(tally(planned.map(wordOf))).toEqual({
      'certain by number': 120,
      'certain by buyer': 70,
      'ambiguous: several': 4,
      'ambiguous: other-buyer': 3,
      missing: 3,
    });
    const listed = planned.flatMap((one) =>
      one.kind === 'matched' && one.match.kind === 'missing' ? [one] : [],
    );
    expect(listed.map(({ match }) => match.order.orderNumber)).toEqual(['1197', '1198', '1199']);
    expect(at.fake.records('sale.order')).toEqual(before);
    expect(at.entries.size).toBe(0);
  });

  it('50 refunded, edited or cancelled after go-live: no second order, each applied to the adopted one', async () => {
    // Before anybody has adopted anything.
    for (let i = 0; i < 10; i += 1) {
      const early = await at.change(i, { refunds: [onePieceBack(`r${i}`, START + 1)] });
      expect(early).toMatchObject({ kind: 'skipped', reason: 'BEFORE_START' });
    }
    expect(tally(await at.adopt())).toEqual({ adopted: 190 });
    await at.consume();

    for (let i = 10; i < 30; i += 1) {
      await at.change(i, { refunds: [onePieceBack(`r${i}`, at.clock.nowMs)] });
    }
    for (let i = 100; i < 115; i += 1) await at.change(i, { ...sale(5) });
    for (let i = 150; i < 155; i += 1) await at.change(i, { status: 'cancelled' });

    expect(at.credited()).toEqual(
      Array.from({ length: 30 }, (_, i) => `acme-woo:${50_000 + i}/refund/r${i} 441`),
    );
    for (let i = 100; i < 115; i += 1) expect(at.orderOf(i)?.amount_total).toBe(2268);
    for (let i = 150; i < 155; i += 1) expect(at.orderOf(i)?.state).toBe('cancel');
    expect(at.fake.orders()).toHaveLength(197);
    // The money goes back to whom people had entered, not to a customer that the refund brought along.
    for (const { invoice_origin, partner_id } of at.fake.records('account.move')) {
      const order = at.fake.records('sale.order').find(({ name }) => name === invoice_origin);
      expect(partner_id).toBe(order?.['partner_invoice_id']);
    }

    // Everything is sent once more, by a replay; and a new order comes.
    for (const order of at.shop.values()) await at.push(order);
    expect(at.fake.orders()).toHaveLength(197);
    expect(at.credited()).toHaveLength(30);
    at.place(200, { placedAt: iso(START + 1), sourceVersion: at.clock.nowMs });
    expect(await at.change(200, {})).toMatchObject({ kind: 'written' });
    expect(at.fake.orders()).toHaveLength(198);
  });

  it('what is ambiguous stays as it is, until people note the number of the shop', async () => {
    await at.adopt();
    const skipped = await at.change(190, { refunds: [onePieceBack('r190', at.clock.nowMs)] });
    expect(skipped).toMatchObject({ kind: 'skipped', reason: 'BEFORE_START' });

    const alike = at.fake.records('sale.order').slice(190, 192);
    for (const [i, { id }] of alike.entries()) {
      at.fake.call('sale.order', 'write', [[id], { client_order_ref: `web/${1190 + i}` }]);
    }
    expect(await at.adopt()).toEqual(['adopted', 'adopted']);
    await at.consume();
    expect(at.credited()).toEqual(['acme-woo:50190/refund/r190 441']);
    expect(at.fake.records('sale.order')[190]).toMatchObject({
      client_order_ref: 'acme-woo:50190',
      origin: 'web/1190',
    });
  });

  it('done again it changes nothing; a run that died is continued', async () => {
    const died = new Error('killed');
    let puts = 0;
    const dies = async () => {
      puts += 1;
      if (puts === 100) throw died;
    };
    await expect(at.adopt({ bindings: { put: dies } })).rejects.toThrow();
    at.clock.nowMs += 200_000;
    expect(tally(await at.adopt())).toEqual({ adopted: 91 });
    const state = () => at.fake.records('sale.order').map((row) => ({ ...row }));
    const before = state();
    expect(await at.adopt()).toEqual([]);
    expect(tally((await at.plan()).map(wordOf))).toMatchObject({ already: 190 });
    expect(state()).toEqual(before);
  });
});
