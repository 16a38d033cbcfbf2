import type { Mappings } from '../../connectors/contract.ts';
import type { ShopListing, StorefrontStock } from '../../connectors/stock-contract.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { CallContext } from '../ports.ts';
import { changeRows, inTurn, type RowChange } from './change-rows.ts';
import { type Components, componentsOf } from './components.ts';
import { type DuePorts, publishDue } from './due.ts';
import type { StockStore, Watermarks } from './ports.ts';
import { dueOfRows, watermarksOf } from './project-stock.ts';
import { type Claim, claimId, type ListingRow, type StockRow } from './rows.ts';
import { warehousesOf } from './rules.ts';
import { retargeted, type TargetContext } from './targets.ts';
import { idOf } from './write-plan.ts';

export interface LearnListingsPorts extends DuePorts {
  /** Connection id of the storefront. */
  readonly shop: string;
  readonly route: StockRoute;
  readonly stock: Pick<StorefrontStock, 'listings'>;
  readonly store: Pick<StockStore, 'rows' | 'put' | 'listings' | 'putListing' | 'allListings'>;
  readonly mappings: Mappings;
  readonly watermarks: Watermarks;
}

export interface LearnedListings {
  readonly listed: number;
  /** Written by us from now on, or for the first time again. */
  readonly managed: number;
  /** Listed, and not to be written: by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** The shop has them no more. */
  readonly gone: number;
  /** More of them are gone than the guard allows: they are left as they were. */
  readonly isShrunken: boolean;
  /** Listings that show something else than they should. */
  readonly due: number;
}

const AT_ONCE = 16;

/**
 * Reads all that a shop sells, and makes it known: which listing is made of which SKUs, what it shows, which cannot be
 * written. The first run, a daily one, and whoever wants a shop written anew (resync) use it: what the shop shows is compared with what
 * is believed, and what differs is written.
 */
export const learnListings = async (
  ports: LearnListingsPorts,
  call: CallContext,
): Promise<LearnedListings> => {
  const refused: Record<string, number> = {};
  let listed = 0;
  let managed = 0;
  let due = 0;
  const seen = new Set<string>();
  const marks = await watermarksOf(ports);
  const contextNow = (): TargetContext => ({
    route: ports.route,
    nowMs: ports.nowMs(),
    watermarkMs: (shop) => marks.get(shop),
  });
  // One moment for all pages: a connector may read every page before it tells the first (SKUs that are there twice).
  const beganMs = ports.nowMs();
  for await (const page of ports.stock.listings(call)) {
    listed += page.length;
    const here = page.filter(({ location }) => warehousesOf(ports.route, ports.shop, location) !== undefined);
    for (const { location, sku } of here) seen.add(claimId(ports.shop, location, sku));
    const learned = await learnPage(ports, here, { beganMs, ...contextNow() });
    for (const { code } of learned.refused) refused[code] = (refused[code] ?? 0) + 1;
    managed += here.length - learned.refused.length;
    due += learned.due;
  }
  const { gone, isShrunken, due: freed } = await forgetGone(ports, seen, contextNow());
  return { listed, managed, refused, gone, isShrunken, due: due + freed };
};

// --- one page -----------------------------------------------------------------------------------------------

/** `beganMs`: before the first page was asked for. What was written since is not in it: our own echo is nobody's change. */
type LearnContext = TargetContext & { readonly beganMs: number };

const learnPage = async (
  ports: LearnListingsPorts,
  page: readonly ShopListing[],
  context: LearnContext,
): Promise<{ readonly refused: readonly { readonly code: string }[]; readonly due: number }> => {
  const { shop, erp, store } = ports;
  if (page.length === 0) return { refused: [], due: 0 };
  const parts = await componentsOf(ports.mappings, shop, erp, [...new Set(page.map(({ sku }) => sku))]);
  const held = await store.listings(shop, page);
  const changes = new Map<string, RowChange>();
  const add = (sku: string, change: RowChange): void => {
    const before = changes.get(sku) ?? ((row: StockRow) => row);
    changes.set(sku, (row) => change(before(row)));
  };
  const refused: { readonly code: string }[] = [];
  await inTurn(page, AT_ONCE, async (listing) => {
    const id = claimId(shop, listing.location, listing.sku);
    const components = parts.get(listing.sku) ?? [];
    const known = held.get(id);
    const refusal = refusalOf(listing);
    if (refusal) refused.push(refusal);
    await noteListing(ports, listing, components, known, refusal, context);
    const now = new Set(components.map(({ sku }) => sku));
    for (const { sku } of known?.components ?? []) if (!now.has(sku)) add(sku, withoutClaim(id));
    for (const part of components) {
      const isAlone = components.length === 1;
      add(part.sku, refusal ? refusedClaim(id, listing) : withClaim(shop, listing, part, isAlone, context));
    }
  });
  const rows = await changeRows(
    store,
    erp,
    new Map([...changes].map(([sku, change]) => [sku, (row) => retargeted(change(row), context)])),
  );
  const cause = `listings of ${shop}`;
  return {
    refused,
    due: await publishDue(ports, dueOfRows(rows.values(), ports.route, context.nowMs), cause),
  };
};

const refusalOf = ({
  duplicates,
  quantity,
}: ShopListing): { readonly code: string; readonly detail: string } | undefined => {
  if (duplicates > 1) {
    return { code: 'DUPLICATE_SKU', detail: `${duplicates} products of the shop have this SKU` };
  }
  return quantity === undefined
    ? { code: 'TRACKING_OFF', detail: 'the shop does not count this one' }
    : undefined;
};

const noteListing = async (
  { shop, erp, store }: LearnListingsPorts,
  { sku, location, ref, quantity }: ShopListing,
  components: Components,
  known: ListingRow | undefined,
  refusal: ReturnType<typeof refusalOf>,
  { beganMs }: LearnContext,
): Promise<void> => {
  const isOurs = (known?.shownAtMs ?? 0) >= beganMs;
  const next: ListingRow = {
    shop,
    location,
    sku,
    version: known?.version ?? 0,
    erp,
    components,
    ref,
    shown: isOurs ? known?.shown : quantity,
    shownAtMs: isOurs || known?.shown === quantity ? known?.shownAtMs : beganMs,
    ...(refusal && { refused: { ...refusal, atMs: known?.refused?.atMs ?? beganMs } }),
  };
  // Lost: who writes it knows more. The next listing tells it again.
  if (JSON.stringify(next) !== JSON.stringify(known)) await store.putListing(next);
};

const withClaim =
  (
    shop: string,
    { sku, location, quantity = 0 }: ShopListing,
    { quantity: per }: Components[number],
    isAlone: boolean,
    { beganMs, nowMs }: LearnContext,
  ): RowChange =>
  (row) => {
    const id = claimId(shop, location, sku);
    const { fixed: _, ...known } = row.claims[id] ?? {
      shop,
      location,
      listing: sku,
      per,
      bound: quantity,
      want: quantity,
      setAtMs: nowMs,
    };
    const isEcho = known.begun !== undefined || (known.wroteAtMs ?? 0) >= beganMs;
    // Sold, or written, or changed by somebody since the list was begun: whoever writes it asks the shop itself.
    const seen: Claim = isEcho || known.bound === quantity ? known : { ...known, unsure: true };
    const { most, gave, ...alone } = seen;
    const next = isAlone || most === undefined ? alone : { ...alone, most, gave };
    return { ...row, claims: { ...row.claims, [id]: { ...next, per } } };
  };

const refusedClaim =
  (id: string, { quantity }: ShopListing): RowChange =>
  (row) => {
    const claim = row.claims[id];
    // What the shop does not count is no share of anything.
    if (!claim || quantity === undefined) return withoutClaim(id)(row);
    return claim.fixed ? row : { ...row, claims: { ...row.claims, [id]: { ...claim, fixed: true } } };
  };

const withoutClaim =
  (id: string): RowChange =>
  (row) => {
    if (!row.claims[id]) return row;
    const { [id]: _, ...claims } = row.claims;
    return { ...row, claims };
  };

// --- what is gone -------------------------------------------------------------------------------------------

const forgetGone = async (
  ports: LearnListingsPorts,
  seen: ReadonlySet<string>,
  context: TargetContext,
): Promise<{ readonly gone: number; readonly isShrunken: boolean; readonly due: number }> => {
  const { guard } = ports.route;
  const gone: ListingRow[] = [];
  let known = 0;
  for await (const page of ports.store.allListings(ports.shop)) {
    for (const row of page) {
      if (row.refused?.code === 'LISTING_GONE') continue;
      known += 1;
      if (!seen.has(idOf(row))) gone.push(row);
    }
  }
  const isShrunken =
    (seen.size === 0 && gone.length > 0) ||
    (gone.length >= guard.atLeast && gone.length > guard.shrunk * known);
  if (isShrunken || gone.length === 0) return { gone: gone.length, isShrunken, due: 0 };
  const changes = new Map<string, RowChange>();
  await inTurn(gone, AT_ONCE, async (listing) => {
    const refused = { code: 'LISTING_GONE', detail: 'not among what the shop sells', atMs: context.nowMs };
    await ports.store.putListing({ ...listing, refused });
    for (const { sku } of listing.components) {
      const before = changes.get(sku) ?? ((row: StockRow) => row);
      changes.set(sku, (row) => withoutClaim(idOf(listing))(before(row)));
    }
  });
  const rows = await changeRows(
    ports.store,
    ports.erp,
    new Map([...changes].map(([sku, change]) => [sku, (row) => retargeted(change(row), context)])),
  );
  const due = dueOfRows(rows.values(), ports.route, context.nowMs);
  return { gone: gone.length, isShrunken, due: await publishDue(ports, due, `listings of ${ports.shop}`) };
};
