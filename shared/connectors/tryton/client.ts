import * as z from 'zod';
import { CredentialsError, PermanentError, RetryableError, UnknownOutcomeError } from '../../core/errors.ts';
import type { CallContext, Clock } from '../../core/ports.ts';
import type { ErpOperation } from '../../core/reasons.ts';
import { fetchJson, statusError } from '../../http/fetch-json.ts';
import { peerClock } from '../../http/peer-clock.ts';
import { repeatRead } from '../../http/repeat-read.ts';
import { type TrytonFault, trytonError } from './errors.ts';

export type Clause = readonly [field: string, operator: string, value: unknown];
/** Clauses of which all must hold; `['OR', ...]` stands for those of which one must, or all of one list. */
export type Domain = readonly (Clause | readonly ['OR', ...(Clause | readonly Clause[])[]])[];

/** One call: when to give up, and Tryton's own context (company, language, archived records). */
export interface TrytonCall extends CallContext {
  readonly context?: Readonly<Record<string, unknown>>;
}

export interface Preferences {
  /** The user's current company. */
  readonly company: number | undefined;
  /** Code, e.g. `en` or `zh_TW`. */
  readonly language: string | undefined;
}

/**
 * The verbs of Tryton's JSON-RPC that we need. Every verb throws PermanentError, RetryableError, CredentialsError,
 * and for writes UnknownOutcomeError. `operation` says what we wanted, in the sentence "refused to ...".
 */
export interface TrytonClient {
  /** Of the server, e.g. `6.0.29`; asked without a session. */
  version(call: TrytonCall): Promise<string>;
  /** What the server's clock shows, epoch milliseconds, at most a second late; read again after ten minutes. */
  clock(call: TrytonCall): Promise<number>;
  preferences(call: TrytonCall): Promise<Preferences>;
  /** Records that do not exist, or that the user may not see, are left out. */
  searchRead<T>(
    model: string,
    query: {
      readonly domain: Domain;
      /** `party.name` reads a field of what `party` refers to: it comes as `party.` (observed on Tryton 6.0). */
      readonly fields: readonly string[];
      readonly limit?: number;
    },
    row: z.ZodType<T>,
    call: TrytonCall,
  ): Promise<T[]>;
  /** A method of a model that changes nothing. */
  ask<T>(
    model: string,
    method: string,
    args: readonly unknown[],
    answer: z.ZodType<T>,
    call: TrytonCall,
  ): Promise<T>;
  create(model: string, values: object, operation: ErpOperation, call: TrytonCall): Promise<number>;
  write(
    model: string,
    ids: readonly number[],
    values: object,
    operation: ErpOperation,
    call: TrytonCall,
  ): Promise<void>;
  /** A button. Tryton ignores silently what the state of a record does not allow: read the state afterwards. */
  press(
    model: string,
    button: string,
    ids: readonly number[],
    operation: ErpOperation,
    call: TrytonCall,
  ): Promise<void>;
  /** One state of a wizard on one record, with everything that it would ask for. */
  wizard(
    name: string,
    step: { readonly state: string; readonly data: object; readonly model: string; readonly id: number },
    operation: ErpOperation,
    call: TrytonCall,
  ): Promise<void>;
}

export interface TrytonClientOptions {
  /** Connection id, for messages. */
  readonly connection: string;
  readonly url: string;
  readonly database: string;
  readonly credentials: (fresh?: boolean) => Promise<{ readonly login: string; readonly password: string }>;
  readonly nowMs: Clock;
}

/** Confirming a large order makes shipments and an invoice and may take a while. */
const READ_DEADLINE_MS = 20_000;
const WRITE_DEADLINE_MS = 45_000;
/** How long the difference between two clocks is believed. */
const MAX_AGE_MS = 10 * 60_000;

const Answer = z.union([
  z.looseObject({ error: z.tuple([z.string()], z.unknown()) }),
  z.looseObject({ id: z.unknown(), result: z.unknown() }),
]);

interface Exchange {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly write: boolean;
  readonly operation: ErpOperation;
  readonly authorization?: string;
  /** Asked of the server, not of the database. */
  readonly root?: boolean;
}

/**
 * Tryton over JSON-RPC, with a session of its own. A refused session leads to a login with the secret read afresh,
 * once; reads are repeated in place, writes never.
 */
export const trytonClient = (options: TrytonClientOptions): TrytonClient => {
  const { connection } = options;
  let lastId = 0;
  let session: Promise<string> | undefined;
  let ahead: { readonly ms: number; readonly atMs: number } | undefined;

  const exchange = (what: Exchange, call: TrytonCall): Promise<unknown> =>
    what.write ? exchangeOnce(what, call) : repeatRead(call.signal, () => exchangeOnce(what, call));

  const exchangeOnce = async (
    { method, params, write, operation, authorization, root }: Exchange,
    call: TrytonCall,
  ): Promise<unknown> => {
    lastId += 1;
    const response = await fetchJson({
      url: root ? `${options.url}/` : `${options.url}/${encodeURIComponent(options.database)}/`,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'waybill',
        ...(authorization && { authorization }),
      },
      // Exactly these keys: with any other (`jsonrpc`) Tryton answers in another dialect (trytond/protocols/jsonrpc.py).
      body: JSON.stringify({ id: lastId, method, params }),
      signal: call.signal,
      deadlineMs: write ? WRITE_DEADLINE_MS : READ_DEADLINE_MS,
      write,
    });
    const refused = statusError(response, { peer: connection, write, nowMs: options.nowMs() });
    if (refused) throw refused;
    if (response.status !== 200) {
      const { status } = response;
      // 404: no such database (trytond/protocols/dispatcher.py).
      const code = status === 404 ? 'DATABASE_UNAVAILABLE' : 'UNEXPECTED_STATUS';
      throw new RetryableError(code, `${connection} answered HTTP ${status}`, { status });
    }
    const answer = Answer.safeParse(parseJson(response.text));
    if (!answer.success) throw unreadable(connection, write, 'something that is no answer of Tryton');
    if (!('error' in answer.data)) return answer.data.result;
    const fault = answer.data.error as TrytonFault;
    throw trytonError(fault, { destination: connection, operation, write });
  };

  const login = async (fresh: boolean, call: TrytonCall): Promise<string> => {
    const { login: user, password } = await options.credentials(fresh);
    try {
      const result = await exchange(
        {
          method: 'common.db.login',
          params: [user, { password }, 'en'],
          write: false,
          operation: { what: 'log-in' },
        },
        call,
      );
      const [id, key] = parsed(Login, result, false);
      return `Session ${Buffer.from(`${user}:${id}:${key}`).toString('base64')}`;
    } catch (error) {
      // What fails here is the connection, never one record: nothing is parked for it.
      if (error instanceof PermanentError) {
        throw new RetryableError('PEER_FAILED', `${connection} failed to log in`, {}, { cause: error });
      }
      if (error instanceof CredentialsError && !fresh) return login(true, call);
      throw error;
    }
  };

  const current = (call: TrytonCall, instead?: Promise<string>): Promise<string> => {
    if (session && session !== instead) return session;
    const opened = login(instead !== undefined, call);
    session = opened;
    opened.catch(() => {
      if (session === opened) session = undefined;
    });
    return opened;
  };

  const execute = async (
    method: string,
    args: readonly unknown[],
    how: { readonly write: boolean; readonly operation: ErpOperation },
    call: TrytonCall,
  ): Promise<unknown> => {
    const attempt = (authorization: string) =>
      exchange({ method, params: [...args, call.context ?? {}], authorization, ...how }, call);
    const used = current(call);
    const opened = await used;
    try {
      return await attempt(opened);
    } catch (error) {
      // Refused before anything was done, so a write may be sent again, in a session from a fresh secret.
      if (!(error instanceof CredentialsError)) throw error;
      return await attempt(await current(call, used));
    }
  };

  const parsed = <T>(schema: z.ZodType<T>, value: unknown, write: boolean): T => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const what = `an unexpected answer (${z.prettifyError(result.error).slice(0, 200)})`;
    throw unreadable(connection, write, what);
  };

  const reading = (model: string) => ({ write: false, operation: { what: 'read', model } }) as const;

  return {
    version: async (call) => {
      const what = { method: 'common.server.version', params: [], root: true } as const;
      const answer = await exchange({ ...what, ...reading('ir.module') }, call);
      return parsed(z.string().regex(/^\d+\.\d+/), answer, false);
    },
    clock: async ({ signal }) => {
      if (!ahead || options.nowMs() - ahead.atMs >= MAX_AGE_MS) {
        const shown = await repeatRead(signal, async () => {
          const body = JSON.stringify({ id: 0, method: 'common.server.version', params: [] });
          const headers = { 'content-type': 'application/json', 'user-agent': 'waybill' };
          const request = { method: 'POST', headers, body, signal, deadlineMs: READ_DEADLINE_MS } as const;
          return peerClock(await fetchJson({ url: `${options.url}/`, ...request, write: false }), connection);
        });
        ahead = { ms: shown - options.nowMs(), atMs: options.nowMs() };
      }
      return options.nowMs() + ahead.ms;
    },
    preferences: async (call) => {
      const answer = await execute('model.res.user.get_preferences', [true], reading('res.user'), call);
      const { company, language } = parsed(UserPreferences, answer, false);
      return { company: company ?? undefined, language: language ?? undefined };
    },
    searchRead: async (model, { domain, fields, limit }, row, call) =>
      parsed(
        z.array(row),
        await execute(
          `model.${model}.search_read`,
          [domain, 0, limit ?? null, [['id', 'ASC']], fields],
          reading(model),
          call,
        ),
        false,
      ),
    ask: async (model, method, args, answer, call) =>
      parsed(answer, await execute(`model.${model}.${method}`, args, reading(model), call), false),
    create: async (model, values, operation, call) => {
      const answer = await execute(`model.${model}.create`, [[values]], { write: true, operation }, call);
      return parsed(z.tuple([z.int().positive()]), answer, true)[0];
    },
    write: async (model, ids, values, operation, call) => {
      await execute(`model.${model}.write`, [ids, values], { write: true, operation }, call);
    },
    press: async (model, button, ids, operation, call) => {
      await execute(`model.${model}.${button}`, [ids], { write: true, operation }, call);
    },
    wizard: async (name, { state, data, model, id }, operation, call) => {
      // Its session is a row that nobody misses: one too many does no harm, so it is made like a read.
      const reads = { write: false, operation } as const;
      const [session] = parsed(WizardSession, await execute(`wizard.${name}.create`, [], reads, call), false);
      const context = { ...call.context, active_model: model, active_id: id, active_ids: [id] };
      const how = { write: true, operation } as const;
      await execute(`wizard.${name}.execute`, [session, data, state], how, { ...call, context });
      await execute(`wizard.${name}.delete`, [session], reads, call).catch(() => undefined);
    },
  };
};

const Login = z.tuple([z.int().positive(), z.string().min(1)], z.unknown());
const WizardSession = z.tuple([z.int().positive()], z.unknown());
const UserPreferences = z.looseObject({
  company: z.int().positive().nullish(),
  language: z.string().nullish(),
});

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's page
  }
};

const unreadable = (connection: string, write: boolean, what: string): RetryableError => {
  const Failure = write ? UnknownOutcomeError : RetryableError;
  return new Failure('UNEXPECTED_ANSWER', `${connection} answered ${what}`, { destination: connection });
};
