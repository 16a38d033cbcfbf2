import type { ErpStock } from '../../connectors/stock-contract.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { Cursor, Cursors } from '../cursors.ts';
import { PermanentError } from '../errors.ts';
import { intentKey } from '../intent-key.ts';
import type { CallContext } from '../ports.ts';
import { type Compared, judge, judgeIdentity } from './guard.ts';
import {
  type CycleCounts,
  type CycleKind,
  changePollState,
  type HeldCycle,
  type PollState,
  type PollStates,
} from './poll-state.ts';
import type { StockStore } from './ports.ts';
import { type LevelsPorts, publishLevels, readingsOf } from './publish-levels.ts';
import { isNews, type Reading } from './readings.ts';

export interface PollStockPorts extends LevelsPorts {
  readonly route: StockRoute;
  readonly stock: ErpStock;
  readonly store: Pick<StockStore, 'rows' | 'allRows'>;
  readonly cursors: Cursors;
  readonly states: PollStates;
  /** Longer than a run may last. */
  readonly leaseMs: number;
  /** How far each run reads back: what an ERP commits late carries an earlier time. */
  readonly overlapMs: number;
  /** A complete listing is read when the last one is older than this. */
  readonly allEveryMs: number;
}

export type PolledStock =
  | { readonly kind: 'busy'; readonly leaseUntilMs: number }
  | { readonly kind: 'held'; readonly held: HeldCycle }
  | {
      /** dismissed: a person had it skipped, nothing was published. */
      readonly kind: 'done' | 'dismissed';
      readonly cycle: CycleKind;
      readonly counts: CycleCounts;
      /** SKUs published, because they say something new. */
      readonly published: number;
      /** SKUs that two products have: nobody is told. */
      readonly ambiguous: readonly string[];
      /** Read up to here, by the ERP's clock. */
      readonly atMs: number;
    };

export const pollCursorName = (erp: string): string => intentKey('stock', erp, 'levels', 'poll');

/**
 * Asks an ERP what changed in its stock, and tells it, unless it is more than happens on a normal day: then nothing is
 * told, the cursor stays, and each later cycle compares again until it is healthy or a person has decided.
 *
 * The window is fixed before reading, by the ERP's own clock, reaches back by an overlap, and only moves forward.
 * @param request all: a complete listing, by hand
 */
export const pollStock = async (
  ports: PollStockPorts,
  request: { readonly all?: boolean },
  call: CallContext,
): Promise<PolledStock> => {
  const name = pollCursorName(ports.erp);
  if (ports.route.mode === 'off') {
    const counts = { known: 0, looked: 0, changed: 0, zeroed: 0, missing: 0 };
    return { kind: 'done', cycle: 'changed', counts, published: 0, ambiguous: [], atMs: 0 };
  }
  const claim = await ports.cursors.claim(name, ports.leaseMs);
  if (claim.kind === 'busy') return claim;
  try {
    const save = (cursor: Cursor) => ports.cursors.save(name, claim.turn, cursor);
    return await cycle(ports, request, claim.cursor, save, call);
  } finally {
    // A lost release only makes the next run wait for the lease.
    await ports.cursors.release(name, claim.turn).catch(() => undefined);
  }
};

const cycle = async (
  ports: PollStockPorts,
  request: { readonly all?: boolean },
  cursor: Cursor | undefined,
  save: (cursor: Cursor) => Promise<void>,
  call: CallContext,
): Promise<PolledStock> => {
  const { route, stock, states, erp } = ports;
  const state = await states.load(erp);
  const startedMs = ports.nowMs();
  const kind = kindOf(ports, request, cursor, state, startedMs);
  const decision =
    state.decision?.kind === kind && state.decision.untilMs > startedMs ? state.decision.does : undefined;
  const untilMs = (await stock.clock?.(call)) ?? startedMs;
  const counts = { known: state.known, looked: 0, changed: 0, zeroed: 0, missing: 0 };
  const who = await stock.identify(route, call).catch((error: unknown) => {
    if (error instanceof PermanentError) return error;
    throw error;
  });
  if (who instanceof PermanentError) {
    const code = who.code === 'UNKNOWN_COMPANY' ? 'OTHER_COMPANY' : 'WAREHOUSE_MISSING';
    return hold(ports, state, { kind, code, detail: who.message, counts, sample: [] });
  }
  const stranger = judgeIdentity(state, who);
  // Whoever else answers: their numbers are not even read.
  if (stranger && decision === undefined)
    return hold(ports, state, { kind, ...stranger, counts, sample: [] });

  const read =
    kind === 'all'
      ? await readAll(ports, call)
      : await readChanged(
          ports,
          { fromMs: Math.max(0, (cursor?.atMs ?? 0) - ports.overlapMs), untilMs },
          call,
        );
  const verdict = judge({ kind, ...read }, route.guard, state.known);
  if (verdict.held && decision === undefined) {
    return hold(ports, state, { kind, counts: verdict.counts, ...verdict.held });
  }

  const isDismissed = decision === 'dismiss' && (verdict.held ?? stranger) !== undefined;
  const news = new Map(
    read.compared.flatMap(({ row, reading }) => (isNews(row, reading) ? [[row.sku, reading] as const] : [])),
  );
  for (const sku of read.missing) news.set(sku, { asOfMs: startedMs, levels: {} });
  if (!isDismissed) await publishLevels(ports, news);
  await save({ atMs: Math.max(untilMs, cursor?.atMs ?? 0), told: {} });
  // After publishing: a run that dies before is repeated under the same decision.
  await changePollState(states, erp, (now) =>
    passed(now, state, { kind, startedMs, who, looked: read.compared.length, isDismissed }),
  );
  return {
    kind: isDismissed ? 'dismissed' : 'done',
    cycle: kind,
    counts: verdict.counts,
    published: isDismissed ? 0 : news.size,
    ambiguous: read.ambiguous,
    atMs: untilMs,
  };
};

const kindOf = (
  { allEveryMs }: PollStockPorts,
  { all = false }: { readonly all?: boolean },
  cursor: Cursor | undefined,
  { allAtMs, held }: PollState,
  nowMs: number,
): CycleKind =>
  all || !cursor || allAtMs === undefined || held?.kind === 'all' || nowMs - allAtMs >= allEveryMs
    ? 'all'
    : 'changed';

const hold = async (
  { states, erp, nowMs }: PollStockPorts,
  before: PollState,
  why: Omit<HeldCycle, 'sinceMs' | 'atMs'>,
): Promise<PolledStock> => {
  const atMs = nowMs();
  const held: HeldCycle = { ...why, sinceMs: before.held?.sinceMs ?? atMs, atMs };
  await changePollState(states, erp, (state) => ({ ...state, held }));
  return { kind: 'held', held };
};

const passed = (
  now: PollState,
  before: PollState,
  cycle: {
    readonly kind: CycleKind;
    readonly startedMs: number;
    readonly who: { readonly company: string; readonly warehouses: readonly string[] };
    readonly looked: number;
    readonly isDismissed: boolean;
  },
): PollState => {
  const { held: _, decision, ...rest } = now;
  const isAll = cycle.kind === 'all';
  // What was decided meanwhile, about something else, still counts.
  const isUsed = decision?.kind === cycle.kind && decision.atMs === before.decision?.atMs;
  const next: PollState = {
    ...rest,
    ...(!isUsed && decision && { decision }),
    ...(!cycle.isDismissed && { company: cycle.who.company, warehouses: cycle.who.warehouses }),
    ...(isAll && { allAtMs: cycle.startedMs }),
    ...(isAll && !cycle.isDismissed && { known: cycle.looked }),
  };
  const { version: _v, ...content } = next;
  const { version: _w, ...old } = now;
  return JSON.stringify(content) === JSON.stringify(old) ? now : next;
};

// --- reading ------------------------------------------------------------------------------------------------

interface Read {
  readonly compared: readonly Compared[];
  readonly missing: readonly string[];
  readonly ambiguous: readonly string[];
}

const readChanged = async (
  ports: PollStockPorts,
  window: { readonly fromMs: number; readonly untilMs: number },
  call: CallContext,
): Promise<Read> => {
  const skus = new Set<string>();
  for await (const page of ports.stock.changed(window, ports.route, call))
    for (const sku of page) skus.add(sku);
  if (skus.size === 0) return { compared: [], missing: [], ambiguous: [] };
  const { readings, ambiguous } = await collect(ports.stock.levels([...skus], ports.route, call));
  return { compared: await compare(ports, readings), missing: [], ambiguous };
};

const readAll = async (ports: PollStockPorts, call: CallContext): Promise<Read> => {
  const { readings, ambiguous } = await collect(ports.stock.all(ports.route, call));
  const missing: string[] = [];
  const listed = new Set([...readings.keys(), ...ambiguous]);
  for await (const page of ports.store.allRows(ports.erp)) {
    for (const { sku, levels } of page) {
      const isKnown = Object.values(levels).some(({ onHand, free }) => onHand !== 0 || free !== 0);
      if (isKnown && !listed.has(sku)) missing.push(sku);
    }
  }
  return { compared: await compare(ports, readings), missing, ambiguous };
};

const collect = async (
  pages: ReturnType<ErpStock['levels']>,
): Promise<{ readings: Map<string, Reading>; ambiguous: string[] }> => {
  const readings = new Map<string, Reading>();
  const ambiguous = new Set<string>();
  for await (const page of pages) {
    for (const [sku, reading] of readingsOf(page)) readings.set(sku, reading);
    for (const sku of page.ambiguous) ambiguous.add(sku);
  }
  for (const sku of ambiguous) readings.delete(sku);
  return { readings, ambiguous: [...ambiguous] };
};

const compare = async (
  { store, erp }: PollStockPorts,
  readings: ReadonlyMap<string, Reading>,
): Promise<Compared[]> => {
  const rows = await store.rows(erp, [...readings.keys()]);
  return [...readings].flatMap(([sku, reading]) => {
    const row = rows.get(sku);
    return row ? [{ row, reading }] : [];
  });
};
