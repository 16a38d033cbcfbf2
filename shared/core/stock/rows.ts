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
  readonly quantity: number;
  /** Of the order's copy that was counted; a later one replaces it. */
  readonly sourceVersion: number;
  readonly placedAtMs: number;
  /** After the ERP promised stock for that version: a reading that began later contains it. undefined: not yet. */
  readonly promisedAtMs?: number | undefined;
}

/** One listing's share in one SKU that it is made of. */
export interface Claim {
  readonly shop: string;
  readonly location: string;
  /** The shop's SKU. */
  readonly listing: string;
  /** Pieces of this SKU in one piece of the listing. */
  readonly per: number;
  /**
   * The most pieces of the listing that the shop can still sell, as far as is known: raised before it is written, lowered
   * only when the shop has acknowledged less.
   */
  readonly bound: number;
  /** What it should show, in pieces of the listing, as far as this SKU limits it. */
  readonly want: number;
  /** When the value on which `bound` rests was acknowledged, our clock; undefined: nothing was ever written. */
  readonly setAtMs?: number | undefined;
  /**
   * Shops that cannot compare: pieces that may have been sold unseen before a write overwrote them. They count until all
   * of the shop's orders up to `untilMs` are known (its reconciliation has read that far).
   */
  readonly unseen?: { readonly pieces: number; readonly untilMs: number } | undefined;
}

/** One listing at one location of one storefront: what it shows, and what is being written. */
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
  /** What the shop shows, as far as is known: the last acknowledged value, minus its own sales since. */
  readonly shown: number | undefined;
  readonly shownAtMs?: number | undefined;
  /** Begun and not acknowledged: the shop may show the one or the other. */
  readonly begun?: { readonly to: number; readonly key: string; readonly sentAtMs: number } | undefined;
  /** Why it cannot be written, until the next listing of the shop says otherwise. */
  readonly refused?: { readonly code: string; readonly detail: string; readonly atMs: number } | undefined;
}

export const demandId = (source: string, orderId: string): string => `${source}#${orderId}`;

export const claimId = (shop: string, location: string, listing: string): string =>
  JSON.stringify([shop, location, listing]);
