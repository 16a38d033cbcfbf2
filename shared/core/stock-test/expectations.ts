import type { StockRoute } from '../../settings/stock-route.ts';
import type { StockRow } from '../stock/rows.ts';
import { policyOf } from '../stock/rules.ts';

/** What each shop shows of the SKU; undefined: nothing, or it does not count it. */
export type Shown = ReadonlyMap<string, number | undefined>;

/** Of one piece: is it shown by every shop, or by one of them? */
export const isOneForAll = (route: StockRoute, about: Pick<StockRow, 'sku' | 'category'>): boolean => {
  const policy = policyOf(route, about);
  return policy === 'shared' || (policy !== 'partitioned' && policy.partitionedBelow <= 1);
};

/** Does every shop show the one piece, or where stock is divided one of them? @returns what is missing; undefined: nothing */
export const notOffered = (shown: Shown, isForAll: boolean): string | undefined => {
  const others = [...shown].filter(([, quantity]) => quantity !== 1);
  if (isForAll) return others.length === 0 ? undefined : `${wordsOf(others)}; each should show 1`;
  return sumOf(shown) === 1 ? undefined : `${wordsOf([...shown])}; together they should show 1`;
};

/** Is it sold out everywhere? As `notOffered`. */
export const notSoldOut = (shown: Shown): string | undefined => {
  const others = [...shown].filter(([, quantity]) => quantity !== 0);
  return others.length === 0 ? undefined : `${wordsOf(others)}; each should show 0`;
};

/** Do they show as much as before? Which of them shows a piece may have changed where stock is divided. As `notOffered`. */
export const notAsBefore = (shown: Shown, before: Shown): string | undefined =>
  sumOf(shown) === sumOf(before)
    ? undefined
    : `${wordsOf([...shown])}; before the test ${wordsOf([...before])}`;

const sumOf = (shown: Shown): number =>
  [...shown.values()].reduce<number>((sum, quantity) => sum + (quantity ?? 0), 0);

const wordsOf = (shops: readonly (readonly [string, number | undefined])[]): string =>
  shops.map(([shop, quantity]) => `${shop} shows ${quantity ?? 'nothing'}`).join(', ');
