import { expect, it } from 'vitest';
import type { ListedOrder } from '../../../shared/connectors/contract.ts';
import { RetryableError } from '../../../shared/core/errors.ts';
import { cursorName, type ReconcilePorts, reconcileOrders } from '../../../shared/core/reconcile.ts';
import { revisionOf } from '../../../shared/core/revision.ts';
import { changingShop, ERP, SHOP } from '../../fakes/changing-shop.ts';
import { anOrder } from '../../fakes/orders.ts';

const T0 = Date.parse('2026-11-21T22:00:00Z');
const MINUTE = 60_000;
const call = { signal: new AbortController().signal, endMs: Number.POSITIVE_INFINITY };
const open = (options: { idsOnly?: boolean } = {}) => {
  const shop = changingShop({ startMs: T0, ...options });
  const run = (over: Partial<ReconcilePorts> = {}, more: Partial<typeof call> = {}) =>
    reconcileOrders({ ...shop.ports, ...over }, { ...call, ...more });
  return { ...shop, run, cursor: () => shop.ports.cursors.load(cursorName(shop.ports)) };
};

it('what no webhook has brought is published, as if it had been pushed', async () => {
  const shop = open();
  await shop.change('1', { webhook: false });
  await shop.change('2');
  shop.wait(6 * MINUTE);
  const found: ListedOrder[] = [];
  expect(await shop.run({ onFound: (listed) => found.push(listed) })).toEqual({
    kind: 'done',
    listed: 2,
    found: 1,
    unsure: 0,
    atMs: T0,
    untilMs: T0 + MINUTE,
  });
  expect(shop.changed).toEqual([
    {
      meta: {
        id: 'e1',
        connection: SHOP,
        correlationId: 'acme-woo:1',
        receivedAtMs: T0 + 6 * MINUTE,
        via: 'reconciliation',
        fetchedAtMs: T0 + 6 * MINUTE,
      },
      data: expect.objectContaining({ source: SHOP, orderId: '1', sourceVersion: T0, contentHash: 'c1' }),
    },
  ]);
  expect(found.map(({ id }) => id)).toEqual(['1']);
});

it('once: the next run knows it, though it reads that time again', async () => {
  const shop = open();
  await shop.change('1', { webhook: false });
  shop.wait(6 * MINUTE);
  await shop.run();
  shop.wait(MINUTE);
  expect(await shop.run()).toMatchObject({ kind: 'done', listed: 1, found: 0 });
  expect(shop.changed).toHaveLength(1);
});

it('an edit whose webhook is lost is found, too', async () => {
  const shop = open();
  await shop.change('1');
  shop.wait(2 * MINUTE);
  await shop.change('1', { webhook: false });
  shop.wait(6 * MINUTE);
  expect(await shop.run()).toMatchObject({ found: 1 });
  expect(shop.published()).toEqual([`1@${2 * MINUTE}`]);
});

it('another content in the same second is found; the same is not', async () => {
  const shop = open();
  await shop.change('1', { content: 'a' });
  await shop.change('1', { content: 'b', webhook: false });
  await shop.change('2', { content: 'a' });
  shop.wait(6 * MINUTE);
  await shop.run();
  expect(shop.changed.map(({ data }) => [data.orderId, data.contentHash])).toEqual([['1', 'b']]);
});

it('what is younger than webhooks may be late is left to the next run, and not counted', async () => {
  const shop = open();
  await shop.change('1', { webhook: false });
  shop.wait(4 * MINUTE);
  expect(await shop.run()).toEqual({
    kind: 'done',
    listed: 0,
    found: 0,
    unsure: 0,
    atMs: undefined,
    untilMs: T0 - MINUTE,
  });
  shop.wait(2 * MINUTE);
  expect(await shop.run()).toMatchObject({ found: 1 });
});

it("the window ends by the storefront's clock, and begins at the largest change seen, never at a time of ours", async () => {
  const shop = open();
  const ahead = 3 * 60 * MINUTE;
  const clock = async () => shop.nowMs() + ahead;
  await shop.change('1');
  shop.wait(20 * MINUTE);
  await shop.run({ reads: { ...shop.ports.reads, clock } });
  shop.wait(20 * MINUTE);
  await shop.run({ reads: { ...shop.ports.reads, clock } });
  expect(shop.windows).toEqual([
    { fromMs: T0, untilMs: T0 + ahead + 15 * MINUTE },
    { fromMs: T0 - 10 * MINUTE, untilMs: T0 + ahead + 35 * MINUTE },
  ]);
});

it('begins at the cut-over, and waits for it', async () => {
  const shop = open();
  const startMs = T0 + 60 * MINUTE;
  expect(await shop.run({ startMs })).toMatchObject({ kind: 'done', listed: 0 });
  expect(shop.windows).toEqual([]);
});

it('of two ERPs, one knows it and one does not: published', async () => {
  const shop = open();
  await shop.change('1');
  shop.wait(6 * MINUTE);
  expect(await shop.run({ destinations: [ERP, 'acme-tryton'] })).toMatchObject({ found: 1 });
});

it('another ERP begins anew: it knows nothing of what the others were told', async () => {
  const shop = open();
  await shop.change('1');
  shop.wait(60 * MINUTE);
  await shop.run();
  await shop.run({ destinations: ['acme-tryton', ERP] });
  expect(shop.published()).toEqual(['1@0']);
  expect(shop.windows.map(({ fromMs }) => fromMs)).toEqual([T0, T0]);
  // The order in which the settings name them says nothing.
  await shop.run({ destinations: [ERP, 'acme-tryton'] });
  expect(shop.windows.at(-1)?.fromMs).toBe(T0 - 10 * MINUTE);
});

it('a consumer that was faster than the recorder knows it', async () => {
  const shop = open();
  await shop.change('1', { webhook: false });
  const data = anOrder({ orderId: '1', sourceVersion: T0, contentHash: 'c1' });
  const meta = { id: 'x', connection: SHOP, correlationId: 'x', receivedAtMs: T0, via: 'webhook' } as const;
  await shop.journal.settle(ERP, SHOP, '1', {
    state: 'done',
    revision: revisionOf({ meta, data }),
    step: { atMs: T0, code: 'WRITTEN', text: '' },
  });
  shop.wait(6 * MINUTE);
  expect(await shop.run()).toMatchObject({ listed: 1, found: 0 });
});

it.each([
  ['ignored', { kind: 'ignored', reason: 'STATUS_CHECKOUT_DRAFT' } as const, 0],
  ['unreadable', { kind: 'unreadable', reason: 'total: no amount' } as const, 1],
])('%s in the list: handed to who reads orders %s', async (_case, fetched, times) => {
  const shop = open();
  const rows = [{ id: '1', changedAtMs: T0, fetched }];
  const reads = {
    async *changed() {
      yield rows;
    },
  };
  shop.wait(6 * MINUTE);
  for (let runs = 0; runs < 3; runs += 1) await shop.run({ reads });
  expect(shop.notified).toHaveLength(times);
  expect(shop.changed).toEqual([]);
});

it('ids only: what is not known is read by its id, once', async () => {
  const shop = open({ idsOnly: true });
  await shop.change('1', { webhook: false });
  await shop.change('2');
  shop.wait(6 * MINUTE);
  expect(await shop.run()).toMatchObject({ listed: 2, found: 1, unsure: 0 });
  // Nobody has recorded it: the storefront says that it is no order for us, perhaps.
  expect(await shop.run()).toMatchObject({ listed: 2, found: 0 });
  expect(shop.notified).toEqual([
    {
      meta: expect.objectContaining({ connection: SHOP, via: 'reconciliation' }),
      data: { source: SHOP, orderId: '1', why: 'listed' },
    },
  ]);
});

it('ids only: what was read within the second of its change is read once more, and not counted', async () => {
  const shop = open({ idsOnly: true });
  await shop.change('1', { webhook: false });
  await shop.change('2', { webhook: false });
  const fetched = (orderId: string, fetchedAtMs: number) =>
    shop.record({
      meta: { id: 'f', connection: SHOP, correlationId: 'f', receivedAtMs: T0, via: 'fetch', fetchedAtMs },
      data: anOrder({ orderId, sourceVersion: T0 }),
    });
  await fetched('1', T0 + 999);
  await fetched('2', T0 + 1_000);
  shop.wait(6 * MINUTE);
  expect(await shop.run()).toMatchObject({ listed: 2, found: 0, unsure: 1 });
  expect(await shop.run()).toMatchObject({ found: 0, unsure: 0 });
  expect(shop.notified.map(({ data }) => data.orderId)).toEqual(['1']);
});

it('while another worker is at it: nothing is read', async () => {
  const shop = open();
  await shop.ports.cursors.claim(cursorName(shop.ports), 90_000);
  expect(await shop.run()).toEqual({ kind: 'busy', leaseUntilMs: T0 + 90_000 });
  expect(shop.windows).toEqual([]);
});

it('time runs out: what was read is kept, and the next run goes on from there', async () => {
  const shop = open();
  for (let n = 0; n < 8; n += 1) {
    await shop.change(String(n), { webhook: false });
    shop.wait(MINUTE);
  }
  shop.wait(6 * MINUTE);
  const endMs = shop.nowMs() + 1;
  const slow = { onFound: () => shop.wait(1) };
  expect(await shop.run(slow, { endMs })).toMatchObject({ kind: 'continues', listed: 3, found: 3 });
  expect(await shop.cursor()).toMatchObject({ atMs: T0 + 2 * MINUTE });
  expect(await shop.run()).toMatchObject({ kind: 'done', found: 5 });
  expect(shop.published()).toHaveLength(8);
});

it('the bus refuses: the cursor stays, the lease is given back, and the next run publishes it', async () => {
  const shop = open();
  await shop.change('1', { webhook: false });
  shop.wait(6 * MINUTE);
  const publish = async () => {
    throw new RetryableError('NOT_PUBLISHED', 'the bus refused the event');
  };
  await expect(shop.run({ publish })).rejects.toMatchObject({ code: 'NOT_PUBLISHED' });
  expect(await shop.cursor()).toBeUndefined();
  expect(await shop.run()).toMatchObject({ kind: 'done', found: 1 });
});

it('a worker that was stalled past its lease saves nothing', async () => {
  const shop = open();
  await shop.change('1', { webhook: false });
  shop.wait(6 * MINUTE);
  const publish: ReconcilePorts['publish'] = async (name, event) => {
    await shop.ports.publish(name, event);
    shop.wait(60_000);
    await shop.ports.cursors.claim(cursorName(shop.ports), 60_000);
  };
  await expect(shop.run({ publish })).rejects.toMatchObject({ code: 'FENCED' });
  expect(await shop.cursor()).toBeUndefined();
  // Nor does it give back a lease that is not its own any more.
  expect(await shop.run()).toMatchObject({ kind: 'busy' });
});
