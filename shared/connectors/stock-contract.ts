import type { Money } from '../core/money.ts';
import type { CallContext } from '../core/ports.ts';
import type { StockRoute } from '../settings/stock-route.ts';
import type { ChangeWindow } from './contract.ts';

export type { StockAbility } from './manifest.ts';

// Errors everywhere here: PermanentError, RetryableError, UnknownOutcomeError (writes only), CredentialsError, and nothing
// else. Nothing retries by itself, apart from reads that may be repeated in place.

// ---------------------------------------------------------------------------------------------------------
// ERPs
// ---------------------------------------------------------------------------------------------------------

/** What one warehouse has of one SKU. Pieces of the product's own unit; may be fractions, and below zero. */
export interface ErpLevel {
  readonly sku: string;
  /** Warehouse code. */
  readonly warehouse: string;
  readonly onHand: number;
  /**
   * On hand minus everything that is promised to somebody, reserved or only confirmed: see `reservedWhen`. What is
   * still to arrive does not count.
   */
  readonly free: number;
  /** Full name of its category; rules may name it. undefined: it has none. */
  readonly category?: string | undefined;
}

/** One complete reading of some SKUs: of every SKU asked for that the ERP knows, a level for every mapped warehouse. */
export interface LevelPage {
  /** Our clock, before the first request whose answer is in it was sent; epoch milliseconds. */
  readonly asOfMs: number;
  readonly levels: readonly ErpLevel[];
  /** Asked for, and unknown, archived, or no goods in the ERP (a service). */
  readonly missing: readonly string[];
  /** Two products have this SKU: nobody can say which is meant, so neither is told. */
  readonly ambiguous: readonly string[];
}

/** What somebody has counted of one SKU in one warehouse. */
export interface StockCount {
  readonly sku: string;
  /** Warehouse code. */
  readonly warehouse: string;
  /** 0 or more. */
  readonly onHand: number;
  /** Kept with the movement where the ERP has a place for it. */
  readonly reason: string;
}

/** Stock of one ERP connection. Only reads, apart from `adjust`. */
export interface ErpStock {
  /**
   * From which step on an order of ours is missing from `free`: `confirmed` (also when nothing is reserved for it yet),
   * because the connector subtracts it.
   */
  readonly reservedWhen: 'confirmed';
  /**
   * Which company and warehouses answer, read afresh: what is written in settings may have been renamed or given to
   * somebody else. @throws PermanentError UNKNOWN_COMPANY, UNKNOWN_WAREHOUSE
   */
  identify(
    route: StockRoute,
    call: CallContext,
  ): Promise<{ readonly company: string; readonly warehouses: readonly string[] }>;
  /** Now, by the ERP's own clock, epoch milliseconds: cursors are kept by it. undefined: as good as ours. */
  clock?(call: CallContext): Promise<number>;
  /**
   * SKUs whose stock (on hand, reserved or promised) may have changed in the window, in any order, in pages; one may
   * be told twice. At most two requests when nothing changed.
   */
  changed(window: ChangeWindow, route: StockRoute, call: CallContext): AsyncIterable<readonly string[]>;
  /** Levels of these SKUs, in pages of the ERP's best size. */
  levels(skus: readonly string[], route: StockRoute, call: CallContext): AsyncIterable<LevelPage>;
  /** Levels of every active product with a SKU. A page that cannot be read throws: an incomplete listing is a failure. */
  all(route: StockRoute, call: CallContext): AsyncIterable<LevelPage>;
  /**
   * Sets what is on hand, as staff who count do; the same count twice changes nothing. No flow uses it, only `waybill
   * stock-test`. undefined: this connector cannot. @throws PermanentError the ERP refuses, or has no such product
   */
  adjust?(count: StockCount, route: StockRoute, call: CallContext): Promise<void>;
}

/** A product as an ERP sells it. */
export interface ErpProduct {
  readonly sku: string;
  readonly title: string;
  /** Full name of its category; rules may name it. */
  readonly category?: string | undefined;
  readonly status: 'active' | 'archived';
  /** As the price list states it. undefined: it has none there. */
  readonly price: Money | undefined;
  /** A lower price for a time. */
  readonly sale?:
    | {
        readonly price: Money;
        /** ISO 8601, UTC; undefined: since ever, until further notice. */
        readonly from?: string | undefined;
        readonly until?: string | undefined;
      }
    | undefined;
  /** Does `price` include the taxes that the product is sold with? */
  readonly priceIncludesTax: boolean;
  /** Sum of the percentages of its sales taxes, decimal string; undefined: cannot be said (fixed amounts). */
  readonly taxPercent?: string | undefined;
}

/** Products and prices of one ERP connection. Only reads. */
export interface ErpProducts {
  /** Products that changed in the window, or whose price did, as they are now. One may be told twice. */
  changed(window: ChangeWindow, route: StockRoute, call: CallContext): AsyncIterable<readonly ErpProduct[]>;
  all(route: StockRoute, call: CallContext): AsyncIterable<readonly ErpProduct[]>;
}

// ---------------------------------------------------------------------------------------------------------
// Storefronts
// ---------------------------------------------------------------------------------------------------------

/** What is sold in a shop, at one location. */
export interface ShopListing {
  /** The shop's SKU; the mapping table says what it is made of, without a row it is the ERP's. */
  readonly sku: string;
  /** The shop's location; DEFAULT_LOCATION where the shop has only one. */
  readonly location: string;
  /** The shop's own ids, plain JSON, kept with the listing and handed back for writing. */
  readonly ref: unknown;
  readonly title: string;
  /** What the shop shows; undefined: it does not count this one (tracking off). */
  readonly quantity: number | undefined;
  /** How many products of the shop have this SKU: more than one is written to none. */
  readonly duplicates: number;
  readonly status: 'active' | 'hidden';
  readonly price?: Money | undefined;
  readonly sale?: ErpProduct['sale'];
  readonly priceIncludesTax?: boolean | undefined;
}

/** One value to be shown. */
export interface StockWrite {
  readonly sku: string;
  readonly location: string;
  /** Of its listing. */
  readonly ref: unknown;
  /** What the shop is believed to show; undefined: nobody knows, and the value is set whatever stands there. */
  readonly from: number | undefined;
  /** 0 or more. */
  readonly to: number;
  /** The same for every repetition of one intention; another one for another value. */
  readonly key: string;
}

export type StockWritten = { readonly sku: string; readonly location: string } & (
  | { readonly kind: 'written' }
  /** The shop shows something else than `from`, and nothing was written. */
  | { readonly kind: 'stale'; readonly actual: number }
  /** This one cannot be written, the others of its batch were. `code` is stable, `detail` the shop's own words. */
  | { readonly kind: 'refused'; readonly code: StockRefusal; readonly detail: string }
  /** Sent, and no answer: it may have been set or not. */
  | { readonly kind: 'unknown'; readonly detail: string }
);

export type StockRefusal =
  /** The shop has it no more. */
  | 'LISTING_GONE'
  | 'UNKNOWN_LOCATION'
  /** The shop does not count it. */
  | 'TRACKING_OFF'
  /** The shop computes it from its parts. */
  | 'NOT_MUTABLE'
  | 'REFUSED';

/** One price to be shown. */
export interface PriceWrite {
  readonly sku: string;
  readonly ref: unknown;
  readonly price: Money;
  readonly sale?: ErpProduct['sale'];
  readonly status?: ShopListing['status'] | undefined;
}

export type PriceWritten = { readonly sku: string } & (
  | { readonly kind: 'written' }
  | { readonly kind: 'refused'; readonly code: StockRefusal; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string }
);

/** What a storefront sells, and what it shows of it. */
export interface StorefrontStock {
  /** All that is sold there, in pages; a page that cannot be read throws. */
  listings(call: CallContext): AsyncIterable<readonly ShopListing[]>;
  /** Those of these SKUs that the shop has. */
  find(skus: readonly string[], call: CallContext): Promise<readonly ShopListing[]>;
  /**
   * Sets values in the shop's largest batches, and says of every one what became of it. A batch that is refused as a whole
   * is split until the culprit stands alone. Throws only when nothing at all was written (RetryableError with the
   * shop's own delay, CredentialsError); what is not told because of a later failure is `unknown`, or left out when
   * it was not sent.
   */
  write(writes: readonly StockWrite[], call: CallContext): Promise<readonly StockWritten[]>;
  /** undefined: this connector writes no prices. */
  writePrices?(writes: readonly PriceWrite[], call: CallContext): Promise<readonly PriceWritten[]>;
  /** Makes a hidden draft of a product that the shop does not know. @returns its ref */
  createDraft?(product: ErpProduct, call: CallContext): Promise<ShopListing>;
  /** undefined: orders cannot be placed there by a machine. Only `waybill stock-test` does. */
  readonly testOrders?: TestOrders;
}

/** Orders that every route takes for tests, and that nobody is sent a mail about. */
export interface TestOrders {
  /** One piece of a listing. @returns the order's id @throws UnknownOutcomeError it may have been placed */
  place(listing: ShopListing, call: CallContext): Promise<string>;
  /** Its piece is for sale again. Once more changes nothing. */
  cancel(orderId: string, call: CallContext): Promise<void>;
}
