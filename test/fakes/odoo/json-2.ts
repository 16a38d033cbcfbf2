import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OdooException, type Vals } from './orm.ts';

export interface Json2Options {
  readonly database: string;
  apiKey(): string;
  /** Every public method that the model has besides those of every model. */
  methods(model: string): readonly string[] | undefined;
  call(model: string, method: string, args: readonly unknown[], kwargs: Vals): unknown;
}

/**
 * Odoo 19's own API: `POST /json/2/<model>/<method>` with named arguments and real statuses. Routes, statuses and
 * error objects as documented (External JSON-2 API) and in odoo/odoo, addons/rpc/controllers/json2.py; answers as
 * captured on 19.
 */
export const json2Routes = (app: FastifyInstance, options: Json2Options): void => {
  app.get('/web/version', async () => ({ version_info: [19, 0, 0, 'final', 0, ''], version: '19.0' }));

  app.post('/json/2/:model/:method', async (request, reply) => {
    const { model, method } = request.params as { model: string; method: string };
    const database = request.headers['x-odoo-database'];
    // Without a database there is no such route: what any unknown address answers.
    if (database !== undefined && database !== options.database) return notFound(request, reply);
    try {
      authenticate(request.headers.authorization, options.apiKey());
      return reply
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(answer(model, method, bodyOf(request), options) ?? null));
    } catch (error) {
      if (!(error instanceof OdooException)) throw error;
      return reply.code(statusOf(error)).send(errorBody(error));
    }
  });
};

/** What an Odoo answers where no route matches: JSON-RPC's error to JSON, in any version, and else a page. */
export const notFound = (request: FastifyRequest, reply: FastifyReply) =>
  request.headers['content-type']?.startsWith('application/json')
    ? reply.send({
        jsonrpc: '2.0',
        id: null,
        error: { code: 404, message: '404: Not Found', data: errorBody(http('NotFound', PAGE_MISSING)) },
      })
    : reply.code(404).type('text/html').send(`<!doctype html><title>404 Not Found</title><p>${PAGE_MISSING}`);

const PAGE_MISSING =
  'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.';

const http = (name: keyof typeof HTTP, message: string): OdooException =>
  new OdooException(`werkzeug.exceptions.${name}`, message);

const HTTP = { BadRequest: 400, Unauthorized: 401, NotFound: 404, UnprocessableEntity: 422 } as const;

/** odoo/odoo, odoo/exceptions.py: each has its own status; what is no error of the user's is 500. */
const STATUS: Readonly<Record<string, number>> = {
  'odoo.exceptions.AccessDenied': 403,
  'odoo.exceptions.AccessError': 403,
  'odoo.exceptions.MissingError': 404,
  'odoo.exceptions.UserError': 422,
  'odoo.exceptions.ValidationError': 422,
  ...Object.fromEntries(
    Object.entries(HTTP).map(([name, status]) => [`werkzeug.exceptions.${name}`, status]),
  ),
};

const statusOf = ({ exception }: OdooException): number => STATUS[exception] ?? 500;

const errorBody = (error: OdooException) => ({
  name: error.exception,
  message: error.message,
  // Exceptions of HTTP carry their status, too (captured on 19).
  arguments: error.exception.startsWith('werkzeug.') ? [error.message, statusOf(error)] : [error.message],
  context: {},
  debug: 'Traceback (most recent call last): [removed]',
});

const authenticate = (header: string | undefined, apiKey: string): void => {
  const [, token] = /^bearer\s+(.+)$/i.exec(header ?? '') ?? [];
  if (!token) throw http('Unauthorized', 'User not authenticated, use the "Authorization" header');
  // Keys only: a password is refused.
  if (token !== apiKey) throw http('Unauthorized', 'Invalid apikey');
};

const bodyOf = (request: FastifyRequest): Vals => {
  let body: unknown;
  try {
    body = JSON.parse((request.body as Buffer).toString());
  } catch {
    throw http('BadRequest', 'could not parse the body as json: Expecting value');
  }
  return (body ?? {}) as Vals;
};

const answer = (model: string, method: string, body: Vals, options: Json2Options): unknown => {
  const { ids = [], ...named } = body as Vals & { ids?: readonly number[] };
  const own = options.methods(model);
  if (!own) throw http('NotFound', `the model '${model}' does not exist`);
  const signature = SIGNATURES[method] ?? (own.includes(method) ? { takes: [] } : undefined);
  if (!signature && !method.startsWith('_')) {
    throw http('NotFound', `The method '${model}.${method}' does not exist`);
  }
  if ((signature?.ofModel || OF_MODEL.has(`${model}.${method}`)) && ids.length > 0) {
    throw http('UnprocessableEntity', `cannot call ${model}.${method} with ids`);
  }
  const { takes = [], needs } = signature ?? {};
  const unexpected = Object.keys(named).find((name) => name !== 'context' && !takes.includes(name));
  if (unexpected) throw http('UnprocessableEntity', `got an unexpected keyword argument '${unexpected}'`);
  if (needs && named[needs] === undefined) {
    throw http('UnprocessableEntity', `missing a required argument: '${needs}'`);
  }
  const result = options.call(model, method, signature?.ofModel ? [] : [ids], named);
  // A recordset: ids, however many.
  return method === 'create' ? [result].flat() : result;
};

interface Signature {
  /** Called on the model, not on records. */
  readonly ofModel?: boolean;
  readonly takes: readonly string[];
  readonly needs?: string;
}

/** Names of the arguments, odoo/odoo, odoo/orm/models.py. */
const SIGNATURES: Readonly<Record<string, Signature>> = {
  search: { ofModel: true, takes: ['domain', 'offset', 'limit', 'order'], needs: 'domain' },
  search_count: { ofModel: true, takes: ['domain', 'limit'], needs: 'domain' },
  search_read: { ofModel: true, takes: ['domain', 'fields', 'offset', 'limit', 'order'] },
  fields_get: { ofModel: true, takes: ['allfields', 'attributes'] },
  create: { ofModel: true, takes: ['vals_list'], needs: 'vals_list' },
  read: { takes: ['fields', 'load'] },
  write: { takes: ['vals'], needs: 'vals' },
  unlink: { takes: [] },
};
const OF_MODEL: ReadonlySet<string> = new Set(['res.users.context_get']);
