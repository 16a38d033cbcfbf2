/**
 * What is known of one SKU of one ERP connection. Everything that may sell it is in this one row, so that one conditional
 * write (on `version`) decides who may show how much. Quantities are pieces of the ERP's SKU.
 */
export interface StockRow {
  /** Connection id of the ERP. */
  readonly erp: string;
  readonly sku: string;
  /** Counts writes; 0: not written yet. */
  readonly version: number;
  /** By warehouse: the last reading. */
  readonly levels: Readonly<Record<string, KnownLevel>>;
  /** By `<storefront connection>#<order id>`: accepted orders whose demand the ERP's `free` may not contain yet. */
  readonly demand: Readonly<Record<string, Demand>>;
  /** By claim (see `claimId`): who sells it, and how much of it they may at most still sell without being asked. */
  readonly claims: Readonly<Record<string, Claim>>;
  /** When claims changed last: others may be able to show more since. */
  readonly movedAtMs?: number | undefined;
  /** Pieces sold by day (`2026-11-23`, UTC) and storefront connection, of the last weeks: days of cover. */
  readonly sold: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly category?: string | undefined;
  /** An alert was given and it has not recovered since. */
  readonly lowSinceMs?: number | undefined;
}

export interface KnownLevel {
  readonly onHand: number;
  readonly free: number;
  /** When that reading began, our clock. */
  readonly asOfMs: number;
}

export interface Demand {
  /** Pieces that the order takes, as its newest known version says. */
  readonly quantity: number;
  /** The same by the shop's SKU, in pieces of the listing. */
  readonly by: Readonly<Record<string, number>>;
  /** Of the order's copy that was counted; a later one replaces it. -1: none was counted yet. */
  readonly sourceVersion: number;
  /** When that copy was read at the storefront; undefined: it was pushed. */
  readonly fetchedAtMs?: number | undefined;
  readonly placedAtMs: number;
  /** After the ERP promised stock for the order: a reading that began later contains `promised` pieces of it. */
  readonly promisedAtMs?: number | undefined;
  readonly promised?: number | undefined;
  /** Pieces that the ERP's `free` does not contain any more. What is left of `quantity` is not yet in the ERP. */
  readonly covered?: number | undefined;
  /** What the ERP's side said last, perhaps of a version that was not counted yet. */
  readonly settled?:
    | {
        readonly sourceVersion: number;
        readonly state: 'promised' | 'drafted' | 'ended' | 'dropped';
        readonly atMs: number;
      }
    | undefined;
}

/**
 * One listing's share in one SKU that it is made of. `bound` and what is reserved beside it (`unseen`, `begun.reserved`) are
 * never less than what the shop still shows plus what it has sold and we have not counted: decision 23.
 */
export interface Claim {
  readonly shop: string;
  readonly location: string;
  /** The shop's SKU. */
  readonly listing: string;
  /** Pieces of this SKU in one piece of the listing. */
  readonly per: number;
  /**
   * The most pieces of the listing that the shop may show, as far as is known: raised before it is written, lowered only
   * when the shop has acknowledged less or has told of a sale. Nothing begun: exactly what it is believed to show.
   */
  readonly bound: number;
  /** What it should show, in pieces of the listing, as far as this SKU limits it. */
  readonly want: number;
  /** What the other SKUs of a bundle allow; undefined: there are none. */
  readonly most?: number | undefined;
  /** What this SKU allowed when the others were told last. */
  readonly gave?: number | undefined;
  /** Since when `bound` follows the shop: orders placed before were sold before we looked. Our clock. */
  readonly setAtMs: number;
  /** When a write was acknowledged last, our clock. */
  readonly wroteAtMs?: number | undefined;
  /** Being written: nobody else writes it. The shop may show what it showed or `to`. */
  readonly begun?:
    | {
        readonly key: string;
        readonly to: number;
        /** `bound` before and after it was begun. */
        readonly before: number;
        readonly bound: number;
        /** Shops that cannot compare: pieces that may be sold unseen while they are overwritten. */
        readonly reserved: number;
        readonly sentAtMs: number;
      }
    | undefined;
  /**
   * Pieces that may have been sold unseen. They count until all of the shop's orders up to `untilMs` are known (its
   * reconciliation has read that far), or its orders told of them.
   */
  readonly unseen?: { readonly pieces: number; readonly untilMs: number } | undefined;
  /** The shop may show something else than `bound`: it is compared even when nothing changes. */
  readonly unsure?: true | undefined;
  /** The shop cannot compare: what it shows may be sold while it is overwritten. */
  readonly slow?: true | undefined;
  /** It cannot be written. */
  readonly fixed?: true | undefined;
}

/** One listing at one location of one storefront: what it is made of, and what it shows. */
export interface ListingRow {
  readonly shop: string;
  readonly location: string;
  readonly sku: string;
  readonly version: number;
  /** Connection id of the ERP whose SKUs it is made of. */
  readonly erp: string;
  readonly components: readonly { readonly sku: string; readonly quantity: number }[];
  /** Of ShopListing. */
  readonly ref: unknown;
  /** For people: what the shop showed when it was last read or written. What counts is in the claims. */
  readonly shown: number | undefined;
  readonly shownAtMs?: number | undefined;
  /** Why it cannot be written, until the next listing of the shop says otherwise. */
  readonly refused?: { readonly code: string; readonly detail: string; readonly atMs: number } | undefined;
}

/** Which SKUs of an ERP an order ever named: what a later version no longer names has to be taken from their rows. */
export interface OrderSkus {
  readonly erp: string;
  /** See `demandId`. */
  readonly id: string;
  readonly version: number;
  readonly skus: readonly string[];
  /** Epoch milliseconds; forgotten some time after. */
  readonly keepUntilMs: number;
}

export const demandId = (source: string, orderId: string): string => `${source}#${orderId}`;

export const claimId = (shop: string, location: string, listing: string): string =>
  JSON.stringify([shop, location, listing]);
