import Big from 'big.js';
import type { ErpProduct, ShopListing } from '../../connectors/stock-contract.ts';
import { type Money, moneyRounded, toBig } from '../money.ts';

/** What a shop is to show. */
export interface ShopPrice {
  readonly price: Money;
  readonly sale?: ErpProduct['sale'];
}

/** Why a product has no price for a shop. Stable codes. */
export type PriceProblem =
  /** The price list has none. */
  | 'NO_PRICE'
  /** The shop shows another currency; nothing is converted. */
  | 'CURRENCY_DIFFERS'
  /** One of the two counts tax in and nobody says how much. */
  | 'TAX_UNKNOWN'
  /** Below zero. */
  | 'NEGATIVE_PRICE';

export type PriceForShop =
  | ({ readonly kind: 'price'; readonly warnings: readonly string[] } & ShopPrice)
  | { readonly kind: 'none'; readonly problem: PriceProblem };

/**
 * The ERP's price in the shop's way: with or without tax, rounded half up to the currency's smallest unit. Pure.
 *
 * A sale that is no lower than the price is left out: shops refuse it, or show it struck through the wrong way round.
 */
export const priceForShop = (
  product: ErpProduct,
  shop: Pick<ShopListing, 'price' | 'priceIncludesTax'>,
): PriceForShop => {
  const { price, sale } = product;
  if (!price) return { kind: 'none', problem: 'NO_PRICE' };
  if (price.minor < 0) return { kind: 'none', problem: 'NEGATIVE_PRICE' };
  if (shop.price && shop.price.currency !== price.currency)
    return { kind: 'none', problem: 'CURRENCY_DIFFERS' };
  const factor = taxFactor(product, shop.priceIncludesTax ?? product.priceIncludesTax);
  if (!factor) return { kind: 'none', problem: 'TAX_UNKNOWN' };
  const inShop = (amount: Money): Money => moneyRounded(toBig(amount).times(factor), amount.currency);
  const full = inShop(price);
  if (!sale) return { kind: 'price', price: full, warnings: [] };
  const lower = inShop(sale.price);
  if (sale.price.currency !== price.currency || lower.minor < 0 || lower.minor >= full.minor) {
    return {
      kind: 'price',
      price: full,
      warnings: ['the sale price is no lower than the price, and was left out'],
    };
  }
  return { kind: 'price', price: full, sale: { ...sale, price: lower }, warnings: [] };
};

/** What the ERP's amounts are multiplied by; undefined: nobody can say. */
const taxFactor = (
  { priceIncludesTax, taxPercent }: ErpProduct,
  shopIncludesTax: boolean,
): Big | undefined => {
  if (priceIncludesTax === shopIncludesTax) return new Big(1);
  if (taxPercent === undefined) return undefined;
  const gross = new Big(taxPercent).div(100).plus(1);
  // Division is exact to 20 decimals, far below the smallest unit of any currency.
  return shopIncludesTax ? gross : new Big(1).div(gross);
};

/** The price that buyers pay at that moment. */
export const priceAt = ({ price, sale }: ShopPrice, atMs: number): Money => {
  if (!sale) return price;
  const begun = sale.from === undefined || Date.parse(sale.from) <= atMs;
  const over = sale.until !== undefined && Date.parse(sale.until) <= atMs;
  return begun && !over ? sale.price : price;
};

/** Why a change of price is held until a person approves it; undefined: it is not. */
export const heldBecause = (
  was: Money | undefined,
  is: Money,
  priceDrop: number,
): 'PRICE_ZERO' | 'PRICE_DROP' | undefined => {
  if (is.minor === 0) return was?.minor === 0 ? undefined : 'PRICE_ZERO';
  if (!was || was.minor <= 0) return undefined;
  const least = new Big(was.minor).times(new Big(1).minus(priceDrop));
  return new Big(is.minor).lt(least) ? 'PRICE_DROP' : undefined;
};
