import {
  CONTROLLER,
  type ConnectionFailures,
  type ConnectionRow,
  type ConnectionState,
  type ConnectionStates,
} from './connection-states.ts';
import { BusyError, CredentialsError, RetryableError } from './errors.ts';
import type { CallContext, Clock } from './ports.ts';

/** What hands the connection's queue to its consumer. */
export interface EventSource {
  /** changing: somebody is switching it, and it can be neither read nor switched until that is done. */
  state(call: CallContext): Promise<'on' | 'off' | 'changing'>;
  set(isOn: boolean, call: CallContext): Promise<void>;
}

export interface ControlPorts {
  readonly connection: string;
  readonly states: ConnectionStates;
  readonly eventSource: EventSource;
  /** The connector's connection test. */
  readonly test: (call: CallContext) => Promise<string>;
  readonly nowMs: Clock;
  readonly timeScale: number;
}

export interface Controlled {
  /** As it is now. */
  readonly row: ConnectionRow;
  /**
   * unchanged: there was nothing to do. passed: failures were told, and the connection test found nothing wrong.
   * unclear: the test met a limit of the peer. paused, probed (it goes on failing), resumed. overtaken: somebody else
   * changed the connection meanwhile, and theirs holds.
   */
  readonly did: 'unchanged' | 'passed' | 'unclear' | 'paused' | 'probed' | 'resumed' | 'overtaken';
  /** The event source did not do what the state says, and was switched. */
  readonly switched?: 'on' | 'off' | undefined;
  /** What the connection test said. */
  readonly said?: string | undefined;
}

/**
 * Seconds until the next probe, by how many have failed; a few less than the minutes at which the controller runs. A
 * probe is two or three small reads.
 */
const PROBE_S = { down: [55, 115, 235, 295], credentials: [55, 295, 895] } as const;

/**
 * One look at one connection. Consumers only tell what failed; whether the connection is at fault, the connection test
 * says, so one record's refusal never stops the others.
 *
 * The state is the wish, written first, and the event source follows it: whoever dies in between leaves a wish that the
 * next run fulfils. The state is changed by compare-and-set: two runs at once, or a run and a person, do what one does.
 *
 * @throws whatever our own storage or Lambda throws: that is no failure of the peer, and nothing is changed for it
 */
export const controlConnection = async (ports: ControlPorts, call: CallContext): Promise<Controlled> => {
  const { connection, states } = ports;
  const row = await states.get(connection);
  const { did, to, said } = await decide(ports, row, call);
  if (to === undefined) return { row, did, said, switched: await follow(ports, row, call) };
  const isOurs = await states.change(row, to);
  const now = isOurs ? asChanged(row, to) : await states.get(connection);
  return { row: now, did: isOurs ? did : 'overtaken', said, switched: await follow(ports, now, call) };
};

const asChanged = ({ connection, version, failure }: ConnectionRow, to: ConnectionState): ConnectionRow => ({
  ...to,
  connection,
  version: version + 1,
  failure,
});

const stateOf = ({ connection: _, version: __, failure: ___, ...state }: ConnectionRow): ConnectionState =>
  state;

interface Decision extends Pick<Controlled, 'did' | 'said'> {
  readonly to?: ConnectionState;
}

const decide = async (ports: ControlPorts, row: ConnectionRow, call: CallContext): Promise<Decision> => {
  const nowMs = ports.nowMs();
  const since = (to: Omit<ConnectionState, 'sinceMs' | 'by'>): ConnectionState => ({
    ...to,
    sinceMs: ports.nowMs(),
    by: CONTROLLER,
  });
  if (row.state === 'paused') {
    if (row.by !== CONTROLLER || nowMs < (row.nextProbeMs ?? 0)) return { did: 'unchanged' };
    const verdict = await tested(ports, call);
    if (verdict.kind === 'passed') {
      return { did: 'resumed', said: verdict.said, to: since({ state: 'running', probes: 0 }) };
    }
    // A limit is an answer, but none that invites to send more.
    const state = { ...stateOf(row), ...(verdict.kind === 'failed' ? pausedBy(verdict.error) : {}) };
    const probes = row.probes + 1;
    return {
      did: 'probed',
      said: verdict.said,
      to: { ...state, ...next(ports, state.cause, probes) },
    };
  }
  if ((row.failure?.atMs ?? 0) <= Math.max(row.sinceMs, row.testedMs ?? 0)) return { did: 'unchanged' };
  const verdict = await tested(ports, call);
  switch (verdict.kind) {
    case 'passed':
      return { did: 'passed', said: verdict.said, to: { ...stateOf(row), testedMs: nowMs } };
    case 'unclear':
      return { did: 'unclear', said: verdict.said };
    case 'failed': {
      const failed = pausedBy(verdict.error);
      const to = since({ state: 'paused', ...failed, ...next(ports, failed.cause, 1) });
      return { did: 'paused', said: verdict.said, to };
    }
  }
};

type Verdict =
  | { readonly kind: 'passed'; readonly said: string }
  | { readonly kind: 'unclear'; readonly said: string }
  | { readonly kind: 'failed'; readonly said: string; readonly error: RetryableError };

const tested = async ({ test }: ControlPorts, call: CallContext): Promise<Verdict> => {
  try {
    return { kind: 'passed', said: await test(call) };
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    const said = error.message;
    return error.code === 'RATE_LIMITED' ? { kind: 'unclear', said } : { kind: 'failed', said, error };
  }
};

const pausedBy = (error: RetryableError) =>
  ({
    code: error.code,
    why: error.message,
    cause: error instanceof CredentialsError ? 'credentials' : 'down',
  }) as const;

const next = (
  { nowMs, timeScale }: ControlPorts,
  cause: ConnectionState['cause'] = 'down',
  probes: number,
): Pick<ConnectionState, 'probes' | 'nextProbeMs'> => {
  const pauses = PROBE_S[cause];
  const seconds = pauses[Math.min(probes, pauses.length) - 1] ?? pauses[0];
  return { probes, nextProbeMs: nowMs() + seconds * 1000 * timeScale };
};

const follow = async (
  { eventSource }: ControlPorts,
  { state }: ConnectionRow,
  call: CallContext,
): Promise<'on' | 'off' | undefined> => {
  const wanted = state === 'running' ? 'on' : 'off';
  const actual = await eventSource.state(call);
  if (actual === wanted || actual === 'changing') return undefined;
  await eventSource.set(wanted === 'on', call);
  return wanted;
};

/** A worker tells no more often; the controller looks once a minute. */
const TELL_MS = 20_000;
/** Says nothing about the peer. */
const OUR_OWN = ['OUT_OF_TIME', 'SUPERSEDED', 'FENCED', 'LEASE_LOST', 'LEDGER_BROKEN'];

/**
 * Runs work at a peer, and tells the controller when it fails in a way that may be the connection's fault: at most one
 * small write in 20 seconds. That it could not be told changes nothing about the work.
 */
export const noticingFailures = ({
  connection,
  failures,
  nowMs,
}: Pick<ControlPorts, 'connection' | 'nowMs'> & { readonly failures: ConnectionFailures }): (<T>(
  work: () => Promise<T>,
) => Promise<T>) => {
  let toldMs = Number.NEGATIVE_INFINITY;
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error);
      const atMs = nowMs();
      if (code !== undefined && atMs - toldMs >= TELL_MS) {
        toldMs = atMs;
        await failures.notice(connection, { atMs, code }).catch(() => undefined);
      }
      throw error;
    }
  };
};

/** RETRIES_EXHAUSTED is what a failing connection ends in, after it was told seven times. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof RetryableError && !(error instanceof BusyError) && !OUR_OWN.includes(error.code)
    ? error.code
    : undefined;
