import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery, Received } from '../../../shared/connectors/contract.ts';
import { woocommerce } from '../../../shared/connectors/woocommerce/index.ts';
import { manifest } from '../../../shared/connectors/woocommerce/manifest.ts';
import { open } from '../../../shared/connectors/woocommerce/reads.ts';
import type { PushOutcome } from '../../../shared/core/push-order.ts';
import { orderDesk } from '../../fakes/order-desk.ts';
import { type PeerServer, startPeerServer } from '../../fakes/peer-server.ts';
import { capture, signed } from './deliveries.ts';

const KEYS = { consumerKey: 'ck_test', consumerSecret: 'cs_0123456789abcdef' };
const rest = (name: string): unknown => {
  const file = new URL(`../../fixtures/woocommerce/rest/${name}.json`, import.meta.url);
  const { response } = JSON.parse(readFileSync(file, 'utf8')) as { response: { body: string } };
  return JSON.parse(response.body);
};

/** What the shop answers when it is asked: the order as it was delivered last, and all that it gave back. */
let answers: { order: unknown; refunds: unknown[] };
let server: PeerServer;
beforeAll(async () => {
  server = await startPeerServer((app) => {
    app.get('/wp-json/wc/v3/orders/:id', async () => answers.order);
    app.get('/wp-json/wc/v3/orders/:id/refunds', async (_request, reply) =>
      reply.header('x-wp-totalpages', '1').send(answers.refunds),
    );
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  answers = { order: undefined, refunds: [] };
});

/** A shop whose captured deliveries go through the connector to an ERP that can change what it wrote. */
const life = (credentials: Partial<typeof KEYS> = KEYS) => {
  const desk = orderDesk({ changes: true });
  const settings = manifest.settings.parse({ url: server.url });
  const reads = open({
    connection: 'acme-woo',
    settings,
    credentials: async () => ({ webhookSecrets: ['0123456789abcdef'], ...credentials }),
    nowMs: Date.now,
  });
  const receive = (delivery: Delivery, secret: string): Received =>
    woocommerce.receive(delivery, {
      connection: 'acme-woo',
      settings,
      credentials: { webhookSecrets: [secret], ...credentials },
      nowMs: Date.now,
    });
  /** @returns what the delivery was, and what became of it */
  const deliver = async (
    name: string,
    change?: (order: Record<string, unknown>) => unknown,
  ): Promise<{ kind: Received['kind']; outcome: PushOutcome | undefined }> => {
    const { secret, headers, body } = capture(name);
    const order = JSON.parse(body) as Record<string, unknown>;
    change?.(order);
    answers.order = order;
    const received = receive(
      change
        ? signed(JSON.stringify(order), {}, secret)
        : { method: 'POST', headers, body: new TextEncoder().encode(body) },
      secret,
    );
    desk.wait(1000);
    if (received.kind === 'order') return { kind: 'order', outcome: await desk.push(received.order) };
    if (received.kind !== 'notified') return { kind: received.kind, outcome: undefined };
    const fetched = await reads.order(received.orderId, { signal: new AbortController().signal });
    if (fetched?.kind !== 'order') throw new Error(`read as ${JSON.stringify(fetched)}`);
    const meta = { via: 'fetch', fetchedAtMs: desk.ports.nowMs() } as const;
    return { kind: 'notified', outcome: await desk.push(fetched.order, {}, meta) };
  };
  return { desk, deliver };
};

/** What the ERP holds: each order, and each credit note by what it is for. */
const held = ({ orders, notes }: ReturnType<typeof life>['desk']) => ({
  orders: orders.map(({ reference, level, state, content }) => {
    const [total, lines] = JSON.parse(content ?? '[]') as [number, [string, number][]];
    const goods = lines.map(([sku, quantity]) => `${quantity} x ${sku}`).join(', ');
    return `${reference} ${state ?? level} ${total}: ${goods}`;
  }),
  notes: notes.map(({ reference, minor, parts }) => `${reference} ${minor}: ${parts.join(', ')}`),
});

const PLACED = '025-order-created-pending-tax-shipping-chinese--order-created';
const ACCEPTED = '027-order-updated-processing--order-updated';
const COMPLETED = '030-order-updated-completed--order-updated';
const BY_LINE = '033-order-refund-partial-line--order-updated';
const BY_AMOUNT = '034-order-refund-partial-amount-only--order-updated';
const REST = '035-order-refund-remaining-to-full--order-updated';
const TEA_AND_MUG = 'acme-woo:19 confirm 110198: 2 x TEA-OOL-150, 1 x MUG-TH-01';

describe('refunded by line, by amount, and the rest', () => {
  const byLine = rest('10-refund-partial-line');
  const byAmount = rest('11-refund-partial-amount-only') as Record<string, unknown>;
  // The shop was not asked for the last one; it was made as the one before it, of all that was left.
  const theRest = { ...byAmount, id: 22, amount: '650.98', reason: 'rest' };

  it('is one order and one credit note for each refund, as the deliveries come', async () => {
    const { desk, deliver } = life();
    expect(await deliver(PLACED)).toMatchObject({ kind: 'order', outcome: { reason: 'NOT_ACCEPTED_YET' } });
    expect(await deliver(ACCEPTED)).toMatchObject({ kind: 'order', outcome: { kind: 'written' } });
    expect(await deliver(COMPLETED)).toMatchObject({ outcome: { reason: 'ALREADY_DONE' } });
    expect(held(desk)).toEqual({ orders: [TEA_AND_MUG], notes: [] });

    answers.refunds = [byLine];
    expect(await deliver(BY_LINE)).toMatchObject({ kind: 'notified', outcome: { done: ['refund 20'] } });
    answers.refunds = [byAmount, byLine];
    expect(await deliver(BY_AMOUNT)).toMatchObject({ kind: 'notified', outcome: { done: ['refund 21'] } });
    answers.refunds = [theRest, byAmount, byLine];
    expect(await deliver(REST)).toMatchObject({ outcome: { done: ['refunded', 'refund 22'] } });
    const notes = [
      'acme-woo:19/refund/20 44100: 1 x TEA-OOL-150',
      'acme-woo:19/refund/21 1000: amount 1000',
      'acme-woo:19/refund/22 65098: amount 65098',
    ];
    expect(held(desk)).toEqual({ orders: [TEA_AND_MUG], notes });

    for (const late of [BY_LINE, BY_AMOUNT, REST, PLACED]) await deliver(late);
    expect(held(desk)).toEqual({ orders: [TEA_AND_MUG], notes });
  });

  it('two refunds that are seen at once are two credit notes', async () => {
    const { desk, deliver } = life();
    await deliver(ACCEPTED);
    answers.refunds = [byAmount, byLine];
    expect(await deliver(BY_AMOUNT)).toMatchObject({ outcome: { done: ['refund 21', 'refund 20'] } });
    expect(held(desk).notes.toSorted()).toEqual([
      'acme-woo:19/refund/20 44100: 1 x TEA-OOL-150',
      'acme-woo:19/refund/21 1000: amount 1000',
    ]);
  });

  it('whose end comes first is never written', async () => {
    const { desk, deliver } = life();
    answers.refunds = [theRest, byAmount, byLine];
    expect(await deliver(REST)).toMatchObject({ outcome: { reason: 'CANCELLED_BEFORE_WRITTEN' } });
    expect(await deliver(ACCEPTED)).toMatchObject({ outcome: { kind: 'skipped' } });
    expect(held(desk)).toEqual({ orders: [], notes: [] });
  });

  it('without a key for reading is known by its sums', async () => {
    const { desk, deliver } = life({});
    await deliver(ACCEPTED);
    expect(await deliver(BY_LINE)).toMatchObject({ kind: 'order', outcome: { done: ['refund 20'] } });
    expect(held(desk).notes).toEqual(['acme-woo:19/refund/20 44100: amount 44100']);
  });
});

it('refunded in a currency without decimals', async () => {
  const { desk, deliver } = life();
  await deliver('093-order-created-jpy-0-decimals--order-created');
  answers.refunds = [rest('24-refund-jpy')];
  await deliver('097-order-refund-jpy-0-decimals--order-updated');
  expect(held(desk).notes).toEqual(['acme-woo:39/refund/40 100: amount 100']);
});

it('cancelled: the order is cancelled, once, and nothing is credited', async () => {
  const { desk, deliver } = life();
  await deliver('036-order-created-paid-thai-guest-coupon-fee--order-created');
  await deliver('037-order-created-paid-thai-guest-coupon-fee--order-updated');
  const cancelled = '039-order-updated-cancelled--order-updated';
  expect(await deliver(cancelled)).toMatchObject({ outcome: { done: ['cancelled'] } });
  expect(await deliver(cancelled)).toMatchObject({ outcome: { kind: 'skipped' } });
  await deliver('036-order-created-paid-thai-guest-coupon-fee--order-created');
  expect(held(desk)).toEqual({ orders: ['acme-woo:23 cancelled 50200: 3 x MUG-TH-01'], notes: [] });
  expect(desk.calls.filter((call) => ['create', 'cancel'].includes(call))).toEqual(['create', 'cancel']);
});

describe('edited', () => {
  const [BEFORE, AGAIN, AFTER] = [
    '055-order-edit-0-created--order-created',
    '056-order-edit-0-created--order-updated',
    '057-order-edit-1-lines-changed-removed-added--order-updated',
  ] as const;
  // The order was captured before it was paid.
  const paid = (order: Record<string, unknown>) =>
    Object.assign(order, { status: 'processing', date_paid_gmt: order['date_modified_gmt'] });

  it('before it is paid: nothing is in the ERP', async () => {
    const { desk, deliver } = life();
    for (const name of [BEFORE, AGAIN, AFTER]) await deliver(name);
    expect(held(desk)).toEqual({ orders: [], notes: [] });
  });

  it('after: one line more, one off, one changed, in place', async () => {
    const { desk, deliver } = life();
    await deliver(BEFORE, paid);
    expect(await deliver(AGAIN, paid)).toMatchObject({ outcome: { reason: 'ALREADY_DONE' } });
    expect(held(desk).orders).toEqual(['acme-woo:28 confirm 81795: 1 x TEA-OOL-150, 2 x MUG-TH-01']);
    expect(await deliver(AFTER, paid)).toMatchObject({ outcome: { done: ['edited'] } });
    await deliver(BEFORE, paid);
    const orders = ['acme-woo:28 confirm 60795: 4 x TEA-OOL-150, 1 x EBOOK-1'];
    expect(held(desk)).toEqual({ orders, notes: [] });
    expect(desk.calls.filter((call) => call === 'create')).toHaveLength(1);
  });
});

it('a burst of changes that arrives as two deliveries of one state is one order, written once', async () => {
  const { desk, deliver } = life();
  const [created, updated] = [
    '111-order-burst-created-then-4-status-changes-before-delivery--order-created',
    '112-order-burst-created-then-4-status-changes-before-delivery--order-updated',
  ] as const;
  expect(await deliver(updated)).toMatchObject({ outcome: { kind: 'written' } });
  expect(await deliver(created)).toMatchObject({ outcome: { reason: 'ALREADY_DONE' } });
  expect(held(desk)).toEqual({ orders: ['acme-woo:45 confirm 45150: 1 x TEA-OOL-150'], notes: [] });
  expect(desk.calls).toEqual(['resolve', 'toWire', 'find', 'create', 'complete']);
});
