import { describe, expect, it } from 'vitest';
import type { ErpOrders } from '../../../shared/connectors/contract.ts';
import type { PushOrderPorts } from '../../../shared/core/order-ports.ts';
import { assertAddsUp } from '../../../shared/core/order-totals.ts';
import { inBuyerCurrency } from '../../../shared/core/presentment.ts';
import { pushOrder } from '../../../shared/core/push-order.ts';
import { OrderChangedV1, type Presentment } from '../../../shared/events/order-changed.ts';
import { OrderRoute } from '../../../shared/settings/order-route.ts';
import { memoryJournal } from '../../fakes/memory-journal.ts';
import { memoryLedger } from '../../fakes/memory-ledger.ts';
import { anOrder } from '../../fakes/orders.ts';

const usd = (minor: number) => ({ minor, currency: 'USD' });
const twd = (minor: number) => ({ minor, currency: 'TWD' });

/** NT$1,101.98 as a buyer in the United States saw it: $34.72. */
const PRESENTMENT: Presentment = {
  currency: 'USD',
  total: usd(3472),
  rate: '0.0315069',
  lines: [
    { subtotal: usd(2647), discount: usd(0), total: usd(2647), taxes: [usd(132)] },
    { subtotal: usd(471), discount: usd(0), total: usd(471), taxes: [usd(24)] },
  ],
  charges: [{ total: usd(189), taxes: [usd(9)] }],
  discounts: [usd(30)],
  giftCards: [usd(100)],
  refunds: [usd(315)],
  rounding: usd(0),
  tax: usd(165),
};
const order = (presentment: Presentment | undefined) =>
  anOrder({
    discounts: [{ code: 'SPRING', amount: twd(950) }],
    giftCards: [{ id: 'g', amount: twd(3200) }],
    refunds: [{ id: 'r', total: twd(10000) }],
    ...(presentment && { presentment }),
  });
const without = (key: keyof Presentment): Presentment => ({ ...PRESENTMENT, [key]: undefined });

describe('what was captured', () => {
  const payment = (id: string, minor: number) => ({ id, amount: twd(minor), method: 'stripe' });
  const paid = (...stated: number[]) =>
    inBuyerCurrency({
      ...order({ ...PRESENTMENT, payments: stated.map(usd) }),
      payments: [payment('a', 60000), payment('b', 50198)],
    });

  it('is stated as the buyer paid it', () => {
    expect(paid(1900, 1572).payments).toEqual([
      { ...payment('a', 0), amount: usd(1900) },
      { ...payment('b', 0), amount: usd(1572) },
    ]);
  });

  it.each([[[]], [[3472]]])(
    "is left out where not every capture is stated in the buyer's currency: %j",
    (stated) => {
      expect(paid(...stated)).not.toHaveProperty('payments');
    },
  );

  it('is left out where the shop lists none', () => {
    expect(inBuyerCurrency(order({ ...PRESENTMENT, payments: [] }))).not.toHaveProperty('payments');
    expect(inBuyerCurrency(order(PRESENTMENT))).not.toHaveProperty('payments');
  });
});

describe('inBuyerCurrency', () => {
  const buyer = inBuyerCurrency(order(PRESENTMENT));

  it('states every amount as the buyer saw it, and adds up', () => {
    expect(buyer).toMatchObject({
      currency: 'USD',
      total: usd(3472),
      tax: usd(165),
      rounding: usd(0),
      discounts: [{ code: 'SPRING', amount: usd(30) }],
      giftCards: [{ id: 'g', amount: usd(100) }],
      refunds: [{ id: 'r', total: usd(315) }],
    });
    expect(buyer.lines.map(({ sku, subtotal, discount, total }) => [sku, subtotal, discount, total])).toEqual(
      [
        ['TEA-OOL-150', usd(2647), usd(0), usd(2647)],
        ['MUG-TH-01', usd(471), usd(0), usd(471)],
      ],
    );
    expect([...buyer.lines, ...buyer.charges].map(({ taxes }) => taxes)).toEqual([
      [{ key: '1', title: 'VAT', ratePercent: '5', compound: false, amount: usd(132) }],
      [{ key: '1', title: 'VAT', ratePercent: '5', compound: false, amount: usd(24) }],
      [{ key: '1', title: 'VAT', ratePercent: '5', compound: false, amount: usd(9) }],
    ]);
    expect(buyer.charges[0]).toMatchObject({ kind: 'shipping', method: 'flat_rate', total: usd(189) });
    expect(() => assertAddsUp(buyer)).not.toThrow();
    expect(JSON.stringify(buyer).match(/TWD/g)).toBeNull();
  });

  it('is still an event of the catalogue, keeps the rate, and is the same when asked again', () => {
    expect(OrderChangedV1.parse(buyer)).toEqual(buyer);
    expect(buyer.presentment).toEqual(PRESENTMENT);
    expect(inBuyerCurrency(buyer)).toBe(buyer);
  });

  it.each<[string, Presentment | undefined]>([
    ['no presentment', undefined],
    ['total and rate only, as older events have it', { currency: 'USD', total: usd(3472), rate: '0.03' }],
    ['no lines', without('lines')],
    ['a line too few', { ...PRESENTMENT, lines: PRESENTMENT.lines?.slice(1) }],
    ['a tax too few', { ...PRESENTMENT, charges: [{ total: usd(189), taxes: [] }] }],
    ['no charges', without('charges')],
    ['no discounts', without('discounts')],
    ['no gift cards', without('giftCards')],
    ['no refunds', without('refunds')],
    ['no rounding', without('rounding')],
    ['no tax', without('tax')],
  ])('the order itself: %s', (_name, presentment) => {
    const shop = order(presentment);
    expect(inBuyerCurrency(shop)).toBe(shop);
  });
});

describe('a route chooses', () => {
  /** In shadow mode everything runs up to the wire. */
  const wireOf = async (currency: 'shop' | 'buyer' | undefined) => {
    const seen: OrderChangedV1[] = [];
    const erp: Partial<ErpOrders> = {
      resolve: async (asked) => seen.push(asked),
      toWire: (asked) => ({ value: seen.push(asked), warnings: [] }),
    };
    const nowMs = () => Date.parse('2026-11-22T00:00:00Z');
    const ports: PushOrderPorts = {
      destination: 'acme-odoo',
      routes: [
        OrderRoute.parse({
          from: 'acme-woo',
          to: 'acme-odoo',
          mode: 'shadow',
          startAt: '2026-01-01T00:00:00Z',
          ...(currency && { currency }),
        }),
      ],
      erp: erp as ErpOrders,
      mappings: { lookup: async () => new Map() },
      bindings: { put: async () => undefined },
      journal: memoryJournal(),
      refetch: { sources: new Set(), notify: async () => undefined },
      ledger: memoryLedger(nowMs),
      nowMs,
      leaseMs: 60_000,
      settleMs: 1000,
    };
    const meta = {
      id: 'e1',
      connection: 'acme-woo',
      correlationId: 'c',
      receivedAtMs: nowMs(),
      via: 'webhook' as const,
    };
    const outcome = await pushOrder(
      ports,
      { meta, data: order(PRESENTMENT) },
      { signal: new AbortController().signal },
    );
    expect(outcome.kind).toBe('shadow');
    return seen.map((asked) => [asked.currency, asked.total.minor]);
  };

  it.each([
    [undefined, 'TWD', 110198],
    ['shop', 'TWD', 110198],
    ['buyer', 'USD', 3472],
  ] as const)('%s: %s', async (currency, code, total) => {
    expect(await wireOf(currency)).toEqual([
      [code, total],
      [code, total],
    ]);
  });
});
