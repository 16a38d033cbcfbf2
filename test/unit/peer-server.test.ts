import { afterEach, expect, it } from 'vitest';
import { type PeerServer, startPeerServer } from '../fakes/peer-server.ts';

let server: PeerServer;
let written: string[];
const start = async () => {
  written = [];
  server = await startPeerServer((app) => {
    app.post('/write', async (request) => {
      written.push((request.body as Buffer).toString());
      return { ok: true };
    });
  });
};
const write = (body: string) => fetch(`${server.url}/write`, { method: 'POST', body });
afterEach(() => server.stop());

it('answers normally, and counts what it was asked', async () => {
  await start();
  expect(await (await write('a')).json()).toEqual({ ok: true });
  expect(server.requests).toEqual(['POST /write']);
});

it('answers a scripted status without effect, once', async () => {
  await start();
  server.fault({ effect: { kind: 'answer', status: 503, headers: { 'retry-after': '7' } } });
  const refused = await write('a');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '7']);
  expect((await write('b')).status).toBe(200);
  expect(written).toEqual(['b']);
});

it('drops before the write: nothing happened', async () => {
  await start();
  server.fault({ effect: { kind: 'drop-before' } });
  await expect(write('a')).rejects.toThrow();
  expect(written).toEqual([]);
});

it('drops after the write: it happened, and nobody was told', async () => {
  await start();
  server.fault({ effect: { kind: 'drop-after' } });
  await expect(write('a')).rejects.toThrow();
  expect(written).toEqual(['a']);
  expect(server.hits['drop-after']).toBe(1);
});

it('lets a write land after its connection died', async () => {
  await start();
  server.fault({ effect: { kind: 'late', delayMs: 20 } });
  await expect(write('a')).rejects.toThrow();
  expect(written).toEqual([]);
  await expect.poll(() => written).toEqual(['a']);
});

it.each([
  ['before', []],
  ['after', ['a']],
] as const)('hangs %s the write until the client is gone', async (at, effect) => {
  await start();
  const clients: { isGone(): boolean }[] = [];
  server.fault({ effect: { kind: 'hang', at, hung: (client) => clients.push(client) } });
  const client = new AbortController();
  const refused = expect(
    fetch(`${server.url}/write`, { method: 'POST', body: 'a', signal: client.signal }),
  ).rejects.toThrow();
  await expect.poll(() => clients.map((one) => one.isGone())).toEqual([false]);
  expect(written).toEqual(effect);
  client.abort();
  await refused;
  await expect.poll(() => clients[0]?.isGone()).toBe(true);
  expect(written).toEqual(effect);
  expect((await write('b')).status).toBe(200);
});

it('goes down: connections break, nobody listens, until it is up again at the same address', async () => {
  await start();
  server.fault({ effect: { kind: 'hang', at: 'after', hung: () => undefined } });
  const open = expect(write('a')).rejects.toThrow();
  await expect.poll(() => written).toEqual(['a']);
  const up = await server.goDown();
  await open;
  await expect(write('b')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  await up();
  expect((await write('c')).status).toBe(200);
  expect(written).toEqual(['a', 'c']);
});
