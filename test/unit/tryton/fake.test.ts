import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PeerServer, startPeerServer } from '../../fakes/peer-server.ts';
import { FAKE, type FakeTryton, startFakeTryton } from '../../fakes/tryton.ts';
import { playScenario } from '../../tryton/scenario.ts';

/** Names are made of the step and the method: see `test/tryton/record.ts`. */
const FIXTURES = new URL('../../fixtures/tryton/', import.meta.url);
const names = readdirSync(FIXTURES).filter((name) => !name.includes('-refused-'));

let fake: FakeTryton;
let proxy: PeerServer;
const answers = new Map<string, { request: unknown; response: unknown }>();

beforeAll(async () => {
  fake = await startFakeTryton();
  let step = '';
  proxy = await startPeerServer((app) => {
    app.post('/*', async (request, reply) => {
      const body = String(request.body);
      const { authorization = '' } = request.headers;
      const answer = await fetch(`${fake.url}${request.url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body,
      });
      const response: unknown = await answer.json();
      const { method, params } = JSON.parse(body) as { method: string; params: unknown };
      const key = `${step} ${method}`;
      if (!answers.has(key)) answers.set(key, { request: params, response });
      return reply.send(response);
    });
  });
  const secrets = [{ login: FAKE.login, password: FAKE.password }];
  await playScenario({ url: proxy.url, database: FAKE.database, secrets }, (name) => {
    step = name;
  });
});
afterAll(() => Promise.all([proxy.stop(), fake.stop()]));

/** Fields and types, not values; null may stand for anything, and SQLite's 0 and 1 for no and yes. */
const shape = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length > 0 ? [shape(value[0])] : [];
  if (value === null) return null;
  if (typeof value === 'boolean') return 'number';
  if (typeof value !== 'object') return typeof value;
  const fields = Object.entries(value).map(([name, each]) => [name, shape(each)] as const);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
};
const agrees = (real: unknown, ours: unknown): boolean => {
  if (real === null || ours === null) return true;
  if (Array.isArray(real) && Array.isArray(ours)) {
    return real.length === 0 || ours.length === 0 || agrees(real[0], ours[0]);
  }
  if (typeof real === 'object' && typeof ours === 'object') {
    const [a, b] = [real, ours] as [Record<string, unknown>, Record<string, unknown>];
    return (
      String(Object.keys(a)) === String(Object.keys(b)) &&
      Object.keys(a).every((key) => agrees(a[key], b[key]))
    );
  }
  return real === ours;
};

/** Answered by much more than the connector reads. */
const LARGE = /fields_get|get_preferences/;

describe('the fake is asked what the real one was, and answers in its form', () => {
  it.each(names)('%s', (name) => {
    const { request, response } = JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8')) as {
      request: { method: string; params: unknown };
      response: { status: number; body: string };
    };
    const step = name.split('-')[1] ?? '';
    const ours = answers.get(`${step} ${request.method}`);
    // The recorder's own session.
    if (step === 'reserve' && /login|preferences/.test(request.method)) return;
    expect(ours, request.method).toBeDefined();
    expect(agrees(shape(request.params), shape(ours?.request)), JSON.stringify(ours?.request)).toBe(true);
    if (LARGE.test(request.method)) return;
    const [real, fakes] = [shape(JSON.parse(response.body)), shape(ours?.response)];
    expect(agrees(real, fakes), JSON.stringify([real, fakes])).toBe(true);
  });

  it('asks nothing that was not recorded', () => {
    const recorded = names.map((name) => {
      const { request } = JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8')) as {
        request: { method: string };
      };
      return `${name.split('-')[1]} ${request.method}`;
    });
    expect([...answers.keys()].filter((key) => !recorded.includes(key))).toEqual([]);
  });
});
