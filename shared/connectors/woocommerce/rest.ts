import { createHmac, randomBytes } from 'node:crypto';
import OAuth from 'oauth-1.0a';
import type * as z from 'zod';
import { CredentialsError, RetryableError } from '../../core/errors.ts';
import type { CallContext, Clock } from '../../core/ports.ts';
import { type FetchJsonResponse, fetchJson, statusError } from '../../http/fetch-json.ts';
import { jsonOf } from '../../http/json.ts';
import { readAnswer } from '../../http/read-answer.ts';
import type { WooCommerceCredentials, WooCommerceSettings } from './manifest.ts';
import { WcError } from './wire.ts';

export interface WooCommerceRestOptions {
  readonly settings: Pick<WooCommerceSettings, 'url'>;
  readonly credentials: Pick<WooCommerceCredentials, 'consumerKey' | 'consumerSecret'>;
  readonly nowMs: Clock;
  /** Longest one call may take. Default 30 seconds: shared hosting is slow. */
  readonly deadlineMs?: number;
  /** Longest answer that is read. Default 8 MiB: a hundred long products. */
  readonly maxBytes?: number;
  /** 32 characters that were never used before with this key, for OAuth. */
  readonly nonce?: () => string;
}

/** One exchange with one shop's REST API v3. Nothing is retried; statuses that mean the same everywhere throw. */
export interface WooCommerceRest {
  /** Host, for messages. */
  readonly peer: string;
  get(path: string, call: CallContext): Promise<FetchJsonResponse>;
  /** @throws UnknownOutcomeError it may have been done */
  post(path: string, body: unknown, call: CallContext): Promise<FetchJsonResponse>;
  /** @throws RetryableError ANSWER_NOT_UNDERSTOOD */
  read<T>(response: FetchJsonResponse, schema: z.ZodType<T>): T;
}

const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

export const wooCommerceRest = (options: WooCommerceRestOptions): WooCommerceRest => {
  const { settings, nowMs, deadlineMs = DEFAULT_DEADLINE_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
  const peer = new URL(settings.url).host;

  const exchange = async (
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    { signal }: CallContext,
  ): Promise<FetchJsonResponse> => {
    const write = method === 'POST';
    const { url, headers } = authorised(method, `${settings.url}/wp-json/wc/v3${path}`, options);
    const response = await fetchJson({
      url,
      method,
      headers: {
        accept: 'application/json',
        ...(write && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body }),
      signal,
      deadlineMs,
      maxBytes,
      write,
    });
    const error = statusError(response, { peer, write, nowMs: nowMs() });
    if (error) throw error;
    return response;
  };

  return {
    peer,
    get: (path, call) => exchange('GET', path, undefined, call),
    post: (path, body, call) => exchange('POST', path, JSON.stringify(body), call),
    read: (response, schema) => readAnswer(response, schema, { peer, errorCode: errorCode(response) }),
  };
};

/** Pages there are in all, from `X-WP-TotalPages`: without it nobody can tell a complete listing from a cut one. */
export const totalPagesOf = ({ headers }: FetchJsonResponse, peer: string): number => {
  const totalPages = Number(headers.get('x-wp-totalpages') ?? Number.NaN);
  if (Number.isSafeInteger(totalPages)) return totalPages;
  throw new RetryableError('ANSWER_NOT_UNDERSTOOD', `${peer}: no X-WP-TotalPages header`);
};

/**
 * Over https: Basic. Over plain http (this machine only) WooCommerce refuses Basic with 401 and takes OAuth
 * 1.0a without a token, parameters in the query (REST docs, Authentication; class-wc-rest-authentication.php).
 */
const authorised = (
  method: string,
  url: string,
  { credentials, nowMs, nonce }: WooCommerceRestOptions,
): { url: string; headers: Record<string, string> } => {
  const { consumerKey: key, consumerSecret: secret } = credentials;
  if (!key || !secret) {
    throw new CredentialsError('CREDENTIALS_MISSING', 'the connection has no consumerKey and consumerSecret');
  }
  if (url.startsWith('https:')) {
    const basic = Buffer.from(`${key}:${secret}`).toString('base64');
    return { url, headers: { authorization: `Basic ${basic}` } };
  }
  const oauth = new OAuth({
    consumer: { key, secret },
    signature_method: 'HMAC-SHA256',
    hash_function: (text, signingKey) => createHmac('sha256', signingKey).update(text).digest('base64'),
  });
  oauth.getTimeStamp = () => Math.floor(nowMs() / 1000);
  oauth.getNonce = nonce ?? (() => randomBytes(16).toString('hex'));
  const signed = new URL(url);
  for (const [name, value] of Object.entries(oauth.authorize({ url, method }))) {
    signed.searchParams.set(name, String(value));
  }
  return { url: signed.href, headers: {} };
};

/** WooCommerce's own 404. WordPress's (no such route: WooCommerce is off) and a proxy's say nothing about an order. */
export const isMissing = (response: FetchJsonResponse): boolean =>
  response.status === 404 && (errorCode(response)?.startsWith('woocommerce_rest_') ?? false);

/** WordPress's own word for what went wrong. */
export const errorCode = ({ text }: FetchJsonResponse): string | undefined => {
  const code = WcError.safeParse(jsonOf(text)).data?.code;
  return code !== undefined && /^[\w-]{1,80}$/.test(code) ? code : undefined;
};
