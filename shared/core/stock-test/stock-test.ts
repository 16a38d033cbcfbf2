import type { ErpLevel, ErpStock, ShopListing, StorefrontStock } from '../../connectors/stock-contract.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { CallContext, Clock } from '../ports.ts';
import { marginOf } from '../stock/available.ts';
import { rulesOf } from '../stock/rules.ts';
import { isOneForAll, notAsBefore, notOffered, notSoldOut, type Shown } from './expectations.ts';
import { countsFor, promisedIn, restored, type StockTestNote, type StockTestNotes } from './note.ts';

export interface StockTestPorts {
  /** Connection id of the ERP. */
  readonly erp: string;
  readonly sku: string;
  readonly route: StockRoute;
  readonly stock: Pick<ErpStock, 'levels' | 'adjust'>;
  readonly shops: ReadonlyMap<string, TestedShop>;
  readonly notes: StockTestNotes;
  /** Asks the ERP at once, instead of waiting for the next poll. */
  readonly wake: () => Promise<void>;
  /** @throws the reason of the signal */
  readonly pause: (call: CallContext) => Promise<void>;
  /** false: the person says no. */
  readonly consent: (question: string) => Promise<boolean>;
  readonly say: (line: string) => void;
  readonly nowMs: Clock;
  /** For each thing that is waited for. */
  readonly waitMs: number;
  /** For putting everything back: not ended by what ended the test. */
  readonly restoring: () => CallContext;
}

export interface TestedShop {
  readonly stock: Pick<StorefrontStock, 'find' | 'testOrders'>;
  /** Why test orders of it are not written to the ERP as confirmed orders; undefined: they are. */
  readonly refuses: string | undefined;
}

export interface StockTested {
  /** restored: a test that was interrupted before was cleaned up, and nothing tested. declined: a person said no. */
  readonly kind: 'passed' | 'failed' | 'restored' | 'declined';
  /** What was not seen in time; what is left for a person to put back. */
  readonly failure?: string | undefined;
  readonly left: readonly string[];
}

/**
 * The last piece, sold: one piece is made available in the ERP, the shops show it, it is ordered, the ERP reserves it, every
 * shop shows none. The order is a test order and is cancelled; stock is put back to what it was, whatever happened.
 * @param shop where it is ordered; undefined: wherever a machine can
 * @throws Error the test cannot begin: nothing was changed
 */
export const stockTest = async (
  ports: StockTestPorts,
  shop: string | undefined,
  call: CallContext,
): Promise<StockTested> => {
  const { erp, sku, notes, say, consent } = ports;
  const earlier = await notes.load(erp, sku);
  if (earlier?.state === 'open') {
    say(`a test of ${sku} that began at ${new Date(earlier.startedAtMs).toISOString()} was interrupted`);
    if (!(await consent('put back what it left?'))) return { kind: 'declined', left: [] };
    const left = await restore(ports, earlier);
    return { kind: 'restored', left };
  }

  const where = shopFor(ports, shop);
  const levels = await levelsOf(ports, call);
  const before = await shownBy(ports, call);
  for (const [id, quantity] of before) {
    if (quantity === undefined) throw new Error(`${id} does not sell ${sku}, or does not count it`);
  }
  const counts = countsFor(levels, piecesOf(ports));
  const plan = counts.map(({ warehouse, was, set }) => `${set} in ${warehouse} (${was} now)`).join(', ');
  if (!(await consent(`set the stock of ${sku} in ${erp} to ${plan}, and order one piece in ${where}?`))) {
    return { kind: 'declined', left: [] };
  }
  let note: StockTestNote = {
    erp,
    sku,
    version: earlier?.version ?? 0,
    state: 'open',
    startedAtMs: ports.nowMs(),
    counts,
    promised: promisedIn(levels),
    showed: Object.fromEntries([...before].map(([id, quantity]) => [id, quantity ?? 0])),
  };
  const keep = async (change: Partial<StockTestNote>): Promise<void> => {
    note = { ...note, ...change };
    if (!(await notes.save(note))) throw new Error(`somebody else tests ${sku} at this moment`);
    note = { ...note, version: note.version + 1 };
  };
  await keep({});
  let failure: string | undefined;
  try {
    await run(ports, where, () => note, keep, call);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    say(`  not passed: ${failure}`);
  }
  const left = await restore(ports, note);
  return { kind: failure === undefined ? 'passed' : 'failed', failure, left };
};

const run = async (
  ports: StockTestPorts,
  where: string,
  noteNow: () => StockTestNote,
  keep: (change: Partial<StockTestNote>) => Promise<void>,
  call: CallContext,
): Promise<void> => {
  const { sku, route, say } = ports;
  for (const { warehouse, was, set } of noteNow().counts) {
    if (was !== set) await adjust(ports, warehouse, set, call);
  }
  say(`  one piece of ${sku} is available in ${ports.erp}`);
  const isForAll = isOneForAll(route, { sku });
  await until(ports, async () => notOffered(await shownBy(ports, call), isForAll), call);
  const shown = await shownBy(ports, call);
  say(`  ${[...shown].map(([id, quantity]) => `${id} shows ${quantity}`).join(', ')}`);

  const holder = shown.get(where) === 1 ? where : [...shown].find(([, quantity]) => quantity === 1)?.[0];
  const from = holder ?? where;
  const listing = await listingOf(ports, from, call);
  const orders = ports.shops.get(from)?.stock.testOrders;
  const refuses = ports.shops.get(from)?.refuses;
  if (refuses !== undefined) {
    const instead = `or give ${sku} a rule with policy: "shared", so that every shop shows the piece`;
    throw new Error(`the piece went to ${from}, and ${refuses}; ${instead}`);
  }
  await keep({ order: { shop: from, byHand: orders === undefined } });
  if (orders && listing) {
    const id = await orders.place(listing, call);
    await keep({ order: { shop: from, id, byHand: false } });
    say(`  ordered in ${from}: ${id}`);
  } else say(`  order one piece of ${sku} in ${from} now, marked as a test: it is waited for`);

  await until(
    ports,
    async () => {
      const isReserved = promisedIn(await levelsOf(ports, call)) > noteNow().promised;
      return isReserved ? undefined : `${ports.erp} has not reserved it`;
    },
    call,
  );
  say(`  ${ports.erp} has reserved it`);
  await until(ports, async () => notSoldOut(await shownBy(ports, call)), call);
  say('  every shop shows 0');
};

/** @returns what is left for a person, in plain words */
const restore = async (ports: StockTestPorts, note: StockTestNote): Promise<string[]> => {
  const { erp, sku, say, notes } = ports;
  const call = ports.restoring();
  const left: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      left.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  say('  putting everything back …');
  const { order } = note;
  if (order) {
    const orders = ports.shops.get(order.shop)?.stock.testOrders;
    const { id } = order;
    if (id !== undefined && orders) {
      await attempt(`cancel the test order ${id} in ${order.shop}`, () => orders.cancel(id, call));
    } else if (order.byHand) say(`  cancel the order in ${order.shop} now: it is waited for`);
    else
      say(
        `  whether it was ordered is not known: cancel "Waybill Stock test" in ${order.shop}, if it is there`,
      );
    // Until then its piece is promised: what is counted now would come on top.
    await attempt(`see that the order of the test in ${order.shop} is cancelled in ${erp}, too`, () =>
      until(
        ports,
        async () =>
          promisedIn(await levelsOf(ports, call)) <= note.promised ? undefined : `${erp} still holds it`,
        call,
      ),
    );
  }
  const levels = await levelsOf(ports, call).catch((): readonly ErpLevel[] => []);
  for (const counted of note.counts) {
    const level = levels.find(({ warehouse }) => warehouse === counted.warehouse);
    const to = restored(counted, level?.onHand ?? counted.set);
    await attempt(`set the stock of ${sku} in ${erp}, ${counted.warehouse}, to ${to}`, async () => {
      if (level?.onHand !== to) await adjust(ports, counted.warehouse, to, call);
    });
  }
  const before = new Map(Object.entries(note.showed));
  await attempt('look at the shops again', () =>
    until(ports, async () => notAsBefore(await shownBy(ports, call), before), call),
  );
  if (left.length === 0) await notes.save({ ...note, state: 'closed' });
  return left;
};

// --- what is read and written -------------------------------------------------------------------------------

const WAKE_EVERY_MS = 15_000;

/** @param missing what is still missing; undefined: nothing @throws Error it is still missing when time is up */
const until = async (
  { pause, wake, nowMs, waitMs }: StockTestPorts,
  missing: () => Promise<string | undefined>,
  call: CallContext,
): Promise<void> => {
  const endMs = nowMs() + waitMs;
  for (let wokenMs = Number.NEGATIVE_INFINITY; ; ) {
    const what = await missing();
    if (what === undefined) return;
    if (nowMs() >= endMs) throw new Error(`after ${Math.round(waitMs / 1000)} s ${what}`);
    if (nowMs() - wokenMs >= WAKE_EVERY_MS) {
      wokenMs = nowMs();
      await wake();
    }
    await pause(call);
  }
};

const adjust = async (
  { stock, sku, route, erp, say, consent }: StockTestPorts,
  warehouse: string,
  onHand: number,
  call: CallContext,
): Promise<void> => {
  if (stock.adjust)
    return stock.adjust({ sku, warehouse, onHand, reason: 'Waybill stock test' }, route, call);
  say(`  ${erp} cannot be written to for this: set ${sku} in ${warehouse} to ${onHand} on hand there now`);
  if (!(await consent('done?'))) throw new Error(`${sku} in ${warehouse} was not set to ${onHand}`);
};

/** Pieces that have to be free so that one is offered. @throws Error the shops are not offered the same */
const piecesOf = ({ route, sku }: StockTestPorts): number => {
  const margins = new Set(
    route.to.map((shop) => {
      const rules = rulesOf(route, { sku }, shop);
      if (!rules.show) throw new Error(`settings do not show ${sku} in ${shop}: choose another test SKU`);
      return marginOf(rules);
    }),
  );
  const [margin = 0] = margins;
  if (margins.size > 1 || margin > 0)
    throw new Error(
      `safety stock or backorders of ${sku} differ between the shops, or are sold beyond stock: choose another test SKU`,
    );
  return 1 - margin;
};

const shopFor = ({ shops }: StockTestPorts, wanted: string | undefined): string => {
  if (wanted !== undefined) {
    const shop = shops.get(wanted);
    if (!shop)
      throw new Error(`"${wanted}" is no shop of this route; known: ${[...shops.keys()].join(', ')}`);
    if (shop.refuses !== undefined) throw new Error(shop.refuses);
    return wanted;
  }
  const able = [...shops].filter(([, { refuses }]) => refuses === undefined);
  const [found] = able.filter(([, { stock }]) => stock.testOrders);
  if (found) return found[0];
  const [byHand] = able;
  if (!byHand) throw new Error([...shops.values()].map(({ refuses }) => refuses).join('; '));
  throw new Error(
    `Waybill cannot place an order in ${able.map(([id]) => id).join(', ')}: say --shop ${byHand[0]}, and place it yourself when it asks`,
  );
};

const levelsOf = async (
  { stock, sku, route }: StockTestPorts,
  call: CallContext,
): Promise<readonly ErpLevel[]> => {
  const levels: ErpLevel[] = [];
  for await (const page of stock.levels([sku], route, call)) {
    if (page.missing.length > 0 || page.ambiguous.length > 0)
      throw new Error(`the ERP has no product, or several, with the SKU ${sku}`);
    levels.push(...page.levels);
  }
  return levels;
};

const listingOf = async (
  { shops, sku }: StockTestPorts,
  shop: string,
  call: CallContext,
): Promise<ShopListing | undefined> =>
  (await shops.get(shop)?.stock.find([sku], call))?.find((listing) => listing.sku === sku);

const shownBy = async (ports: StockTestPorts, call: CallContext): Promise<Shown> => {
  const shown = new Map<string, number | undefined>();
  for (const shop of ports.shops.keys()) shown.set(shop, (await listingOf(ports, shop, call))?.quantity);
  return shown;
};
