import type { StockAbility } from '../../connectors/manifest.ts';
import type { StorefrontStock } from '../../connectors/stock-contract.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { IntegrationError } from '../errors.ts';
import type { CallContext } from '../ports.ts';
import { inTurn } from './change-rows.ts';
import { abandoned, acknowledged, observed } from './claims.ts';
import { type DuePorts, publishDue } from './due.ts';
import type { StockStore, Watermarks } from './ports.ts';
import { dueOfRows, watermarksOf } from './project-stock.ts';
import { claimId, type ListingRow } from './rows.ts';
import { changeClaims, type Desk, planAll, refuse, Tally } from './write-desk.ts';
import { lookAll } from './write-look.ts';
import { idOf, type PlanContext } from './write-plan.ts';
import { type BegunWrite, beginAll, send } from './write-send.ts';

export interface WriteStockPorts extends DuePorts {
  /** Connection id of the storefront. */
  readonly shop: string;
  readonly route: StockRoute;
  readonly compare: StockAbility['compare'];
  readonly stock: Pick<StorefrontStock, 'find' | 'write'>;
  readonly store: Pick<StockStore, 'rows' | 'put' | 'listings' | 'putListing'>;
  readonly watermarks: Watermarks;
  /** After an unanswered write: how long until what the shop shows can be trusted. */
  readonly settleMs: number;
  /** What was begun longer ago than this is not sent any more: others take it for unanswered. Less than `settleMs`. */
  readonly sendWithinMs: number;
}

export interface Key {
  readonly sku: string;
  readonly location: string;
}

export interface WroteStock {
  /** Values that the shop has acknowledged. */
  readonly written: number;
  /** The shop showed something else than was believed. */
  readonly stale: number;
  readonly unknown: number;
  readonly refused: readonly { readonly sku: string; readonly location: string; readonly code: string }[];
  /** Shows what it should, or is not written at all. */
  readonly fine: number;
  /** Other listings that were told, because pieces became free. */
  readonly due: number;
  /**
   * Come again with the same listings, milliseconds from now: something is under way, was not answered, or waits until
   * all sales of a moment are known. undefined: all is done.
   */
  readonly againMs: number | undefined;
  /** Thrown by the shop when nothing of a batch was written; `againMs` follows its hint. */
  readonly failure: IntegrationError | undefined;
}

/** A value that was sold from under our hands is computed again at once, so many times. */
const MOST_ROUNDS = 4;
const AT_ONCE = 16;
/** Listings that are begun, written and acknowledged before the next ones are: whole batches of every shop. */
const AT_A_TIME = 500;
/** Longer than a message stays hidden after its worker has died. */
const RECENT_MS = 15 * 60_000;
/** Waiting for sales to be told. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Writes what holds now to one shop: the newest value of each listing, in the shop's batches.
 *
 * What a shop may sell is noted in the SKU's row before the shop is told (`begun`), and taken back only when it has
 * acknowledged less. A write that is not answered stays begun; after `settleMs` the shop is asked what it shows.
 */
export const writeStock = async (
  ports: WriteStockPorts,
  keys: readonly Key[],
  call: CallContext,
): Promise<WroteStock> => {
  const tally = new Tally();
  const outcome = (due: number): WroteStock => ({
    ...tally.counts,
    refused: tally.refused,
    due,
    againMs: tally.againMs,
    failure: tally.failure,
  });
  if (ports.route.mode !== 'live') return outcome(0);
  const listings = await ports.store.listings(ports.shop, uniqueKeys(keys));
  const marks = await watermarksOf(ports);
  const contextNow = (): PlanContext => ({
    route: ports.route,
    compare: ports.compare,
    settleMs: ports.settleMs,
    nowMs: ports.nowMs(),
    watermarkMs: (shop) => marks.get(shop),
  });
  const desk: Desk = { ports, tally, contextNow, rows: new Map() };
  const open = [...listings.values()].filter(({ refused }) => !refused);
  tally.counts.fine += listings.size - open.length;
  for (let at = 0; at < open.length; at += AT_A_TIME) {
    // The shop wants to be left alone, or no time is left: what is not begun is as it was.
    if (tally.failure || call.signal.aborted) {
      tally.again(tally.failure ? hintOf(tally.failure) : 0);
      break;
    }
    await writeSome(desk, open.slice(at, at + AT_A_TIME), call);
  }
  const listed = new Set([...listings.values()].map(idOf));
  // Also when somebody else moved pieces: that worker may have died before it told. Not for ever: two who both cannot be
  // helped would go on telling each other.
  const recentMs = ports.nowMs() - RECENT_MS;
  const moved = [...desk.rows.values()].filter(({ movedAtMs = 0 }) => movedAtMs >= recentMs);
  const due = dueOfRows(moved, ports.route, ports.nowMs()).filter(
    ({ shop, sku, location }) => shop !== ports.shop || !listed.has(claimId(shop, location, sku)),
  );
  if (desk.rows.size > 0) waitForSales(desk, listed);
  return outcome(await publishDue(ports, due, `stock shown by ${ports.shop}`));
};

const writeSome = async (desk: Desk, listings: readonly ListingRow[], call: CallContext): Promise<void> => {
  let left = listings;
  for (let round = 0; left.length > 0; round += 1) {
    if (round === MOST_ROUNDS) {
      desk.tally.again(0);
      return;
    }
    const planned = await planAll(desk, left);
    await lookAll(desk, planned, call);
    const looked = planned.flatMap(({ listing, plan }) => (plan.kind === 'look' ? [listing] : []));
    const begun = await beginAll(desk, planned);
    const isBegun = new Set(begun.map(({ listing }) => idOf(listing)));
    const lost = planned.flatMap(({ listing, plan }) =>
      plan.kind === 'write' && !isBegun.has(idOf(listing)) ? [listing] : [],
    );
    left = [...looked, ...lost, ...(await write(desk, begun, call))];
  }
};

const uniqueKeys = (keys: readonly Key[]): Key[] => [
  ...new Map(keys.map(({ sku, location }) => [JSON.stringify([sku, location]), { sku, location }])).values(),
];

/** @returns what has to be planned again: the shop showed something else, or something newer holds */
const write = async (desk: Desk, begun: readonly BegunWrite[], call: CallContext): Promise<ListingRow[]> => {
  if (begun.length === 0) return [];
  const { ports, tally } = desk;
  const results = await send(desk, begun, call);
  const nowMs = ports.nowMs();
  const isPending = (listing: ListingRow) => {
    const result = results.get(idOf(listing));
    return result === 'unanswered' || (result !== undefined && result.kind === 'unknown');
  };
  await changeClaims(
    desk,
    begun.filter(({ listing }) => !isPending(listing)),
    (claim, { listing, key }) => {
      const result = results.get(idOf(listing));
      if (claim.begun?.key !== key || result === 'unanswered') return claim;
      if (result?.kind === 'written') return acknowledged(claim, key, nowMs);
      const back = result?.kind === 'refused' ? claim : abandoned(claim, key);
      return result?.kind === 'stale' ? observed(back, result.actual, nowMs) : back;
    },
  );
  const again: ListingRow[] = [];
  await inTurn(begun, AT_ONCE, async ({ listing, key, to }) => {
    const result = results.get(idOf(listing));
    if (isPending(listing)) {
      tally.counts.unknown += 1;
      tally.again(ports.settleMs);
    } else if (result === undefined || result === 'unanswered') {
      tally.again(tally.failure ? hintOf(tally.failure) : 0);
    } else if (result.kind === 'written') {
      tally.counts.written += 1;
      // For people: a lost race only means that somebody newer has written it.
      await ports.store.putListing({ ...listing, shown: to, shownAtMs: nowMs });
      if (isDueAgain(desk, listing)) again.push({ ...listing, version: listing.version + 1 });
    } else if (result.kind === 'stale') {
      tally.counts.stale += 1;
      again.push(listing);
    } else if (result.kind === 'refused') {
      await refuse(desk, listing, key, result);
    }
  });
  return again;
};

/** Something was counted while it was being written. */
const isDueAgain = ({ rows, ports }: Desk, { components, ...listing }: ListingRow): boolean => {
  const ofListing = components.flatMap(({ sku }) => rows.get(sku) ?? []);
  return dueOfRows(ofListing, ports.route, ports.nowMs()).some(
    ({ shop, sku, location }) => shop === ports.shop && sku === listing.sku && location === listing.location,
  );
};

const hintOf = (error: IntegrationError): number =>
  typeof error.context['retryAfterMs'] === 'number' ? error.context['retryAfterMs'] : LOOK_AGAIN_MS / 4;

/** Whoever may have sold unseen keeps its message until that is settled: nobody else would come back for the pieces. */
const waitForSales = ({ rows, tally, ports }: Desk, listed: ReadonlySet<string>): void => {
  for (const row of rows.values()) {
    for (const [id, claim] of Object.entries(row.claims)) {
      if (claim.shop === ports.shop && listed.has(id) && claim.unseen) tally.again(LOOK_AGAIN_MS);
    }
  }
};
