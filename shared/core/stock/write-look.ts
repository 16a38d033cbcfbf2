import type { CallContext } from '../ports.ts';
import { inTurn } from './change-rows.ts';
import { observed } from './claims.ts';
import { claimId, type ListingRow } from './rows.ts';
import { changeClaims, type Desk, type Planned, refuse } from './write-desk.ts';
import { idOf } from './write-plan.ts';

const AT_ONCE = 16;

/** Asks the shop about writes that nobody answered. Who looks owns the listing meanwhile, as who writes. */
export const lookAll = async (desk: Desk, planned: readonly Planned[], call: CallContext): Promise<void> => {
  const { ports } = desk;
  const mine = await takeOver(
    desk,
    planned
      .filter(({ plan }) => plan.kind === 'look')
      .map(({ listing }) => ({ listing, key: ports.newId() })),
  );
  if (mine.length === 0) return;
  const found = await ports.stock.find([...new Set(mine.map(({ listing }) => listing.sku))], call);
  const quantities = new Map(
    found.map(({ sku, location, quantity }) => [claimId(ports.shop, location, sku), quantity]),
  );
  const nowMs = ports.nowMs();
  await changeClaims(desk, mine, (claim, { listing, key }) => {
    const quantity = quantities.get(idOf(listing));
    if (claim.begun?.key !== key || quantity === undefined) return claim;
    return observed(claim, quantity, nowMs, true);
  });
  const gone = mine.filter(({ listing }) => quantities.get(idOf(listing)) === undefined);
  await inTurn(gone, AT_ONCE, ({ listing, key }) => {
    const code = quantities.has(idOf(listing)) ? 'TRACKING_OFF' : 'LISTING_GONE';
    return refuse(desk, listing, key, { code, detail: 'the shop was asked, and does not count it' });
  });
};

interface Taken {
  readonly listing: ListingRow;
  readonly key: string;
}

/** @returns those that nobody else was faster to take */
const takeOver = async (desk: Desk, those: readonly Taken[]): Promise<readonly Taken[]> => {
  const { settleMs, nowMs } = desk.contextNow();
  const rows = await changeClaims(desk, those, (claim, { key }) => {
    if (claim.begun && nowMs < claim.begun.sentAtMs + settleMs) return claim;
    const { bound } = claim;
    const reserved = claim.begun?.reserved ?? 0;
    return { ...claim, begun: { key, to: bound, before: bound, bound, reserved, sentAtMs: nowMs } };
  });
  return those.filter(({ listing, key }) =>
    listing.components.every(({ sku }) => rows.get(sku)?.claims[idOf(listing)]?.begun?.key === key),
  );
};
