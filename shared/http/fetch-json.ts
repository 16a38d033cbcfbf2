import { CredentialsError, RetryableError, UnknownOutcomeError } from '../core/errors.ts';

export interface FetchJsonRequest {
  readonly url: string;
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Longest the whole exchange may take, body included. */
  readonly deadlineMs: number;
  /** Longest answer that is read. Default 8 MiB. */
  readonly maxBytes?: number;
  /** The call changes something at the peer: a lost answer is then an unknown outcome. */
  readonly write: boolean;
}

export interface FetchJsonResponse {
  readonly status: number;
  readonly headers: Headers;
  /** UTF-8, byte order mark removed. May be HTML: proxies and firewalls answer too. */
  readonly text: string;
}

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

/**
 * One HTTP exchange with whatever answer came; no status throws here (see `statusError`). Redirects are not
 * followed: they would drop a POST's body or carry credentials elsewhere.
 * @throws UnknownOutcomeError a write that may have been received
 * @throws RetryableError everything else that went wrong: code PEER_UNREACHABLE (nothing was sent),
 *   PEER_TIMEOUT, PEER_DISCONNECTED, ANSWER_TOO_LARGE
 */
export const fetchJson = async (request: FetchJsonRequest): Promise<FetchJsonResponse> => {
  const { url, method = 'GET', headers, body, deadlineMs, maxBytes = DEFAULT_MAX_BYTES, write } = request;
  const host = new URL(url).host;
  if (request.signal.aborted) {
    throw new RetryableError('PEER_TIMEOUT', `no time was left to call ${host}`, { host, method });
  }
  const deadline = AbortSignal.timeout(deadlineMs);
  const failed = (code: string, message: string, cause?: unknown) => {
    const Failure = write ? UnknownOutcomeError : RetryableError;
    return new Failure(code, message, { host, method }, { cause });
  };
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.any([request.signal, deadline]),
      ...(headers && { headers }),
      ...(body !== undefined && { body }),
    });
    const text = await readText(response, maxBytes);
    if (text === undefined) {
      throw failed('ANSWER_TOO_LARGE', `${host} answered with more than ${maxBytes} bytes`);
    }
    return { status: response.status, headers: response.headers, text };
  } catch (error) {
    if (error instanceof RetryableError) throw error;
    if (neverSent(error)) {
      const message = `${host} cannot be reached (${causeCode(error) ?? 'no connection'})`;
      throw new RetryableError('PEER_UNREACHABLE', message, { host, method }, { cause: error });
    }
    if (deadline.aborted || request.signal.aborted) {
      const limit = deadline.aborted ? `within ${deadlineMs} ms` : 'before time ran out';
      throw failed('PEER_TIMEOUT', `${host} did not answer ${limit}`, error);
    }
    throw failed('PEER_DISCONNECTED', `${host} closed the connection without an answer`, error);
  }
};

/**
 * What an HTTP status means, where it means the same everywhere; undefined for all others (2xx, 3xx, 400,
 * 404, 409, 422): those are for the connector to judge.
 */
export const statusError = (
  { status, headers }: Pick<FetchJsonResponse, 'status' | 'headers'>,
  options: { readonly peer: string; readonly write: boolean; readonly nowMs: number },
): RetryableError | undefined => {
  const { peer, write, nowMs } = options;
  const message = `${peer} answered HTTP ${status}`;
  if (status === 401 || status === 403) {
    return new CredentialsError('CREDENTIALS_REFUSED', message, { status });
  }
  if (status !== 408 && status !== 425 && status !== 429 && status < 500) return undefined;
  const hintMs = retryAfterMs(headers.get('retry-after'), nowMs);
  const context = { status, ...(hintMs !== undefined && { retryAfterMs: hintMs }) };
  const code = status === 429 ? 'RATE_LIMITED' : 'PEER_FAILED';
  // 408, 425, 429 and 503 refuse before anything is done; other 5xx may come after the write.
  return write && status >= 500 && status !== 503
    ? new UnknownOutcomeError(code, message, context)
    : new RetryableError(code, message, context);
};

/** `Retry-After` in milliseconds from now: seconds or an HTTP date (RFC 9110, 10.2.3); undefined if neither. */
export const retryAfterMs = (header: string | null | undefined, nowMs: number): number | undefined => {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  if (!/[a-z]/i.test(text)) return undefined; // Date.parse takes "-5" for a year
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
};

const readText = async (response: Response, maxBytes: number): Promise<string | undefined> => {
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await response.body?.cancel();
    return undefined;
  }
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined; // leaving the loop cancels the stream
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
};

/** Errors of Node's fetch (undici) that come before the first byte of the request: name, route, TLS. */
const NEVER_SENT =
  /^(ENOTFOUND|EAI_\w+|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+|ERR_INVALID_URL)$/;

const neverSent = (error: unknown): boolean => {
  const cause = causeOf(error);
  if (!cause) return false;
  if (NEVER_SENT.test(String(cause['code'] ?? ''))) return true;
  // Several addresses tried, or the time to connect ran out: the system call tells.
  const parts = Array.isArray(cause['errors']) ? (cause['errors'] as unknown[]) : [cause];
  return (
    parts.length > 0 && parts.every((part) => (part as { syscall?: unknown } | null)?.syscall === 'connect')
  );
};

const causeCode = (error: unknown): string | undefined => {
  const code = causeOf(error)?.['code'];
  return typeof code === 'string' ? code : undefined;
};

const causeOf = (error: unknown): Record<string, unknown> | undefined => {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null ? (cause as Record<string, unknown>) : undefined;
};
