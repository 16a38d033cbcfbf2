/** Who pauses and resumes by itself; people have other names. */
export const CONTROLLER = 'controller';

/** What a connection is meant to do. The event source of its consumer follows. */
export interface ConnectionState {
  readonly state: 'running' | 'paused';
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  /** `CONTROLLER`, or a person's name: what a person has paused, a person resumes. undefined: nobody ever acted. */
  readonly by?: string | undefined;
  /** Stable: PEER_UNREACHABLE, CREDENTIALS_REFUSED, ...; BY_HAND. */
  readonly code?: string | undefined;
  /** In plain words; no personal data but the name in `by`. */
  readonly why?: string | undefined;
  /** Why the controller has paused it: nobody answers as agreed, or somebody refuses our credentials. */
  readonly cause?: 'down' | 'credentials' | undefined;
  /** Connection tests that failed since it was paused. */
  readonly probes: number;
  /** No probe before. */
  readonly nextProbeMs?: number | undefined;
  /** When the last connection test of a running connection began: what failed before is dealt with. */
  readonly testedMs?: number | undefined;
}

/** What a consumer saw of its peer. */
export interface ConnectionFailure {
  readonly atMs: number;
  readonly code: string;
}

export interface ConnectionRow extends ConnectionState {
  readonly connection: string;
  /** Counts changes of the state; 0: it was never changed. */
  readonly version: number;
  /** The latest that a consumer told. */
  readonly failure?: ConnectionFailure | undefined;
}

/** Where consumers tell what they saw. */
export interface ConnectionFailures {
  /** The newest stays, whatever comes last. Changes neither state nor version. */
  notice(connection: string, failure: ConnectionFailure): Promise<void>;
}

/** Remembers, per connection, whether its work may run. Every change is one conditional write. */
export interface ConnectionStates extends ConnectionFailures {
  /** Consistent read. What nobody has ever paused is running. */
  get(connection: string): Promise<ConnectionRow>;
  /** @returns false: somebody has changed it since `row` was read, and nothing was written */
  change(row: ConnectionRow, to: ConnectionState): Promise<boolean>;
}

export const NEVER_CHANGED: ConnectionState = { state: 'running', sinceMs: 0, probes: 0 };

/**
 * A person pauses a connection, or lets it run again, whoever has paused it.
 * @returns the row as it was, and as it is now
 */
export const changeByHand = async (
  states: ConnectionStates,
  connection: string,
  to: {
    readonly state: ConnectionState['state'];
    readonly by: string;
    readonly why: string;
    readonly atMs: number;
  },
): Promise<{ readonly before: ConnectionRow; readonly after: ConnectionState }> => {
  const { state, by, why, atMs } = to;
  const after: ConnectionState = { state, sinceMs: atMs, by, why, code: 'BY_HAND', probes: 0 };
  for (let left = MOST_TRIES; left > 0; left -= 1) {
    const before = await states.get(connection);
    if (await states.change(before, after)) return { before, after };
  }
  throw new Error(`${connection} is changed by others all the time: try again`);
};

/** The controller writes once a minute; a person meets it once, not five times. */
const MOST_TRIES = 5;
