import { createHash } from 'node:crypto';
import type { ErpOrders, Mappings, OrderContext, PeerDocument } from '../connectors/contract.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { acceptanceOf, type SkipReason } from './accept.ts';
import { BusyError, PermanentError, RetryableError } from './errors.ts';
import { intentKey, orderReference } from './intent-key.ts';
import type { Journal, Settlement } from './journal.ts';
import type { LedgerEntry, LedgerFacts } from './ledger.ts';
import { type OncePorts, type OnceResult, once } from './once.ts';
import { assertAddsUp } from './order-totals.ts';
import type { CallContext } from './ports.ts';
import { inBuyerCurrency } from './presentment.ts';
import type { OrderChange } from './reasons.ts';

/** Which of our orders is which document at the peer, both ways. */
export interface Bindings {
  put(
    destination: string,
    source: string,
    entity: 'order',
    externalId: string,
    document: PeerDocument,
  ): Promise<void>;
}

export interface PushOrderPorts extends OncePorts {
  /** Connection id of the ERP. */
  readonly destination: string;
  readonly routes: readonly OrderRoute[];
  readonly erp: ErpOrders;
  readonly mappings: Mappings;
  readonly bindings: Bindings;
  readonly journal: Journal;
}

export type Level = 'draft' | 'reserve' | 'confirm';

/** What became of one event at one ERP. */
export type PushOutcome =
  | {
      readonly kind: 'written' | 'recovered' | 'continued' | 'confirmed';
      readonly document: PeerDocument;
      readonly attempt: number;
      readonly level: Level;
      readonly warnings: readonly string[];
      /** Minor units booked on a rounding line. */
      readonly roundingMinor: number;
    }
  | {
      readonly kind: 'skipped';
      readonly reason: SkipReason;
      readonly why: string;
      readonly document?: PeerDocument | undefined;
    }
  | { readonly kind: 'shadow'; readonly warnings: readonly string[] };

/**
 * Bring one snapshot of an order to one ERP. What is done depends on the ledger and the snapshot, never on the
 * order in which events arrive.
 * @throws PermanentError to be parked, RetryableError to be tried again, BusyError to be tried when the lease ends
 */
export const pushOrder = async (
  ports: PushOrderPorts,
  event: Envelope<OrderChangedV1>,
  call: CallContext,
): Promise<PushOutcome> => {
  const order = event.data;
  const settle = (settlement: Omit<Settlement, 'sourceVersion'>) =>
    ports.journal.settle(ports.destination, order.source, order.orderId, {
      sourceVersion: order.sourceVersion,
      ...settlement,
    });
  const step = (code: string, text: string) => ({ atMs: ports.nowMs(), code, text });
  try {
    const outcome = await push(ports, order, call);
    switch (outcome.kind) {
      case 'skipped':
        await settle({
          state: outcome.reason === 'ALREADY_DONE' ? 'done' : 'skipped',
          step: step(outcome.reason, outcome.why),
          document: outcome.document,
        });
        if (outcome.reason === 'CANCELLED_BEFORE_WRITTEN') await assertNotBegun(ports, order);
        return outcome;
      case 'shadow': {
        const { wire, ...rest } = outcome;
        await settle({
          state: 'shadow',
          step: step('SHADOW', `nothing written to ${ports.destination}`),
          wire,
        });
        return rest;
      }
      default: {
        const name = outcome.document.name ?? outcome.document.id;
        await settle({
          state: 'done',
          step: step(outcome.kind.toUpperCase(), `${name} in ${ports.destination}, ${outcome.level}`),
          document: outcome.document,
        });
        return outcome;
      }
    }
  } catch (error) {
    if (error instanceof PermanentError) {
      const { reason, remedy } = error.text;
      await settle({ state: 'parked', step: step(error.code, `${reason} ${remedy}`), detail: error.detail });
    }
    throw error;
  }
};

type Pushed =
  | Exclude<PushOutcome, { kind: 'shadow' }>
  | { kind: 'shadow'; warnings: readonly string[]; wire: unknown };

const push = async (ports: PushOrderPorts, order: OrderChangedV1, call: CallContext): Promise<Pushed> => {
  const { destination } = ports;
  const route = ports.routes.find(({ from }) => from === order.source);
  if (!route) throw new PermanentError('ROUTE_MISSING', { source: order.source, destination });

  const intent = createIntent(ports, order);
  const entry = await ports.ledger.peek(intent);
  if (entry?.state === 'finished') return follow(ports, order, route, entry, call);

  const acceptance = acceptanceOf(order, route);
  if (acceptance.kind === 'skip') {
    if (acceptance.reason === 'CANCELLED_BEFORE_WRITTEN') {
      await assertUnwritten(ports, order, route, entry, call);
    }
    return { ...acceptance, kind: 'skipped' };
  }
  assertAddsUp(inRouteCurrency(order, route));
  if (route.mode === 'shadow') {
    const { wire, warnings } = await mapped(ports, order, route, {
      ...context(ports, route, call),
      once: undefined,
    });
    return { kind: 'shadow', wire, warnings };
  }
  const { level } = acceptance;
  return write(ports, order, route, intent, level, entry?.document, call);
};

/**
 * A cancelled order that never reached the ERP asks for nothing; one that was begun asks for a look.
 * @throws BusyError another worker may be writing it at this moment
 * @throws PermanentError ORDER_CHANGED_AFTER_WRITE it is there: its end is a change
 */
const assertUnwritten = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  route: OrderRoute,
  entry: LedgerEntry | undefined,
  call: CallContext,
): Promise<void> => {
  if (!entry) return;
  if (!entry.document && entry.leaseUntilMs > ports.nowMs()) {
    throw new BusyError(entry.intent, entry.leaseUntilMs);
  }
  const reference = orderReference(order.source, order.orderId);
  const document = entry.document ?? (await ports.erp.find(reference, route, call));
  if (document) throw changedAfterWrite(ports.destination, changeOf(order.status), document);
};

/**
 * The other half of `isSuperseded`: we settle and then look at the ledger, a writer claims and then looks at
 * what is settled. Whoever comes second sees the other, so no cancelled order is written unnoticed.
 * @throws BusyError an older version was begun while we settled: look again when it is through
 */
const assertNotBegun = async (ports: PushOrderPorts, order: OrderChangedV1): Promise<void> => {
  const entry = await ports.ledger.peek(createIntent(ports, order));
  if (entry && (entry.document || entry.leaseUntilMs > ports.nowMs())) {
    throw new BusyError(entry.intent, entry.leaseUntilMs);
  }
};

/**
 * A newer version was dealt with already, so writing this one would bring back what is no longer so: a parked
 * order that was cancelled meanwhile, redriven; an old delivery that comes late. Only what an earlier attempt
 * has written is still completed after a mere skip, or nobody would.
 */
const isSuperseded = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  isWritten: boolean,
): Promise<boolean> => {
  const settled = await ports.journal.settled(ports.destination, order.source, order.orderId);
  if (!settled || settled.sourceVersion <= order.sourceVersion) return false;
  return !(isWritten && settled.state === 'skipped');
};

/** One intent at the ERP: create the order, or bring a known one to a higher level. */
const write = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  route: OrderRoute,
  intent: string,
  level: Level,
  known: PeerDocument | undefined,
  call: CallContext,
): Promise<Pushed> => {
  const reference = orderReference(order.source, order.orderId);
  let map: { wire: unknown; warnings: readonly string[] } | undefined;
  let superseded = false;
  const wireOnce = async (isWritten: boolean) => {
    if (!map) {
      // After the claim, see `assertNotBegun`.
      superseded = await isSuperseded(ports, order, isWritten);
      if (superseded) throw new RetryableError('SUPERSEDED', 'a newer version was settled', { intent });
      map = await mapped(ports, order, route, context(ports, route, call));
    }
    return map.wire;
  };
  let completedWarnings: readonly string[] = [];
  const result = await once(ports, intent, {
    find: async () => {
      // Mapping first: what a person must mend is found before anything is looked up or written.
      await wireOnce(known !== undefined);
      return known ?? (await ports.erp.find(reference, route, call));
    },
    create: async () => ports.erp.create(await wireOnce(false), call),
    complete: async (document) => {
      const completed = await ports.erp.complete(document, await wireOnce(true), level, call);
      completedWarnings = completed.warnings;
      const { id, name, url } = completed;
      // Before `finish`: what is finished is never looked at again.
      await ports.bindings.put(ports.destination, order.source, 'order', order.orderId, { id, name, url });
      return { document: { id, name, url }, facts: factsOf(order, level, completed.rounding.minor) };
    },
  }).catch((error: unknown) => {
    if (superseded) return undefined;
    throw error;
  });
  if (!result) {
    return {
      kind: 'skipped',
      reason: 'OLDER_THAN_SETTLED',
      why: 'a newer version was dealt with already',
      document: known,
    };
  }
  if (result.kind === 'duplicate') {
    // Finished between our peek and our claim, perhaps by an older version: see what this one asks beyond it.
    const { document, facts } = result;
    return intent === createIntent(ports, order)
      ? follow(ports, order, route, { document, facts }, call)
      : alreadyDone(document);
  }
  return {
    kind: intent === createIntent(ports, order) ? outcomeKind(result) : 'confirmed',
    document: result.document,
    attempt: result.attempt,
    level,
    warnings: [...(map?.warnings ?? []), ...completedWarnings],
    roundingMinor: Number(result.facts['roundingMinor'] ?? 0),
  };
};

/** The order is at the ERP already: what does this version ask for beyond that? */
const follow = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  route: OrderRoute,
  { document, facts }: Pick<LedgerEntry, 'document' | 'facts'>,
  call: CallContext,
): Promise<Pushed> => {
  if (order.sourceVersion < Number(facts['sourceVersion'])) {
    return {
      kind: 'skipped',
      reason: 'OLDER_THAN_WRITTEN',
      why: 'a newer version was written already',
      document,
    };
  }
  if (!document || route.mode !== 'live') return alreadyDone(document);
  if (order.status === 'cancelled' || order.status === 'failed' || order.status === 'refunded') {
    throw changedAfterWrite(ports.destination, changeOf(order.status), document);
  }
  if (order.refunds.length > Number(facts['refunds'])) {
    throw changedAfterWrite(ports.destination, 'refunded-in-part', document);
  }
  if (commercialHash(order) !== facts['commercialHash']) {
    throw changedAfterWrite(ports.destination, 'edited', document);
  }
  const acceptance = acceptanceOf(order, route);
  if (acceptance.kind === 'take' && RANK[acceptance.level] > RANK[String(facts['level']) as Level]) {
    // An intent for each level: a draft that was reserved can still be confirmed.
    const intent = intentKey(ports.destination, order.source, order.orderId, acceptance.level);
    return write(ports, order, route, intent, acceptance.level, document, call);
  }
  return alreadyDone(document);
};

const createIntent = (ports: PushOrderPorts, order: OrderChangedV1): string =>
  intentKey(ports.destination, order.source, order.orderId, 'create');

const RANK: Readonly<Record<Level, number>> = { draft: 0, reserve: 1, confirm: 2 };

const alreadyDone = (document: PeerDocument | undefined): Pushed => ({
  kind: 'skipped',
  reason: 'ALREADY_DONE',
  why: `already in the ERP${document?.name ? ` as ${document.name}` : ''}`,
  document,
});

const outcomeKind = ({ kind }: OnceResult): 'written' | 'recovered' | 'continued' =>
  kind === 'recovered' || kind === 'continued' ? kind : 'written';

/** Only of the states in which an order has ended. */
const changeOf = (status: OrderChangedV1['status']): OrderChange =>
  status === 'failed' || status === 'refunded' ? status : 'cancelled';

const changedAfterWrite = (destination: string, change: OrderChange, document: PeerDocument) =>
  new PermanentError('ORDER_CHANGED_AFTER_WRITE', {
    change,
    document: document.name ?? document.id,
    destination,
  });

const context = (ports: PushOrderPorts, route: OrderRoute, call: CallContext): OrderContext => ({
  ...call,
  route,
  mappings: ports.mappings,
  // A customer belongs to the ERP, not to one shop: "*" lets two shops share one, and never make two.
  once: async (subject, steps) =>
    (await once(ports, intentKey(ports.destination, '*', subject, 'create'), steps)).document,
});

/** Only what is written: versions are compared as the shop states them, so that a change of route is no edit. */
const inRouteCurrency = (order: OrderChangedV1, route: OrderRoute): OrderChangedV1 =>
  route.currency === 'buyer' ? inBuyerCurrency(order) : order;

const mapped = async (
  ports: PushOrderPorts,
  snapshot: OrderChangedV1,
  route: OrderRoute,
  ctx: OrderContext,
) => {
  const order = inRouteCurrency(snapshot, route);
  const refs = await ports.erp.resolve(order, ctx);
  const { value, warnings } = ports.erp.toWire(
    order,
    refs,
    orderReference(order.source, order.orderId),
    route,
  );
  return { wire: value, warnings };
};

const factsOf = (order: OrderChangedV1, level: Level, roundingMinor: number): LedgerFacts => ({
  sourceVersion: order.sourceVersion,
  level,
  refunds: order.refunds.length,
  commercialHash: commercialHash(order),
  roundingMinor,
});

/** What the ERP's document is made of: a change of anything else (payment state, status) is no edit. */
const commercialHash = (order: OrderChangedV1): string => {
  const money = (m: { minor: number }) => m.minor;
  const taxes = (list: OrderChangedV1['lines'][number]['taxes']) => list.map((t) => [t.key, money(t.amount)]);
  const content = [
    order.currency,
    money(order.total),
    order.lines.map((l) => [
      l.id,
      l.sku ?? '',
      l.quantity,
      money(l.subtotal),
      money(l.total),
      taxes(l.taxes),
    ]),
    order.charges.map((c) => [c.kind, c.method ?? '', money(c.total), taxes(c.taxes)]),
    order.shipping ?? order.billing ?? null,
    order.buyerNote ?? '',
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
};
