import type { OrderChangedV1, OrderRefund } from '../../shared/events/order-changed.ts';
import { anOrder } from '../fakes/orders.ts';
import type { World } from './scheduler.ts';

/** World time 0. */
export const EPOCH_MS = Date.parse('2026-11-23T00:00:00Z');
export const START_AT = '2026-11-01T00:00:00Z';

/** One state of one order, as the shop has it: what the oracle reasons about. */
export interface OrderState {
  readonly status: OrderChangedV1['status'];
  readonly payment: OrderChangedV1['payment']['state'];
  readonly kind: OrderChangedV1['payment']['kind'];
  /** Pieces of each product; 0: not in the order. */
  readonly tea: number;
  readonly mug: number;
  readonly note: string;
  readonly address: string;
  readonly refunds: readonly ShopRefund[];
  readonly placedAt: string;
  readonly test: boolean;
}

export interface ShopRefund {
  readonly id: string;
  readonly minor: number;
  /** One tea came back. */
  readonly isTea: boolean;
}

export interface ShopVersion {
  readonly atMs: number;
  /** What was done, for the story. */
  readonly what: string;
  readonly state: OrderState;
  /** When everybody sees it: a transaction is dated when it begins, and may commit much later. */
  readonly committedAtMs: number;
  /** Milliseconds from then until each of its webhooks is sent. */
  readonly webhooks: readonly number[];
  /** As the event states it; a shop that counts in seconds gives one to several states. */
  readonly version: number;
}

export interface ShopOrder {
  readonly shop: string;
  readonly id: string;
  readonly buyer: string;
  readonly versions: readonly ShopVersion[];
}

const TEA = { net: 42_000, tax: 2_100 };
const MUG = { net: 14_950, tax: 748 };
const SHIPPING = { net: 6_000, tax: 300 };

export const totalOf = ({ tea, mug }: OrderState): number =>
  tea * (TEA.net + TEA.tax) + mug * (MUG.net + MUG.tax) + SHIPPING.net + SHIPPING.tax;

export const refundedOf = ({ refunds }: OrderState): number =>
  refunds.reduce((sum, { minor }) => sum + minor, 0);

/** Between two changes: within one second, while a worker works, after a lease, after a long while. */
const GAPS_MS = [60_000, 300, 1_700, 9_000, 40_000, 130_000, 400_000, 2_400_000];
/** At least, and twice as much at most: less than reconciliation reads back. */
const COMMITTED_LATE_MS = 270_000;
const NOTES = ['', 'ring twice', 'leave at the door', 'gift'];
const ADDRESSES = ['Road 1', 'Road 2', 'Road 3'];

/** `pick`: which of several; `n`: a number of its own. */
type Change = (state: OrderState, pick: number, n: number) => readonly [string, OrderState] | undefined;

const isOver = ({ status }: OrderState) => status === 'cancelled' || status === 'refunded';
const whileAlive =
  (change: Change): Change =>
  (state, pick, n) =>
    isOver(state) ? undefined : change(state, pick, n);
const other = (from: readonly string[], not: string, pick: number): string => {
  const rest = from.filter((each) => each !== not);
  return rest[pick % rest.length] ?? not;
};

/** Nothing, edits of all kinds, money back, ends: what people do in a shop. `undefined`: not possible now. */
const CHANGES: readonly Change[] = [
  (state) =>
    state.status === 'open' && state.payment !== 'pending'
      ? ['is marked completed', { ...state, status: 'completed' }]
      : undefined,
  (state) =>
    state.payment === 'pending' && !isOver(state)
      ? ['is paid', { ...state, status: 'open', payment: 'paid' }]
      : undefined,
  whileAlive((state, pick) => {
    const tea = 1 + ((state.tea + (pick % 3)) % 4);
    return tea === state.tea ? undefined : [`${tea} teas instead of ${state.tea}`, { ...state, tea }];
  }),
  whileAlive((state) => [
    state.mug ? 'the mug is taken off' : 'a mug is added',
    { ...state, mug: 1 - state.mug },
  ]),
  whileAlive((state, pick) => {
    const note = other(NOTES, state.note, pick);
    return [`note "${note}"`, { ...state, note }];
  }),
  whileAlive((state, pick) => {
    const address = other(ADDRESSES, state.address, pick);
    return [`address "${address}"`, { ...state, address }];
  }),
  whileAlive((state, pick, n) => {
    if (state.payment !== 'paid' && state.payment !== 'partially-refunded') return undefined;
    const isTea = pick % 2 === 1;
    const minor = isTea ? TEA.net + TEA.tax : 1_000 + n;
    if (refundedOf(state) + minor >= totalOf(state)) return undefined;
    const refunds = [...state.refunds, { id: `r${n}`, minor, isTea }];
    return [`${minor} are refunded (r${n})`, { ...state, payment: 'partially-refunded', refunds }];
  }),
  (state, _pick, n) => {
    const rest = totalOf(state) - refundedOf(state);
    if (state.payment === 'pending' || state.payment === 'refunded' || rest <= 0) return undefined;
    const refunds = [...state.refunds, { id: `r${n}`, minor: rest, isTea: false }];
    return [`the rest is refunded (r${n})`, { ...state, status: 'refunded', payment: 'refunded', refunds }];
  },
  whileAlive((state) => ['is cancelled', { ...state, status: 'cancelled' }]),
  (state) =>
    state.status === 'cancelled'
      ? [
          'is opened again',
          {
            ...state,
            status: state.payment === 'pending' && state.kind !== 'cash-on-delivery' ? 'on-hold' : 'open',
          },
        ]
      : undefined,
];

const PLACED: readonly (readonly [string, Pick<OrderState, 'status' | 'payment' | 'kind'>])[] = [
  ['is placed and paid', { status: 'open', payment: 'paid', kind: 'online' }],
  [
    'is placed, to be paid by bank transfer',
    { status: 'on-hold', payment: 'pending', kind: 'bank-transfer' },
  ],
  ['is placed, cash on delivery', { status: 'open', payment: 'pending', kind: 'cash-on-delivery' }],
  ['is placed and not paid yet', { status: 'pending', payment: 'pending', kind: 'online' }],
];

const MOST_CHANGES = 5;

/**
 * Everything that will happen to one order at its shop, and to its webhooks, drawn beforehand: always as many choices, so
 * that a story can lose one of them without turning into another. `wholeSeconds`: how the shop counts versions.
 */
export const lifeOf = (world: World, shop: string, id: string, wholeSeconds: boolean): ShopOrder => {
  const startMs = world.choose(120_000);
  const [placedAs, placed] = PLACED[world.choose(6)] ?? ['is placed and paid', PLACED_PAID];
  const isOld = world.oneIn(24);
  const first: OrderState = {
    ...placed,
    tea: 1 + world.choose(3),
    mug: world.choose(2),
    note: '',
    address: 'Road 1',
    refunds: [],
    placedAt: isOld ? '2026-10-31T23:59:59Z' : new Date(EPOCH_MS + startMs).toISOString(),
    test: world.oneIn(24),
  };
  const buyer = `buyer ${1 + world.choose(2)}`;
  const versionAt = (ms: number) => EPOCH_MS + (wholeSeconds ? Math.floor(ms / 1000) * 1000 : ms);
  const versions: ShopVersion[] = [];
  let atMs = startMs;
  let state = first;
  for (let n = 0; n <= MOST_CHANGES; n += 1) {
    const isDone = world.choose(2) === 1;
    const gapMs = GAPS_MS[world.choose(GAPS_MS.length)] ?? 60_000;
    const change = CHANGES[world.choose(CHANGES.length)];
    const pick = world.choose(100);
    const isLate = world.oneIn(5);
    const lateMs = COMMITTED_LATE_MS + world.choose(COMMITTED_LATE_MS);
    const webhooks = webhooksOf(world);
    let what = placedAs;
    if (n > 0) {
      const changed = isDone ? change?.(state, pick, n) : undefined;
      // A shop gives back no more than was paid.
      if (!changed || refundedOf(changed[1]) > totalOf(changed[1])) continue;
      atMs += gapMs;
      [what, state] = changed;
    }
    // One row, one transaction after the other.
    const committedAtMs = Math.max(atMs + (isLate ? lateMs : 0), (versions.at(-1)?.committedAtMs ?? -1) + 1);
    versions.push({ atMs, what, state, version: versionAt(atMs), committedAtMs, webhooks });
  }
  return { shop, id, buyer, versions };
};

/** Lost, or sent once or twice, and at times a quarter of an hour late. */
const webhooksOf = (world: World): readonly number[] => {
  const isLost = world.oneIn(6);
  const isTwice = world.oneIn(8);
  const delays = [0, 1].map(() => {
    const isSlow = world.oneIn(10);
    const slowMs = world.choose(900_000);
    return isSlow ? slowMs : slowMs % 3_000;
  });
  return isLost ? [] : delays.slice(0, isTwice ? 2 : 1);
};

const PLACED_PAID = { status: 'open', payment: 'paid', kind: 'online' } as const;

const BASE = anOrder();
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const vat = (minor: number) => ({ key: '1', title: 'VAT', compound: false, amount: twd(minor) });

const refundOf = ({ id, minor, isTea }: ShopRefund): OrderRefund => ({
  id,
  total: twd(minor),
  ...(isTea && {
    lines: [{ lineId: '1', quantity: 1, total: twd(TEA.net), taxes: [vat(TEA.tax)], restock: true }],
  }),
});

/** The event that says so. */
export const snapshotOf = (
  { shop, id, buyer }: ShopOrder,
  { state, version }: ShopVersion,
): OrderChangedV1 => {
  const line = (lineId: string, sku: string, quantity: number, price: typeof TEA) => ({
    id: lineId,
    sku,
    title: sku,
    quantity,
    subtotal: twd(quantity * price.net),
    discount: twd(0),
    total: twd(quantity * price.net),
    taxes: [vat(quantity * price.tax)],
    kind: 'goods' as const,
    gift: false,
    attributes: [],
  });
  return {
    ...BASE,
    source: shop,
    orderId: id,
    orderNumber: id,
    sourceVersion: version,
    contentHash: JSON.stringify(state),
    placedAt: state.placedAt,
    status: state.status,
    sourceStatus: state.status,
    test: state.test,
    lines: [line('1', 'TEA', state.tea, TEA), ...(state.mug > 0 ? [line('2', 'MUG', state.mug, MUG)] : [])],
    charges: [
      {
        id: '3',
        kind: 'shipping',
        method: 'flat_rate',
        title: 'Shipping',
        total: twd(SHIPPING.net),
        taxes: [vat(SHIPPING.tax)],
      },
    ],
    tax: twd(state.tea * TEA.tax + state.mug * MUG.tax + SHIPPING.tax),
    total: twd(totalOf(state)),
    payment: {
      state: state.payment,
      kind: state.kind,
      method: state.kind,
      // What was collected at the door has a day, also once some of it went back.
      ...(state.payment !== 'pending' && { paidAt: state.placedAt }),
    },
    refunds: state.refunds.map(refundOf),
    buyer: { id: buyer, masked: false },
    billing: { line1: state.address, country: 'TW' },
    shipping: { line1: state.address, country: 'TW' },
    buyerNote: state.note,
  };
};
