import type { FakeOdoo } from '../../test/fakes/odoo.ts';
import type { Fault, Gone } from '../../test/fakes/peer-server.ts';

/** What the ERP does wrong: shares of its requests, or of its writes where it says so. */
const RATES = {
  /** Answered 503, nothing done. */
  unavailable: 0.1,
  /** Of writes: done, and the connection closed without an answer. */
  droppedAfterWrite: 0.05,
  /** The connection closed, nothing done. */
  droppedBefore: 0.01,
  /** Of writes: the connection closed, and done a little later. */
  late: 0.005,
  /** Done, and answered late. */
  slow: 0.02,
} as const;
/** Less than the time from which on a look-up is trusted: 35 s, scaled. */
const LATE_MS = 300;
const SLOW_MS = 400;
/** While it throttles, every request is answered 429 with this hint, in seconds before they are scaled. */
const RETRY_AFTER_S = '30';
/** An order is created, confirmed and given its date. */
const WRITES_PER_ORDER = 3;

type Request = Parameters<NonNullable<Fault['when']>>[0];
const isWrite = ({ body }: Request) => /"(create|write|action_confirm)"/.test(String(body ?? ''));

export interface ErpFaults {
  /** Answers 429 to everything until the returned function is called. */
  throttle(): () => void;
  counts(): {
    readonly unavailable: number;
    readonly throttled: number;
    readonly droppedBefore: number;
    readonly droppedAfterWrite: number;
    readonly late: number;
  };
  /** No more faults, so that the ERP can be asked what it holds. */
  mend(): void;
}

/**
 * Begins to fail. Decided by `random` in the order in which requests arrive: the same numbers make the same
 * decisions, but which request meets which one depends on how the processes race.
 * @param hang so many writes, spread over the run, hang until their client is gone: half of them done, half not
 */
export const startFaults = (
  { server }: FakeOdoo,
  random: () => number,
  hang: { readonly times: number; readonly orders: number; readonly hung: (client: Gone) => void },
): ErpFaults => {
  let isThrottling = false;
  let throttled = 0;
  const always = { times: Number.POSITIVE_INFINITY, random };
  // A little too often, so that all of them come about.
  const hanging = { when: isWrite, random, rate: (1.3 * hang.times) / 2 / (hang.orders * WRITES_PER_ORDER) };
  const { hung } = hang;
  const faults: Fault[] = [
    {
      ...always,
      when: () => {
        if (isThrottling) throttled += 1;
        return isThrottling;
      },
      effect: { kind: 'answer', status: 429, headers: { 'retry-after': RETRY_AFTER_S } },
    },
    { ...hanging, times: Math.ceil(hang.times / 2), effect: { kind: 'hang', at: 'after', hung } },
    { ...hanging, times: Math.floor(hang.times / 2), effect: { kind: 'hang', at: 'before', hung } },
    { ...always, rate: RATES.unavailable, effect: { kind: 'answer', status: 503 } },
    { ...always, rate: RATES.droppedAfterWrite, when: isWrite, effect: { kind: 'drop-after' } },
    { ...always, rate: RATES.droppedBefore, effect: { kind: 'drop-before' } },
    { ...always, rate: RATES.late, when: isWrite, effect: { kind: 'late', delayMs: LATE_MS } },
    { ...always, rate: RATES.slow, effect: { kind: 'slow', delayMs: SLOW_MS } },
  ];
  const mends = faults.map((fault) => server.fault(fault));
  return {
    throttle: () => {
      isThrottling = true;
      return () => {
        isThrottling = false;
      };
    },
    counts: () => ({
      unavailable: server.hits.answer - throttled,
      throttled,
      droppedBefore: server.hits['drop-before'],
      droppedAfterWrite: server.hits['drop-after'],
      late: server.hits.late,
    }),
    mend: () => {
      for (const mend of mends) mend();
    },
  };
};
