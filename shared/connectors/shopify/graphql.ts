import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import {
  CredentialsError,
  type ErrorContext,
  RetryableError,
  UnknownOutcomeError,
} from '../../core/errors.ts';
import type { CallContext, Clock } from '../../core/ports.ts';
import type { BucketTold, RateBudget } from '../../core/rate-budget.ts';
import { type FetchJsonResponse, fetchJson, statusError } from '../../http/fetch-json.ts';
import { firstProblem, jsonOf } from '../../http/json.ts';
import type { Document } from './documents.ts';
import { manifest, type ShopifyCredentials, type ShopifySettings } from './manifest.ts';

export interface ShopifyGraphqlOptions {
  readonly settings: Pick<ShopifySettings, 'shop' | 'url'>;
  readonly credentials: Pick<ShopifyCredentials, 'accessToken'>;
  readonly nowMs: Clock;
  /** Longest one call may take. Default 20 seconds. */
  readonly deadlineMs?: number;
  /** Longest answer that is read. Default 8 MiB. */
  readonly maxBytes?: number;
  /** What a token without them is told to have. */
  readonly scopes: string;
  /** Points are taken from it before each call, and the call waits for them. Default: nobody counts. */
  readonly budget?: RateBudget | undefined;
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** The shop's cost bucket as its last answer stated it, for whoever decides how fast to go on. */
export type Throttle = BucketTold;

export interface Told<T> {
  readonly data: T;
  readonly throttle: Throttle | undefined;
}

/**
 * Asks one shop's GraphQL Admin API once. Nothing is retried.
 * @throws CredentialsError 401, 403, a missing scope, or no token in the credentials
 * @throws UnknownOutcomeError a mutation that may have been executed
 * @throws RetryableError everything else: throttled, with the time until the points are back; 5xx, a locked or frozen
 *   shop, answers that do not fit, time-outs
 */
export type AskShopify = <T>(
  document: Document,
  variables: Readonly<Record<string, unknown>>,
  schema: z.ZodType<T>,
  call: CallContext,
) => Promise<Told<T>>;

const DEFAULT_DEADLINE_MS = 20_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

export const shopifyGraphql = (options: ShopifyGraphqlOptions): AskShopify => {
  const { settings, credentials, nowMs, scopes, budget } = options;
  const { deadlineMs = DEFAULT_DEADLINE_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
  const pause = options.pause ?? ((ms, signal) => sleep(ms, undefined, { signal }));
  const base = settings.url ?? `https://${settings.shop}`;
  const peer = settings.shop;

  /** Until the points are there that the call may cost. */
  const take = async (cost: number, signal: AbortSignal): Promise<void> => {
    const waitMs = (await budget?.take(cost)) ?? 0;
    if (waitMs === 0) return;
    try {
      await pause(waitMs, signal);
      signal.throwIfAborted();
    } catch (error) {
      await budget?.settle(cost, undefined);
      const message = `${peer}: no time was left to wait for the shop's cost limit`;
      throw new RetryableError('RATE_LIMITED', message, { retryAfterMs: waitMs }, { cause: error });
    }
  };

  return async ({ text, cost }, variables, schema, { signal }) => {
    if (!credentials.accessToken) {
      throw new CredentialsError('CREDENTIALS_MISSING', 'the connection has no accessToken');
    }
    await take(cost, signal);
    const write = text.startsWith('mutation');
    const response = await fetchJson({
      url: `${base}/admin/api/${manifest.apiVersion}/graphql.json`,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'x-shopify-access-token': credentials.accessToken,
      },
      body: JSON.stringify({ query: text, variables }),
      signal,
      deadlineMs,
      maxBytes,
      write,
    });
    const answer = Answer.safeParse(jsonOf(response.text)).data;
    const throttle = answer && throttleOf(answer);
    if (budget && answer) await budget.settle(cost - costOf(answer, cost), throttle);
    if (answer?.errors) throw graphqlError(answer, { peer, write, scopes });
    const failed = statusError(response, { peer, write, nowMs: nowMs() });
    if (failed) throw failed;
    const { status } = response;
    const notUnderstood = (what: string) =>
      answerNotUnderstood(peer, what, { status }, write && status === 200);
    if (status !== 200 || !answer) throw notUnderstood(describe(response));
    const data = schema.safeParse(answer.data);
    if (!data.success) throw notUnderstood(firstProblem(data.error));
    return { data: data.data, throttle };
  };
};

/** @param written it may have been done nevertheless */
export const answerNotUnderstood = (
  peer: string,
  what: string,
  context: ErrorContext = {},
  written = false,
): RetryableError => {
  const Failure = written ? UnknownOutcomeError : RetryableError;
  return new Failure('ANSWER_NOT_UNDERSTOOD', `${peer}: ${what}`, context);
};

// --- answers and errors ------------------------------------------------------------------------------------

const Cost = z.object({
  requestedQueryCost: z.number(),
  /** null: it was not executed. */
  actualQueryCost: z.number().nullish().catch(undefined),
  throttleStatus: z.object({
    maximumAvailable: z.number(),
    currentlyAvailable: z.number(),
    restoreRate: z.number().positive(),
  }),
});

/** Errors of GraphQL are a list; those of the gateway before it (401, 402, 404, 423) a text or anything. */
const Answer = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        extensions: z.object({ code: z.string() }).optional().catch(undefined),
      }),
    )
    .nonempty()
    .optional()
    .catch(undefined),
  extensions: z.object({ cost: Cost }).optional().catch(undefined),
});
type Answer = z.infer<typeof Answer>;

const throttleOf = ({ extensions }: Answer): Throttle | undefined => {
  const status = extensions?.cost.throttleStatus;
  return (
    status && {
      maximum: status.maximumAvailable,
      available: status.currentlyAvailable,
      restorePerSecond: status.restoreRate,
    }
  );
};

/** What is not executed costs nothing; where nothing is said, all that was taken. */
const costOf = ({ extensions }: Answer, taken: number): number => {
  const actual = extensions?.cost.actualQueryCost;
  return actual === undefined ? taken : (actual ?? 0);
};

/** Codes after which a mutation may have been executed. */
const MAYBE_DONE = ['INTERNAL_SERVER_ERROR', 'TIMEOUT', ''];

/** `extensions.code` as shopify.dev, Response codes, lists them. Messages may quote what was asked: not passed on. */
const graphqlError = (
  answer: Answer,
  { peer, write, scopes }: { readonly peer: string; readonly write: boolean; readonly scopes: string },
): RetryableError => {
  const codes = answer.errors?.map(({ extensions }) => extensions?.code ?? '') ?? [];
  if (codes.includes('THROTTLED')) {
    const cost = answer.extensions?.cost;
    const missing = cost ? cost.requestedQueryCost - cost.throttleStatus.currentlyAvailable : 0;
    const retryAfterMs = cost && Math.max(0, Math.ceil((missing / cost.throttleStatus.restoreRate) * 1000));
    const message = `${peer}: the shop's cost limit is used up`;
    return new RetryableError('RATE_LIMITED', message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
  if (codes.includes('ACCESS_DENIED')) {
    return new CredentialsError(
      'SCOPE_MISSING',
      `${peer}: the token may not do this: scopes ${scopes} are needed`,
    );
  }
  const code = codes.find((each) => /^[\w-]{1,60}$/.test(each));
  const Failure =
    write && codes.some((each) => MAYBE_DONE.includes(each)) ? UnknownOutcomeError : RetryableError;
  return ['INTERNAL_SERVER_ERROR', 'TIMEOUT', 'SHOP_INACTIVE'].includes(code ?? '')
    ? new Failure('PEER_FAILED', `${peer}: ${code}`)
    : new Failure('QUERY_REFUSED', `${peer}: refused the query (${code ?? 'without a code'})`);
};

/** shopify.dev, Response codes. */
const STATUS: Readonly<Record<number, string>> = {
  402: 'the shop is frozen: its bill is not paid',
  404: `there is no such shop, or API version ${manifest.apiVersion} is withdrawn`,
  423: 'the shop is locked',
  430: 'refused for security reasons',
};

const describe = ({ status, headers }: FetchJsonResponse): string => {
  if (status >= 300 && status < 400) {
    const location = headers.get('location') ?? '';
    return `redirects to ${URL.canParse(location) ? new URL(location).origin : 'elsewhere'}: correct "shop"`;
  }
  return `HTTP ${status}: ${STATUS[status] ?? 'no answer of the GraphQL API'}`;
};
