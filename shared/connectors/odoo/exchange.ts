import { RetryableError, UnknownOutcomeError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { ErpOperation } from '../../core/reasons.ts';
import { type FetchJsonResponse, fetchJson, statusError } from '../../http/fetch-json.ts';
import type { OdooCall } from './client.ts';

export interface OdooClientOptions {
  /** Connection id, for messages. */
  readonly connection: string;
  readonly url: string;
  readonly database: string;
  readonly credentials: (fresh?: boolean) => Promise<{ readonly login: string; readonly apiKey: string }>;
  readonly nowMs: Clock;
}

/** One of Odoo's methods with its arguments by name, so that either wire can say it. */
export interface MethodCall {
  readonly model: string;
  readonly method: string;
  /** Absent: a method of the model, not of records. */
  readonly ids?: readonly number[];
  /** Arguments that JSON-RPC sends by position, in the order of the method's own signature. */
  readonly leading?: Readonly<Record<string, unknown>>;
  readonly named?: Readonly<Record<string, unknown>>;
  readonly write: boolean;
  readonly operation: ErpOperation;
}

/** How methods travel. Nothing is repeated here, apart from a call whose credentials were refused. */
export interface OdooWire {
  /** What must be known before a method can be called; only reads. */
  ready(call: OdooCall): Promise<unknown>;
  userId(call: OdooCall): Promise<number>;
  /** Undefined where the method returned nothing. */
  execute(method: MethodCall, call: OdooCall): Promise<unknown>;
  /** One record: its id, alone or as a list of one. */
  create(model: string, vals: object, operation: ErpOperation, call: OdooCall): Promise<unknown>;
}

/** Confirming a large order creates deliveries and may take a while. */
export const READ_DEADLINE_MS = 20_000;
const WRITE_DEADLINE_MS = 45_000;

export const post = (
  options: OdooClientOptions,
  request: {
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: object;
    readonly write: boolean;
  },
  { signal }: OdooCall,
): Promise<FetchJsonResponse> => {
  const { path, headers, body, write } = request;
  return fetchJson({
    url: `${options.url}${path}`,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'waybill', ...headers },
    body: JSON.stringify(body),
    signal,
    deadlineMs: write ? WRITE_DEADLINE_MS : READ_DEADLINE_MS,
    write,
  });
};

/** What an answer means that is no success and carries none of Odoo's own exceptions. */
export const strangerError = (
  { connection, nowMs }: OdooClientOptions,
  response: FetchJsonResponse,
  write: boolean,
): RetryableError => {
  const refused = statusError(response, { peer: connection, write, nowMs: nowMs() });
  if (refused) return refused;
  const { status } = response;
  if (status === 404 || status === 405 || status === 410) return endpointGone(connection, { status });
  return new RetryableError('UNEXPECTED_STATUS', `${connection} answered HTTP ${status}`, { status });
};

/** Nobody listened, so nothing was done: another version, a database that does not exist, a proxy in between. */
export const endpointGone = (connection: string, context: { readonly status?: number } = {}) =>
  new RetryableError('ENDPOINT_GONE', `${connection} has no such address, or no such database`, context);

/** After a write, nobody knows whether it was done. */
export const unreadable = (connection: string, write: boolean, what: string): RetryableError => {
  const Failure = write ? UnknownOutcomeError : RetryableError;
  return new Failure('UNEXPECTED_ANSWER', `${connection} answered ${what}`, { destination: connection });
};

/** @example majorVersion(['saas~19', 2, 0, 'final', 0, 'e']) // 19, on Odoo Online */
export const majorVersion = (info: readonly unknown[]): number =>
  Number(/\d+/.exec(String(info[0]))?.[0] ?? 0);
