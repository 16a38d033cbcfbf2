/**
 * Sends an order to Waybill. Copy this file into your store: Node 22.18 or newer, `npm install standardwebhooks`.
 * The package because it decodes the secret and joins what is signed as the standard says, wherever you run it (edge
 * runtimes have no node:crypto); the README has the same in two lines of node:crypto.
 *
 *   node example-sender.ts https://…/webhooks/acme-store whsec_…              an invented test order
 *   node example-sender.ts https://…/webhooks/acme-store whsec_… order.json   your own, as order.schema.json has it
 *
 * Exit code 0: taken. 1: refused, somebody must act. 2: kept in quarantine, the order breaks the contract.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';

/**
 * A row of your outbox table. Write it in the same transaction that changes the order, and let a job send what is
 * due: an event sent from inside the request is lost when the request dies.
 */
export interface OutboxRow {
  /** The same in every attempt, without dots. */
  readonly id: string;
  readonly body: string;
}

/** @param type order.created, .paid, .updated, .cancelled, .refunded or .fulfilled: for people, the order counts */
export const outboxRow = (type: string, order: object): OutboxRow => ({
  id: `msg_${randomUUID()}`,
  body: JSON.stringify({ type, timestamp: new Date().toISOString(), data: order }),
});

/** Seconds from each failed attempt to the next, as Standard Webhooks recommends. */
export const RETRY_AFTER_S = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

export interface Attempt {
  /** taken: delete the row. later: send the row again. refused: keep the row, tell a person. */
  readonly outcome: 'taken' | 'later' | 'refused';
  /** accepted, quarantined, …: quarantined is taken and needs a person, too. */
  readonly status: string;
  readonly reason: string | undefined;
  /** Waybill asks for this pause instead of yours. */
  readonly retryAfterS: number | undefined;
}

/** One attempt, signed anew: the time of the attempt is part of the signature. */
export const send = async (url: string, secret: string, { id, body }: OutboxRow): Promise<Attempt> => {
  const now = new Date();
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(id, now, body),
      },
      body,
      signal: AbortSignal.timeout(20_000),
    });
    const reply = (await response.json().catch(() => ({}))) as { status?: string; reason?: string };
    const isLater = response.status >= 500 || [408, 425, 429].includes(response.status);
    const hint = response.headers.get('retry-after') ?? '';
    return {
      outcome: response.ok ? 'taken' : isLater ? 'later' : 'refused',
      status: reply.status ?? `HTTP ${response.status}`,
      reason: reply.reason,
      retryAfterS: /^\d+$/.test(hint) ? Number(hint) : undefined,
    };
  } catch (error) {
    // fetch says "fetch failed" and hides why in the cause.
    const { cause = error } = error as { cause?: unknown };
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { outcome: 'later', status: 'not reached', reason, retryAfterS: undefined };
  }
};

/**
 * Minor units, as Stripe and others count them, as a decimal string.
 * @param decimals by the provider's own list of currencies: 0 for JPY, 2 for EUR, 3 for KWD
 */
export const decimal = (minor: number, decimals = 2): string => (minor / 10 ** decimals).toFixed(decimals);

/** Two mugs of 11.90, shipping 4.76, 19 % in the prices: 28.56. Marked as a test, so nobody ships it. */
export const exampleOrder = (now = new Date()) => ({
  id: `ord_${now.getTime()}`,
  number: `T${now.getTime() % 100_000}`,
  version: now.getTime(),
  placedAt: now.toISOString(),
  updatedAt: now.toISOString(),
  status: 'open',
  test: true,
  currency: 'EUR',
  pricesIncludeTax: true,
  lines: [
    {
      id: 'li_1',
      sku: 'MUG-01',
      title: 'Mug',
      quantity: 2,
      subtotal: decimal(2380),
      total: decimal(2380),
      taxes: [{ key: 'de-19', title: 'VAT 19 %', ratePercent: '19', amount: decimal(380) }],
    },
  ],
  charges: [
    {
      id: 'ship_1',
      kind: 'shipping',
      method: 'standard',
      title: 'Standard',
      total: decimal(476),
      taxes: [{ key: 'de-19', title: 'VAT 19 %', ratePercent: '19', amount: decimal(76) }],
    },
  ],
  total: decimal(2856),
  payment: {
    state: 'paid',
    kind: 'online',
    method: 'stripe',
    reference: 'pi_example',
    // Only where an order may be paid in several parts: each of them, also those of an order that is partially-paid.
    captures: [{ id: 'pay_1', amount: decimal(2856), reference: 'ch_example' }],
  },
  buyer: { email: 'ada@example.com', name: 'Ada Lovelace' },
  shipping: { name: 'Ada Lovelace', line1: 'Lindenstr. 1', city: 'Berlin', postcode: '10969', country: 'DE' },
});

/** A job of yours would look for due rows; this one waits in place. */
const main = async ([url, secret, file]: string[]): Promise<number> => {
  if (!url || !secret) {
    console.error('usage: node example-sender.ts URL SECRET [order.json]');
    return 1;
  }
  const order = file ? JSON.parse(await readFile(file, 'utf8')) : exampleOrder();
  const row = outboxRow('order.created', order);
  for (const pauseS of [...RETRY_AFTER_S, 0]) {
    const { outcome, status, reason, retryAfterS } = await send(url, secret, row);
    console.log(`${status}${reason ? `: ${reason}` : ''}`);
    if (outcome === 'taken') return status === 'quarantined' ? 2 : 0;
    if (outcome === 'refused') return 1;
    if (pauseS === 0) return 1;
    console.log(`again in ${retryAfterS ?? pauseS} s`);
    await wait((retryAfterS ?? pauseS) * 1000);
  }
  return 1;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
