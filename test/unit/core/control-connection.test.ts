import { beforeEach, describe, expect, it } from 'vitest';
import { type ConnectionStates, changeByHand } from '../../../shared/core/connection-states.ts';
import {
  controlConnection,
  type EventSource,
  noticingFailures,
} from '../../../shared/core/control-connection.ts';
import { BusyError, CredentialsError, PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import { memoryConnectionStates } from '../../fakes/memory-connection-states.ts';

const T0 = Date.parse('2026-11-21T22:00:00Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const ODOO = 'acme-odoo';
const call = { signal: new AbortController().signal };
const DOWN = new RetryableError('PEER_UNREACHABLE', 'erp.example cannot be reached (ECONNREFUSED)');
const REFUSED = new CredentialsError('CREDENTIALS_REFUSED', 'acme-odoo refused the login');

let now: number;
let states: ConnectionStates;
let tests: number;
let peer: Error | undefined;
let isOn: boolean;
let switches: string[];
let source: EventSource;

beforeEach(() => {
  now = T0;
  states = memoryConnectionStates();
  tests = 0;
  peer = undefined;
  isOn = true;
  switches = [];
  source = {
    state: async () => (isOn ? 'on' : 'off'),
    set: async (to) => {
      isOn = to;
      switches.push(to ? 'on' : 'off');
    },
  };
});

const run = (over: Partial<Parameters<typeof controlConnection>[0]> = {}) =>
  controlConnection(
    {
      connection: ODOO,
      states,
      eventSource: source,
      test: async () => {
        tests += 1;
        if (peer) throw peer;
        return 'Odoo 18, user 2';
      },
      nowMs: () => now,
      timeScale: 1,
      ...over,
    },
    call,
  );
const fails = (code = 'PEER_TIMEOUT') => states.notice(ODOO, { atMs: now, code });
const paused = async (error: Error = DOWN) => {
  peer = error;
  await fails();
  await run();
};
const minutes = (n: number) => {
  now += n * MINUTE;
};

describe('running', () => {
  it('nothing failed: nobody is asked', async () => {
    expect(await run()).toMatchObject({ did: 'unchanged', switched: undefined });
    expect(tests).toBe(0);
  });

  it('something failed and the test passes: it runs on, and is not tested again for the same failure', async () => {
    await fails('CREDENTIALS_REFUSED');
    expect(await run()).toMatchObject({ did: 'passed', said: 'Odoo 18, user 2', row: { state: 'running' } });
    minutes(1);
    expect(await run()).toMatchObject({ did: 'unchanged' });
    expect(tests).toBe(1);
    await fails();
    expect(await run()).toMatchObject({ did: 'passed' });
    expect(switches).toEqual([]);
  });

  it('something failed and the test fails, too: paused, with the reason', async () => {
    peer = DOWN;
    await fails();
    expect(await run()).toMatchObject({
      did: 'paused',
      switched: 'off',
      row: {
        state: 'paused',
        sinceMs: T0,
        by: 'controller',
        code: 'PEER_UNREACHABLE',
        why: 'erp.example cannot be reached (ECONNREFUSED)',
        cause: 'down',
      },
    });
    expect(isOn).toBe(false);
  });

  it('a limit of the peer is no outage', async () => {
    peer = new RetryableError('RATE_LIMITED', 'acme-odoo answered HTTP 429');
    await fails();
    expect(await run()).toMatchObject({ did: 'unclear', row: { state: 'running' } });
    expect(await run()).toMatchObject({ did: 'unclear' });
    expect(isOn).toBe(true);
  });

  it('refused credentials pause as such', async () => {
    peer = REFUSED;
    await fails();
    expect((await run()).row).toMatchObject({ code: 'CREDENTIALS_REFUSED', cause: 'credentials' });
  });

  it('what fails on our side is no fault of the peer', async () => {
    peer = new TypeError('DynamoDB is away');
    await fails();
    await expect(run()).rejects.toThrow('DynamoDB is away');
    expect((await states.get(ODOO)).state).toBe('running');
    expect(isOn).toBe(true);
  });
});

describe('paused by the controller', () => {
  const probesAfter = async (total: number): Promise<number[]> => {
    const at: number[] = [];
    let before = tests;
    for (let minute = 1; minute <= total; minute += 1) {
      minutes(1);
      await run();
      if (tests > before) at.push(minute);
      before = tests;
    }
    return at;
  };

  it('probes with growing pauses, five minutes at most', async () => {
    await paused();
    expect(await probesAfter(20)).toEqual([1, 3, 7, 12, 17]);
    expect(await states.get(ODOO)).toMatchObject({ state: 'paused', sinceMs: T0, probes: 6 });
  });

  it('asks less often where the login is refused: it may be locked', async () => {
    await paused(REFUSED);
    expect(await probesAfter(60)).toEqual([1, 6, 21, 36, 51]);
  });

  it('runs again with the first probe that passes, whatever failed before', async () => {
    await paused();
    await fails();
    peer = undefined;
    minutes(1);
    expect(await run()).toEqual({
      did: 'resumed',
      said: 'Odoo 18, user 2',
      switched: 'on',
      row: {
        connection: ODOO,
        version: 2,
        state: 'running',
        sinceMs: T0 + MINUTE,
        by: 'controller',
        probes: 0,
        failure: { atMs: T0, code: 'PEER_TIMEOUT' },
      },
    });
    minutes(1);
    expect(await run()).toMatchObject({ did: 'unchanged' });
    expect(switches).toEqual(['off', 'on']);
  });

  it('says what is wrong now, not what was at first', async () => {
    await paused();
    peer = REFUSED;
    minutes(1);
    expect(await run()).toMatchObject({ did: 'probed', row: { sinceMs: T0, cause: 'credentials' } });
  });

  it('a limit does not wake it up', async () => {
    await paused();
    peer = new RetryableError('RATE_LIMITED', 'acme-odoo answered HTTP 429');
    minutes(1);
    expect(await run()).toMatchObject({ did: 'probed', row: { state: 'paused', code: 'PEER_UNREACHABLE' } });
  });

  it('waits less on a laptop', async () => {
    await paused();
    const scaled = memoryConnectionStates();
    await scaled.notice(ODOO, { atMs: now, code: 'PEER_TIMEOUT' });
    const { row } = await run({ states: scaled, timeScale: 0.01 });
    expect(row.nextProbeMs).toBe(T0 + 550);
  });
});

describe('by hand', () => {
  const byHand = (state: 'running' | 'paused') =>
    changeByHand(states, ODOO, { state, by: 'ada', why: 'stock-taking', atMs: now });

  it('paused: the event source follows, and nobody but a person lets it run again', async () => {
    await byHand('paused');
    expect(await run()).toMatchObject({ did: 'unchanged', switched: 'off' });
    minutes(600);
    expect(await run()).toMatchObject({ did: 'unchanged', row: { state: 'paused', by: 'ada' } });
    expect(tests).toBe(0);
    await byHand('running');
    expect(await run()).toMatchObject({ switched: 'on', row: { state: 'running' } });
  });

  it('paused while it was down: the person holds it', async () => {
    await paused();
    await byHand('paused');
    peer = undefined;
    minutes(10);
    expect(await run()).toMatchObject({ did: 'unchanged', row: { by: 'ada', state: 'paused' } });
  });

  it('a person acts while the test runs: the person is right', async () => {
    await fails();
    const result = await run({
      test: async () => {
        await byHand('paused');
        throw DOWN;
      },
    });
    expect(result).toMatchObject({
      did: 'overtaken',
      switched: 'off',
      row: { by: 'ada', why: 'stock-taking' },
    });
  });
});

describe('whatever dies', () => {
  it('between the wish and the switch: the next run switches', async () => {
    peer = DOWN;
    await fails();
    const dying: EventSource = { ...source, set: () => Promise.reject(new Error('killed')) };
    await expect(run({ eventSource: dying })).rejects.toThrow('killed');
    expect(isOn).toBe(true);
    expect(await run()).toMatchObject({ did: 'unchanged', switched: 'off' });
    peer = undefined;
    minutes(1);
    await expect(run({ eventSource: dying })).rejects.toThrow('killed');
    expect(await run()).toMatchObject({ did: 'unchanged', switched: 'on' });
  });

  it('two at once do what one does', async () => {
    peer = DOWN;
    await fails();
    const both = await Promise.all([run(), run()]);
    expect(both.map(({ did }) => did).sort()).toEqual(['overtaken', 'paused']);
    expect(await states.get(ODOO)).toMatchObject({ version: 1, state: 'paused', probes: 1 });
    expect(isOn).toBe(false);
  });

  it('switched by hand in the console, or by a deployment: switched back', async () => {
    isOn = false;
    expect(await run()).toMatchObject({ did: 'unchanged', switched: 'on' });
  });

  it('is being switched: left to the next run', async () => {
    expect(await run({ eventSource: { ...source, state: async () => 'changing' } })).toMatchObject({
      switched: undefined,
    });
    expect(switches).toEqual([]);
  });
});

describe('what consumers tell', () => {
  const told = async () => (await states.get(ODOO)).failure;
  const open = () => noticingFailures({ connection: ODOO, failures: states, nowMs: () => now });
  const failing = (error: Error) => () => Promise.reject(error);

  it('the error is passed on, and told', async () => {
    await expect(open()(failing(DOWN))).rejects.toBe(DOWN);
    expect(await told()).toEqual({ atMs: T0, code: 'PEER_UNREACHABLE' });
  });

  it.each<[string, Error]>([
    [
      'what a person must mend',
      new PermanentError('EVENT_NOT_UNDERSTOOD', { problem: { kind: 'not-json' } }),
    ],
    ['waiting for another worker', new BusyError('intent', T0)],
    ['running out of time', new RetryableError('OUT_OF_TIME', 'no time was left')],
    ['an error of our own', new TypeError('undefined is not a function')],
  ])('%s is not', async (_what, error) => {
    await expect(open()(failing(error))).rejects.toBe(error);
    expect(await told()).toBeUndefined();
  });

  it('at most once in 20 seconds', async () => {
    const noticing = open();
    await expect(noticing(failing(DOWN))).rejects.toBe(DOWN);
    now += 20 * SECOND - 1;
    await expect(noticing(failing(REFUSED))).rejects.toBe(REFUSED);
    expect(await told()).toEqual({ atMs: T0, code: 'PEER_UNREACHABLE' });
    now += 1;
    await expect(noticing(failing(REFUSED))).rejects.toBe(REFUSED);
    expect(await told()).toEqual({ atMs: T0 + 20 * SECOND, code: 'CREDENTIALS_REFUSED' });
  });

  it('that it cannot be told changes nothing', async () => {
    states = { ...states, notice: () => Promise.reject(new Error('no table')) };
    await expect(open()(failing(DOWN))).rejects.toBe(DOWN);
    expect(await open()(async () => 7)).toBe(7);
  });
});
