import type { ErpProduct, ShopListing } from '../../connectors/stock-contract.ts';
import type { Money } from '../money.ts';
import type { PriceProblem, ShopPrice } from './price.ts';

/** What a shop shows of the price and the status of one of its SKUs. */
export interface PriceRow {
  readonly shop: string;
  /** The shop's. */
  readonly sku: string;
  /** Counts writes; 0: not written yet. */
  readonly version: number;
  /** The ERP's product as it was when it was dealt with last: an older reading changes nothing. */
  readonly asOfMs: number;
  /** What the shop shows, as far as is known. */
  readonly shown: Shown | undefined;
  /** Begun and not acknowledged: the shop may show the one or the other, and is asked before the next write. */
  readonly begun?: Shown | undefined;
  /** Not written until a person says so. */
  readonly held?: HeldPrice | undefined;
  /** A person lets this price pass, and no other. */
  readonly approved?: { readonly price: Money; readonly by: string; readonly why: string } | undefined;
  /** Why the ERP's price is not shown. */
  readonly problem?: PriceProblem | PriceRefusal | undefined;
}

/** The shop's own refusal, or what only the shop can say. */
export interface PriceRefusal {
  readonly code: string;
  readonly detail: string;
}

export interface Shown extends Partial<ShopPrice> {
  readonly status: ShopListing['status'];
  readonly priceIncludesTax?: boolean | undefined;
}

export interface HeldPrice {
  readonly code: 'PRICE_ZERO' | 'PRICE_DROP';
  readonly was: Money | undefined;
  /** The lowest that the shop would show. */
  readonly is: Money;
  readonly sinceMs: number;
  /** As the ERP told it, to be dealt with again when it is approved. */
  readonly product: ErpProduct;
}

export interface PriceStore {
  /** Consistent reads; those that are there. */
  prices(shop: string, skus: readonly string[]): Promise<ReadonlyMap<string, PriceRow>>;
  /** Writes `row` as version + 1. @returns false: somebody was faster, and nothing was written */
  putPrice(row: PriceRow): Promise<boolean>;
  /** In pages, not consistent. */
  allPrices(shop: string): AsyncIterable<readonly PriceRow[]>;
}
