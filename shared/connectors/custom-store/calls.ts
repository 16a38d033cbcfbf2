import { CredentialsError } from '../../core/errors.ts';
import type { CallContext, Clock } from '../../core/ports.ts';
import { type FetchJsonResponse, fetchJson, statusError } from '../../http/fetch-json.ts';
import type { CustomStoreCredentials, CustomStoreSettings } from './manifest.ts';

export interface CustomStoreCallOptions {
  readonly settings: CustomStoreSettings;
  readonly credentials: Pick<CustomStoreCredentials, 'apiToken'>;
  readonly nowMs: Clock;
  /** Longest one call may take. Default 30 seconds: serverless stores start cold. */
  readonly deadlineMs?: number;
  /** Longest answer that is read. Default 8 MiB: a hundred long orders. */
  readonly maxBytes?: number;
}

/** A body makes it a POST, and a write: `key` is the same for every repetition of one. */
export interface Posted {
  readonly body: unknown;
  readonly key: string;
}

const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

/**
 * One exchange with a custom store, below its `url`. Nothing is retried.
 * @throws CredentialsError 401, 403, or no token in the credentials
 * @throws UnknownOutcomeError a write that may have been done
 * @throws RetryableError 429 and 5xx with the store's hint, time-outs
 */
export const customStoreCall = async (
  { settings, credentials, nowMs, deadlineMs, maxBytes }: CustomStoreCallOptions,
  path: string,
  { signal }: CallContext,
  posted?: Posted,
): Promise<FetchJsonResponse> => {
  if (!credentials.apiToken) {
    throw new CredentialsError('CREDENTIALS_MISSING', 'the connection has no apiToken');
  }
  const write = posted !== undefined;
  const response = await fetchJson({
    url: `${settings.url}${path}`,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${credentials.apiToken}`,
      ...(posted && { 'content-type': 'application/json', 'idempotency-key': posted.key }),
    },
    ...(posted && { method: 'POST', body: JSON.stringify(posted.body) }),
    signal,
    deadlineMs: deadlineMs ?? DEFAULT_DEADLINE_MS,
    maxBytes: maxBytes ?? DEFAULT_MAX_BYTES,
    write,
  });
  const error = statusError(response, { peer: new URL(settings.url).host, write, nowMs: nowMs() });
  if (error) throw error;
  return response;
};
