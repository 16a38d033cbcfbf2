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

const FIXTURES = new URL('../../fixtures/odoo18/', import.meta.url);
interface Capture {
  readonly request: { readonly body: { params: { service: string; method: string; args: unknown[] } } };
  readonly response: { readonly body: string };
}
const files = readdirSync(FIXTURES).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
const captureOf = (file: string): Capture => JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8'));

const call: OdooCall = { signal: new AbortController().signal };

/** An Odoo 18 that answers one thing to every call, and 2 to every login. */
let server: PeerServer;
let answer: string;
let loginAnswer: string;
let versionAnswer: string;
interface Params {
  readonly service: string;
  readonly method: string;
  readonly args: readonly unknown[];
}
/** Calls and logins; questions for the version. */
let received: Params[];
let asked: Params[];
let secrets: string[];
beforeEach(async () => {
  answer = '{"jsonrpc":"2.0","id":1,"result":true}';
  loginAnswer = '{"jsonrpc":"2.0","id":1,"result":2}';
  versionAnswer = captureOf('01-common-version.json').response.body;
  received = [];
  asked = [];
  secrets = ['admin'];
  server = await startPeerServer((app) => {
    app.post('/jsonrpc', async (request, reply) => {
      const { params } = JSON.parse((request.body as Buffer).toString());
      if (params.method !== 'version') received.push(params);
      else asked.push(params);
      reply.header('content-type', 'application/json; charset=utf-8');
      if (params.method === 'version') return versionAnswer;
      return params.method === 'authenticate' ? loginAnswer : answer;
    });
  });
});
afterEach(() => server.stop());

const client = () =>
  odooClient({
    connection: 'acme-odoo',
    url: server.url,
    database: 'real18',
    credentials: async (fresh) => ({ login: 'admin', apiKey: secrets[fresh ? secrets.length - 1 : 0] ?? '' }),
    nowMs: () => Date.parse('2026-11-21T23:00:00Z'),
  });

/** What became of a call, in one line. */
const outcome = async (work: Promise<unknown>): Promise<string> => {
  try {
    const value = await work;
    return Array.isArray(value)
      ? value.every((item) => typeof item === 'object')
        ? `${value.length} rows`
        : `list of ${value.length}`
      : typeof value === 'object'
        ? 'an object'
        : String(value);
  } catch (error) {
    const kind = [PermanentError, UnknownOutcomeError, CredentialsError, RetryableError].find(
      (type) => error instanceof type,
    );
    if (!kind) throw error;
    const { code } = error as RetryableError;
    const text = error instanceof PermanentError ? ` ${refusal(error)}` : '';
    return `${kind.name} ${code}${text}`;
  }
};

const calls = (method: string) => (request: { body: unknown }) =>
  (request.body as Buffer | undefined)?.includes(`"${method}"`) ?? false;

/** Why, from the sentence. */
const refusal = ({ message }: PermanentError) => /refused to [^:]+: (.*)\.$/s.exec(message)?.[1];

describe('every captured answer of Odoo 18', () => {
  const EXPECTED: Readonly<Record<string, string>> = {
    '01-common-version.json': '18',
    '02-authenticate-ok.json': '2',
    '03-authenticate-wrong-password.json': 'CredentialsError CREDENTIALS_REFUSED',
    '04-authenticate-wrong-db.json': 'RetryableError DATABASE_UNAVAILABLE',
    '05-execute-wrong-password.json': 'CredentialsError CREDENTIALS_REFUSED',
    '06-partner-search-count.json': '39',
    '07-country-by-code.json': '1 rows',
    '08-currencies.json': '6 rows',
    '09-companies.json': '2 rows',
    '10-partner-search-none.json': '0 rows',
    '11-partner-create-chinese.json': '44',
    '12-partner-create-multi.json': 'list of 2',
    '13-partner-create-delivery-child.json': '47',
    '14-partner-search-read.json': '1 rows',
    '15-partner-read-missing-record.json': '1 rows',
    '16-partner-write.json': 'true',
    '17-partner-create-unknown-field.json': `PermanentError ERP_REFUSED ValueError: Invalid field 'no_such_field' on model 'res.partner'`,
    '18-partner-create-missing-name.json': `PermanentError ERP_REFUSED ValidationError`,
    '19-unknown-model.json': `PermanentError ERP_REFUSED UserError: Object no.such.model doesn't exist`,
    '20-unknown-method.json': `PermanentError ERP_REFUSED AttributeError: The method 'no_such_method' does not exist on the model 'sale.order'`,
    '21-product-fields-get.json': 'an object',
    '22-sale-taxes.json': '1 rows',
    '23-product-create-storable.json': '51',
    '24-product-create-storable-thai.json': '52',
    '25-product-create-service.json': '53',
    '26-product-by-default-code.json': '1 rows',
    '27-product-by-default-code-in.json': '2 rows',
    '28-product-by-default-code-none.json': '0 rows',
    '29-product-create-duplicate-default-code-is-allowed.json': '54',
    '30-product-search-duplicates.json': 'list of 2',
    '31-product-archive.json': 'true',
    '32-warehouses.json': '2 rows',
    '33-stock-locations-internal.json': '9 rows',
    '34-quant-create-inventory.json': '39',
    '35-quant-apply-inventory.json': 'undefined',
    '36-quant-search-read.json': '2 rows',
    '37-product-read-qty-with-warehouse-context.json': '3 rows',
    '38-so-search-by-client-ref-none.json': '0 rows',
    '39-so-create.json': '25',
    '40-so-read-draft.json': '1 rows',
    '41-so-lines-read.json': '3 rows',
    '42-so-create-same-client-ref-again-is-allowed.json': '26',
    '43-so-search-by-client-ref-two.json': '2 rows',
    '44-so-action-confirm.json': 'true',
    '45-so-action-confirm-again.json': `PermanentError ERP_REFUSED UserError: Some orders are not in a state requiring confirmation`,
    '46-so-read-confirmed.json': '1 rows',
    '47-product-qty-after-confirm.json': '2 rows',
    '48-picking-read.json': '1 rows',
    '49-picking-moves.json': '2 rows',
    '59-so-read-fully-delivered.json': '1 rows',
    '60-pickings-done-of-order.json': '2 rows',
    '61-product-qty-after-delivery.json': '2 rows',
    '62-invoice-wizard-create.json': '1',
    '63-invoice-wizard-create-invoices.json': 'an object',
    '64-so-read-invoiced.json': '1 rows',
    '65-invoice-read-draft.json': '1 rows',
    '66-invoice-action-post.json': 'false',
    '67-invoice-read-posted.json': '1 rows',
    '68-invoice-lines.json': '3 rows',
    '69-payment-register-create.json': '1',
    '70-payment-register-pay.json': 'an object',
    '71-invoice-read-paid.json': '1 rows',
    '75-invoice-create-direct.json': '28',
    '76-invoice-direct-read.json': '1 rows',
    '77-credit-note-create-direct.json': '29',
    '78-credit-note-post.json': 'false',
    '79-credit-note-direct-read.json': '1 rows',
    '80-so2-create.json': '27',
    '81-so2-confirm.json': 'true',
    '82-so2-qty-reserved.json': '1 rows',
    '83-so2-action-cancel.json': 'an object',
    '84-so2-read-after-action-cancel.json': '1 rows',
    '85-so2-private-action-cancel-refused.json': `PermanentError ERP_REFUSED AccessError: Private methods (such as _action_cancel) cannot be called remotely`,
    '86-so2-action-cancel-no-warning.json': 'true',
    '87-so2-read-cancelled.json': '1 rows',
    '88-so2-pickings-cancelled.json': '1 rows',
    '89-so2-qty-released.json': '1 rows',
    '94-so-create-missing-partner.json': `PermanentError ERP_REFUSED ValidationError: a constraint on field partner_id of sale.order is not met`,
    '95-so-create-bad-partner.json': `PermanentError ERP_REFUSED MissingError: a record of res.partner does not exist or has been deleted`,
    '96-so-create-bad-product.json': `PermanentError ERP_REFUSED MissingError: a record of product.product does not exist or has been deleted`,
    '97-so-unlink-confirmed-refused.json': 'PermanentError ERP_REFUSED UserError',
    '98-so-unlink-after-cancel-succeeds.json': 'true',
    '99-so-poll-by-write-date.json': '3 rows',
    '100-picking-poll-by-write-date.json': '3 rows',
    '101-installed-modules.json': '7 rows',
  };
  it.each(files)('%s', async (file) => {
    const { request, response } = captureOf(file);
    const [, , , model, method] = request.body.params.args as string[];
    answer = response.body;
    const { service, method: wanted } = request.body.params;
    if (wanted === 'version') versionAnswer = response.body;
    if (wanted === 'authenticate') loginAnswer = response.body;
    const work =
      wanted === 'version'
        ? client().version(call)
        : service === 'common'
          ? client().userId(call)
          : client().act(
              String(model),
              String(method),
              [],
              { what: 'confirm-order', document: 'S00001' },
              call,
            );
    expect(await outcome(work)).toBe(EXPECTED[file]);
  });
});

describe('requests', () => {
  /** Those of the captures that use the verbs as we do. */
  const same = files.filter((file) => {
    const { method, args } = captureOf(file).request.body.params;
    const [, , key, , name, positional, named] = args as [0, 0, string, string, string, unknown[], object];
    if (method !== 'execute_kw') return method === 'version' || file.startsWith('02-');
    return (
      key === 'admin' &&
      !('offset' in named) &&
      (['search_read', 'read', 'write'].includes(name) ||
        (name === 'create' && !Array.isArray(positional[0])) ||
        name.startsWith('action_'))
    );
  });

  it('covers most captures', () => expect(same.length).toBe(70));

  it.each(same)('%s is built as captured', async (file) => {
    const { params } = captureOf(file).request.body;
    const odoo = client();
    if (params.service === 'common') {
      await odoo.userId(call);
      expect([...asked, ...received]).toContainEqual(params);
      return;
    }
    const [, , , model, method, positional, named] = params.args as [
      string,
      number,
      string,
      string,
      string,
      [never, never],
      { fields: string[]; context?: object },
    ];
    const { context, ...query } = named;
    const with_ = { ...call, ...(context && { context: { ...context } }) };
    const row = z.unknown();
    const work: Promise<unknown> =
      method === 'search_read'
        ? odoo.searchRead(model, { domain: positional[0], ...query }, row, with_)
        : method === 'read'
          ? odoo.read(model, positional[0], query.fields, row, with_)
          : method === 'create'
            ? odoo.create(model, positional[0], { what: 'create-order' }, with_)
            : method === 'write'
              ? odoo.write(model, positional[0], positional[1], { what: 'rewrite-draft' }, with_)
              : odoo.act(model, method, positional[0], { what: 'confirm-order', document: 'S00001' }, with_);
    await work.catch(() => undefined);
    expect(received.at(-1)).toEqual(params);
  });
});

describe('login', () => {
  it('asks for the user id once', async () => {
    const odoo = client();
    await odoo.act('a', 'b', [1], { what: 'confirm-order', document: 'S00001' }, call);
    await odoo.act('a', 'b', [1], { what: 'confirm-order', document: 'S00001' }, call);
    expect(received.map(({ method }) => method)).toEqual(['authenticate', 'execute_kw', 'execute_kw']);
  });

  it('reads a rotated secret once and repeats the call', async () => {
    secrets = ['old', 'new'];
    const refusedOnce = [captureOf('05-execute-wrong-password.json').response.body];
    const odoo = client();
    await odoo.userId(call);
    server.fault({
      when: (request) => (request.body as Buffer).includes('"old"'),
      effect: { kind: 'answer', status: 200, body: refusedOnce[0] ?? '' },
    });
    await expect(
      odoo.write('res.partner', [1], { name: 'x' }, { what: 'rewrite-draft' }, call),
    ).resolves.toBeUndefined();
    expect(received.map(({ args }) => args[2])).toEqual(['old', 'new', 'new']);
  });

  it('gives up after the fresh secret is refused too', async () => {
    answer = captureOf('05-execute-wrong-password.json').response.body;
    await expect(
      client().act('a', 'b', [1], { what: 'confirm-order', document: 'S00001' }, call),
    ).rejects.toThrow(CredentialsError);
    expect(received.map(({ method }) => method)).toEqual([
      'authenticate',
      'execute_kw',
      'authenticate',
      'execute_kw',
    ]);
  });

  it('never parks an order because the login itself fails', async () => {
    loginAnswer = JSON.stringify({
      jsonrpc: '2.0',
      error: { code: 200, message: '', data: { name: 'builtins.KeyError', message: "'real18'" } },
    });
    expect(await outcome(client().userId(call))).toBe('RetryableError PEER_FAILED');
  });
});

describe('failures', () => {
  const raised = (name: string, message = 'Somebody <ann@example.test> may be named here') =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: 0, message: 'Odoo', data: { name, message } } });

  it.each<[string, read: string, write: string]>([
    [
      'odoo.exceptions.AccessDenied',
      'CredentialsError CREDENTIALS_REFUSED',
      'CredentialsError CREDENTIALS_REFUSED',
    ],
    [
      'odoo.http.SessionExpiredException',
      'CredentialsError CREDENTIALS_REFUSED',
      'CredentialsError CREDENTIALS_REFUSED',
    ],
    [
      'odoo.exceptions.AccessError',
      'PermanentError ERP_REFUSED AccessError',
      'PermanentError ERP_REFUSED AccessError',
    ],
    [
      'odoo.exceptions.UserError',
      'PermanentError ERP_REFUSED UserError',
      'PermanentError ERP_REFUSED UserError',
    ],
    [
      'odoo.exceptions.ValidationError',
      'PermanentError ERP_REFUSED ValidationError',
      'PermanentError ERP_REFUSED ValidationError',
    ],
    [
      'odoo.exceptions.RedirectWarning',
      'PermanentError ERP_REFUSED RedirectWarning',
      'PermanentError ERP_REFUSED RedirectWarning',
    ],
    [
      'odoo.exceptions.MissingError',
      'PermanentError ERP_REFUSED MissingError',
      'PermanentError ERP_REFUSED MissingError',
    ],
    ['builtins.ValueError', 'PermanentError ERP_REFUSED ValueError', 'PermanentError ERP_REFUSED ValueError'],
    ['builtins.KeyError', 'PermanentError ERP_REFUSED KeyError', 'PermanentError ERP_REFUSED KeyError'],
    ['builtins.TypeError', 'PermanentError ERP_REFUSED TypeError', 'PermanentError ERP_REFUSED TypeError'],
    [
      'psycopg2.errors.NotNullViolation',
      'PermanentError ERP_REFUSED NotNullViolation',
      'PermanentError ERP_REFUSED NotNullViolation',
    ],
    ['psycopg2.errors.SerializationFailure', 'RetryableError PEER_BUSY', 'RetryableError PEER_BUSY'],
    ['psycopg2.errors.DeadlockDetected', 'RetryableError PEER_BUSY', 'RetryableError PEER_BUSY'],
    ['psycopg2.errors.LockNotAvailable', 'RetryableError PEER_BUSY', 'RetryableError PEER_BUSY'],
    ['psycopg2.extensions.TransactionRollbackError', 'RetryableError PEER_BUSY', 'RetryableError PEER_BUSY'],
    ['psycopg2.OperationalError', 'RetryableError DATABASE_FAILED', 'RetryableError DATABASE_FAILED'],
    ['psycopg2.InterfaceError', 'RetryableError DATABASE_FAILED', 'RetryableError DATABASE_FAILED'],
    ['requests.exceptions.ConnectionError', 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
    ['builtins.MemoryError', 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
  ])('%s', async (name, read, write) => {
    answer = raised(name);
    const odoo = client();
    expect(await outcome(odoo.read('a', [1], ['b'], z.unknown(), call))).toBe(read);
    expect(await outcome(odoo.create('a', {}, { what: 'create-order' }, call))).toBe(write);
  });

  it('keeps what may name a buyer out of the reason, and in the detail', async () => {
    answer = raised('odoo.exceptions.ValidationError');
    const error = await client()
      .create('res.partner', {}, { what: 'create-customer' }, call)
      .catch((thrown: unknown) => thrown as PermanentError);
    expect(error).toMatchObject({
      message: 'acme-odoo refused to create the customer: ValidationError.',
      detail: 'Somebody <ann@example.test> may be named here',
    });
  });

  it.each<[number, read: string, write: string]>([
    [401, 'CredentialsError CREDENTIALS_REFUSED', 'CredentialsError CREDENTIALS_REFUSED'],
    [301, 'RetryableError UNEXPECTED_STATUS', 'RetryableError UNEXPECTED_STATUS'],
    [404, 'RetryableError ENDPOINT_GONE', 'RetryableError ENDPOINT_GONE'],
    [429, 'RetryableError RATE_LIMITED', 'RetryableError RATE_LIMITED'],
    [500, 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
    [502, 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
    [503, 'RetryableError PEER_FAILED', 'RetryableError PEER_FAILED'],
    [504, 'RetryableError PEER_FAILED', 'UnknownOutcomeError PEER_FAILED'],
    [200, 'RetryableError UNEXPECTED_ANSWER', 'UnknownOutcomeError UNEXPECTED_ANSWER'],
  ])('HTTP %i with a page of the proxy', async (status, read, write) => {
    const odoo = client();
    await odoo.userId(call);
    const headers = { 'retry-after': '7' };
    const effect = { kind: 'answer', status, headers, body: '<html>busy</html>' } as const;
    server.fault({ times: Number.POSITIVE_INFINITY, effect });
    expect(await outcome(odoo.read('a', [1], ['b'], z.unknown(), call))).toBe(read);
    expect(await outcome(odoo.write('a', [1], {}, { what: 'rewrite-draft' }, call))).toBe(write);
  });

  it('hands on how long the proxy asks to wait', async () => {
    const odoo = client();
    await odoo.userId(call);
    server.fault({ effect: { kind: 'answer', status: 503, headers: { 'retry-after': '7' } } });
    await expect(odoo.write('a', [1], {}, { what: 'rewrite-draft' }, call)).rejects.toMatchObject({
      retryAfterMs: 7000,
    });
  });

  it('does not know what became of a write whose connection died', async () => {
    const odoo = client();
    await odoo.userId(call);
    server.fault({ effect: { kind: 'drop-before' } });
    expect(await outcome(odoo.create('a', {}, { what: 'create-order' }, call))).toBe(
      'UnknownOutcomeError PEER_DISCONNECTED',
    );
    expect(received).toHaveLength(1); // the login: never sent again by itself
  });

  it('asks everything that only reads three times: the version, the login, the record', async () => {
    const odoo = client();
    answer = '{"jsonrpc":"2.0","id":1,"result":[]}';
    const read = () => outcome(odoo.read('a', [1], ['b'], z.unknown(), call));
    server.fault({ times: 2, effect: { kind: 'drop-before' } });
    for (const method of ['authenticate', 'execute_kw']) {
      server.fault({ times: 2, when: calls(method), effect: { kind: 'answer', status: 503 } });
    }
    expect(await read()).toBe('0 rows');
    // 3 times /web/version, then the version over JSON-RPC once.
    expect(server.requests).toHaveLength(4 + 3 + 3);
    server.fault({ times: 3, effect: { kind: 'drop-before' } });
    expect(await read()).toBe('RetryableError PEER_DISCONNECTED');
    expect(server.requests).toHaveLength(10 + 3);
  });

  it('asks for the version and logs in three times before a write, and writes once', async () => {
    for (const method of ['version', 'authenticate']) {
      server.fault({ times: 2, when: calls(method), effect: { kind: 'answer', status: 503 } });
    }
    await client().write('a', [1], {}, { what: 'rewrite-draft' }, call);
    expect(received.map(({ method }) => method)).toEqual(['authenticate', 'execute_kw']);
  });

  it.each<[string, Fault['effect']]>([
    ['dies', { kind: 'drop-before' }],
    ['dies after it was done', { kind: 'drop-after' }],
    ['is refused by the proxy', { kind: 'answer', status: 503 }],
    ['ends in a bad gateway', { kind: 'answer', status: 502 }],
    [
      'meets another transaction',
      { kind: 'answer', status: 200, body: raised('psycopg2.errors.SerializationFailure') },
    ],
  ])('never repeats a write that %s', async (_what, effect) => {
    const odoo = client();
    await odoo.userId(call);
    const writes: (() => Promise<unknown>)[] = [
      () => odoo.create('a', {}, { what: 'create-order' }, call),
      () => odoo.write('a', [1], {}, { what: 'rewrite-draft' }, call),
      () => odoo.act('a', 'b', [1], { what: 'confirm-order', document: 'S00001' }, call),
    ];
    for (const write of writes) {
      server.fault({ effect });
      const before = server.requests.length;
      await expect(write()).rejects.toBeInstanceOf(RetryableError);
      expect(server.requests.length - before).toBe(1);
    }
  });

  it('takes an answer without result for success', async () => {
    answer = '{"jsonrpc":"2.0","id":1}';
    expect(
      await client().act(
        'sale.order',
        'action_quiet',
        [1],
        { what: 'confirm-order', document: 'S00001' },
        call,
      ),
    ).toBeUndefined();
  });

  it('does not mistake an empty object of a proxy for success', async () => {
    answer = '{}';
    expect(await outcome(client().write('a', [1], {}, { what: 'rewrite-draft' }, call))).toBe(
      'UnknownOutcomeError UNEXPECTED_ANSWER',
    );
  });
});
