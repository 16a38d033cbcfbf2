import fc from 'fast-check';
import { expect, it } from 'vitest';
import { manifest } from '../../shared/connectors/shopify/manifest.ts';
import { toOrder } from '../../shared/connectors/shopify/orders.mapper.ts';
import { ShOrder } from '../../shared/connectors/shopify/wire.ts';
import { assertAddsUp } from '../../shared/core/order-totals.ts';
import { refundParts } from '../../shared/core/refund-parts.ts';
import { parseJson } from '../../shared/http/json.ts';
import { Shop, shopifyJson } from '../fakes/shopify/shop.ts';

const settings = manifest.settings.parse({ shop: 'acme.myshopify.com' });
const SKUS = ['TEA', 'MUG', 'SILK'];
const price = fc.integer({ min: 100, max: 99_999 }).map((cents) => (cents / 100).toFixed(2));

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('lines' as const), sku: fc.nat(2), shipping: fc.boolean() }),
    fc.record({ kind: fc.constant('amount' as const), cents: fc.integer({ min: 1, max: 90 }) }),
    fc.record({ kind: fc.constant('less' as const), sku: fc.nat(2), cents: fc.integer({ min: 1, max: 90 }) }),
    fc.record({ kind: fc.constant('exchange' as const), sku: fc.nat(2), instead: fc.nat(2) }),
  ),
  { minLength: 1, maxLength: 4 },
);

it('whatever is given back and exchanged, parts add up to refunds, and order less refunds is what was paid', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.uniqueArray(fc.constantFrom(0.05, 0.031, 0.0825), { maxLength: 2 }),
      fc.tuple(price, price, price),
      fc.constantFrom(undefined, '7.5'),
      steps,
      (taxesIncluded, rates, prices, percent, todo) => {
        const shop = new Shop({
          shop: 'acme.myshopify.com',
          currency: 'TWD',
          taxesIncluded,
          taxRates: rates.map((rate) => ({ country: '', title: `T${rate}`, rate })),
          products: prices.flatMap((each, n) => [
            { sku: SKUS[n] ?? '', title: 'One', price: each },
            { sku: `NEW-${n}`, title: 'Another', price: each },
          ]),
          nowMs: () => Date.parse('2026-11-20T10:04:05Z'),
        });
        const order = shop.place({
          lines: SKUS.map((sku) => ({ sku, quantity: 5 })),
          shipping: { code: 'STD', title: '宅配', price: '60.00' },
          ...(percent && { discounts: [{ percent }] }),
        });
        let isShippingBack = false;
        const whole = new Set<string>();
        for (const step of todo) {
          const lines = 'sku' in step ? [{ sku: SKUS[step.sku] ?? '', quantity: 1 }] : [];
          if (step.kind === 'exchange') {
            shop.exchange(order, { returned: lines, instead: [{ sku: `NEW-${step.instead}`, quantity: 1 }] });
          } else if (step.kind === 'lines') {
            const shipping: boolean = step.shipping && !isShippingBack;
            isShippingBack ||= shipping;
            whole.add(String(shop.refund(order, { lines, shipping, restock: 'no_restock' }).id));
          } else {
            shop.refund(order, { lines, amount: (step.cents / 100).toFixed(2) });
          }
        }

        const { value } = toOrder(ShOrder.parse(parseJson(shopifyJson(shop.orderJson(order)))), {
          connection: 'acme-shopify',
          settings,
        });
        assertAddsUp(value);
        const paid = Math.round(Number(shop.totals(order, 'shop').paid) * 100);
        const back = value.refunds.reduce((all, { total }) => all + total.minor, 0);
        expect(value.total.minor - back).toBe(paid);
        expect(value.refunds).toHaveLength(todo.length);
        for (const refund of value.refunds) {
          const parts = refundParts(value, refund);
          const minor = parts.map((part) =>
            part.kind === 'amount'
              ? part.total.minor
              : part.taxes.reduce((all, { amount }) => all + amount.minor, part.total.minor),
          );
          expect(minor.reduce((a, b) => a + b, 0)).toBe(refund.total.minor);
          // Nothing is left to guess of a refund that was not a sum.
          if (whole.has(refund.id)) expect(parts.map(({ kind }) => kind)).not.toContain('amount');
        }
      },
    ),
    { numRuns: 200 },
  );
});
