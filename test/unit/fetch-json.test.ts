import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CredentialsError, RetryableError, UnknownOutcomeError } from '../../shared/core/errors.ts';
import { fetchJson, retryAfterMs, statusError } from '../../shared/http/fetch-json.ts';
import { type PeerServer, startPeerServer } from '../fakes/peer-server.ts';

let peer: PeerServer;
beforeEach(async () => {
  peer = await startPeerServer((app) => {
    app.all('/echo', async (request, reply) => {
      reply.header('x-method', request.method);
      return { got: request.body ? String(request.body) : null };
    });
    app.get('/bom', async () => Buffer.from('\uFEFF{"a":"\u53F0"}'));
    app.get('/big', async () => 'x'.repeat(2000));
    app.get('/moved', async (_request, reply) => reply.redirect('/echo', 301));
  });
});
afterEach(() => peer.stop());

const call = (path: string, options: Partial<Parameters<typeof fetchJson>[0]> = {}) =>
  fetchJson({
    url: `${peer.url}${path}`,
    signal: new AbortController().signal,
    deadlineMs: 5000,
    write: false,
    ...options,
  });
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('should have failed'),
    (error: unknown) => error,
  );

it('hands back status, headers and text, whatever the status', async () => {
  const answer = await call('/echo', {
    method: 'POST',
    body: '{"a":1}',
    headers: { accept: 'application/json' },
  });
  expect([answer.status, answer.headers.get('x-method'), answer.text]).toEqual([
    200,
    'POST',
    '{"got":"{\\"a\\":1}"}',
  ]);
  expect((await call('/nowhere')).status).toBe(404);
});

it('drops a byte order mark, decodes UTF-8', async () => {
  expect((await call('/bom')).text).toBe('{"a":"\u53F0"}');
});

it('does not follow redirects', async () => {
  expect((await call('/moved')).status).toBe(301);
  expect(peer.requests).toEqual(['GET /moved']);
});

describe.each([
  ['read', false, RetryableError],
  ['write', true, UnknownOutcomeError],
] as const)('%s', (_name, write, Kind) => {
  it.each([
    ['drop-before', 'PEER_DISCONNECTED'],
    ['drop-after', 'PEER_DISCONNECTED'],
  ] as const)('%s', async (kind, code) => {
    peer.fault({ effect: { kind } });
    const error = await failure(call('/echo', { method: 'POST', body: '{}', write }));
    expect(error).toBeInstanceOf(Kind);
    expect(error).toMatchObject({ code });
    expect(error instanceof UnknownOutcomeError).toBe(write);
  });

  it('slow: the deadline ends it', async () => {
    peer.fault({ effect: { kind: 'slow', delayMs: 3000 } });
    const error = await failure(call('/echo', { deadlineMs: 40, write }));
    expect(error).toMatchObject({ code: 'PEER_TIMEOUT', message: expect.stringContaining('within 40 ms') });
    expect(error instanceof UnknownOutcomeError).toBe(write);
  });

  it("slow: the caller's signal ends it", async () => {
    peer.fault({ effect: { kind: 'slow', delayMs: 3000 } });
    const stop = new AbortController();
    const pending = failure(call('/echo', { signal: stop.signal, write }));
    await expect.poll(() => peer.hits.slow).toBe(1);
    stop.abort();
    const error = await pending;
    expect(error).toMatchObject({ code: 'PEER_TIMEOUT' });
    expect(error instanceof UnknownOutcomeError).toBe(write);
  });

  it('too large', async () => {
    const error = await failure(call('/big', { maxBytes: 1999, write }));
    expect(error).toMatchObject({ code: 'ANSWER_TOO_LARGE' });
    expect(error instanceof UnknownOutcomeError).toBe(write);
    expect((await call('/big', { maxBytes: 2000 })).text).toHaveLength(2000);
  });

  it('never sent: connection refused, unknown host, no time left', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const address = free.address();
    await new Promise((resolve) => free.close(resolve));
    const port = typeof address === 'object' && address ? address.port : 0;
    const errors = [
      await failure(call('', { url: `http://127.0.0.1:${port}/`, write })),
      await failure(call('', { url: 'http://no-such-host.invalid/', write })),
      await failure(call('/echo', { signal: AbortSignal.abort(), write })),
    ];
    expect(errors.map((error) => (error as RetryableError).code)).toEqual([
      'PEER_UNREACHABLE',
      'PEER_UNREACHABLE',
      'PEER_TIMEOUT',
    ]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(RetryableError);
      expect(error).not.toBeInstanceOf(UnknownOutcomeError);
    }
    expect(peer.requests).toEqual([]);
  });
});

it('reads without a declared length are capped as they come', async () => {
  await peer.stop();
  peer = await startPeerServer((app) => {
    app.get('/stream', async (_request, reply) => {
      const { Readable } = await import('node:stream');
      return reply.send(
        Readable.from(
          (function* () {
            for (let index = 0; index < 1000; index += 1) yield Buffer.alloc(1000, 'x');
          })(),
        ),
      );
    });
  });
  expect(await failure(call('/stream', { maxBytes: 5000 }))).toMatchObject({ code: 'ANSWER_TOO_LARGE' });
});

describe('statusError', () => {
  const judge = (status: number, write: boolean, retryAfter?: string) =>
    statusError(
      { status, headers: new Headers(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) },
      { peer: 'shop', write, nowMs: Date.parse('2026-01-05T02:00:00Z') },
    );

  it.each([
    [200, undefined, undefined],
    [301, undefined, undefined],
    [400, undefined, undefined],
    [404, undefined, undefined],
    [409, undefined, undefined],
    [422, undefined, undefined],
    [401, 'CredentialsError', 'CredentialsError'],
    [403, 'CredentialsError', 'CredentialsError'],
    [408, 'RetryableError', 'RetryableError'],
    [425, 'RetryableError', 'RetryableError'],
    [429, 'RetryableError', 'RetryableError'],
    [500, 'RetryableError', 'UnknownOutcomeError'],
    [502, 'RetryableError', 'UnknownOutcomeError'],
    [503, 'RetryableError', 'RetryableError'],
    [504, 'RetryableError', 'UnknownOutcomeError'],
    [520, 'RetryableError', 'UnknownOutcomeError'],
  ])('%i: read %s, write %s', (status, read, write) => {
    expect(judge(status, false)?.name).toBe(read);
    expect(judge(status, true)?.name).toBe(write);
  });

  it('carries the hint', () => {
    expect(judge(429, false, '7')).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 7000 });
    expect(judge(503, true, 'Mon, 05 Jan 2026 02:00:30 GMT')).toMatchObject({ retryAfterMs: 30_000 });
    expect(judge(401, false)).toBeInstanceOf(CredentialsError);
  });
});

it.each([
  ['7', 7000],
  ['0', 0],
  [' 120 ', 120_000],
  ['1.5', 1500],
  ['Mon, 05 Jan 2026 02:00:30 GMT', 30_000],
  ['Mon, 05 Jan 2026 01:00:00 GMT', 0],
  ['-5', undefined],
  ['soon', undefined],
  ['', undefined],
  [null, undefined],
])('Retry-After %s', (header, expected) => {
  expect(retryAfterMs(header, Date.parse('2026-01-05T02:00:00Z'))).toBe(expected);
});
