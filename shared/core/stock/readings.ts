import type { Demand, StockRow } from './rows.ts';

/** What the ERP has of one SKU, read at once in all warehouses. */
export interface Reading {
  /** When it began, our clock. */
  readonly asOfMs: number;
  /** By warehouse; none: the ERP does not have this SKU, or no longer. */
  readonly levels: Readonly<Record<string, { readonly onHand: number; readonly free: number }>>;
  /** Full name of its category; undefined: it has none, or nobody says. */
  readonly category?: string | undefined;
}

/** Stands for all warehouses of a SKU that the ERP never had. */
const NOWHERE = '*';

export const readAtMs = ({ levels }: Pick<StockRow, 'levels'>): number =>
  Object.values(levels).reduce((latest, { asOfMs }) => Math.max(latest, asOfMs), 0);

/**
 * The later reading counts, whatever comes last. What was promised before it began is in it, and is no longer demand.
 */
export const takeReading = (row: StockRow, { asOfMs, levels, category }: Reading): StockRow => {
  if (asOfMs <= readAtMs(row)) return row;
  const known = Object.keys(row.levels);
  const told = Object.entries(levels);
  const none = (known.length > 0 ? known : [NOWHERE]).map((name) => [name, { onHand: 0, free: 0 }] as const);
  return {
    ...row,
    ...(category !== undefined && { category }),
    levels: Object.fromEntries(
      (told.length > 0 ? told : none).map(([name, { onHand, free }]) => [name, { onHand, free, asOfMs }]),
    ),
    demand: Object.fromEntries(
      Object.entries(row.demand).map(([id, demand]) => [id, coveredBy(demand, asOfMs)]),
    ),
  };
};

/** What was promised before a reading began is in it. */
export const coveredBy = (demand: Demand, asOfMs: number): Demand => {
  const { promisedAtMs, promised, ...rest } = demand;
  return promisedAtMs !== undefined && promisedAtMs < asOfMs ? { ...rest, covered: promised ?? 0 } : demand;
};

/** Would taking it change what anybody may show? Nobody needs to be told of a reading that says what is known. */
export const isNews = (row: StockRow, { asOfMs, levels, category }: Reading): boolean => {
  if (asOfMs <= readAtMs(row)) return false;
  if (category !== undefined && category !== row.category) return true;
  const told = Object.entries(levels);
  const known = Object.entries(row.levels);
  const isSame =
    told.length === 0
      ? known.length > 0 && known.every(([, { onHand, free }]) => onHand === 0 && free === 0)
      : told.length === known.length &&
        told.every(
          ([name, { onHand, free }]) =>
            row.levels[name]?.onHand === onHand && row.levels[name]?.free === free,
        );
  return (
    !isSame ||
    Object.values(row.demand).some(({ promisedAtMs }) => promisedAtMs !== undefined && promisedAtMs < asOfMs)
  );
};
