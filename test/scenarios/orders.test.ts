import { afterEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../shared/core/errors.ts';
import type { Fault } from '../fakes/peer-server.ts';
import { oneShopOneErp, SECRET } from './one-shop-one-erp.ts';

let at: Awaited<ReturnType<typeof oneShopOneErp>>;
afterEach(() => at.stop());
const open = async (...options: Parameters<typeof oneShopOneErp>) => {
  at = await oneShopOneErp(...options);
  return at;
};

const HOUR = 60 * 60_000;
const isWrite = ({ body }: { body?: unknown }) => /"(create|write|action_\w+)"/.test(String(body));
const isCreate = ({ body }: { body?: unknown }) =>
  /"sale\.order", "?create|"sale\.order","create"/.test(String(body));
const fault = (effect: Fault['effect'], more: Partial<Fault> = {}) =>
  at.erp.server.fault({ effect, ...more });
const written = ['S00001 sale 80.00'];

describe('one order', () => {
  it('delivered twice', async () => {
    await open();
    const order = await at.buy();
    expect([await at.deliver(order), await at.deliver(order)]).toEqual([200, 200]);
    await at.run();
    expect(at.documents()).toEqual(written);
    expect(at.outcomes()).toEqual(['written', 'skipped']);
  });

  it('two deliveries at once', async () => {
    await open();
    const order = await at.buy();
    await at.deliver(order);
    await at.deliver(order);
    // Two functions, each with one of the copies.
    const [first, second] = at.messages;
    if (!first || !second) throw new Error('two messages');
    second.visibleAtMs += 1;
    const one = at.invoke();
    second.visibleAtMs -= 1;
    await Promise.all([one, at.invoke()]);
    expect(at.outcomes()).toContain('busy');
    await at.run();
    expect(at.documents()).toEqual(written);
    expect(at.parked).toEqual([]);
  });

  it('out of order: the older version comes last', async () => {
    await open();
    const old = await at.buy();
    await at.deliver({
      ...old,
      customer_note: 'please ring twice',
      date_modified_gmt: '2099-01-01T00:00:00',
    });
    await at.deliver(old);
    await at.run();
    expect(at.documents()).toEqual(written);
    expect(at.outcomes()).toEqual(['written', 'skipped']);
    expect(at.erp.records('sale.order')).toMatchObject([{ note: expect.stringContaining('ring twice') }]);
  });

  it('timeout after the write', async () => {
    await open();
    await at.deliver(await at.buy());
    fault({ kind: 'drop-after' }, { when: isCreate });
    await at.run();
    expect(at.erp.server.hits['drop-after']).toBe(1);
    expect(at.documents()).toEqual(written);
    expect(at.outcomes().at(-1)).toBe('recovered');
  });

  it('a write that lands after its time-out', async () => {
    await open();
    await at.deliver(await at.buy());
    fault({ kind: 'late', delayMs: 50 }, { when: isCreate });
    await at.invoke();
    await expect.poll(() => at.documents().length).toBe(1);
    await at.run();
    expect(at.documents()).toEqual(written);
    expect(at.outcomes().at(-1)).toBe('recovered');
  });

  it('crash between write and ledger', async () => {
    await open();
    await at.deliver(await at.buy());
    const { ledger } = at.ports;
    await at.invoke({
      ledger: {
        ...ledger,
        written: async (intent, ...rest) => {
          // Of the order; its customer is noted.
          if (intent.includes('#acme-woo#')) throw new RetryableError('DOWN', 'no table');
          await ledger.written(intent, ...rest);
        },
      },
    });
    expect(at.documents()).toEqual(['S00001 draft 80.00']);
    await at.run();
    expect(at.documents()).toEqual(written);
    expect(at.outcomes().at(-1)).toBe('recovered');
  });

  it('refund before its order', async () => {
    await open();
    const order = await at.buy();
    const refunded = at.shop.refund(order.id, { amount: '10.00', reason: 'late' });
    await at.deliver({ ...refunded, date_modified_gmt: '2099-01-01T00:00:00' });
    await at.deliver(order);
    await at.run();
    expect(at.documents()).toEqual(written);
    expect(at.erp.records('account.move')).toMatchObject([{ state: 'posted', amount_total: 10 }]);
  });

  it('edit while shipping', async () => {
    await open();
    const order = await at.buy();
    await at.deliver(order);
    await at.run();
    at.erp.call('sale.order.line', 'write', [[1], { qty_delivered: 2 }]);
    const [line] = order.line_items;
    const fewer = {
      ...order,
      date_modified_gmt: '2099-01-01T00:00:00',
      total: '40.00',
      line_items: [{ ...line, quantity: 1, subtotal: '40.00', total: '40.00' }],
    };
    await at.deliver(fewer);
    await at.run();
    expect(at.parked.map(({ code }) => code)).toEqual(['TOO_LATE_IN_ERP']);
    expect(at.documents()).toEqual(written);
  });

  it.each([1, 12])('peer down for %d hours', async (hours) => {
    await open();
    const up = await at.erp.server.goDown();
    await at.deliver(await at.buy());
    await at.run(hours * HOUR);
    expect(at.outcomes().length).toBeGreaterThan(hours === 1 ? 3 : 12);
    await up();
    await at.run();
    expect(at.documents()).toEqual(written);
    expect(at.parked).toEqual([]);
  });

  it('redrive of already done work', async () => {
    await open();
    await at.deliver(await at.buy());
    const [{ body } = { body: '' }] = at.messages;
    await at.run();
    at.send(body);
    await at.run();
    expect(at.documents()).toEqual(written);
    expect(at.outcomes()).toEqual(['written', 'skipped']);
    expect(at.lines.at(-1)).toMatchObject({ code: 'ALREADY_DONE' });
  });

  it('API version withdrawn: parked with what the ERP said, and written once when it speaks again', async () => {
    await open();
    await at.deliver(await at.buy());
    const mend = fault({ kind: 'answer', status: 404 }, { times: Number.POSITIVE_INFINITY });
    await at.run();
    expect(at.parked.map(({ code }) => code)).toEqual(['RETRIES_EXHAUSTED']);
    mend();
    at.send(at.parked[0]?.body ?? '');
    await at.run();
    expect(at.documents()).toEqual(written);
  });
});

describe('several orders', () => {
  it('429 storm: every hint is obeyed, nothing is parked or doubled', async () => {
    await open();
    for (let n = 0; n < 12; n += 1) await at.deliver(await at.buy());
    fault({ kind: 'answer', status: 429, headers: { 'retry-after': '60' } }, { times: 25 });
    await at.run();
    expect(at.erp.server.hits.answer).toBe(25);
    expect(at.documents()).toHaveLength(12);
    expect(new Set(at.documents()).size).toBe(12);
    expect(at.documents().every((document) => document.endsWith('sale 80.00'))).toBe(true);
    expect(at.parked).toEqual([]);
  });

  it('poisoned record in a full batch: it alone is parked', async () => {
    await open();
    for (let n = 0; n < 8; n += 1) await at.deliver(await at.buy());
    at.send('{"detail-type":"order.changed.v1","detail":{}}');
    await at.deliver(await at.buy('NOT-IN-ERP'));
    expect(at.messages).toHaveLength(10);
    expect(await at.invoke()).toBe(10);
    expect(at.messages).toEqual([]);
    expect(at.documents()).toHaveLength(8);
    expect(at.parked.map(({ code }) => code).sort()).toEqual(['EVENT_NOT_UNDERSTOOD', 'UNKNOWN_SKU']);
  });

  it('secret rotated mid-stream: of the shop, with both known for a while, and of the ERP', async () => {
    await open({ apiKeys: ['key-old', 'key-new'] });
    const next = 'the-secret-that-comes-after-it';
    expect(await at.deliver(await at.buy(), SECRET)).toBe(200);
    at.rotate(SECRET, next);
    expect(await at.deliver(await at.buy(), SECRET)).toBe(200);
    expect(await at.deliver(await at.buy(), next)).toBe(200);
    at.rotate(next);
    expect(await at.deliver(await at.buy(), SECRET)).toBe(401);
    await at.run();
    expect(at.documents()).toHaveLength(3);
    expect(at.parked).toEqual([]);
  });
});

it('no write is sent twice in place, whatever fails', async () => {
  await open();
  await at.deliver(await at.buy());
  fault({ kind: 'answer', status: 503 }, { when: isWrite, times: 3 });
  await at.run();
  expect(at.outcomes().filter((outcome) => outcome === 'retry')).toHaveLength(3);
  expect(at.documents()).toEqual(written);
});
