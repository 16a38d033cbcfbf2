import type { MappingKind, MappingRow, Mappings, OrderContext } from '../../../shared/connectors/contract.ts';
import { odoo } from '../../../shared/connectors/odoo/index.ts';
import { intentKey, orderReference } from '../../../shared/core/intent-key.ts';
import { once } from '../../../shared/core/once.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { OrderRoute } from '../../../shared/settings/order-route.ts';
import { memoryLedger } from '../../fakes/memory-ledger.ts';
import { type FakeOdoo, type FakeOdooOptions, startFakeOdoo } from '../../fakes/odoo.ts';

/** `['tax', '1', '5%']`: one row of the mapping table, one thing to one thing. */
export type Row = readonly [kind: MappingKind, key: string, to: string | MappingRow['to']];

export const mappingsOf = (rows: readonly Row[]): Mappings => ({
  lookup: async (kind, source, destination, keys) =>
    new Map(
      rows
        .filter(([k, key]) => k === kind && keys.includes(key))
        .map(([k, key, to]) => [
          key,
          {
            kind: k,
            source,
            destination,
            key,
            to: typeof to === 'string' ? [{ value: to, quantity: 1, share: 1 }] : to,
          },
        ]),
    ),
});

export const SHOP: Omit<FakeOdooOptions, 'version'> = {
  database: 'acme',
  login: 'bot@acme.example',
  apiKey: 'key-1',
  companies: [{ name: 'Acme Taiwan', currency: 'TWD', country: 'TW' }],
  products: [
    { sku: 'TEA-OOL-150', name: '高山烏龍茶 Oolong 150g', price: 420, stock: 50 },
    { sku: 'MUG-TH-01', name: 'แก้วเซรามิก “Siam”', price: 149.5, stock: 3 },
    { sku: 'SHIP', name: '宅配運費', service: true },
    { sku: 'FEE', name: 'Fee', service: true },
    { sku: 'DISCOUNT', name: 'Discount', service: true },
    { sku: 'ROUNDING', name: 'Rounding', service: true },
  ],
  taxes: [
    { name: '5%', amount: 5 },
    { name: '5% incl', amount: 5, included: true },
    { name: '19%', amount: 19 },
    { name: '19% incl', amount: 19, included: true },
    { name: '7%', amount: 7 },
    { name: '0%', amount: 0 },
  ],
  journals: [
    { code: 'STRP', name: 'Stripe' },
    { code: 'CSH1', name: 'Cash', type: 'cash' },
    { code: 'INV', name: 'Customer Invoices', type: 'sale' },
  ],
};

export const aRoute = (override: object = {}): OrderRoute =>
  OrderRoute.parse({ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-01-01T00:00:00Z', ...override });

/** A fake Odoo with a connection to it, and the ledger that makes customers once. */
export const connect = async (
  options: Partial<FakeOdooOptions> = {},
  settings: { rows?: readonly Row[]; route?: object; shadow?: boolean; secrets?: string[] } = {},
) => {
  const fake: FakeOdoo = await startFakeOdoo({ version: 18, ...SHOP, ...options });
  const clock = { nowMs: Date.now() };
  const ledger = memoryLedger(() => clock.nowMs);
  const onces: string[] = [];
  const secrets = settings.secrets ?? [SHOP.apiKey];
  const reads = { secret: 0 };
  const open = () =>
    odoo.open({
      connection: 'acme-odoo',
      settings: odoo.manifest.settings.parse({ url: fake.url, database: SHOP.database }) as never,
      credentials: async (fresh = false) => {
        if (fresh) reads.secret += 1;
        return { login: SHOP.login, apiKey: secrets[fresh ? secrets.length - 1 : 0] ?? '' };
      },
      nowMs: () => clock.nowMs,
    }).orders;
  const route = aRoute(settings.route);
  const rows = [...(settings.rows ?? [['tax', '1', '5%']])] as Row[];
  const context: OrderContext = {
    signal: new AbortController().signal,
    route,
    mappings: { lookup: (...query) => mappingsOf(rows).lookup(...query) },
    once: settings.shadow
      ? undefined
      : async (subject, steps) => {
          onces.push(subject);
          const ports = { ledger, nowMs: () => clock.nowMs, leaseMs: 60_000, settleMs: 0 };
          return (await once(ports, intentKey('acme-odoo', '*', subject, 'create'), steps)).document;
        },
  };
  const orders = open();
  const reference = (order: OrderChangedV1) => orderReference(order.source, order.orderId);
  const wireOf = async (order: OrderChangedV1, using = orders) =>
    using.toWire(order, await using.resolve(order, context), reference(order), route);
  const push = async (order: OrderChangedV1, level: 'draft' | 'reserve' | 'confirm' = 'confirm') => {
    const { value: wire, warnings } = await wireOf(order);
    const document =
      (await orders.find(reference(order), route, context)) ?? (await orders.create(wire, context));
    const completed = await orders.complete(document, wire, level, context);
    return { completed, wire, warnings };
  };
  return { fake, clock, orders, open, context, route, rows, wireOf, push, reference, onces, reads };
};
export type Connected = Awaited<ReturnType<typeof connect>>;
