import * as z from 'zod';
import { CredentialsError, PermanentError, RetryableError } from '../../core/errors.ts';
import type { FetchJsonResponse } from '../../http/fetch-json.ts';
import { jsonOf } from '../../http/json.ts';
import type { OdooCall } from './client.ts';
import { odooError, routeMissing } from './errors.ts';
import {
  endpointGone,
  type MethodCall,
  majorVersion,
  type OdooClientOptions,
  type OdooWire,
  post,
  strangerError,
  unreadable,
} from './exchange.ts';

/** The error object of JSON-RPC, where nothing is certain to be there. */
export const RpcError = z.looseObject({
  message: z.string().catch(''),
  data: z.looseObject({ name: z.string().catch(''), message: z.string().catch('') }).optional(),
});

const Answer = z.looseObject({
  jsonrpc: z.literal('2.0'),
  result: z.unknown().optional(),
  error: RpcError.optional(),
});

interface Session {
  readonly uid: number;
  readonly apiKey: string;
}

interface Exchange extends Pick<MethodCall, 'write' | 'operation'> {
  readonly service: 'common' | 'object';
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Odoo 16 to 18 over `/jsonrpc`, stateless: login and key travel with every call, the user id is cached. */
export const jsonRpc = (options: OdooClientOptions): OdooWire & Versioned => {
  const { connection, database } = options;
  let lastId = 0;
  let session: Promise<Session> | undefined;

  const exchange = async ({ service, method, args, write, operation }: Exchange, call: OdooCall) => {
    lastId += 1;
    const body = { jsonrpc: '2.0', method: 'call', id: lastId, params: { service, method, args } };
    const response = await post(options, { path: '/jsonrpc', body, write }, call);
    if (response.status !== 200) throw strangerError(options, response, write);
    const answer = Answer.safeParse(jsonOf(response.text));
    if (!answer.success) throw unreadable(connection, write, 'something that is no JSON-RPC');
    const { result, error } = answer.data;
    if (error) {
      const { name, message } = error.data ?? { name: '', message: error.message };
      if (routeMissing(name)) throw endpointGone(connection);
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
    { model, method, ids, leading = {}, named, ...how }: MethodCall,
    call: OdooCall,
  ): Promise<unknown> => {
    const args = [...(ids ? [ids] : []), ...Object.values(leading)];
    const named_ = { ...named, ...(call.context && { context: call.context }) };
    const attempt = ({ uid, apiKey }: Session) =>
      exchange(
        {
          service: 'object',
          method: 'execute_kw',
          args: [database, uid, apiKey, model, method, args, named_],
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

  return {
    version: async (call) => {
      const answer = Version.safeParse(await common('version', [], call));
      if (!answer.success) throw unreadable(connection, false, 'no version');
      return majorVersion(answer.data.server_version_info);
    },
    answer: (call) =>
      post(
        options,
        {
          path: '/jsonrpc',
          body: {
            jsonrpc: '2.0',
            method: 'call',
            id: 0,
            params: { service: 'common', method: 'version', args: [] },
          },
          write: false,
        },
        call,
      ),
    ready: current,
    userId: async (call) => (await current(call)).uid,
    execute,
    create: (model, vals, operation, call) =>
      execute({ model, method: 'create', leading: { vals_list: vals }, write: true, operation }, call),
  };
};

interface Versioned {
  /** Major version of the server, which anybody may ask for. */
  version(call: OdooCall): Promise<number>;
  /** The answer that says the version, with its headers. */
  answer(call: OdooCall): Promise<FetchJsonResponse>;
}

const Version = z.looseObject({ server_version_info: z.array(z.unknown()).min(1) });
