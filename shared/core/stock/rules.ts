import { DEFAULT_LOCATION, type StockPolicy, type StockRoute } from '../../settings/stock-route.ts';
import type { StockRow } from './rows.ts';

/** What settings say of one SKU in one shop. */
export interface SkuRules {
  readonly safetyStock: number;
  readonly backorder: number;
  readonly negativeStock: 'subtract' | 'ignore';
  readonly show: boolean;
}

type About = Pick<StockRow, 'sku' | 'category'>;

/** Of several rules that match, the last one that says something counts. */
export const rulesOf = (route: StockRoute, about: About, shop: string): SkuRules => {
  const rules: { -readonly [K in keyof SkuRules]: SkuRules[K] } = {
    safetyStock: route.safetyStock,
    backorder: 0,
    negativeStock: 'subtract',
    show: true,
  };
  for (const rule of route.rules) {
    if (!matches(rule, about) || (rule.shops && !rule.shops.includes(shop))) continue;
    if (rule.safetyStock !== undefined) rules.safetyStock = rule.safetyStock;
    if (rule.backorder !== undefined) rules.backorder = rule.backorder;
    if (rule.negativeStock !== undefined) rules.negativeStock = rule.negativeStock;
    if (rule.show !== undefined) rules.show = rule.show;
  }
  return rules;
};

/** One for all shops: they share the pieces, or they do not. */
export const policyOf = (route: StockRoute, about: About): StockPolicy =>
  route.rules.findLast((rule) => rule.policy !== undefined && matches(rule, about))?.policy ?? route.policy;

/** From which level on an alert is due; undefined: none. */
export const lowStockOf = (route: StockRoute, about: About): number | undefined =>
  route.rules.findLast((rule) => rule.lowStock !== undefined && matches(rule, about))?.lowStock;

const matches = (rule: StockRoute['rules'][number], { sku, category }: About): boolean =>
  (!rule.skus || rule.skus.some((pattern) => fits(pattern, sku))) &&
  (!rule.categories || (category !== undefined && rule.categories.includes(category)));

const fits = (pattern: string, sku: string): boolean => {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === sku;
  if (!sku.startsWith(first) || !sku.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = sku.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= sku.length - last.length;
};

/**
 * The warehouses whose stock a shop's location sells. `all`: settings name none for this shop, and this is its
 * default location. undefined: settings leave this location alone.
 */
export const warehousesOf = (
  route: StockRoute,
  shop: string,
  location: string,
): readonly string[] | 'all' | undefined => {
  const named = Object.entries(route.warehouses).filter(([, shops]) => shops[shop] !== undefined);
  if (named.length === 0) return location === DEFAULT_LOCATION ? 'all' : undefined;
  const feeding = named.filter(([, shops]) => shops[shop] === location).map(([warehouse]) => warehouse);
  return feeding.length > 0 ? feeding : undefined;
};
