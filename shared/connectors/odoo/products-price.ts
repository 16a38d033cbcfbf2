import Big from 'big.js';

/** One rule of a pricelist (`product.pricelist.item`). */
export interface PriceRule {
  readonly id: number;
  readonly pricelistId: number;
  /** `0_product_variant` to `3_global`: the smaller the text, the sooner it is looked at. */
  readonly appliedOn: string;
  readonly categoryId?: number | undefined;
  readonly templateId?: number | undefined;
  readonly productId?: number | undefined;
  readonly minQuantity: number;
  /** Both ends belong to it; undefined: open. */
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly compute: string;
  readonly base: string;
  readonly basePricelistId?: number | undefined;
  readonly fixed: number;
  readonly percent: number;
  readonly discount: number;
  readonly round: number;
  readonly surcharge: number;
  readonly minMargin: number;
  readonly maxMargin: number;
}

export interface PricedProduct {
  readonly id: number;
  readonly templateId: number;
  /** Its category and the categories above, the nearest first. */
  readonly categoryIds: readonly number[];
  readonly listPrice: number;
  readonly cost: number;
  /** Of list price and cost. */
  readonly currency: string;
}

export interface Pricelists {
  /** Currency codes by id of the pricelist. */
  readonly currencies: ReadonlyMap<number, string>;
  readonly rules: readonly PriceRule[];
}

export interface PriceNow {
  readonly price: Big | undefined;
  readonly sale?: { readonly price: Big; readonly fromMs?: number; readonly untilMs?: number };
}

/**
 * What one piece costs by a pricelist, as Odoo computes it: the first rule that fits, of the variant, the product, the category, or
 * all (odoo/odoo, addons/product/models/product_pricelist_item.py; no public method says it from 16 on). A rule with dates that
 * makes it cheaper is a sale: the one that holds now, else the next to come.
 * `price` is undefined where rates of exchange would be needed, or a kind of rule that we do not know.
 */
export const priceOf = (
  product: PricedProduct,
  pricelistId: number,
  lists: Pricelists,
  nowMs: number,
): PriceNow => {
  const rules = fitting(product, pricelistId, lists);
  const isDated = ({ fromMs, untilMs }: PriceRule) => fromMs !== undefined || untilMs !== undefined;
  const priceBy = (rule: PriceRule | undefined, atMs: number) =>
    computed(rule, product, pricelistId, lists, atMs, new Set([pricelistId]));
  const regular = priceBy(
    rules.find((rule) => !isDated(rule)),
    nowMs,
  );
  const now = rules.find((rule) => holdsAt(rule, nowMs));
  const [coming] = rules
    .filter(({ fromMs }) => fromMs !== undefined && fromMs > nowMs)
    .filter((rule) => rules.find((other) => holdsAt(other, rule.fromMs ?? 0)) === rule)
    .sort((a, b) => (a.fromMs ?? 0) - (b.fromMs ?? 0));
  const dated = now && isDated(now) ? now : coming;
  if (!dated) return { price: regular };
  const price = priceBy(dated, dated === now ? nowMs : (dated.fromMs ?? nowMs));
  if (price === undefined || regular === undefined || price.gte(regular)) {
    // Dearer for a time is a price like any other.
    return { price: dated === now ? price : regular };
  }
  const { fromMs, untilMs } = dated;
  return {
    price: regular,
    sale: { price, ...(fromMs !== undefined && { fromMs }), ...(untilMs !== undefined && { untilMs }) },
  };
};

const holdsAt = ({ fromMs, untilMs }: PriceRule, ms: number): boolean =>
  (fromMs === undefined || fromMs <= ms) && (untilMs === undefined || untilMs >= ms);

/** Rules of a pricelist for one piece of a product, in the order in which Odoo looks at them. */
const fitting = (
  product: PricedProduct,
  pricelistId: number,
  { rules }: Pricelists,
): readonly PriceRule[] => {
  // The nearest category first: Odoo sorts by its full name, backwards.
  const distance = ({ categoryId }: PriceRule) =>
    categoryId === undefined ? Number.POSITIVE_INFINITY : product.categoryIds.indexOf(categoryId);
  return rules
    .filter(
      (rule) =>
        rule.pricelistId === pricelistId &&
        rule.minQuantity <= 1 &&
        (rule.categoryId === undefined
          ? (rule.templateId === undefined || rule.templateId === product.templateId) &&
            (rule.productId === undefined || rule.productId === product.id)
          : product.categoryIds.includes(rule.categoryId)),
    )
    .sort(
      (a, b) =>
        (a.appliedOn < b.appliedOn ? -1 : a.appliedOn > b.appliedOn ? 1 : 0) ||
        b.minQuantity - a.minQuantity ||
        (distance(a) === distance(b) ? 0 : distance(a) - distance(b)) ||
        b.id - a.id,
    );
};

const computed = (
  rule: PriceRule | undefined,
  product: PricedProduct,
  pricelistId: number,
  lists: Pricelists,
  atMs: number,
  seen: ReadonlySet<number>,
): Big | undefined => {
  if (rule?.compute === 'fixed') return new Big(rule.fixed);
  const base = basePrice(rule, product, pricelistId, lists, atMs, seen);
  if (base === undefined || !rule) return base;
  if (rule.compute === 'percentage') return less(base, rule.percent);
  if (rule.compute !== 'formula') return undefined;
  let price = less(base, rule.discount);
  if (rule.round) price = price.div(rule.round).round(0, Big.roundHalfUp).times(rule.round);
  price = price.plus(rule.surcharge);
  if (rule.minMargin && price.lt(base.plus(rule.minMargin))) price = base.plus(rule.minMargin);
  if (rule.maxMargin && price.gt(base.plus(rule.maxMargin))) price = base.plus(rule.maxMargin);
  return price;
};

const less = (price: Big, percent: number): Big => price.minus(price.times(percent).div(100));

const basePrice = (
  rule: PriceRule | undefined,
  product: PricedProduct,
  pricelistId: number,
  lists: Pricelists,
  atMs: number,
  seen: ReadonlySet<number>,
): Big | undefined => {
  const currency = lists.currencies.get(pricelistId);
  const other = rule?.base === 'pricelist' ? rule.basePricelistId : undefined;
  if (other !== undefined) {
    // In a circle; or in another currency, at a rate that only Odoo knows.
    if (seen.has(other) || lists.currencies.get(other) !== currency) return undefined;
    const theirs = fitting(product, other, lists).find((each) => holdsAt(each, atMs));
    return computed(theirs, product, other, lists, atMs, new Set([...seen, other]));
  }
  if (product.currency !== currency) return undefined;
  return new Big(rule?.base === 'standard_price' ? product.cost : product.listPrice);
};
