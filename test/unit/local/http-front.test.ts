import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { InvocationResult } from '../../../infra/local/function-host.ts';
import {
  chooseRoute,
  httpFront,
  isTextBody,
  toHttpEvent,
  toHttpResponse,
} from '../../../infra/local/http-front.ts';

const routes = (...keys: string[]) =>
  keys.map((routeKey) => ({ routeKey, functionName: routeKey, timeoutMs: 30_000 }));

describe('the route that is chosen', () => {
  // "Working with routes for HTTP APIs" gives the order: full match, greedy path variable, $default.
  const all = routes(
    'GET /pets/dog/1',
    'GET /pets/dog/{id}',
    'GET /pets/{proxy+}',
    'ANY /{proxy+}',
    'POST /webhooks/{connection}',
    '$default',
  );
  it.each([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', {}],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['GET', '/pets/cat/1', 'GET /pets/{proxy+}', { proxy: 'cat/1' }],
    ['POST', '/test/5', 'ANY /{proxy+}', { proxy: 'test/5' }],
    ['POST', '/webhooks/acme%20shop', 'POST /webhooks/{connection}', { connection: 'acme shop' }],
    ['GET', '/webhooks/acme', 'ANY /{proxy+}', { proxy: 'webhooks/acme' }],
  ])('%s %s', (method, path, routeKey, pathParameters) => {
    const match = chooseRoute(all, method, path);
    expect([match?.route.routeKey, match?.pathParameters]).toEqual([routeKey, pathParameters]);
  });

  it.each([
    ['another method', 'GET', '/webhooks/acme'],
    ['one segment more', 'POST', '/webhooks/acme/more'],
    ['one segment less', 'POST', '/webhooks'],
    ['an empty variable', 'POST', '/webhooks/'],
  ])('none for %s', (_name, method, path) => {
    expect(chooseRoute(routes('POST /webhooks/{connection}'), method, path)).toBeUndefined();
  });
  it('takes $default for the rest', () => {
    expect(chooseRoute(routes('$default', 'GET /a'), 'PUT', '/x')?.route.routeKey).toBe('$default');
  });
  it('prefers the named method to ANY', () => {
    expect(chooseRoute(routes('ANY /a', 'GET /a'), 'GET', '/a')?.route.routeKey).toBe('GET /a');
  });
});

describe('the event', () => {
  const api = { id: 'api1', name: 'x', routes: [] };
  const eventOf = (request: { url: string; rawHeaders?: string[]; body?: string | Buffer }) => {
    const match = chooseRoute(routes('POST /webhooks/{connection}'), 'POST', request.url.split('?')[0] ?? '');
    if (!match) throw new Error('no route');
    return toHttpEvent(
      api,
      match,
      {
        method: 'POST',
        url: request.url,
        rawHeaders: request.rawHeaders ?? ['Host', 'localhost:1'],
        httpVersion: '1.1',
        sourceIp: '127.0.0.1',
        body: Buffer.from(request.body ?? ''),
      },
      new Date('2026-08-07T01:37:53.815Z'),
    );
  };

  it('has payload format 2.0', () => {
    const event = eventOf({
      url: '/webhooks/acme?a=1&a=2&b=x%20y&c',
      rawHeaders: [
        ...[
          'Host',
          'localhost:8080',
          'User-Agent',
          'curl',
          'X-Many',
          '1',
          'Content-Type',
          'application/json',
        ],
        ...['x-many', '2', 'Cookie', 'a=1; b=2'],
      ],
      body: '{"n":1}',
    });
    expect(event).toEqual({
      version: '2.0',
      routeKey: 'POST /webhooks/{connection}',
      rawPath: '/webhooks/acme',
      rawQueryString: 'a=1&a=2&b=x%20y&c',
      cookies: ['a=1', 'b=2'],
      headers: {
        host: 'localhost:8080',
        'user-agent': 'curl',
        'x-many': '1,2',
        'content-type': 'application/json',
        'x-amzn-trace-id': expect.stringMatching(/^Root=1-6a7536f1-[0-9a-f]{24}$/),
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': '8080',
        'x-forwarded-proto': 'http',
      },
      queryStringParameters: { a: '1,2', b: 'x y', c: '' },
      pathParameters: { connection: 'acme' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'api1',
        domainName: 'localhost:8080',
        domainPrefix: 'localhost',
        http: {
          method: 'POST',
          path: '/webhooks/acme',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'curl',
        },
        requestId: expect.stringMatching(/^[\w-]{15}$/),
        routeKey: 'POST /webhooks/{connection}',
        stage: '$default',
        time: '07/Aug/2026:01:37:53 +0000',
        timeEpoch: 1_786_066_673_815,
      },
      body: '{"n":1}',
      isBase64Encoded: false,
    });
  });

  it('leaves out what the request does not have', () => {
    const event = eventOf({ url: '/webhooks/acme' });
    for (const key of ['cookies', 'queryStringParameters', 'body']) expect(event).not.toHaveProperty(key);
    expect(event.isBase64Encoded).toBe(false);
  });

  it('decodes the path, as HTTP APIs do', () => {
    expect(eventOf({ url: '/webhooks/a%C3%A9' })).toMatchObject({
      rawPath: '/webhooks/aé',
      pathParameters: { connection: 'aé' },
    });
  });

  it('keeps the bytes of a form post', () => {
    const event = eventOf({
      url: '/webhooks/acme',
      rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
      body: 'webhook_id=7',
    });
    expect([event.body, event.isBase64Encoded]).toEqual(['d2ViaG9va19pZD03', true]);
  });

  it.each([
    ['application/json', undefined, true],
    ['application/json; charset=utf-8', undefined, true],
    ['Text/Plain', undefined, true],
    ['application/xml', undefined, true],
    ['application/javascript', undefined, true],
    ['application/json', 'gzip', false],
    ['application/x-www-form-urlencoded', undefined, false],
    ['application/vnd.api+json', undefined, false],
    ['multipart/form-data; boundary=x', undefined, false],
    ['application/octet-stream', undefined, false],
    [undefined, undefined, false],
  ])('a body of type %s, encoding %s, is text: %s', (contentType, encoding, expected) => {
    expect(isTextBody(contentType, encoding)).toBe(expected);
  });
});

describe('the response', () => {
  it.each([
    [
      'an object with statusCode',
      { statusCode: 201, headers: { 'X-A': 1, 'Content-Length': 99 }, cookies: ['a=1'], body: 'made' },
      {
        status: 201,
        headers: { 'content-type': 'text/plain; charset=utf-8', 'x-a': '1' },
        cookies: ['a=1'],
        body: 'made',
      },
    ],
    [
      'base64',
      { statusCode: 200, headers: { 'content-type': 'image/png' }, body: 'AQI=', isBase64Encoded: true },
      { status: 200, headers: { 'content-type': 'image/png' }, cookies: [], body: Buffer.from([1, 2]) },
    ],
    [
      'an object without statusCode',
      { hello: 'world' },
      {
        status: 200,
        headers: { 'content-type': 'application/json' },
        cookies: [],
        body: '{"hello":"world"}',
      },
    ],
    [
      'a text',
      'hello',
      { status: 200, headers: { 'content-type': 'application/json' }, cookies: [], body: 'hello' },
    ],
  ])('%s', (_name, result, expected) => {
    expect(toHttpResponse(JSON.stringify(result))).toEqual(expected);
  });
  it.each([
    ['a status that is none', { statusCode: 'abc' }],
    ['a body that is no text', { statusCode: 200, body: { a: 1 } }],
    ['headers that are no object', { statusCode: 200, headers: ['a'] }],
  ])('%s is a 500', (_name, result) => {
    expect(toHttpResponse(JSON.stringify(result))).toMatchObject({
      status: 500,
      body: '{"message":"Internal Server Error"}',
    });
  });
});

describe('the server', () => {
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  const start = async (
    invoke: (functionName: string, event: string) => Promise<InvocationResult>,
    { timeoutMs = 30_000, ready = Promise.resolve() } = {},
  ) => {
    const api = { id: 'a', name: 'x', routes: [{ routeKey: 'POST /in', functionName: 'f', timeoutMs }] };
    const app = httpFront({ api: () => api, ready, invoke });
    stops.push(() => app.close());
    return app.listen({ host: '127.0.0.1', port: 0 });
  };
  const ok = async (): Promise<InvocationResult> => ({
    ok: true,
    requestId: '1',
    payload: '{"statusCode":204}',
  });
  const post = async (url: string, init: RequestInit = {}) => {
    const response = await fetch(url, { method: 'POST', ...init });
    return [response.status, await response.text()];
  };

  it('answers 404 to an unknown path and to a wrong method alike', async () => {
    const url = await start(ok);
    expect(await post(`${url}/out`)).toEqual([404, '{"message":"Not Found"}']);
    expect(await post(`${url}/in`, { method: 'GET' })).toEqual([404, '{"message":"Not Found"}']);
    expect(await post(`${url}/in`)).toEqual([204, '']);
    expect(await post(`${url}/%E0%A4%A`)).toEqual([404, '{"message":"Not Found"}']);
  });
  it('answers 500 when the function fails', async () => {
    const url = await start(async () => ({
      ok: false,
      requestId: '1',
      error: { errorType: 'Error', errorMessage: 'secret detail' },
    }));
    expect(await post(`${url}/in`)).toEqual([500, '{"message":"Internal Server Error"}']);
  });
  it('answers 503 when the integration takes too long', async () => {
    const url = await start(() => new Promise(() => undefined), { timeoutMs: 50 });
    expect(await post(`${url}/in`)).toEqual([503, '{"message":"Service Unavailable"}']);
  });
  it('answers 413 beyond 10 MB', async () => {
    const url = await start(ok);
    const body = Buffer.alloc(10 * 1024 * 1024 + 1);
    expect(await post(`${url}/in`, { body })).toEqual([413, '{"message":"Request Entity Too Large"}']);
  });
  it('holds requests until the stack is ready', async () => {
    let setReady = () => {};
    const ready = new Promise<void>((resolve) => {
      setReady = resolve;
    });
    const calls: string[] = [];
    const url = await start(
      (name) => {
        calls.push(name);
        return ok();
      },
      { ready },
    );
    const answer = post(`${url}/in`);
    await post(`${url}/in`, { signal: AbortSignal.timeout(100) }).catch(() => undefined);
    expect(calls).toEqual([]);
    setReady();
    expect(await answer).toEqual([204, '']);
  });
  it('sends several cookies', async () => {
    const url = await start(async () => ({
      ok: true,
      requestId: '1',
      payload: '{"statusCode":200,"cookies":["a=1","b=2"],"body":""}',
    }));
    const response = await fetch(`${url}/in`, { method: 'POST' });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });
  it('survives a client that goes away in the middle of a body', async () => {
    const url = await start(ok);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    await new Promise<void>((resolve) => socket.end(() => resolve()));
    expect(await post(`${url}/in`)).toEqual([204, '']);
  });
});
