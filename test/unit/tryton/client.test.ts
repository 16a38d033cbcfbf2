import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type TrytonClient, trytonClient } from '../../../shared/connectors/tryton/client.ts';
import { trytonError } from '../../../shared/connectors/tryton/errors.ts';
import { readSale } from '../../../shared/connectors/tryton/sale.ts';
import {
  CredentialsError,
  PermanentError,
  RetryableError,
  UnknownOutcomeError,
} from '../../../shared/core/errors.ts';
import { type PeerServer, startPeerServer } from '../../fakes/peer-server.ts';
import { FAKE, type FakeTryton, startFakeTryton } from '../../fakes/tryton.ts';

/** Answers of a real Tryton 6.0.29, recorded by `test/tryton/record.ts`. */
interface Recorded {
  readonly name: string;
  readonly request: { readonly method: string; readonly params: readonly unknown[] };
  readonly response: { readonly status: number; readonly body: string };
}
const FIXTURES = new URL('../../fixtures/tryton/', import.meta.url);
const recorded: readonly Recorded[] = readdirSync(FIXTURES)
  .sort()
  .map((name) => ({ name, ...JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8')) }));
const refused = (what: string): Recorded => {
  const found = recorded.find(({ name }) => name.includes(`-refused-${what}-`));
  if (!found) throw new Error(`no refusal "${what}" was recorded`);
  return found;
};

const servers: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const call = { signal: new AbortController().signal };
const anything = z.unknown();

/** A client whose every call, apart from the login, is answered as it was recorded. */
const replaying = async ({ response }: Recorded): Promise<TrytonClient> => {
  const server = await startPeerServer((app) => {
    app.post('/*', (request, reply) => {
      const { method } = JSON.parse(String(request.body)) as { method: string };
      const isLogin = method === 'common.db.login';
      return isLogin
        ? reply.send({ id: 1, result: [2, 's'] })
        : reply.code(response.status).send(response.body);
    });
  });
  servers.push(server);
  return clientAt(server);
};
const clientAt = ({ url }: Pick<PeerServer, 'url'>, credentials = async () => FAKE): TrytonClient =>
  trytonClient({ connection: 'acme-tryton', url, database: FAKE.database, credentials, nowMs: Date.now });

describe('answers recorded from a Tryton 6.0', () => {
  it('has them', () => expect(recorded.length).toBeGreaterThan(50));

  it.each(
    recorded
      .filter(({ request }) => /sale\.sale\.search_read$/.test(request.method))
      .map((each) => [each.name, each]),
  )('%s is a sale or a list of found ones', async (_name, each) => {
    const client = await replaying(each);
    const fields = each.request.params[4] as string[];
    if (!fields.includes('total_amount')) {
      const rows = await client.searchRead(
        'sale.sale',
        { domain: [], fields },
        z.looseObject({ id: z.int() }),
        call,
      );
      expect(rows.length).toBeLessThan(2);
      return;
    }
    const sale = await readSale(client, 1, call, fields.includes('amendments.state'));
    expect(sale?.total_amount).toMatch(/^-?\d+\.\d\d$/);
  });

  it.each([
    ['no-address', 'you must enter an invoice address'],
    ['unknown-field', 'it knows no "nope"'],
    ['no-right', 'You are not allowed to access "User"'],
    ['missing-record', 'You are not allowed to read records "99999" of "Sale"'],
  ])('%s parks and says so', async (what, words) => {
    const client = await replaying(refused(what));
    const error = await client
      .create('sale.sale', {}, { what: 'create-order' }, call)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code: 'ERP_REFUSED', params: { error: { why: 'words', words } } });
  });

  it.each([
    ['unknown-product', 'Product', 'Sale Line'],
    ['price-digits', 'Unit Price', 'Sale Line'],
  ])('%s parks and names the field', async (what, field, model) => {
    const client = await replaying(refused(what));
    await expect(client.create('sale.sale', {}, { what: 'create-order' }, call)).rejects.toMatchObject({
      code: 'ERP_REFUSED',
      params: { error: { why: 'constraint', field, model } },
    });
  });

  it.each([
    ['unknown-method', CredentialsError, 'CREDENTIALS_REFUSED'],
    ['session', CredentialsError, 'CREDENTIALS_REFUSED'],
    ['timestamp', RetryableError, 'PEER_BUSY'],
    ['context', UnknownOutcomeError, 'PEER_FAILED'],
  ])('%s is tried again: %o', async (what, kind, code) => {
    const client = await replaying(refused(what));
    const error = await client
      .create('sale.sale', {}, { what: 'create-order' }, call)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ code });
  });
});

describe('errors', () => {
  const about = (write: boolean) =>
    ({ destination: 'acme-tryton', operation: { what: 'create-order' }, write }) as const;

  it.each([
    [['UserWarning', ['name', 'Sure?', '']], PermanentError, 'ERP_REFUSED'],
    [['LoginException', ['password', 'Password', 'password']], CredentialsError, 'CREDENTIALS_REFUSED'],
    [['RateLimitException'], RetryableError, 'RATE_LIMITED'],
    [['database is locked', ''], RetryableError, 'PEER_BUSY'],
    // Two customers at once, on SQLite.
    [['UserError', ['The code on party must be unique.', '', null]], RetryableError, 'PEER_BUSY'],
    [['could not serialize access due to concurrent update\n', ''], RetryableError, 'PEER_BUSY'],
    [["Database '/var/lib/erp.sqlite' doesn't exist!", ''], RetryableError, 'DATABASE_UNAVAILABLE'],
    [["'NoneType' object has no attribute 'id'", ''], UnknownOutcomeError, 'PEER_FAILED'],
  ] as const)('%o', (fault, kind, code) => {
    const error = trytonError(fault as unknown as readonly [string], about(true));
    expect(error).toBeInstanceOf(kind);
    expect(error.code).toBe(code);
    expect(trytonError(fault as unknown as readonly [string], about(false))).not.toBeInstanceOf(
      UnknownOutcomeError,
    );
  });

  it('the words of a refusal may name a buyer: they stay out of the reason', () => {
    const error = trytonError(['UserError', ['王小明 owes "too much".', 'Ask her.', null]], about(true));
    expect(error.message).not.toMatch(/王小明|owes/);
    expect(error).toMatchObject({ detail: '王小明 owes "too much".\nAsk her.' });
  });

  it('a company of two warehouses, and a route that names none: the merchant reads why', () => {
    const said = 'To get a quote for sale "7[acme-woo:1001]" you must enter a warehouse.';
    const error = trytonError(['UserError', [said, '', null]], about(true));
    expect(error).toMatchObject({ params: { error: { words: 'you must enter a warehouse' } } });
  });
});

describe('sessions', () => {
  let fake: FakeTryton;
  const start = async () => {
    fake = await startFakeTryton();
    servers.push(fake);
    const bodies: Record<string, unknown>[] = [];
    fake.server.fault({
      when: (request) => {
        bodies.push(JSON.parse(String(request.body)) as Record<string, unknown>);
        return false;
      },
      times: Number.POSITIVE_INFINITY,
      effect: { kind: 'drop-before' },
    });
    return bodies;
  };
  const ask = (client: TrytonClient) => client.ask('sale.sale', 'fields_get', [['state']], anything, call);

  it('one login serves many calls; a body has three keys and ends with the context', async () => {
    const bodies = await start();
    const client = clientAt(fake);
    await ask(client);
    await client.ask('sale.sale', 'fields_get', [['state']], anything, { ...call, context: { company: 1 } });
    expect(bodies.map(({ method }) => method)).toEqual([
      'common.db.login',
      'model.sale.sale.fields_get',
      'model.sale.sale.fields_get',
    ]);
    for (const body of bodies) expect(Object.keys(body)).toEqual(['id', 'method', 'params']);
    expect(bodies[1]?.['params']).toEqual([['state'], {}]);
    expect(bodies[2]?.['params']).toEqual([['state'], { company: 1 }]);
  });

  it('a session that ended is followed by another, also before a write', async () => {
    await start();
    const client = clientAt(fake);
    await ask(client);
    fake.endSessions();
    await client.create('party.party', { name: 'A' }, { what: 'create-customer' }, call);
    expect(fake.records('party.party')).toHaveLength(2);
  });

  it('a refused password is read afresh once, then said', async () => {
    await start();
    const fresh: boolean[] = [];
    const client = clientAt(fake, async (again?: boolean) => {
      fresh.push(again ?? false);
      return { ...FAKE, password: again ? FAKE.password : 'old' } as typeof FAKE;
    });
    await ask(client);
    expect(fresh).toEqual([false, true]);
    const wrong = clientAt(fake, async () => ({ ...FAKE, password: 'old' }) as unknown as typeof FAKE);
    await expect(ask(wrong)).rejects.toBeInstanceOf(CredentialsError);
  });

  it('two calls at once log in once', async () => {
    const bodies = await start();
    const client = clientAt(fake);
    await Promise.all([ask(client), ask(client)]);
    expect(bodies.filter(({ method }) => method === 'common.db.login')).toHaveLength(1);
  });
});
