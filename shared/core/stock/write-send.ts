import type { StockWritten } from '../../connectors/stock-contract.ts';
import { IntegrationError, UnknownOutcomeError } from '../errors.ts';
import type { CallContext } from '../ports.ts';
import { abandoned, begin } from './claims.ts';
import { claimId, type ListingRow } from './rows.ts';
import { changeClaims, type Desk, type Planned } from './write-desk.ts';
import { idOf, reserveOf, stillAllows } from './write-plan.ts';

export interface BegunWrite {
  readonly listing: ListingRow;
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Notes in each component's row what may be shown from now on: nobody else may sell it, and nobody else writes it.
 * @returns those that still hold; of the others nothing is begun
 */
export const beginAll = async (desk: Desk, planned: readonly Planned[]): Promise<readonly BegunWrite[]> => {
  const context = desk.contextNow();
  const writes = planned.flatMap(({ listing, plan, bounds }) =>
    plan.kind === 'write' ? [{ listing, plan, bounds, key: desk.ports.newId() }] : [],
  );
  if (writes.length === 0) return [];
  const rows = await changeClaims(desk, writes, (claim, { listing, plan, bounds, key }, row) => {
    if (!stillAllows(row, idOf(listing), plan, bounds.get(row.sku) ?? 0, context)) return claim;
    const reserved = reserveOf(row, plan.from, context);
    return begin(claim, { key, to: plan.to, reserved, nowMs: context.nowMs });
  });
  const [begun, lost] = [true, false].map((isWanted) =>
    writes.filter(
      ({ listing, key }) =>
        listing.components.every(({ sku }) => rows.get(sku)?.claims[idOf(listing)]?.begun?.key === key) ===
        isWanted,
    ),
  );
  if (lost && lost.length > 0) await changeClaims(desk, lost, (claim, { key }) => abandoned(claim, key));
  return (begun ?? []).map(({ listing, key, plan: { from, to } }) => ({ listing, key, from, to }));
};

/** `unanswered`: nobody foresaw how it failed. */
export type Result = StockWritten | 'unanswered';

/** @returns by listing; what is missing was not written */
export const send = async (
  { ports, tally, rows }: Desk,
  begun: readonly BegunWrite[],
  call: CallContext,
): Promise<ReadonlyMap<string, Result>> => {
  // A machine that was suspended since: others may have taken these for unanswered, and written something newer.
  const oldestMs = ports.nowMs() - ports.sendWithinMs;
  const fresh = begun.filter(({ listing }) =>
    listing.components.every(({ sku }) => {
      const sentAtMs = rows.get(sku)?.claims[idOf(listing)]?.begun?.sentAtMs;
      return sentAtMs !== undefined && sentAtMs >= oldestMs;
    }),
  );
  if (fresh.length === 0) return new Map();
  try {
    const answers = await ports.stock.write(
      fresh.map(({ listing: { sku, location, ref }, key, from, to }) => ({
        sku,
        location,
        ref,
        from,
        to,
        key,
      })),
      call,
    );
    return new Map(answers.map((answer) => [claimId(ports.shop, answer.location, answer.sku), answer]));
  } catch (error) {
    if (error instanceof IntegrationError) tally.failure = error;
    if (error instanceof IntegrationError && !(error instanceof UnknownOutcomeError)) return new Map();
    return new Map(fresh.map(({ listing }) => [idOf(listing), 'unanswered']));
  }
};
