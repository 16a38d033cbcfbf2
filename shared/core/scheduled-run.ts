import { METRICS } from '../observability/names.ts';
import type { Metric, WideLine, WriteLine } from '../observability/wide-event.ts';
import { CredentialsError, describeError, RetryableError } from './errors.ts';
import type { CallContext, Clock } from './ports.ts';

/** What a run has to say. Metrics of a run that got nowhere are missing: silence is the alarm. */
export interface Ran {
  readonly line: Partial<WideLine>;
  readonly metrics?: readonly Metric[];
  /** For who invoked it by hand. */
  readonly answer?: unknown;
}

export interface RunContext extends CallContext {
  /** Nothing further is begun from here on. */
  readonly endMs: number;
}

/** Kept back from the function's time for the bookkeeping at the end. */
const RESERVE_MS = 5_000;
/** Of its time, so that what was begun last can be finished. */
const BEGIN_SHARE = 0.7;

/**
 * A handler for what runs on a schedule: one line per run, and a run that failed is over. The next one goes on.
 * @returns the line, or `answer`, to whoever invoked it by hand
 * @throws only what nobody foresaw, so that the function's own alarm hears of it
 */
export const scheduledRun =
  <E>(options: {
    readonly what: string;
    readonly connection: string;
    readonly ports: { readonly line: WriteLine; readonly nowMs: Clock };
    /** A run must be over before its lease is. */
    readonly leaseMs?: number;
    readonly work: (call: RunContext, about: Pick<WideLine, 'what' | 'connection'>, event: E) => Promise<Ran>;
  }) =>
  async (event: E, context: { getRemainingTimeInMillis(): number }): Promise<unknown> => {
    const { what, connection, ports, leaseMs = Number.POSITIVE_INFINITY, work } = options;
    const about = { what, connection };
    const startedMs = ports.nowMs();
    const budgetMs = Math.min(context.getRemainingTimeInMillis(), leaseMs) - RESERVE_MS;
    const stop = new AbortController();
    const timer = setTimeout(
      () => stop.abort(new RetryableError('CUT_OFF', 'the run took longer than it may')),
      Math.max(0, budgetMs),
    );
    const say = (line: Partial<WideLine>, metrics: readonly Metric[] = []) =>
      ports.line({ ...about, ...line, totalMs: ports.nowMs() - startedMs }, metrics);
    try {
      const endMs = startedMs + budgetMs * BEGIN_SHARE;
      const ran = await work({ signal: stop.signal, endMs }, about, event);
      say(ran.line, ran.metrics);
      return ran.answer ?? ran.line;
    } catch (error) {
      const line = {
        outcome: 'failed',
        code: error instanceof RetryableError ? error.code : 'UNFORESEEN',
        reason: describeError(error),
      };
      say(line, error instanceof CredentialsError ? [{ name: METRICS.credentialsRefused, value: 1 }] : []);
      if (!(error instanceof RetryableError)) throw error;
      return line;
    } finally {
      clearTimeout(timer);
    }
  };
