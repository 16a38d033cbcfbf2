import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isRecord } from './aws-endpoint.ts';
import type { InvocationResult } from './function-host.ts';
import { ACCOUNT_ID, type ApiPlan, type RoutePlan } from './plan.ts';

/** HTTP APIs take 10 MB. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** A Lambda integration may take 30 seconds at most. */
const MAX_INTEGRATION_MS = 30_000;

/**
 * Content types whose bodies reach the function as text. All others, form posts and requests without a content type
 * included, arrive base64-encoded: observed on HTTP APIs (the developer guide only says "binary").
 */
const TEXT = /^(text\/.*|application\/(json|xml|javascript))$/i;
export const isTextBody = (contentType: string | undefined, contentEncoding?: string): boolean =>
  !contentEncoding && TEXT.test((contentType ?? '').split(';')[0]?.trim() ?? '');

export interface RouteMatch {
  readonly route: RoutePlan;
  readonly pathParameters: Readonly<Record<string, string>>;
}

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

interface Candidate extends RouteMatch {
  /** Higher is more specific, compared from the left. */
  readonly rank: readonly number[];
}
const matchRoute = (route: RoutePlan, method: string, segments: readonly string[]): Candidate | undefined => {
  if (route.routeKey === '$default') return { route, pathParameters: {}, rank: [] };
  const [routeMethod = '', routePath = ''] = route.routeKey.split(' ');
  if (routeMethod !== 'ANY' && routeMethod !== method) return undefined;
  const pattern = routePath.split('/').slice(1);
  const pathParameters: Record<string, string> = {};
  const rank: number[] = [];
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    const [, name, greedy] = /^\{([^}+]+)(\+)?\}$/.exec(part) ?? [];
    if (segment === undefined || (name && segment === '')) return undefined;
    if (name && greedy) {
      pathParameters[name] = segments.slice(index).map(decode).join('/');
      return { route, pathParameters, rank: [...rank, 1, routeMethod === 'ANY' ? 0 : 1] };
    }
    if (name) pathParameters[name] = decode(segment);
    else if (part !== segment) return undefined;
    rank.push(name ? 2 : 3);
  }
  if (segments.length !== pattern.length) return undefined;
  return { route, pathParameters, rank: [...rank, routeMethod === 'ANY' ? 0 : 1] };
};
const compareRank = (left: Candidate, right: Candidate): number => {
  for (let at = 0; at < Math.max(left.rank.length, right.rank.length); at += 1) {
    const difference = (right.rank[at] ?? -1) - (left.rank[at] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** The route that an HTTP API chooses: full match before greedy path variable before `$default`. */
export const chooseRoute = (
  routes: readonly RoutePlan[],
  method: string,
  path: string,
): RouteMatch | undefined => {
  const segments = path.split('/').slice(1);
  return routes
    .flatMap((route) => matchRoute(route, method, segments) ?? [])
    .sort(compareRank)
    .at(0);
};

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length']);
/** `07/Aug/2026:01:37:53 +0000` */
const commonLogTime = (at: Date): string => {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/.exec(at.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
};

const joinDuplicates = (pairs: Iterable<readonly [string, string]>): Record<string, string> => {
  const joined: Record<string, string> = {};
  for (const [name, value] of pairs) joined[name] = name in joined ? `${joined[name]},${value}` : value;
  return joined;
};

export interface HttpRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly httpVersion: string;
  readonly sourceIp: string;
  readonly body: Buffer;
}

/** The event of payload format 2.0. */
export const toHttpEvent = (api: ApiPlan, match: RouteMatch, request: HttpRequest, at: Date) => {
  const question = request.url.indexOf('?');
  const path = question < 0 ? request.url : request.url.slice(0, question);
  const rawQueryString = question < 0 ? '' : request.url.slice(question + 1);
  const pairs: [string, string][] = [];
  const cookies: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = (request.rawHeaders[index] ?? '').toLowerCase();
    const value = request.rawHeaders[index + 1] ?? '';
    if (name === 'cookie') cookies.push(...value.split(/;\s*/));
    else if (!HOP_BY_HOP.has(name) || name === 'content-length') pairs.push([name, value]);
  }
  const headers = joinDuplicates(pairs);
  const host = headers['host'] ?? '127.0.0.1';
  const requestId = randomBytes(11).toString('base64url');
  const isText = isTextBody(headers['content-type'], headers['content-encoding']);
  const query = joinDuplicates(new URLSearchParams(rawQueryString));
  // HTTP APIs decode the path, in contrast to the query string.
  const rawPath = decode(path);
  return {
    version: '2.0',
    routeKey: match.route.routeKey,
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers: {
      ...headers,
      'x-amzn-trace-id': `Root=1-${Math.floor(at.getTime() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`,
      'x-forwarded-for': headers['x-forwarded-for']
        ? `${headers['x-forwarded-for']}, ${request.sourceIp}`
        : request.sourceIp,
      'x-forwarded-port': host.split(':')[1] ?? '80',
      'x-forwarded-proto': 'http',
    },
    ...(rawQueryString ? { queryStringParameters: query } : {}),
    ...(Object.keys(match.pathParameters).length > 0 ? { pathParameters: match.pathParameters } : {}),
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: api.id,
      domainName: host,
      domainPrefix: host.split(/[.:]/)[0] ?? '',
      http: {
        method: request.method,
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: match.route.routeKey,
      stage: '$default',
      time: commonLogTime(at),
      timeEpoch: at.getTime(),
    },
    ...(request.body.length > 0 ? { body: request.body.toString(isText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: request.body.length > 0 && !isText,
  };
};

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: string | Buffer;
}
const plain = (status: number, message: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  cookies: [],
  body: JSON.stringify({ message }),
});
const INTERNAL = plain(500, 'Internal Server Error');

/** What an HTTP API makes of a function's answer. A result without statusCode is the body of a 200, as JSON. */
export const toHttpResponse = (payload: string): HttpResponse => {
  const result: unknown = JSON.parse(payload);
  if (!isRecord(result) || !('statusCode' in result)) {
    const body = result === null ? '' : typeof result === 'string' ? result : payload;
    return { status: 200, headers: { 'content-type': 'application/json' }, cookies: [], body };
  }
  const { statusCode, headers, cookies, body = '', isBase64Encoded } = result;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599 || typeof body !== 'string') return INTERNAL;
  if (headers !== undefined && headers !== null && !isRecord(headers)) return INTERNAL;
  const lowered = Object.fromEntries(
    Object.entries(headers ?? {})
      .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
      .filter(([name]) => !HOP_BY_HOP.has(name)),
  );
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...lowered },
    cookies: Array.isArray(cookies) ? cookies.map(String) : [],
    body: isBase64Encoded === true ? Buffer.from(body, 'base64') : body,
  };
};

/** The HTTP API of the templates. Call `listen` on it; requests wait until `ready` says so. */
export const httpFront = (options: {
  /** Known once the port is. */
  readonly api: () => ApiPlan | undefined;
  readonly ready: Promise<void>;
  readonly invoke: (functionName: string, event: string) => Promise<InvocationResult>;
}): FastifyInstance => {
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    // One route: the templates' routes are chosen below, by the rules of HTTP APIs.
    rewriteUrl: () => '/',
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const send = (reply: FastifyReply, { status, headers, cookies, body }: HttpResponse) => {
    reply.code(status).headers({ ...headers });
    for (const cookie of cookies) reply.header('set-cookie', cookie);
    return reply.send(body);
  };

  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    await options.ready;
    const api = options.api();
    const { originalUrl: url, method } = request;
    const match = api && chooseRoute(api.routes, method, url.split('?')[0] ?? '/');
    // A path that exists for another method is not found either.
    if (!match) return send(reply, plain(404, 'Not Found'));
    const event = toHttpEvent(
      api,
      match,
      {
        ...{ method, url, sourceIp: request.ip },
        rawHeaders: request.raw.rawHeaders,
        httpVersion: request.raw.httpVersion,
        body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      },
      new Date(),
    );
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), Math.min(match.route.timeoutMs, MAX_INTEGRATION_MS));
    });
    try {
      const result = await Promise.race([
        options.invoke(match.route.functionName, JSON.stringify(event)),
        timeout,
      ]);
      if (!result) return send(reply, plain(503, 'Service Unavailable'));
      return send(reply, result.ok ? toHttpResponse(result.payload) : INTERNAL);
    } catch {
      return send(reply, plain(503, 'Service Unavailable'));
    } finally {
      clearTimeout(timer);
    }
  };

  app.all('/', handle);
  app.setNotFoundHandler((_request, reply) => send(reply, plain(404, 'Not Found')));
  app.setErrorHandler((error, _request, reply) =>
    send(
      reply,
      (error as { statusCode?: number }).statusCode === 413
        ? plain(413, 'Request Entity Too Large')
        : INTERNAL,
    ),
  );
  return app;
};
