import type { ErpProduct, ShopListing } from '../../connectors/stock-contract.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import { type Money, moneyText } from '../money.ts';
import { priceForShop } from '../products/price.ts';
import type { PriceRow } from '../products/price-rows.ts';
import type { Difference, DifferenceCause } from './differences.ts';

/** Compares price and status of one listing with the product that it is one piece of. Pure. */
export const auditProduct = (
  route: StockRoute,
  shop: string,
  listing: ShopListing,
  product: ErpProduct,
  row: PriceRow | undefined,
): readonly Difference[] => {
  const at = { shop, location: listing.location, sku: listing.sku };
  const { prices } = route;
  const isManaged = prices !== undefined && (prices.shops?.includes(shop) ?? true);
  const found: Difference[] = [];

  const wanted = priceForShop(product, listing);
  if (wanted.kind === 'none') {
    // Nobody asked for the ERP's prices, and there are none: nothing to say.
    if (isManaged) {
      const erp = product.price ? moneyText(product.price) : 'none';
      const why = WHY[wanted.problem];
      found.push({ kind: 'price', cause: 'not-comparable', ...at, erp, shows: words(listing.price), why });
    }
  } else {
    const erp = priceWords(wanted);
    const shows = listing.price ? priceWords({ price: listing.price, sale: listing.sale }) : 'none';
    if (erp !== shows) {
      const [cause, why] = causeOf(isManaged, row);
      found.push({ kind: 'price', cause, ...at, erp, shows, why });
    }
  }

  const status = product.status === 'active' ? 'active' : 'hidden';
  if (status !== listing.status) {
    const [cause, why] =
      isManaged && prices.status === 'follow'
        ? causeOf(true, row)
        : (['not-managed', 'settings leave the status to the shop'] as const);
    found.push({ kind: 'status', cause, ...at, erp: product.status, shows: listing.status, why });
  }
  return found;
};

const causeOf = (
  isManaged: boolean,
  row: PriceRow | undefined,
): readonly [cause: DifferenceCause, why: string] => {
  if (!isManaged) return ['not-managed', 'settings leave prices to the shop'];
  if (row?.held) return ['held', `${row.held.code}: waybill stock held`];
  if (row?.begun) return ['in-flight', 'is being written'];
  return ['drift', 'nothing explains it'];
};

const WHY = {
  NO_PRICE: 'the ERP has no price for it',
  NEGATIVE_PRICE: 'the price of the ERP is below zero',
  CURRENCY_DIFFERS: 'another currency than the shop: nothing is converted',
  TAX_UNKNOWN: 'one of the two counts tax in, and the ERP does not say how much',
} as const;

const words = (amount: Money | undefined): string => (amount ? moneyText(amount) : 'none');

const priceWords = ({ price, sale }: { price: Money; sale?: ErpProduct['sale'] }): string => {
  if (!sale) return moneyText(price);
  const day = (text: string | undefined) => (text === undefined ? '' : text.slice(0, 10));
  const when = sale.from || sale.until ? ` ${day(sale.from)}..${day(sale.until)}` : '';
  return `${moneyText(price)}, on sale ${moneyText(sale.price)}${when}`;
};
