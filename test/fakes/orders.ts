import { OrderChangedV1 } from '../../shared/events/order-changed.ts';

const twd = (minor: number) => ({ minor, currency: 'TWD' });
const vat = (minor: number) => ({
  key: '1',
  title: 'VAT',
  ratePercent: '5',
  compound: false,
  amount: twd(minor),
});

/** A paid order of two lines and shipping: NT$1,101.98. Override what a test is about. */
export const anOrder = (override: Partial<OrderChangedV1> = {}): OrderChangedV1 =>
  OrderChangedV1.parse({
    source: 'acme-woo',
    orderId: '1001',
    orderNumber: '1001',
    sourceVersion: Date.parse('2026-11-21T22:56:11Z'),
    contentHash: 'first',
    placedAt: '2026-11-21T22:55:57Z',
    status: 'open',
    sourceStatus: 'processing',
    currency: 'TWD',
    pricesIncludeTax: false,
    lines: [
      {
        id: '1',
        sku: 'TEA-OOL-150',
        title: '高山烏龍茶 Oolong 150g',
        quantity: 2,
        subtotal: twd(84000),
        discount: twd(0),
        total: twd(84000),
        taxes: [vat(4200)],
      },
      {
        id: '2',
        sku: 'MUG-TH-01',
        title: 'แก้วเซรามิก “Siam”',
        quantity: 1,
        subtotal: twd(14950),
        discount: twd(0),
        total: twd(14950),
        taxes: [vat(748)],
      },
    ],
    charges: [
      { id: '3', kind: 'shipping', method: 'flat_rate', title: '宅配', total: twd(6000), taxes: [vat(300)] },
    ],
    discounts: [],
    rounding: twd(0),
    tax: twd(5248),
    total: twd(110198),
    payment: { state: 'paid', kind: 'online', method: 'stripe', reference: 'pi_1' },
    refunds: [],
    buyer: { id: '2', email: 'ming.wang@example.test', name: '王小明' },
    billing: { name: '王小明', line1: '測試路一段 1 號', city: '台北市', postcode: '100', country: 'TW' },
    shipping: { name: '王小明', line1: '測試路一段 1 號', city: '台北市', postcode: '100', country: 'TW' },
    ...override,
  });
