import type { Choices } from '../tape.ts';

/** What happens in one world, whoever keeps its shops: drawn before anything runs. Times are ms of world time. */
export interface StockPlan {
  readonly shops: readonly PlannedShop[];
  readonly skus: readonly PlannedSku[];
  readonly attempts: readonly Attempt[];
  readonly supplies: readonly Supply[];
  readonly pollEveryMs: number;
  readonly safetyStock: number;
  readonly backorder: number;
  /** One warehouse more, from which only the first shop sells. */
  readonly hasSecondWarehouse: boolean;
  readonly erpDownMs: readonly { readonly fromMs: number; readonly untilMs: number }[];
}

export interface PlannedShop {
  readonly name: string;
  readonly compare: 'atomic' | 'reads-first';
  /** The shop's SKUs: those of the ERP, bundles and multipacks. */
  readonly listings: readonly string[];
  readonly reconcileEveryMs: number;
  /** Its clock minus ours. */
  readonly skewMs: number;
  /** When all its listings are read again. */
  readonly relistMs: readonly number[];
}

export interface PlannedSku {
  readonly sku: string;
  readonly stock: number;
  /** In the second warehouse. */
  readonly elsewhere: number;
}

/** Somebody wants to buy: a sale if the shop shows enough at that moment. */
export interface Attempt {
  readonly id: string;
  readonly atMs: number;
  readonly shop: string;
  readonly listing: string;
  readonly pieces: number;
  readonly kind: 'paid' | 'transfer' | 'test';
  readonly news: News;
  /** What happens to it later. */
  readonly change?: Later;
  /** From the moment the ERP's consumer has the order: until it is written there, and until that is told. */
  readonly erpMs: number;
  readonly settledMs: number;
}

export interface Later {
  readonly afterMs: number;
  /** touch: another version that says the same; a bank transfer has arrived. */
  readonly does: 'cancel' | 'cancel-without-restock' | 'one-less' | 'one-more' | 'touch';
  readonly news: News;
}

/** Webhooks of one change: none is lost, several are copies. Milliseconds after it. */
export type News = readonly number[];

export interface Supply {
  readonly atMs: number;
  readonly sku: string;
  /** Below zero: pieces are lost in the ERP itself. */
  readonly pieces: number;
}

/** The shop's SKU to what it is made of; others are the ERP's own. */
export const BUNDLES: Readonly<
  Record<string, readonly { readonly sku: string; readonly quantity: number }[]>
> = {
  SET: [
    { sku: 'TEA', quantity: 1 },
    { sku: 'MUG', quantity: 2 },
  ],
  'TEA-3': [{ sku: 'TEA', quantity: 3 }],
};

export const partsOf = (listing: string): readonly { readonly sku: string; readonly quantity: number }[] =>
  BUNDLES[listing] ?? [{ sku: listing, quantity: 1 }];

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const LATER: readonly [Later['does'], ...Later['does'][]] = [
  'cancel',
  'cancel',
  'cancel-without-restock',
  'one-less',
  'one-more',
  'touch',
  'touch',
];
/** Shops are filled by then. */
const OPENS_MS = 10 * MINUTE_MS;

const rareKind = (n: number): Attempt['kind'] => (n === 14 ? 'transfer' : n === 15 ? 'test' : 'paid');

export const planOf = (choices: Choices): StockPlan => {
  const choose = (n: number) => choices.next(n);
  const oneIn = (n: number) => choose(n) === n - 1;
  const pick = <T>(of: readonly [T, ...T[]]): T => of[choose(of.length)] ?? of[0];

  const skus = ['TEA', 'MUG', 'PEN'].slice(0, 1 + choose(3)).map((sku) => ({
    sku,
    stock: 1 + choose(pick([3, 8, 25])),
    elsewhere: choose(4),
  }));
  const names = skus.map(({ sku }) => sku);
  const shops = ['north', 'south', 'east', 'west'].slice(0, 2 + choose(3)).map((name): PlannedShop => {
    const extra = [...(names.includes('MUG') && oneIn(4) ? ['SET'] : []), ...(oneIn(5) ? ['TEA-3'] : [])];
    const own = names.filter(() => !oneIn(8));
    return {
      name,
      compare: oneIn(3) ? 'reads-first' : 'atomic',
      listings: [...(own.length > 0 ? own : names), ...extra],
      reconcileEveryMs: pick([5, 5, 15]) * MINUTE_MS,
      skewMs: choose(9_000) - 4_500,
      relistMs: [],
    };
  });
  const news = (): News => {
    if (oneIn(12)) return [];
    const first = 200 + choose(pick([2, 2, 2, 60]) * SECOND_MS);
    return oneIn(10) ? [first, first + choose(5 * MINUTE_MS)] : [first];
  };
  const bursts = Array.from({ length: 1 + choose(4) }, () => OPENS_MS + choose(40 * MINUTE_MS));
  // At the worst time: while everybody buys, and what was sold is written everywhere.
  const relisted = shops.map((shop) => ({
    ...shop,
    relistMs: Array.from(
      { length: choose(5) },
      () => (bursts[choose(bursts.length)] ?? OPENS_MS) + choose(3 * MINUTE_MS),
    ),
  }));
  const someShop = () => shops[choose(shops.length)] ?? shops[0];
  const attempts = Array.from({ length: 12 + choose(50) }, (_, index): Attempt => {
    const shop = someShop();
    const listings = shop?.listings ?? names;
    const burst = bursts[choose(bursts.length)] ?? OPENS_MS;
    const atMs = oneIn(4)
      ? OPENS_MS + choose(45 * MINUTE_MS)
      : burst + choose(pick([5, 30, 180]) * SECOND_MS);
    const later: Later = {
      afterMs: 2 * SECOND_MS + choose(15 * MINUTE_MS),
      does: pick<Later['does']>(LATER),
      news: news(),
    };
    const hasLater = oneIn(5);
    const kind = rareKind(choose(16));
    return {
      id: String(1001 + index),
      atMs,
      shop: shop?.name ?? 'north',
      listing: listings[choose(listings.length)] ?? 'TEA',
      pieces: oneIn(4) ? 2 : 1,
      kind,
      news: news(),
      // What a shop puts back for an order that never counted is nobody's sale and nobody's return: decision 23.
      ...(hasLater && kind !== 'test' && { change: later }),
      erpMs: SECOND_MS + choose(pick([5, 30, 30, 300]) * SECOND_MS),
      settledMs: 100 + choose(pick([1, 1, 20]) * SECOND_MS),
    };
  });
  const hasLosses = oneIn(4);
  const supplies = Array.from({ length: choose(5) }, (): Supply => {
    const sku = names[choose(names.length)] ?? 'TEA';
    const pieces = 1 + choose(6);
    const isLoss = oneIn(2);
    return {
      atMs: OPENS_MS + choose(45 * MINUTE_MS),
      sku,
      pieces: hasLosses && isLoss ? -Math.min(pieces, 2) : pieces,
    };
  });
  const downFromMs = OPENS_MS + choose(30 * MINUTE_MS);
  return {
    shops: relisted,
    skus,
    attempts: attempts.sort((a, b) => a.atMs - b.atMs),
    supplies,
    pollEveryMs: pick([1, 2, 5, 15]) * MINUTE_MS,
    safetyStock: oneIn(4) ? 1 : 0,
    backorder: oneIn(6) ? 2 : 0,
    hasSecondWarehouse: oneIn(4),
    erpDownMs: oneIn(5) ? [{ fromMs: downFromMs, untilMs: downFromMs + choose(20 * MINUTE_MS) }] : [],
  };
};
