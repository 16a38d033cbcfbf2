export type CycleKind = 'changed' | 'all';

export type HeldCode =
  /** Another company answers than the one that was asked at first. */
  | 'OTHER_COMPANY'
  /** A warehouse that was there is not, or another company's are. */
  | 'WAREHOUSE_MISSING'
  /** A complete listing lacks more SKUs than one day takes away. */
  | 'SHRUNKEN_LISTING'
  | 'MASS_ZERO'
  | 'MASS_CHANGE';

/** Why a cycle was not let through. */
export interface HeldCycle {
  readonly kind: CycleKind;
  readonly code: HeldCode;
  /** Since when nothing was let through, epoch milliseconds. */
  readonly sinceMs: number;
  /** Of the last cycle that was held. */
  readonly atMs: number;
  readonly counts: CycleCounts;
  /** Some of the SKUs, for people. */
  readonly sample: readonly string[];
  /** In plain words, where numbers do not say it. */
  readonly detail?: string | undefined;
}

export interface CycleCounts {
  /** SKUs known before. */
  readonly known: number;
  /** SKUs read. */
  readonly looked: number;
  readonly changed: number;
  readonly zeroed: number;
  /** Known, and not among those read. */
  readonly missing: number;
}

/** What a person said about what is held: it counts for the next cycle of that kind, and no other. */
export interface CycleDecision {
  readonly kind: CycleKind;
  /** approve: let it through. dismiss: skip what it tells. */
  readonly does: 'approve' | 'dismiss';
  readonly by: string;
  readonly why: string;
  readonly atMs: number;
  /** Forgotten afterwards, epoch milliseconds. */
  readonly untilMs: number;
}

/** What the polls of one ERP's stock know of each other. */
export interface PollState {
  readonly erp: string;
  /** Counts writes; 0: not written yet. */
  readonly version: number;
  /** Who answered when stock was let through last. */
  readonly company?: string | undefined;
  readonly warehouses?: readonly string[] | undefined;
  /** SKUs in the last complete listing that was let through, and when it began. */
  readonly known: number;
  readonly allAtMs?: number | undefined;
  readonly held?: HeldCycle | undefined;
  readonly decision?: CycleDecision | undefined;
}

/** Every change is one conditional write on the version. */
export interface PollStates {
  /** Consistent read. */
  load(erp: string): Promise<PollState>;
  /** Writes `state` as version + 1. @returns false: somebody was faster, and nothing was written */
  save(state: PollState): Promise<boolean>;
}

const MOST_TRIES = 8;

/** @returns the state as it is now @throws Error others change it all the time */
export const changePollState = async (
  states: PollStates,
  erp: string,
  change: (state: PollState) => PollState,
): Promise<PollState> => {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const held = await states.load(erp);
    const next = change(held);
    if (next === held) return held;
    if (await states.save(next)) return { ...next, version: held.version + 1 };
  }
  throw new Error(`the stock of ${erp} is decided about by others all the time: try again`);
};

/** A decision that is not used within so long is forgotten. */
const DECISION_LASTS_MS = 60 * 60_000;

/**
 * A person lets the next cycle of the held kind through, or skips what it tells.
 * @returns what was held; undefined: nothing is, and nothing was decided
 */
export const decideHeld = async (
  states: PollStates,
  erp: string,
  decision: Pick<CycleDecision, 'does' | 'by' | 'why' | 'atMs'>,
): Promise<HeldCycle | undefined> => {
  let held: HeldCycle | undefined;
  await changePollState(states, erp, (state) => {
    held = state.held;
    if (!held) return state;
    return {
      ...state,
      decision: { ...decision, kind: held.kind, untilMs: decision.atMs + DECISION_LASTS_MS },
    };
  });
  return held;
};
