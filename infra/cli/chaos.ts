import { createHmac } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { startFakeOdoo } from '../../test/fakes/odoo.ts';
import { startFakeWooCommerce } from '../../test/fakes/woocommerce.ts';
import { parseSecrets } from '../secrets.ts';
import { sandbox } from '../stages/sandbox.ts';
import { CHAOS_PRODUCTS, randomOrder, seeded } from './chaos-orders.ts';
import { Journeys } from './journeys.ts';
import { readBack } from './read-back.ts';
import { runLocally } from './run-local.ts';

const whole = (text: string) => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('a whole number from 1 is needed');
};

const options = new Command('npm run chaos --')
  .description(
    'Sends orders, each several times and out of order, through the local stack to an ERP that fails; then asks the ERP itself what it holds, order by order.',
  )
  .option('--orders <n>', 'how many', whole, 100)
  .option('--copies <n>', 'deliveries of each order', whole, 3)
  .option('--seed <n>', 'the same seed plays the same orders and faults', whole, 1)
  .option('--processes <n>', 'function processes in all', whole, 8)
  .option('--timeout <seconds>', 'when to give up waiting', whole, 300)
  .option('--json', 'only the result, as JSON')
  .option('--verbose', 'tell every step')
  .parse()
  .opts<{
    orders: number;
    copies: number;
    seed: number;
    processes: number;
    timeout: number;
    json?: true;
    verbose?: true;
  }>();

/** What the ERP does wrong, per request. */
const UNAVAILABLE = 0.1;
const DROPPED_AFTER_WRITE = 0.05;
const DROPPED_BEFORE = 0.02;
const SLOW = 0.02;
const SLOW_MS = 400;
/** Webhooks at once. */
const SENDERS = 8;

const SHOP = 'sandbox-woo';
const ERP = 'sandbox-odoo';
const SECRET = 'chaos-webhook-secret';
const KEYS = { consumerKey: 'ck_chaos', consumerSecret: 'cs_chaos' };
const ODOO = { login: 'waybill@sandbox.example', apiKey: 'chaos-api-key' };
const TAXES = [
  { country: 'TW', percent: 5, name: '5% VAT (TW)' },
  { country: 'TH', percent: 7, name: '7% VAT (TH)' },
  { country: 'JP', percent: 10, name: '10% VAT (JP)' },
];

const random = seeded(options.seed);
const tell = (line: string) => {
  if (!options.json) process.stdout.write(`${line}\n`);
};

const shop = await startFakeWooCommerce({
  ...KEYS,
  currency: 'USD',
  decimals: 2,
  taxRates: TAXES.map(({ country, percent, name }) => ({
    country,
    percent: String(percent),
    name,
    shipping: true,
  })),
  products: CHAOS_PRODUCTS.map(({ sku, name, price }) => ({
    sku,
    name,
    price: price.toFixed(2),
    stock: 1_000_000,
  })),
  coupons: [{ code: 'welcome10', type: 'percent', amount: '10' }],
});
const erp = await startFakeOdoo({
  version: 18,
  database: 'sandbox',
  ...ODOO,
  companies: [{ name: 'Sandbox Trading', currency: 'USD' }],
  pricelists: [
    { name: 'Japan', currency: 'JPY' },
    { name: 'Thailand', currency: 'THB' },
  ],
  products: [
    ...CHAOS_PRODUCTS.map(({ sku, name, price }) => ({ sku, name, price, stock: 1_000_000 })),
    ...['SHIP', 'FEE', 'DISCOUNT', 'ROUNDING'].map((sku) => ({ sku, name: sku, price: 0, service: true })),
  ],
  taxes: TAXES.map(({ name, percent }) => ({ name, amount: percent })),
});
const settings = sandbox({ woocommerce: shop.url, odoo: erp.url });
const secrets = parseSecrets(
  { [SHOP]: { webhookSecrets: [SECRET], ...KEYS }, [ERP]: ODOO },
  settings,
  'chaos',
);
const journeys = new Journeys(options.verbose ? tell : () => undefined, settings);
const run = await runLocally({
  settings,
  secrets,
  onLine: (text) => journeys.take(text),
  // Half of them write orders, a quarter receives webhooks, a quarter keeps the journal.
  processes: (entry) =>
    Math.max(1, Math.round(options.processes * (entry === 'consume-orders' ? 0.5 : 0.25))),
});
try {
  for (const [index, { name }] of TAXES.entries()) {
    await run.mappings.put(
      {
        kind: 'tax',
        source: SHOP,
        destination: ERP,
        key: String(index + 1),
        to: [{ value: name, quantity: 1, share: 1 }],
      },
      'chaos',
    );
  }

  tell(`placing ${options.orders} orders …`);
  const orders = [];
  for (let n = 0; n < options.orders; n += 1) orders.push(await shop.placeOrder(randomOrder(random)));

  const isWrite = (request: { body?: unknown }) =>
    /"(create|write|action_confirm)"/.test(String(request.body ?? ''));
  const always = { times: Number.POSITIVE_INFINITY, random };
  const mend = [
    erp.server.fault({ ...always, rate: UNAVAILABLE, effect: { kind: 'answer', status: 503 } }),
    erp.server.fault({ ...always, rate: DROPPED_AFTER_WRITE, when: isWrite, effect: { kind: 'drop-after' } }),
    erp.server.fault({ ...always, rate: DROPPED_BEFORE, effect: { kind: 'drop-before' } }),
    erp.server.fault({ ...always, rate: SLOW, effect: { kind: 'slow', delayMs: SLOW_MS } }),
  ];

  const startedMs = performance.now();
  const deliveries = shuffled(
    orders.flatMap((order) => Array.from({ length: options.copies }, () => order)),
    random,
  );
  tell(`sending ${deliveries.length} deliveries, reordered, while the ERP fails …`);
  const url = run.webhookUrls.get(SHOP) ?? '';
  let accepted = 0;
  const sender = async () => {
    for (let order = deliveries.pop(); order; order = deliveries.pop()) {
      if (await deliver(url, JSON.stringify(order))) accepted += 1;
    }
  };
  const sent = deliveries.length;
  await Promise.all(Array.from({ length: SENDERS }, sender));
  tell(`${accepted} accepted; waiting until each came to its end …`);
  const inTime = await journeys.until(
    () => journeys.inFlight() === 0 && journeys.all().length >= orders.length,
    options.timeout * 1000,
  );
  const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(1));
  for (const stop of mend) stop();

  tell('asking the ERP, order by order …');
  const result = {
    orders: orders.length,
    deliveries: sent,
    accepted,
    inErp: 0,
    lost: 0,
    duplicated: 0,
    wrongAmount: 0,
    parked: journeys.all().filter(({ parked }) => parked).length,
    customersDuplicated: duplicatedCustomers(),
    unavailable: erp.server.hits.answer,
    droppedBefore: erp.server.hits['drop-before'],
    droppedAfterWrite: erp.server.hits['drop-after'],
    seconds,
  };
  for (const { id } of orders) {
    const order = { storefront: SHOP, orderId: String(id), erp: ERP };
    const { shopTotal, documents } = await readBack({ settings, secrets }, order, {
      signal: AbortSignal.timeout(60_000),
    });
    const [document] = documents;
    if (!document) result.lost += 1;
    else {
      result.inErp += 1;
      if (document.total.minor !== shopTotal.minor || document.total.currency !== shopTotal.currency)
        result.wrongAmount += 1;
    }
    result.duplicated += Math.max(0, documents.length - 1);
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
  for (const { orderId, parked } of journeys.all().filter((j) => j.parked))
    tell(`order ${orderId} is parked: ${parked}`);
  const { lost, duplicated, wrongAmount, parked, customersDuplicated } = result;
  const isRight =
    inTime && accepted === sent && lost + duplicated + wrongAmount + parked + customersDuplicated === 0;
  if (!inTime) tell(`not everything came to its end within ${options.timeout} s`);
  process.exitCode = isRight ? 0 : 1;
} finally {
  await run.stop();
  await shop.stop();
  await erp.stop();
}

/** A shop that sends again what was not taken. */
async function deliver(to: string, body: string): Promise<boolean> {
  const signature = createHmac('sha256', SECRET).update(body).digest('base64');
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const status = await fetch(to, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-wc-webhook-topic': 'order.updated',
        'x-wc-webhook-signature': signature,
      },
      body,
    }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return true;
  }
  return false;
}

function shuffled<T>(list: readonly T[], next: () => number): T[] {
  return list
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Customers beyond one per mail address. */
function duplicatedCustomers(): number {
  const mails = erp
    .records('res.partner')
    .filter((partner) => !partner['parent_id'])
    .map((partner) => partner['email'])
    .filter((mail) => typeof mail === 'string');
  return mails.length - new Set(mails).size;
}
