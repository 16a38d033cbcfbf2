import { mkdir, rm, writeFile } from 'node:fs/promises';
import { startPeerServer } from '../fakes/peer-server.ts';
import { decimal, TrytonRpc } from './rpc.ts';
import { playScenario } from './scenario.ts';
import { SEED, seed } from './seed.ts';
import { startTryton } from './server.ts';

/**
 * Writes what a real Tryton answers to the connector into `test/fixtures/tryton`: `node test/tryton/record.ts`. Buyers are
 * invented; sessions and passwords are taken out.
 */
const FIXTURES = new URL('../fixtures/tryton/', import.meta.url);

const tryton = await startTryton(console.log);
const admin = new TrytonRpc(tryton.url, tryton.database);
let step = '';
let count = 0;
const seen = new Set<string>();
await rm(FIXTURES, { recursive: true, force: true });
await mkdir(FIXTURES, { recursive: true });

const record = async (body: string, status: number, text: string): Promise<void> => {
  const { method, params } = JSON.parse(body) as { method: string; params: unknown[] };
  const verb = method.split('.').slice(-3).join('-');
  // Once for each step: the same questions come again and again.
  if (seen.has(`${step} ${method}`)) return;
  seen.add(`${step} ${method}`);
  count += 1;
  const isLogin = method === 'common.db.login';
  const secret = (value: string) => value.replace(/"[0-9a-f]{40,}"/, '"session-1"');
  const fixture = {
    request: { method, params: isLogin ? [params[0], { password: '…' }, params[2]] : params },
    response: { status, body: isLogin ? secret(text) : text },
  };
  const name = `${String(count).padStart(3, '0')}-${step}-${verb}.json`.replaceAll('_', '-');
  await writeFile(new URL(name, FIXTURES), `${JSON.stringify(fixture, null, 1)}\n`);
};

const proxy = await startPeerServer((app) => {
  app.post('/*', async (request, reply) => {
    const body = String(request.body);
    const { authorization = '' } = request.headers;
    const answer = await fetch(`${tryton.url}${request.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body,
    });
    const text = await answer.text();
    await record(body, answer.status, text);
    return reply
      .code(answer.status)
      .type(answer.headers.get('content-type') ?? 'text/html')
      .send(text);
  });
});

try {
  await admin.login(tryton.admin.login, tryton.admin.password);
  await seed(admin, new Date().toISOString().slice(0, 10));
  const secrets = [{ login: SEED.login, password: SEED.password }];
  await playScenario({ url: proxy.url, database: tryton.database, secrets }, (name) => {
    step = name;
  });

  const bot = new TrytonRpc(proxy.url, tryton.database);
  await bot.login(SEED.login, SEED.password);
  const refused = async (name: string, method: string, args: readonly unknown[]): Promise<void> => {
    step = `refused-${name}`;
    await bot.call(method, args).then(
      () => Promise.reject(new Error(`${method} was not refused`)),
      () => undefined,
    );
  };
  const sale = { party: 1, currency: 1 };
  const line = { type: 'line', quantity: 1, unit: 1, unit_price: decimal('1') };
  const withLine = (change: object) => [[{ ...sale, lines: [['create', [{ ...line, ...change }]]] }]];
  const [draft] = (await bot.call('model.sale.sale.create', [[{ ...sale, reference: 'x' }]])) as number[];
  await refused('no-address', 'model.sale.sale.quote', [[draft]]);
  await refused('unknown-field', 'model.sale.sale.create', [[{ ...sale, nope: 1 }]]);
  await refused('unknown-product', 'model.sale.sale.create', withLine({ product: 99999 }));
  await refused('price-digits', 'model.sale.sale.create', withLine({ unit_price: decimal('1.12345') }));
  await refused('no-right', 'model.res.user.create', [[{ name: 'x', login: 'x' }]]);
  await refused('missing-record', 'model.sale.sale.read', [[99999], ['state']]);
  await refused('unknown-method', 'model.sale.sale.nope', [[1]]);
  step = 'refused-timestamp';
  await bot
    .call('model.sale.sale.write', [[draft], { comment: 'x' }], {
      _timestamp: { [`sale.sale,${draft}`]: '1' },
    })
    .catch(() => undefined);
  step = 'refused-context';
  await bot.raw('model.sale.sale.search', [[], 0, null, null]).catch(() => undefined);
  step = 'refused-login';
  await new TrytonRpc(proxy.url, tryton.database).login(SEED.login, 'not-this-1').catch(() => undefined);
  step = 'refused-session';
  await new TrytonRpc(proxy.url, tryton.database)
    .raw('model.sale.sale.search', [[], {}])
    .catch(() => undefined);
  console.log(`${count} answers recorded`);
} finally {
  await Promise.all([proxy.stop(), tryton.stop()]);
}
