import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type OdooCall, odooClient } from '../../../shared/connectors/odoo/client.ts';
import {
  CredentialsError,
  PermanentError,
  RetryableError,
  UnknownOutcomeError,
} from '../../../shared/core/errors.ts';
import { type Fault, type PeerServer, startPeerServer } from '../../fakes/peer-server.ts';

const FIXTURES = new URL('../../fixtures/odoo19/', import.meta.url);
interface Capture {
  readonly request: {
    readonly path: string;
    readonly headers: { readonly authorization: string };
    readonly body: { ids?: number[]; domain?: []; fields?: string[]; vals_list?: object[] };
  };
  readonly response: { readonly status: number; readonly body: string };
}
const files = readdirSync(FIXTURES).sort();
const captureOf = (file: string): Capture => JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8'));

const call: OdooCall = { signal: new AbortController().signal };
const CONFIRM = { what: 'confirm-order', document: 'S00001' } as const;

/** A server that may have any of the three addresses, and answers one thing to every call. */
let server: PeerServer;
let answer: { status: number; body: string };
/** What `/web/version` and `/jsonrpc` say about the version; undefined: there is no such address. */
let web: unknown[] | undefined;
let rpc: unknown[] | undefined;
let rpcCalls: string[];
let received: { path: string; headers: Record<string, unknown>; body: unknown }[];
let secrets: string[];
let nowMs: number;
beforeEach(async () => {
  answer = { status: 200, body: 'true' };
  web = [19, 0, 0, 'final', 0, ''];
  rpc = undefined;
  rpcCalls = [];
  received = [];
  secrets = ['key'];
  nowMs = Date.parse('2026-11-23T12:00:00Z');
  server = await startPeerServer((app) => {
    app.get('/web/version', async (_request, reply) =>
      web ? { version_info: web, version: 'x' } : reply.code(404).type('text/html').send('<h1>Not Found'),
    );
    app.post('/jsonrpc', async (request, reply) => {
      if (!rpc) return reply.code(404).send('');
      const { method } = JSON.parse(String(request.body)).params;
      rpcCalls.push(method);
      const results: Record<string, unknown> = { version: { server_version_info: rpc }, authenticate: 7 };
      return { jsonrpc: '2.0', id: 1, result: results[method] ?? [] };
    });
    app.post('/json/2/*', async (request, reply) => {
      const { url: path, headers } = request;
      received.push({ path, headers, body: JSON.parse(String(request.body)) });
      return reply.code(answer.status).type('application/json; charset=utf-8').send(answer.body);
    });
  });
});
afterEach(() => server.stop());

const client = () =>
  odooClient({
    connection: 'acme-odoo',
    url: server.url,
    database: 'acme',
    credentials: async (fresh) => ({ login: 'bot', apiKey: secrets[fresh ? secrets.length - 1 : 0] ?? '' }),
    nowMs: () => nowMs,
  });

/** What became of a call, in one line. */
const outcome = async (work: Promise<unknown>): Promise<string> => {
  try {
    return JSON.stringify(await work) ?? 'undefined';
  } catch (error) {
    const kind = [PermanentError, UnknownOutcomeError, CredentialsError, RetryableError].find(
      (type) => error instanceof type,
    );
    if (!kind) throw error;
    const { code, message } = error as RetryableError;
    const why = error instanceof PermanentError ? ` ${/: (.*)\.$/s.exec(message)?.[1]}` : '';
    return `${kind.name} ${code}${why}`;
  }
};

const read = (odoo = client()) => outcome(odoo.read('a', [1], ['b'], z.unknown(), call));
const create = (odoo = client()) => outcome(odoo.create('a', {}, { what: 'create-order' }, call));

describe('every captured answer of Odoo 19', () => {
  const EXPECTED: Readonly<Record<string, string>> = {
    '01-partner-search-read.json':
      '[{"id":45,"name":"王小明","email":"ming.wang@example.test","country_id":[227,"Taiwan"]}]',
    '03-product-by-default-code.json':
      '[{"id":58,"default_code":"TEA-OOL-150","qty_available":48,"free_qty":0,"virtual_available":-9951,"lst_price":420,"tax_string":"(= $\u00a0483.00 Incl. Taxes)"}]',
    '05-so-create.json': '31',
    '06-so-action-confirm.json': 'true',
    '07-so-read.json':
      '[{"id":31,"name":"S00032","state":"sale","client_order_ref":"woo:j2:1","amount_total":149.5,"picking_ids":[24]}]',
    '08-so-action-cancel.json': 'true',
    '10-unknown-method.json': `PermanentError ERP_REFUSED NotFound: The method 'sale.order.nope' does not exist`,
  };

  it('is expected', () => expect(Object.keys(EXPECTED)).toEqual(files));

  it.each(files)('%s, and the request as captured', async (file) => {
    const { request, response } = captureOf(file);
    const [, , , model = '', method = ''] = request.path.split('/');
    const { ids = [], domain = [], fields = [], vals_list: [vals = {}] = [] } = request.body;
    answer = response;
    const odoo = client();
    const row = z.unknown();
    const work: Promise<unknown> =
      method === 'search_read'
        ? odoo.searchRead(model, { domain, fields }, row, call)
        : method === 'read'
          ? odoo.read(model, ids, fields, row, call)
          : method === 'create'
            ? odoo.create(model, vals, { what: 'create-order' }, call)
            : odoo.act(model, method, ids, CONFIRM, call);
    expect(await outcome(work)).toBe(EXPECTED[file]);
    expect(received).toMatchObject([{ path: request.path, body: request.body }]);
  });
});

describe('requests', () => {
  it('carry the key, the database and who we are; the context beside the arguments', async () => {
    const odoo = client();
    await odoo.write(
      'a',
      [1],
      { name: 'x' },
      { what: 'rewrite-draft' },
      { ...call, context: { lang: 'de' } },
    );
    expect(received).toEqual([
      {
        path: '/json/2/a/write',
        headers: expect.objectContaining({
          authorization: 'bearer key',
          'x-odoo-database': 'acme',
          'content-type': 'application/json',
          'user-agent': 'waybill',
        }),
        body: { ids: [1], vals: { name: 'x' }, context: { lang: 'de' } },
      },
    ]);
  });

  it('name what JSON-RPC says by position', async () => {
    const odoo = client();
    answer.body = '{"tax_ids":{"type":"many2many"}}';
    expect(await odoo.fieldsGet('sale.order.line', ['tax_id', 'tax_ids'], call)).toEqual({
      tax_ids: { type: 'many2many', required: false },
    });
    answer.body = '[]';
    const query = { domain: [['id', '=', 1]], fields: ['name'], order: 'id asc', limit: 2 } as const;
    await odoo.searchRead('a', query, z.unknown(), call);
    expect(received.map(({ path, body }) => [path, body])).toEqual([
      [
        '/json/2/sale.order.line/fields_get',
        { allfields: ['tax_id', 'tax_ids'], attributes: ['type', 'required'] },
      ],
      ['/json/2/a/search_read', query],
    ]);
  });

  it('ask who the key belongs to, and for the language, without a login', async () => {
    answer.body = '{"lang":"zh_TW","tz":"Asia/Taipei","uid":7}';
    const odoo = client();
    expect(await odoo.userId(call)).toBe(7);
    expect(await odoo.userLanguage(call)).toBe('zh_TW');
    expect(server.requests).toEqual([
      'GET /web/version',
      'POST /json/2/res.users/context_get',
      'POST /json/2/res.users/context_get',
    ]);
  });

  it('that return nothing answer null', async () => {
    answer.body = 'null';
    expect(await client().act('a', 'b', [1], CONFIRM, call)).toBeUndefined();
  });
});

describe('the key', () => {
  const INVALID = JSON.stringify({
    name: 'werkzeug.exceptions.Unauthorized',
    message: 'Invalid apikey',
    arguments: ['Invalid apikey', 401],
    context: {},
    debug: '',
  });

  it('that was rotated is read once more, and the call repeated: nothing was done', async () => {
    secrets = ['old', 'new'];
    server.fault({
      when: ({ headers }) => headers.authorization === 'bearer old',
      effect: { kind: 'answer', status: 401, body: INVALID },
    });
    await client().write('a', [1], {}, { what: 'rewrite-draft' }, call);
    expect(received.map(({ headers }) => headers['authorization'])).toEqual(['bearer new']);
  });

  it('is no password: what no header can carry is never sent', async () => {
    secrets = ['pass wörd ☃'];
    expect(await create()).toBe('CredentialsError CREDENTIALS_REFUSED');
    expect(received).toEqual([]);
  });

  it('that is refused twice is the connection, not the record', async () => {
    answer = { status: 401, body: INVALID };
    expect(await create()).toBe('CredentialsError CREDENTIALS_REFUSED');
    expect(received).toHaveLength(2);
  });
});

describe('failures', () => {
  const raised = (name: string, message = 'Somebody <ann@example.test> may be named here') =>
    JSON.stringify({ name, message, arguments: [message], context: {}, debug: 'Traceback: [removed]' });

  it.each<[status: number, name: string, read: string, write: string]>([
    [403, 'odoo.exceptions.AccessDenied', 'CredentialsError CREDENTIALS_REFUSED', ''],
    [403, 'odoo.exceptions.AccessError', 'PermanentError ERP_REFUSED AccessError', ''],
    [404, 'odoo.exceptions.MissingError', 'PermanentError ERP_REFUSED MissingError', ''],
    [409, 'odoo.exceptions.LockError', 'RetryableError PEER_BUSY', ''],
    [422, 'odoo.exceptions.UserError', 'PermanentError ERP_REFUSED UserError', ''],
    [422, 'odoo.exceptions.ValidationError', 'PermanentError ERP_REFUSED ValidationError', ''],
    [500, 'builtins.ValueError', 'PermanentError ERP_REFUSED ValueError', ''],
    [500, 'psycopg2.errors.SerializationFailure', 'RetryableError PEER_BUSY', ''],
    [500, 'psycopg2.OperationalError', 'RetryableError DATABASE_FAILED', ''],
    [500, 'builtins.MemoryError', 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
    [400, 'werkzeug.exceptions.BadRequest', 'PermanentError ERP_REFUSED BadRequest', ''],
    [401, 'werkzeug.exceptions.Unauthorized', 'CredentialsError CREDENTIALS_REFUSED', ''],
    [403, 'werkzeug.exceptions.Forbidden', 'CredentialsError CREDENTIALS_REFUSED', ''],
    [404, 'werkzeug.exceptions.NotFound', 'PermanentError ERP_REFUSED NotFound', ''],
    [
      413,
      'werkzeug.exceptions.RequestEntityTooLarge',
      'PermanentError ERP_REFUSED RequestEntityTooLarge',
      '',
    ],
    [422, 'werkzeug.exceptions.UnprocessableEntity', 'PermanentError ERP_REFUSED UnprocessableEntity', ''],
    [429, 'werkzeug.exceptions.TooManyRequests', 'RetryableError RATE_LIMITED', ''],
    [503, 'werkzeug.exceptions.ServiceUnavailable', 'RetryableError PEER_FAILED', ''],
    [
      500,
      'werkzeug.exceptions.InternalServerError',
      'RetryableError PEER_FAILED',
      'UnknownOutcomeError PEER_FAILED',
    ],
  ])('%i %s', async (status, name, expectedRead, expectedWrite) => {
    answer = { status, body: raised(name) };
    const odoo = client();
    expect(await read(odoo)).toBe(expectedRead);
    expect(await create(odoo)).toBe(expectedWrite || expectedRead);
  });

  it.each([
    ["the model 'no.such' does not exist", 'NotFound'],
    ['cannot call res.partner.create with ids', 'UnprocessableEntity'],
    ["missing a required argument: 'vals'", 'UnprocessableEntity'],
    ["got an unexpected keyword argument 'nope'", 'UnprocessableEntity'],
  ])('says the harmless words "%s"', async (words, name) => {
    answer = { status: 422, body: raised(`werkzeug.exceptions.${name}`, words) };
    expect(await create()).toBe(`PermanentError ERP_REFUSED ${name}: ${words}`);
  });

  it('keeps what may name a buyer out of the reason, and in the detail', async () => {
    answer = { status: 422, body: raised('odoo.exceptions.ValidationError') };
    await expect(client().create('res.partner', {}, { what: 'create-customer' }, call)).rejects.toMatchObject(
      {
        message: 'acme-odoo refused to create the customer: ValidationError.',
        detail: 'Somebody <ann@example.test> may be named here',
      },
    );
  });

  it.each<[status: number, body: string, read: string, write: string]>([
    [200, '<html>busy</html>', 'RetryableError UNEXPECTED_ANSWER', 'UnknownOutcomeError UNEXPECTED_ANSWER'],
    [200, '{}', 'RetryableError UNEXPECTED_ANSWER', 'UnknownOutcomeError UNEXPECTED_ANSWER'],
    [200, '[]', '[]', 'UnknownOutcomeError UNEXPECTED_ANSWER'],
    [301, '', 'RetryableError UNEXPECTED_STATUS', 'RetryableError UNEXPECTED_STATUS'],
    [
      401,
      '<html>who?</html>',
      'CredentialsError CREDENTIALS_REFUSED',
      'CredentialsError CREDENTIALS_REFUSED',
    ],
    [404, '<html>where?</html>', 'RetryableError ENDPOINT_GONE', 'RetryableError ENDPOINT_GONE'],
    [405, '{"detail":"no"}', 'RetryableError ENDPOINT_GONE', 'RetryableError ENDPOINT_GONE'],
    [429, '', 'RetryableError RATE_LIMITED', 'RetryableError RATE_LIMITED'],
    [500, '<html>oops</html>', 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
    [502, '', 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
    [503, '', 'RetryableError PEER_FAILED', 'RetryableError PEER_FAILED'],
    [504, '', 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
  ])('HTTP %i of a proxy: %s', async (status, body, expectedRead, expectedWrite) => {
    answer = { status, body };
    const odoo = client();
    expect(await read(odoo)).toBe(expectedRead);
    expect(await create(odoo)).toBe(expectedWrite);
  });

  it.each<[string, Fault['effect']]>([
    ['dies', { kind: 'drop-before' }],
    ['dies after it was done', { kind: 'drop-after' }],
    ['is refused by the proxy', { kind: 'answer', status: 503 }],
    ['ends in a bad gateway', { kind: 'answer', status: 502 }],
    ['finds nobody', { kind: 'answer', status: 404 }],
    [
      'meets another transaction',
      { kind: 'answer', status: 500, body: raised('psycopg2.errors.SerializationFailure') },
    ],
  ])('never repeats a write that %s', async (_what, effect) => {
    const odoo = client();
    const writes: (() => Promise<unknown>)[] = [
      () => odoo.create('a', {}, { what: 'create-order' }, call),
      () => odoo.write('a', [1], {}, { what: 'rewrite-draft' }, call),
      () => odoo.act('a', 'b', [1], CONFIRM, call),
    ];
    for (const write of writes) {
      await odoo.version(call);
      server.fault({ effect });
      const before = server.requests.length;
      await expect(write()).rejects.toBeInstanceOf(RetryableError);
      expect(server.requests.length - before).toBe(1);
    }
  });

  it('asks a read three times', async () => {
    answer.body = '[]';
    const odoo = client();
    await odoo.version(call);
    server.fault({ times: 2, effect: { kind: 'answer', status: 503 } });
    expect(await read(odoo)).toBe('[]');
    server.fault({ times: 3, effect: { kind: 'drop-before' } });
    expect(await read(odoo)).toBe('RetryableError PEER_DISCONNECTED');
  });
});

describe('which dialect', () => {
  it.each<[string, unknown[] | undefined, unknown[] | undefined, number, string]>([
    ['19 that says so', [19, 0], [19, 0], 19, 'JSON-2'],
    ['19 of which a proxy shows no page', undefined, [19, 0], 19, 'JSON-2'],
    ['22, without JSON-RPC', [22, 0], undefined, 22, 'JSON-2'],
    ['Odoo Online', ['saas~19', 2], undefined, 19, 'JSON-2'],
    ['18', undefined, [18, 0], 18, 'JSON-RPC'],
    ['18 with a page of that name', [18, 0], [18, 0], 18, 'JSON-RPC'],
    ['a trial version between 18 and 19', undefined, ['saas~18', 4], 18, 'JSON-RPC'],
  ])('%s', async (_what, page, common, version, dialect) => {
    web = page;
    rpc = common;
    answer.body = '[]';
    const odoo = client();
    expect(await odoo.version(call)).toBe(version);
    await read(odoo);
    expect(received.length > 0 ? 'JSON-2' : 'JSON-RPC').toBe(dialect);
    expect(rpcCalls.includes('execute_kw')).toBe(dialect === 'JSON-RPC');
  });

  it('is not guessed while nobody says, and asked again then', async () => {
    web = undefined;
    const odoo = client();
    expect(await create(odoo)).toBe('RetryableError ENDPOINT_GONE');
    server.fault({ times: 3, effect: { kind: 'answer', status: 503 } });
    expect(await create(odoo)).toBe('RetryableError PEER_FAILED');
    expect(received).toEqual([]);
    web = [19, 0];
    answer.body = '[1]';
    expect(await create(odoo)).toBe('1');
  });

  it.each([401, 403])('is asked over JSON-RPC where the page is closed (%i)', async (status) => {
    rpc = [18, 0];
    server.fault({ times: 9, when: ({ method }) => method === 'GET', effect: { kind: 'answer', status } });
    expect(await client().version(call)).toBe(18);
  });

  it('is asked for once in ten minutes, however many calls come together', async () => {
    const odoo = client();
    await Promise.all([create(odoo), create(odoo), odoo.version(call)]);
    nowMs += 599_999;
    await odoo.version(call);
    const versions = () => server.requests.filter((request) => request === 'GET /web/version').length;
    expect(versions()).toBe(1);
    nowMs += 1;
    await odoo.version(call);
    expect(versions()).toBe(2);
  });

  const STRAY = JSON.stringify({
    jsonrpc: '2.0',
    id: null,
    error: {
      code: 404,
      message: '404: Not Found',
      data: { name: 'werkzeug.exceptions.NotFound', message: '' },
    },
  });

  it.each([
    ['a page', 404, '<html>'],
    ["JSON-RPC's error, as a success", 200, STRAY],
  ])('is found anew when 19 became 18 again and answers %s', async (_what, status, body) => {
    answer.body = '[]';
    const odoo = client();
    await read(odoo);
    web = undefined;
    rpc = [18, 0];
    answer = { status, body };
    expect(await read(odoo)).toBe('[]');
    expect(rpcCalls).toEqual(['version', 'authenticate', 'execute_kw']);
  });

  it('is found anew when JSON-RPC has gone', async () => {
    web = undefined;
    rpc = [18, 0];
    const odoo = client();
    expect(await read(odoo)).toBe('[]');
    web = [22, 0];
    rpc = undefined;
    answer.body = '[1]';
    // A write is not sent again by itself: the next attempt is.
    expect(await create(odoo)).toBe('RetryableError ENDPOINT_GONE');
    expect(received).toEqual([]);
    expect(await create(odoo)).toBe('1');
  });

  it('is found anew when JSON-RPC says that it has gone, as a success', async () => {
    web = undefined;
    rpc = [18, 0];
    const odoo = client();
    await read(odoo);
    web = [22, 0];
    answer.body = '[]';
    const isCall = ({ body }: { body: unknown }) => String(body).includes('execute_kw');
    server.fault({ times: 3, when: isCall, effect: { kind: 'answer', status: 200, body: STRAY } });
    expect(await read(odoo)).toBe('[]');
    expect(received).toHaveLength(1);
  });

  it('takes the missing address of JSON for no success of a write', async () => {
    answer.body = STRAY;
    expect(await create()).toBe('RetryableError ENDPOINT_GONE');
    expect(await outcome(client().act('a', 'b', [1], CONFIRM, call))).toBe('RetryableError ENDPOINT_GONE');
    answer.body = STRAY.replace('werkzeug.exceptions.NotFound', 'odoo.exceptions.UserError');
    expect(await create()).toBe('PermanentError ERP_REFUSED UserError');
  });
});
