import { createHmac } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { startFaults } from './chaos-faults.ts';
import { startKiller } from './chaos-kills.ts';
import { randomOrder, seeded } from './chaos-orders.ts';
import { ERP, SHOP, startChaosPeers, WEBHOOK_SECRET } from './chaos-peers.ts';
import { type ChaosStack, startChaosStack } from './chaos-stack.ts';
import { Journeys } from './journeys.ts';
import { readBack } from './read-back.ts';

/**
 * `npm run chaos`: orders, each sent several times and out of order, go through the real local stack to an ERP that
 * fails; then both peers' own HTTP interfaces are asked, order by order. infra/docs/chaos.md says what is played, what
 * a seed repeats, and how likely a run is to fail by itself.
 */
const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed`);
};

interface Options {
  readonly orders: number;
  readonly copies: number;
  readonly seed: number;
  readonly processes: number;
  readonly outage: number;
  readonly timeout?: number;
  readonly kill?: true;
  readonly json?: true;
  readonly verbose?: true;
}

const options = new Command('npm run chaos --')
  .description(
    'Sends orders, each several times and out of order, through the local stack to an ERP that fails; then asks shop and ERP themselves what they hold, order by order. Exit code 0 only if every order is in the ERP once, with the right amount.',
  )
  .option('--orders <n>', 'how many', whole(1, 20_000), 100)
  .option('--copies <n>', 'deliveries of each order', whole(1, 20), 3)
  .option('--seed <n>', 'the same seed plays the same orders and faults', whole(0, 2 ** 31), 1)
  .option('--processes <n>', 'function processes in all', whole(4, 64), 8)
  .option(
    '--kill',
    'kill function processes, and the whole stack, in the middle of writes; throttle with 429',
  )
  .option('--outage <seconds>', 'how long the ERP is down in the middle', whole(0, 3600), 0)
  .option(
    '--timeout <seconds>',
    'when to give up waiting (default: by the number of orders)',
    whole(1, 86_400),
  )
  .option('--json', 'only the result, as JSON, on standard output')
  .option('--verbose', 'tell every step')
  .allowExcessArguments(false)
  .showHelpAfterError('(npm run chaos -- --help lists the options)')
  .parse()
  .opts<Options>();

/**
 * Waiting times of the stage: backoff from 10 s becomes 0.2 s, eight attempts span three minutes instead of two and a
 * half hours, and the ERP settles in 0.7 s instead of 35.
 */
const TIME_SCALE = 0.02;
/** Webhooks at once. */
const SENDERS = 8;
/** How long the shop waits before it sends again what was not taken. */
const SEND_AGAIN_MS = 200;
/** Messages of a thousand that SQS hands out twice. */
const REDELIVERED_PER_MILLE = 20;
const POLL_MS = 250;
/** A message may be between two queues when one of them is looked at. */
const EMPTY_POLLS = 3;
/** By the number of orders, so that few of them meet it more than once. */
const THROTTLING_MS_PER_ORDER = 1;
const LONGEST_THROTTLING_MS = 1_500;

const { orders: count, copies, seed, processes, outage } = options;
const timeoutS = options.timeout ?? Math.max(300, Math.round(count / 2)) + outage;
const tell = (line: string): void => {
  if (!options.json) process.stdout.write(`${line}\n`);
};
const complain = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
/** Every purpose has its own numbers, so that one more fault does not change the orders. */
const randomFor = (purpose: number) => seeded(seed * 8 + purpose);

const scratchRoot = fileURLToPath(new URL('../../.waybill', import.meta.url));
await mkdir(scratchRoot, { recursive: true });
const scratch = await mkdtemp(path.join(scratchRoot, 'chaos-'));
process.once('SIGINT', () => {
  rmSync(scratch, { recursive: true, force: true });
  process.exit(130);
});

const peers = await startChaosPeers(TIME_SCALE);
const { shop, erp, settings, secrets } = peers;
const journeys = new Journeys(options.verbose ? tell : () => undefined, settings);
let stack: ChaosStack | undefined;
try {
  const share = (part: number) => Math.max(1, Math.floor(processes * part));
  const consumers = share(1 / 2);
  const receivers = share(1 / 4);
  stack = await startChaosStack(
    {
      ...{ settings, secrets, mappings: peers.mappings, scratch },
      ...(options.kill ? { dataDir: path.join(scratch, 'data') } : {}),
      processes: {
        'consume-orders': consumers,
        'ingest-webhook': receivers,
        'fetch-orders': 1,
        'fetch-payments': 1,
        'record-orders': Math.max(1, processes - consumers - receivers - 1),
      },
      redeliverPerMille: REDELIVERED_PER_MILLE,
      seed: seed * 8,
    },
    (text) => journeys.take(text),
  );
  process.exitCode = (await play(stack)) ? 0 : 1;
} catch (error) {
  process.exitCode = 1;
  complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await stack?.stop();
  await peers.stop();
  await rm(scratch, { recursive: true, force: true });
}

/** @returns whether every order came through as it should */
async function play(running: ChaosStack): Promise<boolean> {
  const random = randomFor(1);
  tell(`placing ${count} orders …`);
  const orders: Awaited<ReturnType<typeof shop.placeOrder>>[] = [];
  for (let n = 0; n < count; n += 1) orders.push(await shop.placeOrder(randomOrder(random)));
  const deliveries = shuffled(
    orders.flatMap((order) => Array.from({ length: copies }, () => JSON.stringify(order))),
    randomFor(2),
  );

  const kills = options.kill ? Math.max(4, Math.ceil(count / 80)) : 0;
  const killer = startKiller(
    running,
    (name) => name.startsWith(`waybill-${settings.name}-${ERP}-Orders`),
    new Set((kills < 10 ? [0.5] : [0.2, 0.5, 0.8]).map((part) => Math.ceil(part * kills))),
  );
  const faults = startFaults(erp, randomFor(3), { times: kills, orders: count, hung: killer.onOpenWrite });
  const startedMs = performance.now();
  const giveUpMs = startedMs + timeoutS * 1000;

  const sent = deliveries.length;
  tell(`sending ${sent} deliveries, reordered, while the ERP fails …`);
  let accepted = 0;
  const send = async () => {
    for (let body = deliveries.pop(); body !== undefined; body = deliveries.pop()) {
      if (await deliver(running.webhookUrl(SHOP), body, giveUpMs)) accepted += 1;
    }
  };
  const sending = Promise.all(Array.from({ length: SENDERS }, send));
  const progress = () => erp.orders().length / count;
  const until = async (condition: () => boolean) => {
    while (!condition() && performance.now() < giveUpMs) await sleep(POLL_MS / 5);
  };
  const storms = async () => {
    for (const part of options.kill ? [0.1, 0.6] : []) {
      await until(() => progress() >= part);
      const calm = faults.throttle();
      await sleep(Math.min(count * THROTTLING_MS_PER_ORDER, LONGEST_THROTTLING_MS));
      calm();
    }
  };
  const goDown = async () => {
    if (outage === 0) return;
    await until(() => progress() >= 0.4);
    tell(`the ERP is down for ${outage} s …`);
    const up = await erp.server.goDown();
    await sleep(outage * 1000);
    await up();
  };
  await Promise.all([sending, storms(), goDown()]);
  tell(`${accepted} accepted; waiting until no message is left …`);
  const inTime = await drained(running, killer.settled, giveUpMs);
  const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(1));
  faults.mend();

  tell('asking the ERP, order by order …');
  const wrong = new Map<string, string>();
  const result = {
    orders: orders.length,
    deliveries: sent,
    accepted,
    inErp: 0,
    lost: 0,
    duplicated: 0,
    wrongAmount: 0,
  };
  for (const { id, total, currency } of orders) {
    const orderId = String(id);
    const { shopTotal, documents } = await readBack(
      { settings, secrets },
      { storefront: SHOP, orderId, erp: ERP },
      { signal: AbortSignal.timeout(60_000) },
    );
    const [document] = documents;
    if (!document) {
      result.lost += 1;
      wrong.set(orderId, 'is not in the ERP');
      continue;
    }
    result.inErp += 1;
    const amounts = `${document.total.minor} ${document.total.currency} instead of ${shopTotal.minor} ${shopTotal.currency} (${total} ${currency})`;
    if (document.total.minor !== shopTotal.minor || document.total.currency !== shopTotal.currency) {
      result.wrongAmount += 1;
      wrong.set(orderId, `is in the ERP with ${amounts}, in minor units`);
    }
    if (documents.length > 1) {
      result.duplicated += documents.length - 1;
      wrong.set(
        orderId,
        `is in the ERP ${documents.length} times: ${documents.map(({ name }) => name).join(', ')}`,
      );
    }
  }
  const depth = await running.depth();
  for (const { orderId, code, reason } of depth.parked > 0 ? await running.parked() : []) {
    wrong.set(orderId, [wrong.get(orderId), `is parked, ${code}: ${reason}`].filter(Boolean).join('; '));
  }
  const customersDuplicated = peers.duplicatedCustomers();
  const { droppedAfterWrite, ...otherFaults } = faults.counts();
  const { functions, runners } = killer.killed();
  const replay = [
    `npm run chaos -- --orders ${count} --copies ${copies} --seed ${seed} --processes ${processes}`,
    ...(options.kill ? ['--kill'] : []),
    ...(outage > 0 ? [`--outage ${outage}`] : []),
  ].join(' ');
  const whole = {
    ...result,
    parked: depth.parked,
    droppedAfterWrite,
    seconds,
    ...(options.kill ? { killed: functions + runners, runnersKilled: runners } : {}),
    ...(outage > 0 ? { outageSeconds: outage } : {}),
    quarantined: depth.quarantined,
    customersDuplicated,
    ...otherFaults,
    replay,
  };
  process.stdout.write(`${JSON.stringify(whole)}\n`);

  if (accepted < sent) complain(`${sent - accepted} deliveries were not accepted`);
  if (!inTime) complain(`${depth.work} messages were left after ${timeoutS} s`);
  if (depth.quarantined > 0) complain(`${depth.quarantined} deliveries are in quarantine`);
  if (customersDuplicated > 0) complain(`${customersDuplicated} customers are in the ERP more than once`);
  for (const [orderId, why] of wrong) {
    complain(`order ${orderId} ${why}`);
    const journey = journeys.all().find((one) => one.orderId === orderId);
    for (const { atMs, text } of journey?.events ?? []) {
      complain(`  ${new Date(atMs).toISOString().slice(11, 23)}  ${text}`);
    }
  }
  const isRight =
    wrong.size === 0 && inTime && accepted === sent && depth.quarantined === 0 && customersDuplicated === 0;
  if (!isRight) complain(`again, as far as processes race the same way: ${replay}`);
  return isRight;
}

/** A shop that sends again what was not taken, or not answered. */
async function deliver(to: string, body: string, giveUpMs: number): Promise<boolean> {
  const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('base64');
  while (performance.now() < giveUpMs) {
    const status = await fetch(to, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-wc-webhook-topic': 'order.updated',
        'x-wc-webhook-signature': signature,
      },
      body,
      signal: AbortSignal.timeout(30_000),
    }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return true;
    await sleep(SEND_AGAIN_MS);
  }
  return false;
}

/** @returns whether no queue held a message any more, in time */
async function drained(
  running: ChaosStack,
  killsSettled: () => Promise<void>,
  giveUpMs: number,
): Promise<boolean> {
  for (let empty = 0; empty < EMPTY_POLLS; ) {
    if (performance.now() >= giveUpMs) return false;
    await killsSettled();
    const depth = await running.depth().catch(() => undefined);
    empty = depth?.work === 0 ? empty + 1 : 0;
    await sleep(POLL_MS);
  }
  return true;
}

function shuffled<T>(list: readonly T[], next: () => number): T[] {
  return list
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
