import { moneyText } from '../../../shared/core/money.ts';
import type { HeldRow } from '../../../shared/core/products/held-prices.ts';
import { available, notYetInErp, outstanding } from '../../../shared/core/stock/available.ts';
import type { LowStock } from '../../../shared/core/stock/low-stock.ts';
import type { HeldCode, HeldCycle } from '../../../shared/core/stock/poll-state.ts';
import { claimId, type ListingRow, type StockRow } from '../../../shared/core/stock/rows.ts';
import { rulesOf } from '../../../shared/core/stock/rules.ts';
import type { StockRoute } from '../../../shared/settings/stock-route.ts';
import { ageWords, aligned, timeWords } from './parked-words.ts';

const WHY: Readonly<Record<HeldCode, string>> = {
  OTHER_COMPANY: 'another company answers than before',
  WAREHOUSE_MISSING: 'a warehouse that was there is not',
  SHRUNKEN_LISTING: 'too many SKUs are missing from the complete listing',
  MASS_ZERO: 'too many SKUs would fall to zero',
  MASS_CHANGE: 'too many SKUs would change',
};

/** Why a cycle is held, how much it would do, and what to type next. */
export const heldWords = (erp: string, held: HeldCycle, nowMs: number, flag: string): string[] => {
  const { code, sinceMs, counts, sample, detail } = held;
  const { known, looked, changed, zeroed, missing } = counts;
  return [
    `${erp}: held since ${timeWords(sinceMs)} (${ageWords(nowMs - sinceMs)}), ${code}: ${WHY[code]}`,
    ...(detail ? [`    ${detail}`] : []),
    `    of ${known} SKUs: ${looked} read, ${changed} would change, ${zeroed} would fall to zero, ${missing} missing`,
    ...(sample.length > 0 ? [`    such as ${sample.join(', ')}`] : []),
    `    it is true: npx waybill stock approve ${erp} ${flag} --yes --why "…"; it is not: mend the ERP, or stock dismiss`,
  ];
};

export const heldPriceWords = (shop: string, rows: readonly HeldRow[], nowMs: number): string[] => [
  `${shop}: ${rows.length} price${rows.length === 1 ? '' : 's'} held`,
  ...aligned(
    rows.map(({ sku, held: { code, was, is, sinceMs } }) => [
      `    ${sku}`,
      `${was ? moneyText(was) : 'no price'} -> ${moneyText(is)}`,
      code,
      `since ${timeWords(sinceMs)} (${ageWords(nowMs - sinceMs)})`,
    ]),
  ),
];

/** Everything behind one number: what the ERP has, who has ordered it, and what each shop shows and why. */
export const rowWords = (
  row: StockRow,
  route: StockRoute,
  listings: ReadonlyMap<string, ListingRow>,
  nowMs: number,
): string[] => {
  const levels = Object.entries(row.levels);
  const demand = Object.entries(row.demand).filter(([, each]) => outstanding(each) > 0);
  const claims = Object.values(row.claims);
  return [
    `${row.sku} in ${row.erp}`,
    ...(levels.length === 0 ? ['  never read'] : []),
    ...aligned(
      levels.map(([warehouse, { onHand, free, asOfMs }]) => [
        `  warehouse ${warehouse}`,
        `${onHand} on hand`,
        `${free} free`,
        `read ${ageWords(nowMs - asOfMs)} ago`,
      ]),
    ),
    `  ${notYetInErp(row)} in orders that the ERP does not hold yet`,
    ...demand.map(([id, each]) => `    ${id}: ${outstanding(each)}`),
    ...(claims.length === 0 ? ['  sold by no shop'] : []),
    ...aligned(
      claims.map(({ shop, location, listing, per, bound, want, begun, unseen, unsure, fixed }) => {
        const { safetyStock, backorder, show } = rulesOf(route, row, shop);
        const known = listings.get(claimId(shop, location, listing));
        const notes = [
          ...(per === 1 ? [] : [`${per} pieces each`]),
          ...(safetyStock === 0 ? [] : [`safety stock ${safetyStock}`]),
          ...(backorder === 0 ? [] : [`backorder ${backorder}`]),
          ...(show ? [] : ['not shown there']),
          ...(begun ? [`${begun.to} is being written`] : []),
          ...(unseen ? [`${unseen.pieces} may have been sold unseen`] : []),
          ...(unsure ? ['is compared'] : []),
          ...(fixed ? [`cannot be written${known?.refused ? `: ${known.refused.code}` : ''}`] : []),
        ];
        return [
          `  ${shop}${location === 'default' ? '' : ` ${location}`} ${listing}`,
          `shows ${bound}`,
          `should show ${want}`,
          `available ${available(row, { shop, location }, route) ?? 'unknown'}`,
          notes.join(', '),
        ];
      }),
    ).map((line) => line.trimEnd()),
  ];
};

/** What to reorder first. */
export const lowWords = (found: readonly (LowStock & { readonly erp: string })[], nowMs: number): string[] =>
  aligned(
    found.map(({ erp, sku, available, level, daysOfCover, sinceMs }) => [
      sku,
      erp,
      `${available} left, level ${level}`,
      daysOfCover === undefined ? 'none sold in four weeks' : `${daysOfCover} days at the pace of four weeks`,
      `low since ${timeWords(sinceMs)} (${ageWords(nowMs - sinceMs)})`,
    ]),
  );
