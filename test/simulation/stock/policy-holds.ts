import type { Market } from './market.ts';
import { partsOf } from './plan.ts';

/**
 * What is wrong with what the shops show when nothing happens any more: from the truth of the world, sharing no decision
 * with the code it judges.
 */
export const problemsAtRest = (market: Market): string[] => {
  const { plan, shops, left, route } = market;
  if (!market.isAtRest()) return ['never comes to rest'];
  const problems: string[] = [];
  /** Offered by one shop of one SKU, if nobody else sold any. */
  const offered = (shop: string, sku: string): number => {
    const all = Math.max(0, left(sku));
    const isFirst = plan.shops[0]?.name === shop;
    if (!plan.hasSecondWarehouse || isFirst) return all;
    const elsewhere = market.erp.onHand.get(sku)?.get('ANNEX') ?? 0;
    return Math.max(0, left(sku) - elsewhere);
  };
  const listings = [...shops.values()].flatMap(({ plan: { name, listings }, shown }) =>
    listings.map((listing) => ({
      shop: name,
      listing,
      shown: shown.get(listing) ?? 0,
      parts: partsOf(listing),
    })),
  );
  const isKnown = (parts: readonly { readonly sku: string }[]) =>
    parts.every(({ sku }) => plan.skus.some((known) => known.sku === sku));
  if (route.policy === 'shared') {
    for (const { shop, listing, shown, parts } of listings) {
      if (!isKnown(parts)) continue;
      const want = Math.min(...parts.map(({ sku, quantity }) => Math.floor(offered(shop, sku) / quantity)));
      if (shown !== want) problems.push(`${shop} shows ${shown} ${listing}, not ${want}`);
    }
    return problems;
  }
  const freeOf = (shop: string, sku: string): number => {
    // What shops that sell from less hold counts for them alone, too.
    const held = (of: readonly (typeof listings)[number][]) =>
      of.reduce(
        (sum, { parts, shown }) => sum + shown * (parts.find((part) => part.sku === sku)?.quantity ?? 0),
        0,
      );
    const first = plan.shops[0]?.name;
    const others = listings.filter((each) => each.shop !== first);
    const everywhere = Math.max(0, left(sku)) - held(listings);
    return shop === first ? everywhere : Math.min(everywhere, offered(shop, sku) - held(others));
  };
  for (const { sku } of plan.skus) {
    for (const { name } of plan.shops) {
      if (freeOf(name, sku) < 0)
        problems.push(`${name}: ${sku} is shown ${-freeOf(name, sku)} times too often`);
    }
  }
  for (const { shop, listing, shown, parts } of listings) {
    if (!isKnown(parts)) continue;
    const more = Math.min(...parts.map(({ sku, quantity }) => Math.floor(freeOf(shop, sku) / quantity)));
    // Who cannot compare shows at least half: more would have to show nothing first.
    const isHalf = shops.get(shop)?.plan.compare === 'reads-first' && shown >= more;
    if (more > 0 && !isHalf) problems.push(`${shop} shows ${shown} ${listing}, and could show ${more} more`);
    const [part] = parts;
    if (shown > 0 || parts.length !== 1 || part?.quantity !== 1) continue;
    const held = (whose: string) =>
      listings.reduce((sum, each) => {
        const per = each.shop === whose ? each.parts.find(({ sku }) => sku === part.sku)?.quantity : 0;
        return sum + each.shown * (per ?? 0);
      }, 0);
    const first = plan.shops[0]?.name;
    // What only the first shop sells from, the others cannot be given.
    const rich = plan.shops.some(
      ({ name }) => held(name) > 1 && (!plan.hasSecondWarehouse || shop === first || name !== first),
    );
    if (held(shop) === 0 && rich) problems.push(`${shop} shows no ${listing}, and another several`);
  }
  return problems;
};
