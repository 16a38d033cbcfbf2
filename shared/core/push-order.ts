import { createHash } from 'node:crypto';
import type { ErpOrders, Mappings, OrderContext, PeerDocument } from '../connectors/contract.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderNotifiedV1 } from '../events/order-notified.ts';
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
import { type Precedence, precedence, type Revision, revisionOf } from './revision.ts';

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
  readonly refetch: Refetch;
}

/** The way to the truth when two copies of one version differ. */
export interface Refetch {
  /** Storefront connections that can be asked; of all others, any copy of a version is as good as another. */
  readonly sources: ReadonlySet<string>;
  /** @throws when the bus did not take it */
  notify(event: Envelope<OrderNotifiedV1>): Promise<void>;
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
  const copy = comparable(ports, event);
  const settle = (settlement: Omit<Settlement, 'revision'>) =>
    ports.journal.settle(ports.destination, order.source, order.orderId, { revision: copy, ...settlement });
  const fetchAgain = async (): Promise<PushOutcome> => {
    await ports.refetch.notify(notificationOf(event));
    return FETCHING_AGAIN;
  };
  const step = (code: string, text: string) => ({ atMs: ports.nowMs(), code, text });
  try {
    const outcome = await push(ports, order, copy, call);
    switch (outcome.kind) {
      case 'skipped': {
        if (outcome.reason === 'FETCHING_AGAIN') return await fetchAgain();
        const over = await settle({
          state: outcome.reason === 'ALREADY_DONE' ? 'done' : 'skipped',
          step: step(outcome.reason, outcome.why),
          document: outcome.document,
        });
        if (over === 'unclear') return await fetchAgain();
        if (outcome.reason === 'CANCELLED_BEFORE_WRITTEN') await assertNotBegun(ports, order);
        return outcome;
      }
      case 'shadow': {
        const { wire, ...rest } = outcome;
        const over = await settle({
          state: 'shadow',
          step: step('SHADOW', `nothing written to ${ports.destination}`),
          wire,
        });
        return over === 'unclear' ? await fetchAgain() : rest;
      }
      default: {
        const name = outcome.document.name ?? outcome.document.id;
        const over = await settle({
          state: 'done',
          step: step(outcome.kind.toUpperCase(), `${name} in ${ports.destination}, ${outcome.level}`),
          document: outcome.document,
        });
        if (over === 'unclear') await fetchAgain();
        return outcome;
      }
    }
  } catch (error) {
    if (error instanceof PermanentError) {
      const { reason, remedy } = error.text;
      const over = await settle({
        state: 'parked',
        step: step(error.code, `${reason} ${remedy}`),
        detail: error.detail,
      });
      // Perhaps this never was the state of the order: what the storefront says is parked, if it has to be.
      if (over === 'unclear') return fetchAgain();
    }
    throw error;
  }
};

/** How this copy compares with others; where the storefront cannot be asked, only by its version. */
const comparable = (ports: PushOrderPorts, event: Envelope<OrderChangedV1>): Revision => {
  const revision = revisionOf(event);
  return ports.refetch.sources.has(event.data.source) ? revision : { ...revision, contentHash: undefined };
};

const notificationOf = ({ meta, data }: Envelope<OrderChangedV1>): Envelope<OrderNotifiedV1> => {
  const { id, fetchedAtMs: _, ...rest } = meta;
  return {
    // The same for every copy that a queue delivers.
    meta: { ...rest, id: `${id}:again` },
    data: { source: data.source, orderId: data.orderId, why: 'same-version' },
  };
};

const FETCHING_AGAIN = {
  kind: 'skipped',
  reason: 'FETCHING_AGAIN',
  why: 'two copies of one version differ: the storefront is asked which one holds',
} as const;

type Pushed =
  | Exclude<PushOutcome, { kind: 'shadow' }>
  | { kind: 'shadow'; warnings: readonly string[]; wire: unknown };

const push = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  call: CallContext,
): Promise<Pushed> => {
  const { destination } = ports;
  const route = ports.routes.find(({ from }) => from === order.source);
  if (!route) throw new PermanentError('ROUTE_MISSING', { source: order.source, destination });

  // Before anything is decided: a copy that may never have been true must neither write nor take back.
  const settled = (await standing(ports, order, copy)).over;
  if (settled === 'unclear') return FETCHING_AGAIN;

  const intent = createIntent(ports, order);
  const entry = await ports.ledger.peek(intent);
  if (entry?.state === 'finished') return follow(ports, order, copy, settled, route, entry, call);

  const acceptance = acceptanceOf(order, route);
  if (acceptance.kind === 'skip') {
    if (acceptance.reason === 'CANCELLED_BEFORE_WRITTEN') {
      // It was opened again since: its end is no news.
      if (settled === 'older') return olderThanSettled(entry?.document);
      const document = await findBegun(ports, order, route, entry, call);
      // Begun with a copy that nobody remembers: of this very version, perhaps, and then either may be the end.
      if (document && copy.contentHash !== undefined && !copy.fetched) return FETCHING_AGAIN;
      if (document) throw changedAfterWrite(destination, changeOf(order.status), document);
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
  return write(ports, order, copy, route, intent, level, entry?.document, call);
};

/**
 * A cancelled order that never reached the ERP asks for nothing; one that was begun asks for a look.
 * @returns its document, if it is there
 * @throws BusyError another worker may be writing it at this moment
 */
const findBegun = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  route: OrderRoute,
  entry: LedgerEntry | undefined,
  call: CallContext,
): Promise<PeerDocument | undefined> => {
  if (!entry) return undefined;
  if (!entry.document && entry.leaseUntilMs > ports.nowMs()) {
    throw new BusyError(entry.intent, entry.leaseUntilMs);
  }
  const reference = orderReference(order.source, order.orderId);
  return entry.document ?? (await ports.erp.find(reference, route, call));
};

/**
 * The other half of `mayStillWrite`: we settle and then look at the ledger, a writer claims and then looks at
 * what is settled. Whoever comes second sees the other, so no cancelled order is written unnoticed.
 * @throws BusyError an older version was begun while we settled: look again when it is through
 */
const assertNotBegun = async (ports: PushOrderPorts, order: OrderChangedV1): Promise<void> => {
  const entry = await ports.ledger.peek(createIntent(ports, order));
  if (entry && (entry.document || entry.leaseUntilMs > ports.nowMs())) {
    throw new BusyError(entry.intent, entry.leaseUntilMs);
  }
};

type Allowed = 'yes' | 'older' | 'unclear';

/** How this copy stands to the one that was settled last. */
const standing = async (ports: PushOrderPorts, order: OrderChangedV1, copy: Revision) => {
  const settled = await ports.journal.settled(ports.destination, order.source, order.orderId);
  return { over: settled ? precedence(copy, settled.revision) : 'newer', state: settled?.state } as const;
};

/**
 * A newer version was dealt with already, so writing this one would bring back what is no longer so: a parked
 * order that was cancelled meanwhile, redriven; an old delivery that comes late. Only what an earlier attempt
 * has written is still completed after a mere skip, or nobody would.
 */
const mayStillWrite = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  isWritten: boolean,
): Promise<Allowed> => {
  const { over, state } = await standing(ports, order, copy);
  if (over === 'unclear') return over;
  return over === 'older' && !(isWritten && state === 'skipped') ? over : 'yes';
};

/** One intent at the ERP: create the order, or bring a known one to a higher level. */
const write = async (
  ports: PushOrderPorts,
  order: OrderChangedV1,
  copy: Revision,
  route: OrderRoute,
  intent: string,
  level: Level,
  known: PeerDocument | undefined,
  call: CallContext,
): Promise<Pushed> => {
  const reference = orderReference(order.source, order.orderId);
  let map: { wire: unknown; warnings: readonly string[] } | undefined;
  let allowed: Allowed = 'yes';
  const wireOnce = async (isWritten: boolean) => {
    if (!map) {
      // After the claim, see `assertNotBegun`.
      allowed = await mayStillWrite(ports, order, copy, isWritten);
      if (allowed !== 'yes') throw new RetryableError('SUPERSEDED', 'another copy was settled', { intent });
      map = await mapped(ports, order, route, context(ports, route, call));
    }
    return map.wire;
  };
  let completedWarnings: readonly string[] = [];
  const result: OnceResult | Exclude<Allowed, 'yes'> = await once(ports, intent, {
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
      return { document: { id, name, url }, facts: factsOf(order, copy, level, completed.rounding.minor) };
    },
  }).catch((error: unknown) => {
    if (allowed !== 'yes') return allowed;
    throw error;
  });
  if (result === 'unclear') return FETCHING_AGAIN;
  if (result === 'older') return olderThanSettled(known);
  if (result.kind === 'duplicate') {
    // Finished between our peek and our claim, perhaps by an older version: see what this one asks beyond it.
    const { document, facts } = result;
    return intent === createIntent(ports, order)
      ? follow(ports, order, copy, 'newer', route, { document, facts }, call)
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
  copy: Revision,
  settled: Precedence,
  route: OrderRoute,
  { document, facts }: Pick<LedgerEntry, 'document' | 'facts'>,
  call: CallContext,
): Promise<Pushed> => {
  const over = precedence(copy, writtenRevision(facts));
  if (over === 'older') {
    return {
      kind: 'skipped',
      reason: 'OLDER_THAN_WRITTEN',
      why: 'a newer version was written already',
      document,
    };
  }
  // What the ERP was written from is not the last that was heard.
  if (settled === 'older') return olderThanSettled(document);
  if (over === 'unclear') return FETCHING_AGAIN;
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
    return write(ports, order, copy, route, intent, acceptance.level, document, call);
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

const olderThanSettled = (document: PeerDocument | undefined): Pushed => ({
  kind: 'skipped',
  reason: 'OLDER_THAN_SETTLED',
  why: 'a newer version was dealt with already',
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

const factsOf = (
  order: OrderChangedV1,
  copy: Revision,
  level: Level,
  roundingMinor: number,
): LedgerFacts => ({
  sourceVersion: order.sourceVersion,
  contentHash: order.contentHash,
  seenAtMs: copy.seenAtMs,
  fetched: copy.fetched ? 1 : 0,
  level,
  refunds: order.refunds.length,
  commercialHash: commercialHash(order),
  roundingMinor,
});

const writtenRevision = (facts: LedgerFacts): Revision => ({
  sourceVersion: Number(facts['sourceVersion']),
  contentHash: typeof facts['contentHash'] === 'string' ? facts['contentHash'] : undefined,
  seenAtMs: Number(facts['seenAtMs']),
  fetched: facts['fetched'] === 1,
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
