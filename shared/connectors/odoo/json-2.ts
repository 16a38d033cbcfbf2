import * as z from 'zod';
import { CredentialsError } from '../../core/errors.ts';
import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import { jsonOf } from '../../http/json.ts';
import type { OdooCall } from './client.ts';
import { odooError, routeMissing } from './errors.ts';
import {
  endpointGone,
  type MethodCall,
  type OdooClientOptions,
  type OdooWire,
  post,
  strangerError,
  unreadable,
} from './exchange.ts';
import { RpcError } from './json-rpc.ts';

/**
 * Odoo 19 and later over `/json/2`: an API key as bearer token (no login, and no password), named arguments, statuses
 * that mean something, the method's own return value as the whole body. Each call is one transaction.
 * Source: Odoo documentation, External JSON-2 API; captured on 19.
 */
export const json2 = (options: OdooClientOptions): OdooWire => {
  const { connection, database } = options;

  const exchange = async (
    { model, method, ids, leading, named, write, operation }: MethodCall,
    apiKey: string,
    call: OdooCall,
  ): Promise<unknown> => {
    // A password, say: no header can carry it, and JSON-2 takes keys only.
    if (!/^[\x21-\x7e]+$/.test(apiKey)) {
      throw new CredentialsError('CREDENTIALS_REFUSED', `${connection} has a secret without an API key`);
    }
    const response = await post(
      options,
      {
        path: `/json/2/${model}/${method}`,
        // Needed where one server holds several databases, harmless elsewhere.
        headers: { authorization: `bearer ${apiKey}`, 'x-odoo-database': database },
        body: {
          ...(ids && { ids }),
          ...leading,
          ...named,
          ...(call.context && { context: call.context }),
        },
        write,
      },
      call,
    );
    const answer = jsonOf(response.text);
    const failed = { destination: connection, operation, write };
    if (response.status === 200) {
      if (answer === undefined) throw unreadable(connection, write, 'something that is no JSON');
      // Where no route matches, Odoo answers JSON with JSON-RPC's error, as a success (odoo/odoo, JsonRPCDispatcher).
      const { data: stray } = StrayError.safeParse(answer);
      if (!stray) return answer ?? undefined; // null: the method returned nothing
      const exception = stray.error.data ?? { name: '', message: stray.error.message };
      throw routeMissing(exception.name) ? endpointGone(connection) : odooError(exception, failed);
    }
    const { data: exception } = ErrorBody.safeParse(answer);
    // Statuses of Odoo's exceptions say less than their names: 403 may be the key or one record, 500 a conflict.
    if (!exception || HTTP_ONLY.test(exception.name)) throw strangerError(options, response, write);
    throw odooError(exception, failed);
  };

  const execute = (method: MethodCall, call: OdooCall): Promise<unknown> =>
    // Refused before anything was done, so a write may be sent again, with a fresh secret.
    withFreshCredentials(options.credentials, ({ apiKey }) => exchange(method, apiKey, call));

  return {
    ready: async () => undefined,
    userId: async (call) => {
      const operation = { what: 'read', model: 'res.users' } as const;
      const method = { model: 'res.users', method: 'context_get', write: false, operation };
      const answer = User.safeParse(await execute(method, call));
      if (!answer.success) throw unreadable(connection, false, 'no user');
      return answer.data.uid;
    },
    execute,
    create: (model, vals, operation, call) =>
      execute({ model, method: 'create', leading: { vals_list: [vals] }, write: true, operation }, call),
  };
};

const ErrorBody = z.looseObject({ name: z.string().min(1), message: z.string().catch('') });
const StrayError = z.looseObject({ jsonrpc: z.literal('2.0'), error: RpcError });
const User = z.looseObject({ uid: z.int().positive() });

/** HTTP's own exceptions, as far as they are not about what was asked: judged by the status. */
const HTTP_ONLY =
  /^werkzeug\.exceptions\.(?!(NotFound|UnprocessableEntity|BadRequest|RequestEntityTooLarge)$)/;
