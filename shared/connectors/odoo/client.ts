import * as z from 'zod';
import { CredentialsError, PermanentError, RetryableError, UnknownOutcomeError } from '../../core/errors.ts';
import type { CallContext, Clock } from '../../core/ports.ts';
import type { ErpOperation } from '../../core/reasons.ts';
import { fetchJson, statusError } from '../../http/fetch-json.ts';
import { repeatRead } from '../../http/repeat-read.ts';
import { odooError } from './errors.ts';

export type Domain = readonly (
  | '|'
  | '&'
  | '!'
  | readonly [field: string, operator: string, value: unknown]
)[];

/** One call: when to give up, and Odoo's own context (companies, language, archived records). */
export interface OdooCall extends CallContext {
  readonly context?: Readonly<Record<string, unknown>>;
}

export interface FieldInfo {
  readonly type: string;
  readonly required: boolean;
}

/**
 * The verbs of Odoo's external API, whatever wire carries them (JSON-RPC up to 18, JSON-2 from 19).
 * Every verb throws PermanentError, RetryableError, CredentialsError, and for writes UnknownOutcomeError.
 * `operation` says what we wanted, in the sentence "refused to ...".
 */
export interface OdooClient {
  /** Major version of the server. */
  version(call: OdooCall): Promise<number>;
  /** Id of the API user. */
  userId(call: OdooCall): Promise<number>;
  /** Those of `names` that the model has in this installation. */
  fieldsGet(
    model: string,
    names: readonly string[],
    call: OdooCall,
  ): Promise<Readonly<Record<string, FieldInfo>>>;
  searchRead<T>(
    model: string,
    query: {
      readonly domain: Domain;
      readonly fields: readonly string[];
      readonly order?: string;
      readonly limit?: number;
    },
    row: z.ZodType<T>,
    call: OdooCall,
  ): Promise<T[]>;
  /** Records that do not exist are left out. */
  read<T>(
    model: string,
    ids: readonly number[],
    fields: readonly string[],
    row: z.ZodType<T>,
    call: OdooCall,
  ): Promise<T[]>;
  create(model: string, vals: object, operation: ErpOperation, call: OdooCall): Promise<number>;
  write(
    model: string,
    ids: readonly number[],
    vals: object,
    operation: ErpOperation,
    call: OdooCall,
  ): Promise<void>;
  /** A method of records that changes something. Undefined where it returned nothing. */
  act(
    model: string,
    method: string,
    ids: readonly number[],
    operation: ErpOperation,
    call: OdooCall,
  ): Promise<unknown>;
  /** Language of the API user, e.g. `zh_TW`; undefined when none is set. */
  userLanguage(call: OdooCall): Promise<string | undefined>;
}

export interface OdooClientOptions {
  /** Connection id, for messages. */
  readonly connection: string;
  readonly url: string;
  readonly database: string;
  readonly credentials: (fresh?: boolean) => Promise<{ readonly login: string; readonly apiKey: string }>;
  readonly nowMs: Clock;
}

/** Confirming a large order creates deliveries and may take a while. */
const READ_DEADLINE_MS = 20_000;
const WRITE_DEADLINE_MS = 45_000;

const Answer = z.looseObject({
  jsonrpc: z.literal('2.0'),
  result: z.unknown().optional(),
  error: z
    .looseObject({
      message: z.string().catch(''),
      data: z.looseObject({ name: z.string().catch(''), message: z.string().catch('') }).optional(),
    })
    .optional(),
});

interface Session {
  readonly uid: number;
  readonly apiKey: string;
}

interface Exchange {
  readonly service: 'common' | 'object';
  readonly method: string;
  readonly args: readonly unknown[];
  readonly write: boolean;
  readonly operation: ErpOperation;
}

/**
 * Odoo 16 to 18 over `/jsonrpc`, stateless: login and key travel with every call, the user id is cached.
 * A refused login reads the secret again once, then throws; reads are repeated in place, writes never.
 */
export const jsonRpcClient = (options: OdooClientOptions): OdooClient => {
  const { connection, database } = options;
  let lastId = 0;
  let session: Promise<Session> | undefined;

  const exchange = (what: Exchange, call: OdooCall): Promise<unknown> =>
    what.write ? exchangeOnce(what, call) : repeatRead(call.signal, () => exchangeOnce(what, call));

  const exchangeOnce = async ({ service, method, args, write, operation }: Exchange, call: OdooCall) => {
    lastId += 1;
    const response = await fetchJson({
      url: `${options.url}/jsonrpc`,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'waybill' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        method: 'call',
        id: lastId,
        params: { service, method, args },
      }),
      signal: call.signal,
      deadlineMs: write ? WRITE_DEADLINE_MS : READ_DEADLINE_MS,
      write,
    });
    const refused = statusError(response, { peer: connection, write, nowMs: options.nowMs() });
    if (refused) throw refused;
    if (response.status !== 200) {
      const { status } = response;
      throw new RetryableError('UNEXPECTED_STATUS', `${connection} answered HTTP ${status}`, { status });
    }
    const answer = Answer.safeParse(parseJson(response.text));
    if (!answer.success) throw unreadable(connection, write, 'something that is no JSON-RPC');
    const { result, error } = answer.data;
    if (error) {
      const { name, message } = error.data ?? { name: '', message: error.message };
      throw odooError({ name, message }, { destination: connection, operation, write });
    }
    // A method that returns None leaves `result` out: that is success (observed on Odoo 18).
    return result;
  };

  const login = async (fresh: boolean, call: OdooCall): Promise<Session> => {
    const credentials = await options.credentials(fresh);
    const uid = await common('authenticate', [database, credentials.login, credentials.apiKey, {}], call);
    if (typeof uid === 'number') return { uid, apiKey: credentials.apiKey };
    if (!fresh) return login(true, call);
    throw new CredentialsError('CREDENTIALS_REFUSED', `${connection} refused the login`, {
      destination: connection,
    });
  };

  /** What fails here is the connection, never one record: nothing is parked for it. */
  const common = async (method: string, args: readonly unknown[], call: OdooCall) => {
    try {
      return await exchange(
        { service: 'common', method, args, write: false, operation: { what: 'log-in' } },
        call,
      );
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      throw new RetryableError('PEER_FAILED', `${connection} failed to log in`, {}, { cause: error });
    }
  };

  const current = (call: OdooCall, instead?: Promise<Session>): Promise<Session> => {
    if (session && session !== instead) return session;
    const opened = login(instead !== undefined, call);
    session = opened;
    opened.catch(() => {
      if (session === opened) session = undefined;
    });
    return opened;
  };

  const execute = async (
    model: string,
    method: string,
    args: readonly unknown[],
    named: Readonly<Record<string, unknown>>,
    how: { readonly write: boolean; readonly operation: ErpOperation },
    call: OdooCall,
  ): Promise<unknown> => {
    const attempt = ({ uid, apiKey }: Session) =>
      exchange(
        {
          service: 'object',
          method: 'execute_kw',
          args: [
            database,
            uid,
            apiKey,
            model,
            method,
            args,
            { ...named, ...(call.context && { context: call.context }) },
          ],
          ...how,
        },
        call,
      );
    const used = current(call);
    const opened = await used;
    try {
      return await attempt(opened);
    } catch (error) {
      // Refused before anything was done, so a write may be sent again, with a login from a fresh secret.
      if (!(error instanceof CredentialsError)) throw error;
      return await attempt(await current(call, used));
    }
  };

  const parsed = <T>(schema: z.ZodType<T>, value: unknown, write: boolean): T => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw unreadable(
      connection,
      write,
      `an unexpected answer (${z.prettifyError(result.error).slice(0, 200)})`,
    );
  };

  const reading = (model: string) => ({ write: false, operation: { what: 'read', model } }) as const;

  return {
    version: async (call) => {
      const { server_version_info: info } = parsed(Version, await common('version', [], call), false);
      // "saas~17" on Odoo Online.
      return Number(/\d+/.exec(String(info[0]))?.[0] ?? 0);
    },
    userId: async (call) => (await current(call)).uid,
    fieldsGet: async (model, names, call) =>
      parsed(
        z.record(z.string(), Field),
        await execute(
          model,
          'fields_get',
          [names],
          { attributes: ['type', 'required'] },
          reading(model),
          call,
        ),
        false,
      ),
    searchRead: async (model, { domain, ...query }, row, call) =>
      parsed(z.array(row), await execute(model, 'search_read', [domain], query, reading(model), call), false),
    read: async (model, ids, fields, row, call) =>
      parsed(z.array(row), await execute(model, 'read', [ids], { fields }, reading(model), call), false),
    create: async (model, vals, operation, call) =>
      parsed(
        z.int().positive(),
        await execute(model, 'create', [vals], {}, { write: true, operation }, call),
        true,
      ),
    write: async (model, ids, vals, operation, call) => {
      await execute(model, 'write', [ids, vals], {}, { write: true, operation }, call);
    },
    act: (model, method, ids, operation, call) =>
      execute(model, method, [ids], {}, { write: true, operation }, call),
    userLanguage: async (call) => {
      const context = await execute('res.users', 'context_get', [], {}, reading('res.users'), call);
      return parsed(UserContext, context, false).lang || undefined;
    },
  };
};

const Version = z.looseObject({ server_version_info: z.array(z.unknown()).min(1) });
const Field = z.looseObject({ type: z.string(), required: z.boolean().default(false) });
const UserContext = z.looseObject({ lang: z.union([z.string(), z.literal(false)]).nullish() });

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
