import type { IntegrationError } from '../errors.ts';
import { changeRows, type RowChange } from './change-rows.ts';
import { abandoned } from './claims.ts';
import type { Claim, ListingRow, StockRow } from './rows.ts';
import { retargeted } from './targets.ts';
import { idOf, mostOf, type Plan, type PlanContext, planOf, withMost } from './write-plan.ts';
import type { WriteStockPorts } from './write-stock.ts';

/** Nobody comes again sooner. */
const SOON_MS = 2_000;

/** What became of a batch. */
export class Tally {
  readonly counts = { written: 0, stale: 0, unknown: 0, fine: 0 };
  readonly refused: { sku: string; location: string; code: string }[] = [];
  againMs: number | undefined;
  failure: IntegrationError | undefined;

  again(ms: number): void {
    this.againMs = Math.min(this.againMs ?? Number.POSITIVE_INFINITY, Math.max(SOON_MS, ms));
  }
}

/** One batch being written. */
export interface Desk {
  readonly ports: WriteStockPorts;
  readonly tally: Tally;
  readonly contextNow: () => PlanContext;
  /** Rows as we left them, to see what others may do now. */
  readonly rows: Map<string, StockRow>;
}

export interface Planned {
  readonly listing: ListingRow;
  readonly plan: Plan;
  /** By component, when it was planned. */
  readonly bounds: ReadonlyMap<string, number>;
}

/** What has to be done about each; what is fine or busy is noted and left out. */
export const planAll = async (desk: Desk, listings: readonly ListingRow[]): Promise<Planned[]> => {
  const { tally } = desk;
  const context = desk.contextNow();
  const skus = [...new Set(listings.flatMap(({ components }) => components.map(({ sku }) => sku)))];
  const ids = new Set(listings.map(idOf));
  const isSlow = context.compare === 'reads-first';
  // What follows from time alone (reserves that ran out) has to be written down before it is used.
  const rows = new Map(
    await changed(
      desk,
      new Map(skus.map((sku) => [sku, (row) => retargeted(withSpeed(row, ids, isSlow), context)])),
    ),
  );
  for (const listing of listings) {
    const id = idOf(listing);
    const stale = [...mostOf(listing, rows, context)].filter(([sku, { most, gave }]) => {
      const claim = rows.get(sku)?.claims[id];
      return claim && (claim.most !== most || claim.gave !== gave);
    });
    if (stale.length === 0) continue;
    const changes = stale.map(
      ([sku, most]) => [sku, (row: StockRow) => withMost(row, id, most, context)] as const,
    );
    for (const [sku, row] of await changed(desk, new Map(changes))) rows.set(sku, row);
  }
  return listings.flatMap((listing): Planned[] => {
    const plan = planOf(listing, rows, context);
    if (plan.kind === 'left' || plan.kind === 'fine') {
      tally.counts.fine += 1;
      return [];
    }
    if (plan.kind === 'busy') {
      tally.again(plan.untilMs - context.nowMs);
      return [];
    }
    const id = idOf(listing);
    const bounds = new Map(
      listing.components.map(({ sku }) => [sku, rows.get(sku)?.claims[id]?.bound ?? 0] as const),
    );
    return [{ listing, plan, bounds }];
  });
};

const withSpeed = (row: StockRow, ids: ReadonlySet<string>, isSlow: boolean): StockRow => {
  const other = Object.entries(row.claims).filter(([id, { slow = false }]) => ids.has(id) && slow !== isSlow);
  if (other.length === 0) return row;
  const changed = other.map(([id, { slow: _, ...rest }]): [string, Claim] => [
    id,
    isSlow ? { ...rest, slow: true } : rest,
  ]);
  return { ...row, claims: { ...row.claims, ...Object.fromEntries(changed) } };
};

/** Changes rows, and keeps them as they are now. */
export const changed = async (
  { ports, rows }: Desk,
  changes: ReadonlyMap<string, RowChange>,
): Promise<ReadonlyMap<string, StockRow>> => {
  const now = await changeRows(ports.store, ports.erp, changes);
  for (const [sku, row] of now) rows.set(sku, row);
  return now;
};

/** The claims of these listings in all rows that they are made of, and the targets that follow; one write for each row. */
export const changeClaims = <T extends { readonly listing: ListingRow }>(
  desk: Desk,
  those: readonly T[],
  change: (claim: Claim, about: T, row: StockRow) => Claim,
): Promise<ReadonlyMap<string, StockRow>> => {
  const context = desk.contextNow();
  const bySku = Map.groupBy(
    those.flatMap((about) => about.listing.components.map(({ sku }) => ({ sku, about }))),
    ({ sku }) => sku,
  );
  const one = (row: StockRow, about: T): StockRow => {
    const id = idOf(about.listing);
    const claim = row.claims[id];
    const next = claim && change(claim, about, row);
    if (!next || next === claim) return row;
    return retargeted({ ...row, claims: { ...row.claims, [id]: next }, movedAtMs: context.nowMs }, context);
  };
  return changed(
    desk,
    new Map(
      [...bySku].map(([sku, parts]) => [
        sku,
        (row) => parts.reduce((held, { about }) => one(held, about), row),
      ]),
    ),
  );
};

/** This one cannot be written until the shop's next listing says otherwise; what it shows, it goes on showing. */
export const refuse = async (
  desk: Desk,
  listing: ListingRow,
  key: string,
  { code, detail }: { readonly code: string; readonly detail: string },
): Promise<void> => {
  const { ports, tally } = desk;
  const id = idOf(listing);
  const isGone = code === 'LISTING_GONE';
  const context = desk.contextNow();
  const change = (row: StockRow): StockRow => {
    const claim = row.claims[id];
    if (claim?.begun?.key !== key) return row;
    const { [id]: _, ...others } = row.claims;
    const fixed = { ...abandoned(claim, key), fixed: true } as const;
    const claims = isGone ? others : { ...others, [id]: fixed };
    return retargeted({ ...row, claims, movedAtMs: context.nowMs }, context);
  };
  await changed(desk, new Map(listing.components.map(({ sku }) => [sku, change])));
  tally.refused.push({ sku: listing.sku, location: listing.location, code });
  await ports.store.putListing({ ...listing, refused: { code, detail, atMs: ports.nowMs() } });
};
