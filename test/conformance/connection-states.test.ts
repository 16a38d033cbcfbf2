import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoConnectionStates } from '../../shared/aws/dynamo-connection-states.ts';
import {
  type ConnectionState,
  type ConnectionStates,
  changeByHand,
} from '../../shared/core/connection-states.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';
import { memoryConnectionStates } from '../fakes/memory-connection-states.ts';

let tables: DynamoTables;
let table: string;

beforeAll(async () => {
  tables = await startDynamoTables();
  table = await tables.create();
});
afterAll(() => tables.stop());

const PAUSED: ConnectionState = {
  state: 'paused',
  sinceMs: 1_000,
  by: 'controller',
  code: 'PEER_UNREACHABLE',
  why: 'acme-odoo cannot be reached (ECONNREFUSED)',
  cause: 'down',
  probes: 1,
  nextProbeMs: 61_000,
};

/** What every place that keeps the states of connections must do. */
describe.each<[string, () => ConnectionStates]>([
  ['in memory', memoryConnectionStates],
  ['on DynamoDB', () => dynamoConnectionStates(tables.client, table)],
])('states of connections %s', (_where, open) => {
  let states: ConnectionStates;
  let connection: string;
  let tests = 0;

  beforeEach(() => {
    tests += 1;
    connection = `acme-odoo-${tests}`;
    states = open();
  });

  it('runs until somebody says otherwise', async () => {
    expect(await states.get(connection)).toEqual({
      connection,
      version: 0,
      state: 'running',
      sinceMs: 0,
      probes: 0,
      failure: undefined,
    });
  });

  it('says what was last said, whole', async () => {
    expect(await states.change(await states.get(connection), PAUSED)).toBe(true);
    expect(await states.get(connection)).toEqual({ ...PAUSED, connection, version: 1, failure: undefined });
    const running: ConnectionState = { state: 'running', sinceMs: 70_000, by: 'controller', probes: 0 };
    expect(await states.change(await states.get(connection), running)).toBe(true);
    expect(await states.get(connection)).toEqual({ ...running, connection, version: 2, failure: undefined });
  });

  it('of two who change what they have read, one does', async () => {
    const row = await states.get(connection);
    expect(await states.change(row, PAUSED)).toBe(true);
    expect(await states.change(row, { ...PAUSED, why: 'too late' })).toBe(false);
    const again = await states.get(connection);
    expect(again.why).toBe(PAUSED.why);
    expect(await states.change(again, { ...PAUSED, probes: 2 })).toBe(true);
    expect(await states.change(again, { ...PAUSED, probes: 3 })).toBe(false);
    expect((await states.get(connection)).probes).toBe(2);
  });

  it('the newest failure is kept, and changes nothing else', async () => {
    const row = await states.get(connection);
    await states.notice(connection, { atMs: 5_000, code: 'PEER_TIMEOUT' });
    await states.notice(connection, { atMs: 4_000, code: 'PEER_FAILED' });
    expect(await states.get(connection)).toMatchObject({
      state: 'running',
      version: 0,
      failure: { atMs: 5_000, code: 'PEER_TIMEOUT' },
    });
    expect(await states.change(row, PAUSED)).toBe(true);
    await states.notice(connection, { atMs: 6_000, code: 'PEER_FAILED' });
    expect(await states.get(connection)).toEqual({
      ...PAUSED,
      connection,
      version: 1,
      failure: { atMs: 6_000, code: 'PEER_FAILED' },
    });
  });

  it('a person has the last word, also when the controller writes at the same time', async () => {
    let meddled = false;
    const meddling: ConnectionStates = {
      ...states,
      get: async (id) => {
        const row = await states.get(id);
        if (!meddled) await states.change(row, PAUSED);
        meddled = true;
        return row;
      },
    };
    const to = { state: 'running', by: 'ada', why: 'it is back', atMs: 9_000 } as const;
    const { before } = await changeByHand(meddling, connection, to);
    expect(before).toMatchObject({ state: 'paused', by: 'controller' });
    expect(await states.get(connection)).toEqual({
      connection,
      version: 2,
      state: 'running',
      sinceMs: 9_000,
      by: 'ada',
      why: 'it is back',
      code: 'BY_HAND',
      probes: 0,
      failure: undefined,
    });
  });
});

it('passes on every failure but a failed condition', async () => {
  const broken = dynamoConnectionStates(tables.client, 'no-such-table');
  const missing = { name: 'ResourceNotFoundException' };
  await expect(broken.get('a')).rejects.toMatchObject(missing);
  await expect(broken.notice('a', { atMs: 1, code: 'A' })).rejects.toMatchObject(missing);
  const row = { connection: 'a', version: 0, state: 'running', sinceMs: 0, probes: 0 } as const;
  await expect(broken.change(row, PAUSED)).rejects.toMatchObject(missing);
});
