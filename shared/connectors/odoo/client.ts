import * as z from 'zod';
import { RetryableError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import type { ErpOperation } from '../../core/reasons.ts';
import { fetchJson, statusError } from '../../http/fetch-json.ts';
import { jsonOf } from '../../http/json.ts';
import { peerClock } from '../../http/peer-clock.ts';
import { repeatRead } from '../../http/repeat-read.ts';
import {
  majorVersion,
  type OdooClientOptions,
  type OdooWire,
  READ_DEADLINE_MS,
  unreadable,
} from './exchange.ts';
import { json2 } from './json-2.ts';
import { jsonRpc } from './json-rpc.ts';

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
  /** What the server's clock shows, epoch milliseconds, at most a second late; read again after ten minutes. */
  clock(call: OdooCall): Promise<number>;
}

/** How long a server is believed to be of the version that it was. */
const MAX_AGE_MS = 10 * 60_000;

interface Dialect {
  readonly version: number;
  readonly wire: OdooWire;
}

/**
 * Odoo 16 to 18 over JSON-RPC, 19 and later over JSON-2; which one, the server says. It is asked again after ten
 * minutes, and at once when the address has gone. Reads are repeated in place, writes never; refused credentials are
 * read again from the secret once, then thrown.
 */
export const odooClient = (options: OdooClientOptions): OdooClient => {
  const { connection, nowMs } = options;
  const rpc = jsonRpc(options);
  const two = json2(options);
  let known: { readonly dialect: Promise<Dialect>; readonly atMs: number } | undefined;
  let ahead: { readonly ms: number; readonly atMs: number } | undefined;

  const dialect = (call: OdooCall): Promise<Dialect> => {
    if (known && nowMs() - known.atMs < MAX_AGE_MS) return known.dialect;
    const asked = { dialect: repeatRead(call.signal, () => detect(call)), atMs: nowMs() };
    known = asked;
    asked.dialect.catch(() => forget(asked));
    return asked.dialect;
  };
  const forget = (what: typeof known): void => {
    if (known === what) known = undefined;
  };
  const detect = async (call: OdooCall): Promise<Dialect> => {
    const version = (await webVersion(options, call)) ?? (await rpc.version(call));
    return { version, wire: version >= 19 ? two : rpc };
  };

  /** Finding out how to talk, and logging in, only read: they are repeated by themselves, also before a write. */
  const run = async <T>(
    call: OdooCall,
    how: 'read' | 'write',
    work: (wire: OdooWire) => Promise<T>,
    again = how === 'read',
  ): Promise<T> => {
    const { wire } = await dialect(call);
    const used = known;
    try {
      await repeatRead(call.signal, () => wire.ready(call));
      return await (how === 'write' ? work(wire) : repeatRead(call.signal, () => work(wire)));
    } catch (error) {
      // Nobody answers there any more: Odoo was upgraded, or restored from an older backup.
      if (!(error instanceof RetryableError) || error.code !== 'ENDPOINT_GONE') throw error;
      forget(used);
      if (!again) throw error;
      return run(call, how, work, false);
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

  const reading = async <T>(
    answer: z.ZodType<T>,
    call: OdooCall,
    method: Omit<Parameters<OdooWire['execute']>[0], 'write' | 'operation'>,
  ): Promise<T> => {
    const operation = { what: 'read', model: method.model } as const;
    const work = (wire: OdooWire) => wire.execute({ ...method, write: false, operation }, call);
    return parsed(answer, await run(call, 'read', work), false);
  };

  return {
    version: async (call) => (await dialect(call)).version,
    userId: (call) => run(call, 'read', (wire) => wire.userId(call)),
    fieldsGet: (model, names, call) =>
      reading(z.record(z.string(), Field), call, {
        model,
        method: 'fields_get',
        leading: { allfields: names },
        named: { attributes: ['type', 'required'] },
      }),
    searchRead: (model, { domain, ...named }, row, call) =>
      reading(z.array(row), call, { model, method: 'search_read', leading: { domain }, named }),
    read: (model, ids, fields, row, call) =>
      reading(z.array(row), call, { model, method: 'read', ids, named: { fields } }),
    create: async (model, vals, operation, call) =>
      parsed(Created, await run(call, 'write', (wire) => wire.create(model, vals, operation, call)), true),
    write: async (model, ids, vals, operation, call) => {
      const method = { model, method: 'write', ids, leading: { vals }, write: true, operation };
      await run(call, 'write', (wire) => wire.execute(method, call));
    },
    act: (model, method, ids, operation, call) =>
      run(call, 'write', (wire) => wire.execute({ model, method, ids, write: true, operation }, call)),
    clock: async (call) => {
      if (!ahead || nowMs() - ahead.atMs >= MAX_AGE_MS) {
        const { version } = await dialect(call);
        const shown = await repeatRead(call.signal, async () =>
          peerClock(await (version >= 19 ? getVersion(options, call) : rpc.answer(call)), connection),
        );
        ahead = { ms: shown - nowMs(), atMs: nowMs() };
      }
      return nowMs() + ahead.ms;
    },
    userLanguage: async (call) =>
      (await reading(UserContext, call, { model: 'res.users', method: 'context_get' })).lang || undefined,
  };
};

/**
 * Major version by `/web/version`, which 19 and later have (odoo/odoo, addons/rpc; External JSON-2 API,
 * "Migrating"); undefined where there is no such page. It needs no login.
 */
const webVersion = async (options: OdooClientOptions, call: OdooCall): Promise<number | undefined> => {
  const { connection, nowMs } = options;
  const response = await getVersion(options, call);
  // A proxy may keep this page to itself; whether we may log in, the login says.
  const passing = ![401, 403].includes(response.status);
  const refused = passing && statusError(response, { peer: connection, write: false, nowMs: nowMs() });
  if (refused) throw refused;
  const answer = WebVersion.safeParse(jsonOf(response.text));
  return answer.success ? majorVersion(answer.data.version_info) : undefined;
};

const getVersion = ({ url }: OdooClientOptions, { signal }: OdooCall) =>
  fetchJson({
    url: `${url}/web/version`,
    headers: { 'user-agent': 'waybill' },
    signal,
    deadlineMs: READ_DEADLINE_MS,
    write: false,
  });

const WebVersion = z.looseObject({ version_info: z.array(z.unknown()).min(1) });
const Field = z.looseObject({ type: z.string(), required: z.boolean().default(false) });
const UserContext = z.looseObject({ lang: z.union([z.string(), z.literal(false)]).nullish() });
/** JSON-RPC answers the id of what was made, JSON-2 a list of one. */
const Created = z.union([z.int().positive(), z.tuple([z.int().positive()]).transform(([id]) => id)]);
