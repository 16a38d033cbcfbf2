import type { MappingKind, MappingRow, Mappings, OrderContext } from '../../../shared/connectors/contract.ts';
import { tryton } from '../../../shared/connectors/tryton/index.ts';
import { intentKey, orderReference, refundReference } from '../../../shared/core/intent-key.ts';
import { once } from '../../../shared/core/once.ts';
import { refundParts } from '../../../shared/core/refund-parts.ts';
import type { OrderChangedV1, OrderRefund } from '../../../shared/events/order-changed.ts';
import { OrderRoute } from '../../../shared/settings/order-route.ts';
import { memoryLedger } from '../../fakes/memory-ledger.ts';

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

export const DESTINATION = 'acme-tryton';

export interface ConnectOptions {
  readonly url: string;
  readonly database: string;
  /** What the secret holds, now and after each fresh reading. */
  readonly secrets: readonly { readonly login: string; readonly password: string }[];
  readonly rows?: readonly Row[];
  readonly route?: object;
  readonly shadow?: boolean;
}

/** A connection to a Tryton, fake or real, and the ledger that makes customers once. */
export const connectTo = ({ url, database, secrets, rows, route: override, shadow }: ConnectOptions) => {
  const clock = { nowMs: Date.now() };
  const ledger = memoryLedger(() => clock.nowMs);
  const onces: string[] = [];
  const reads = { secret: 0 };
  const open = () =>
    tryton.open({
      connection: DESTINATION,
      settings: tryton.manifest.settings.parse({ url, database }) as never,
      credentials: async (fresh = false) => {
        if (fresh) reads.secret += 1;
        const secret = secrets[fresh ? secrets.length - 1 : 0];
        if (!secret) throw new Error('a secret is given');
        return secret;
      },
      nowMs: () => clock.nowMs,
    });
  const route = OrderRoute.parse({
    from: 'acme-woo',
    to: DESTINATION,
    startAt: '2026-01-01T00:00:00Z',
    ...override,
  });
  const context: OrderContext = {
    signal: new AbortController().signal,
    route,
    mappings: mappingsOf(rows ?? [['tax', '1', '5%']]),
    once: shadow
      ? undefined
      : async (subject, steps) => {
          onces.push(subject);
          const ports = { ledger, nowMs: () => clock.nowMs, leaseMs: 60_000, settleMs: 0 };
          return (await once(ports, intentKey(DESTINATION, '*', subject, 'create'), steps)).document;
        },
  };
  const { orders, test } = open();
  const reference = (order: OrderChangedV1) => orderReference(order.source, order.orderId);
  const wireOf = async (order: OrderChangedV1) =>
    orders.toWire(order, await orders.resolve(order, context), reference(order), route);
  const push = async (
    order: OrderChangedV1,
    level: 'draft' | 'reserve' | 'confirm' = 'confirm',
    asLeft?: string,
  ) => {
    const { value: wire, warnings } = await wireOf(order);
    const document =
      (await orders.find(reference(order), route, context)) ?? (await orders.create(wire, context));
    const completed = await orders.complete(document, wire, level, context, asLeft);
    return { completed, document, wire, warnings };
  };
  const changes = () => {
    if (!orders.changes) throw new Error('Tryton takes changes');
    return orders.changes;
  };
  const giveBack = async (order: OrderChangedV1, id: string, refund: OrderRefund) => {
    const refunded = { ...order, refunds: [refund] };
    const request = {
      order: refunded,
      refund,
      parts: refundParts(refunded, refund),
      document: { id },
      reference: refundReference(order.source, order.orderId, refund.id),
      route,
    };
    const { refunds } = changes();
    const { value: wire, warnings } = refunds.toWire(request, await orders.resolve(refunded, context));
    const document = (await refunds.find(request, context)) ?? (await refunds.create(wire, context));
    return { completed: await refunds.complete(document, wire, context), document, wire, warnings };
  };
  return {
    clock,
    orders,
    changes,
    test,
    open,
    context,
    route,
    wireOf,
    push,
    giveBack,
    reference,
    onces,
    reads,
  };
};
