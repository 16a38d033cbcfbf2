import * as z from 'zod';
import type { ErpOrders, ListedOrder, StorefrontConnector } from '../../shared/connectors/contract.ts';
import { defineStorefront } from '../../shared/connectors/manifest.ts';
import { acceptWebhook } from '../../shared/core/accept-webhook.ts';
import { delayMs } from '../../shared/core/backoff.ts';
import { BusyError, PermanentError, RetryableError } from '../../shared/core/errors.ts';
import { fetchOrder } from '../../shared/core/fetch-order.ts';
import { orderReference } from '../../shared/core/intent-key.ts';
import type { Journal } from '../../shared/core/journal.ts';
import type { Ledger, LedgerEntry } from '../../shared/core/ledger.ts';
import type { PushOrderPorts } from '../../shared/core/order-ports.ts';
import { pushOrder } from '../../shared/core/push-order.ts';
import { type ReconcileOutcome, type ReconcilePorts, reconcileOrders } from '../../shared/core/reconcile.ts';
import { type SweepPorts, sweepOrders } from '../../shared/core/sweep.ts';
import { walkChanges } from '../../shared/core/walk-changes.ts';
import type { Publish } from '../../shared/events/catalogue.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import type { OrderNotifiedV1 } from '../../shared/events/order-notified.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { memoryCursors } from '../fakes/memory-cursors.ts';
import { type JournalRow, memoryJournal, memoryJournalReads } from '../fakes/memory-journal.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { actor, type Call, type Faults, LIFETIME_MS, stored } from './actor.ts';
import { SETTLE_MS, type SimulatedErp, simulatedErp } from './erp.ts';
import type { World } from './scheduler.ts';
import { EPOCH_MS, lifeOf, type ShopOrder, type ShopVersion, START_AT, snapshotOf } from './shop.ts';

/** The request itself takes time, too. */
const SEND_MS = 5_000;
/** Longer than a function may live and its peer may take to settle. */
export const LEASE_MS = LIFETIME_MS + SETTLE_MS + 15_000;
/** Six times as long as the function may live, as infrastructure sets it. */
const VISIBILITY_MS = 6 * LIFETIME_MS;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** As in production: how far a run of reconciliation reads back, and what it leaves to the webhooks under way. */
const OVERLAP_MS = 10 * MINUTE_MS;
const IN_FLIGHT_MS = 5 * MINUTE_MS;
/** A reconciliation that has not come to an end by then never will. */
const GIVE_UP_MS = 12 * HOUR_MS;
/** As in production: how long a queue keeps a message, and from which age on a sweep sends it again. */
const RETENTION_MS = 10 * 24 * HOUR_MS;
const KEPT_MS = 8 * 24 * HOUR_MS;
/** Longer than any queue remembers. */
const LONG_PAUSE_DAYS = 21;
/** Of each shop. */
const MOST_ORDERS = 3;
/** Orders on one page of a list. */
const PAGE = 2;
/** Of one order at one ERP. So few that eight attempts are used up only while the ERP is down. */
const MOST_FAULTS_OF_ONE = 6;
const MOST_FAULTS = 32;

/** What a mutant breaks. Given from the tests, never from production code. */
export interface Mutant {
  readonly ledger?: (real: Ledger, entries: Map<string, LedgerEntry>) => Ledger;
  readonly erp?: (real: ErpOrders, erp: SimulatedErp) => ErpOrders;
  /** All ports of one worker, when more than one of them is broken together. */
  readonly ports?: (real: PushOrderPorts) => PushOrderPorts;
  readonly reconcile?: (real: ReconcilePorts) => ReconcilePorts;
  readonly sweep?: (real: SweepPorts) => SweepPorts;
  /** What consumers read, `arrival` being how many events came before it. */
  readonly event?: (event: Envelope<OrderChangedV1>, arrival: number) => Envelope<OrderChangedV1>;
}

export interface Life {
  readonly shops: readonly ShopOrder[];
  readonly routes: readonly OrderRoute[];
  readonly erps: ReadonlyMap<string, SimulatedErp>;
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly rows: ReadonlyMap<string, JournalRow>;
  /** `<destination> <source> <entity> <external id>` to the document's id. */
  readonly bindings: ReadonlyMap<string, string>;
  readonly counts: Readonly<Record<string, number>>;
}

const route = (from: string, to: string, rest: Record<string, unknown>) =>
  OrderRoute.parse({ from, to, startAt: START_AT, ...rest });

/** One shop that two ERPs serve, and one ERP that serves two shops. */
export const ROUTES: readonly OrderRoute[] = [
  route('tea-shop', 'erp-1', { payments: 'book', accept: { bankTransferPending: 'draft' } }),
  route('tea-shop', 'erp-2', {}),
  route('mug-shop', 'erp-1', {
    payments: 'book',
    accept: { bankTransferPending: 'reserve', test: 'confirm' },
  }),
];

const SHOPS = [
  { name: 'tea-shop', wholeSeconds: true, sendsAgain: true, listsIdsOnly: false },
  // Its deliveries say what holds when they are sent, and one that fails is lost (as WooCommerce).
  { name: 'mug-shop', wholeSeconds: true, sendsAgain: false, listsIdsOnly: false },
] as const;

interface Message {
  readonly queue: string;
  readonly label: string;
  readonly work: (worker: string, receive: number, isUrgent: boolean) => Promise<string>;
  readonly sentAtMs: number;
  readonly isRedriven?: true;
  /** Where it is on its way to an ERP. */
  readonly order?: { readonly connection: string; readonly source: string; readonly orderId: string };
}

const MANIFEST = defineStorefront({
  name: 'simulated',
  title: 'Simulated',
  apiVersion: '1',
  apiVersionSunset: undefined,
  settings: z.object({}),
  credentials: z.object({}),
});

/** The whole life of several orders: shops, webhooks, bus, queues, workers, ERPs and people. */
export const simulateLife = (world: World, mutant: Mutant = {}): Life => {
  const entries = new Map<string, LedgerEntry>();
  const rows = new Map<string, JournalRow>();
  const bindings = new Map<string, string>();
  const counts: Record<string, number> = {};
  const count = (kind: string): void => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  const nowMs = () => EPOCH_MS + world.nowMs();
  const context = { signal: new AbortController().signal };
  const random = () => world.choose(100) / 100;
  const erps = new Map(['erp-1', 'erp-2'].map((name) => [name, simulatedErp(world, name)]));

  // ---- faults --------------------------------------------------------------------------------------------------
  const faultsOfKey = new Map<string, number>();
  let faultsLeft = MOST_FAULTS;
  const faultsOf = (key: string): Faults => ({
    fault: (kind, n) => {
      const soFar = faultsOfKey.get(key) ?? 0;
      if (faultsLeft <= 0 || soFar >= MOST_FAULTS_OF_ONE || !world.oneIn(n)) return false;
      faultsLeft -= 1;
      faultsOfKey.set(key, soFar + 1);
      count(kind);
      return true;
    },
  });

  // ---- queues --------------------------------------------------------------------------------------------------
  /** How many messages wait for a person, by connection and order. */
  const parked = new Map<string, Map<string, number>>();
  const waits = ({ connection, source, orderId }: NonNullable<Message['order']>, more: 1 | -1): void => {
    const here = parked.get(connection) ?? new Map<string, number>();
    const reference = orderReference(source, orderId);
    const n = (here.get(reference) ?? 0) + more;
    if (n > 0) here.set(reference, n);
    else here.delete(reference);
    parked.set(connection, here);
  };
  const pausedUntil = new Map<string, number>();
  let workers = 0;
  /** A message in a queue: received, worked on, and received again until somebody deleted it. */
  const receive = (message: Message, receives = 1): void => {
    const { queue, label, work } = message;
    const waitMs = (pausedUntil.get(queue) ?? 0) - world.nowMs();
    if (waitMs > 0) {
      world.later(waitMs, () => receive(message, receives));
      return;
    }
    if (world.nowMs() - message.sentAtMs > RETENTION_MS) {
      count('forgotten');
      world.tell(`${label}: forgotten by its queue`);
      return;
    }
    workers += 1;
    const worker = `${workers} ${label}`;
    let isAnswered = false;
    const again = (ms: number) => world.later(Math.max(0, ms), () => receive(message, receives + 1));
    work(worker, receives, receives === 1 && message.isRedriven === true).then(
      (outcome) => {
        isAnswered = true;
        world.tell(`${worker}: ${outcome}`);
      },
      (error: unknown) => {
        isAnswered = true;
        world.tell(`${worker}: ${error instanceof Error ? error.message : String(error)}`);
        if (error instanceof BusyError) return again(error.leaseUntilMs - nowMs());
        if (error instanceof PermanentError) {
          count('parked');
          if (message.order) waits(message.order, 1);
          // People redrive what merely failed too often; everything else waits for a decision.
          if (error.code === 'RETRIES_EXHAUSTED') {
            count('redriven');
            world.later(HOUR_MS, () => {
              if (message.order) waits(message.order, -1);
              receive({ ...message, sentAtMs: world.nowMs(), isRedriven: true });
            });
          }
          return;
        }
        const { waitMs, attempt } = error instanceof RetryableError ? error : {};
        again(waitMs ?? delayMs(attempt ?? receives, { random }));
      },
    );
    // Nobody deleted it: the queue shows it again when its visibility runs out.
    world.later(VISIBILITY_MS, () => {
      if (!isAnswered) receive(message, receives + 1);
    });
  };
  /** At least once, and in no order. */
  const send = (queue: string, label: string, work: Message['work'], order?: Message['order']): void => {
    const message = { queue, label, work, sentAtMs: world.nowMs(), ...(order && { order }) };
    const late = world.oneIn(12);
    if (late) count('delayed');
    world.later(world.choose(late ? 600_000 : 4_000), () => receive(message));
    if (world.oneIn(6)) {
      count('duplicated');
      world.later(world.choose(300_000), () => receive({ ...message, label: `${label} again` }));
    }
  };

  // ---- tables and bus ------------------------------------------------------------------------------------------
  const heldLedger = memoryLedger(nowMs, entries);
  const ledger = mutant.ledger?.(heldLedger, entries) ?? heldLedger;
  const journal: Journal = memoryJournal(rows);
  const publish: Publish = async (name, event) => {
    if (name === 'order.notified.v1') {
      const notified = event as Envelope<OrderNotifiedV1>;
      count('fetched');
      return send(
        `fetch ${notified.data.source}`,
        `fetch ${notified.meta.correlationId}`,
        (worker, receives) => fetch(notified, worker, receives),
      );
    }
    const changed = event as Envelope<OrderChangedV1>;
    const { source, orderId } = changed.data;
    const label = `${source}:${orderId} ${changed.meta.deliveryId ?? changed.meta.via}`;
    const routes = ROUTES.filter(({ from }) => from === source);
    for (const { to } of routes) {
      const work: Message['work'] = (worker, _, isUrgent) => consume(to, changed, worker, isUrgent);
      send(to, `${label} to ${to}`, work, { connection: to, source, orderId });
    }
    send('journal', `${label} to the journal`, (worker) =>
      record(
        routes.map(({ to }) => to),
        changed,
        worker,
      ),
    );
  };

  const record = async (destinations: readonly string[], event: Envelope<OrderChangedV1>, worker: string) => {
    const faults = faultsOf(`record ${event.meta.correlationId}`);
    const call = stored(actor(world, faults, worker), faults, world, worker);
    const step = { atMs: event.meta.receivedAtMs, code: 'RECEIVED', text: event.meta.via };
    for (const destination of destinations) {
      await call('record', () => journal.record(destination, arrived(event), step));
    }
    return 'recorded';
  };

  const arrivals: string[] = [];
  const arrived = (event: Envelope<OrderChangedV1>) => {
    if (!arrivals.includes(event.meta.id)) arrivals.push(event.meta.id);
    return mutant.event?.(event, arrivals.indexOf(event.meta.id)) ?? event;
  };

  // ---- consumer ------------------------------------------------------------------------------------------------
  const consume = async (
    destination: string,
    event: Envelope<OrderChangedV1>,
    worker: string,
    isUrgent: boolean,
  ) => {
    const faults = faultsOf(`${destination} ${event.meta.correlationId}`);
    const call = actor(world, faults, worker);
    const ports = { ...portsOf(destination, call, faults, worker), isUrgent };
    const outcome = await pushOrder(ports, arrived(event), context);
    switch (outcome.kind) {
      case 'skipped':
        return `${outcome.reason}, ${outcome.why}`;
      case 'shadow':
        return outcome.kind;
      default:
        return `${outcome.kind} ${outcome.document.id}: ${(outcome.done ?? [outcome.level]).join(', ')}`;
    }
  };

  const portsOf = (destination: string, call: Call, faults: Faults, worker: string): PushOrderPorts => {
    const erp = erps.get(destination);
    if (!erp) throw new Error(`no ERP ${destination}`);
    const table = stored(call, faults, world, worker);
    const connected = erp.connect(call, faults, worker);
    const ports: PushOrderPorts = {
      destination,
      routes: ROUTES.filter(({ to }) => to === destination),
      nowMs,
      leaseMs: LEASE_MS,
      settleMs: SETTLE_MS + SEND_MS,
      random,
      erp: mutant.erp?.(connected, erp) ?? connected,
      ledger: {
        peek: (intent) => table('peek', () => ledger.peek(intent)),
        claim: (...args) => table('claim', () => ledger.claim(...args)),
        written: (...args) => table('written', () => ledger.written(...args)),
        note: (...args) => table('note', () => ledger.note(...args)),
        finish: (...args) => table('finish', () => ledger.finish(...args)),
        release: (...args) => table('release', () => ledger.release(...args)),
      },
      mappings: { lookup: async () => new Map() },
      bindings: {
        put: (to, source, entity, externalId, { id }) =>
          table('bind', async () => {
            bindings.set(`${to} ${source} ${entity} ${externalId}`, id);
          }),
      },
      journal: {
        record: () => Promise.reject(new Error('a consumer records nothing')),
        settle: (...args) => table('settle', () => journal.settle(...args)),
        close: (...args) => table('close', () => journal.close(...args)),
        settled: (...args) => table('settled', () => journal.settled(...args)),
      },
      refetch: {
        sources: new Set(SHOPS.map(({ name }) => name)),
        notify: (event) => table('notify', () => publish('order.notified.v1', event)),
      },
    };
    return mutant.ports?.(ports) ?? ports;
  };

  // ---- shops ---------------------------------------------------------------------------------------------------
  const shops: ShopOrder[] = [];
  for (const { name, wholeSeconds } of SHOPS) {
    // Both shops begin to count at 1001.
    for (let n = 1; n <= MOST_ORDERS; n += 1) {
      const isThere = world.choose(2) === 1 || (n === 1 && name === SHOPS[0].name);
      const order = lifeOf(world, name, String(1000 + n), wholeSeconds);
      if (isThere) shops.push(order);
    }
  }
  const current = ({ versions }: ShopOrder): ShopVersion | undefined =>
    versions.findLast(({ committedAtMs }) => committedAtMs <= world.nowMs());

  const recent = new Map<string, Map<string, number>>();
  const recentOf = (shop: string): Map<string, number> => {
    const held = recent.get(shop) ?? new Map<string, number>();
    recent.set(shop, held);
    return held;
  };
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `event ${ids}`;
  };

  const fetch = async (
    event: Envelope<OrderNotifiedV1>,
    worker: string,
    receives: number,
  ): Promise<string> => {
    const faults = faultsOf(`fetch ${event.meta.correlationId}`);
    const call = actor(world, faults, worker);
    const bus = stored(call, faults, world, worker);
    const outcome = await fetchOrder(
      {
        reads: {
          order: (id) =>
            call('read the shop', async () => {
              if (faults.fault('refused', 15)) throw new RetryableError('DOWN', '503');
              const order = shops.find((o) => o.shop === event.data.source && o.id === id);
              const version = order && current(order);
              return order && version && { kind: 'order', order: snapshotOf(order, version), warnings: [] };
            }),
        },
        publish: (name, e) => bus('publish', () => publish(name, e)),
        nowMs,
        newId,
        timeScale: 1,
        recent: recentOf(event.data.source),
      },
      event,
      { ...context, receive: receives, isUrgent: false },
    );
    return outcome.kind === 'fetched' ? `the shop says ${wordsOf(outcome.order)}` : outcome.reason;
  };

  /** One HTTP delivery of a webhook; a shop may send it again when it was not taken. */
  const deliver = (order: ShopOrder, version: ShopVersion, sendsAgain: boolean, tries = 1): void => {
    // What holds at the moment of sending, where the shop builds it then.
    const said = sendsAgain ? version : (current(order) ?? version);
    const label = `webhook of ${order.shop}:${order.id} (${said.what})`;
    workers += 1;
    const worker = `${workers} ${label}`;
    const faults = faultsOf(`webhook ${order.shop}:${order.id}`);
    const call = stored(actor(world, faults, worker), faults, world, worker);
    const connector: StorefrontConnector<unknown, unknown> = {
      manifest: MANIFEST,
      replies: { accepted: 200, ping: 200, ignored: 200, quarantined: 200 },
      receive: () => ({
        kind: 'order',
        order: snapshotOf(order, said),
        warnings: [],
        deliveryId: `"${said.what}"`,
      }),
    };
    let status = 0;
    void acceptWebhook(
      {
        connector,
        context: async () => ({ connection: order.shop, settings: {}, credentials: {}, nowMs }),
        publish: (name, event) => call('publish', () => publish(name, event)),
        quarantine: async () => undefined,
        line: () => undefined,
        nowMs,
        newId,
        maxBodyBytes: 1,
        connection: order.shop,
      },
      { method: 'POST', headers: {}, body: new Uint8Array(0) },
    ).then((reply) => {
      status = reply.statusCode;
    });
    // The shop waits half a minute for an answer.
    world.later(30_000, () => {
      if (status === 200) return;
      count('webhooksRefused');
      world.tell(`${worker}: answered ${status || 'nothing'}`);
      if (sendsAgain && tries < 3)
        world.later(MINUTE_MS, () => deliver(order, version, sendsAgain, tries + 1));
    });
  };

  for (const order of shops) {
    const { sendsAgain } = SHOPS.find(({ name }) => name === order.shop) ?? SHOPS[0];
    for (const version of order.versions) {
      const lateMs = version.committedAtMs - version.atMs;
      const dated = lateMs > 1_000 ? `, dated ${Math.round(lateMs / 1000)} s ago` : '';
      world.later(version.committedAtMs, () => {
        world.tell(`${order.shop}:${order.id} ${version.what}${dated}`);
        count('changes');
      });
      if (version.webhooks.length === 0) {
        count('webhooksLost');
        world.later(version.committedAtMs, () => world.tell('... and its webhook is lost'));
        continue;
      }
      for (const afterMs of version.webhooks) {
        world.later(version.committedAtMs + afterMs, () => deliver(order, version, sendsAgain));
      }
    }
  }

  // ---- reconciliation ------------------------------------------------------------------------------------------
  const lastMs = Math.max(
    0,
    ...shops.flatMap(({ versions }) => versions.map(({ committedAtMs }) => committedAtMs)),
  );
  const cursors = memoryCursors(nowMs);
  /** A schedule fires, twice at times; the last runs come after everything that happens in the shops. */
  const schedule = (shop: string): void => {
    let lastDoneMs = -1;
    const fire = (): void => {
      const startedMs = world.nowMs();
      const runs = world.oneIn(10) ? 2 : 1;
      for (let n = 0; n < runs; n += 1) {
        workers += 1;
        const worker = `${workers} reconciliation of ${shop}`;
        reconcile(shop, worker).then(
          ({ kind }) => {
            if (kind === 'done') lastDoneMs = Math.max(lastDoneMs, startedMs);
          },
          (error: unknown) =>
            world.tell(`${worker}: ${error instanceof Error ? error.message : String(error)}`),
        );
      }
      world.later(10 * MINUTE_MS, () => {
        const isOver = lastDoneMs >= lastMs + IN_FLIGHT_MS || world.nowMs() > lastMs + GIVE_UP_MS;
        if (!isOver) fire();
      });
    };
    world.later(world.choose(10 * MINUTE_MS), fire);
  };
  for (const { name } of SHOPS) schedule(name);

  function reconcile(shop: string, worker: string): Promise<ReconcileOutcome> {
    const faults = faultsOf(`reconcile ${shop}`);
    const call = actor(world, faults, worker);
    const table = stored(call, faults, world, worker);
    const held = memoryJournalReads(rows);
    const { listsIdsOnly } = SHOPS.find(({ name }) => name === shop) ?? SHOPS[0];
    const listed = (order: ShopOrder): ListedOrder[] => {
      const version = current(order);
      if (!version) return [];
      const fetched = { kind: 'order', order: snapshotOf(order, version), warnings: [] } as const;
      return [{ id: order.id, changedAtMs: version.version, ...(listsIdsOnly ? {} : { fetched }) }];
    };
    const ports: ReconcilePorts = {
      source: shop,
      destinations: ROUTES.filter(({ from }) => from === shop).map(({ to }) => to),
      startMs: Date.parse(START_AT),
      reads: {
        changed: (window) =>
          walkChanges(window, (fromMs, from: number | undefined = 0) =>
            call('list', async () => {
              if (faults.fault('refused', 15)) throw new RetryableError('DOWN', '503');
              const found = shops
                .filter((order) => order.shop === shop)
                .flatMap(listed)
                .filter(({ changedAtMs }) => changedAtMs >= fromMs)
                .sort((a, b) => a.changedAtMs - b.changedAtMs || Number(a.id) - Number(b.id));
              return {
                rows: found.slice(from, from + PAGE),
                next: from + PAGE < found.length ? from + PAGE : undefined,
              };
            }),
          ),
      },
      cursors: {
        load: (name) => table('load', () => cursors.load(name)),
        claim: (...args) => table('claim', () => cursors.claim(...args)),
        save: (...args) => table('save', () => cursors.save(...args)),
        release: (...args) => table('release', () => cursors.release(...args)),
      },
      journal: { row: (...args) => table('row', () => held.row(...args)) },
      publish: (name, event) => table('publish', () => publish(name, event)),
      nowMs,
      newId,
      leaseMs: 2 * LIFETIME_MS,
      overlapMs: OVERLAP_MS,
      inFlightMs: IN_FLIGHT_MS,
      onFound: ({ id }) => {
        count('reconciled');
        world.tell(`${worker} finds ${shop}:${id}`);
      },
    };
    const endMs = nowMs() + LIFETIME_MS - 10_000;
    return reconcileOrders(mutant.reconcile?.(ports) ?? ports, { ...context, endMs });
  }

  // ---- what queues forget --------------------------------------------------------------------------------------
  function sweep(): void {
    workers += 1;
    const worker = `${workers} sweep`;
    const faults = faultsOf('sweep');
    const call = stored(actor(world, faults, worker), faults, world, worker);
    const held = memoryJournalReads(rows);
    const ports: SweepPorts = {
      destinations: [...erps.keys()],
      unfinished: held,
      parked: { references: async (to) => new Set(parked.get(to)?.keys()) },
      timeline: { swept: (...args) => call('swept', () => held.swept(...args)) },
      publish: (name, event) => call('publish', () => publish(name, event)),
      nowMs,
      newId,
      keptMs: KEPT_MS,
      onSwept: (destination, source, orderId) => {
        count('swept');
        world.tell(`${worker} sends ${source}:${orderId} to ${destination} again`);
      },
    };
    sweepOrders(mutant.sweep?.(ports) ?? ports, { endMs: nowMs() + LIFETIME_MS }).catch((error: unknown) =>
      world.tell(`${worker}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  // It runs every day; before, there is nothing to do for it.
  for (let day = 9; day <= LONG_PAUSE_DAYS + 9; day += 2) world.later(day * 24 * HOUR_MS, sweep);

  // ---- people and weather --------------------------------------------------------------------------------------
  /** Always as many choices, whatever comes of them. */
  const perhaps = (n: number, withinMs: number, most: number, effect: (pick: number) => void): void => {
    const happens = world.oneIn(n);
    const atMs = world.choose(withinMs);
    const pick = world.choose(most);
    if (happens) world.later(atMs, () => effect(pick));
  };
  for (const { from, to } of ROUTES) {
    for (let n = 1; n <= MOST_ORDERS; n += 1) {
      const reference = `${from}:${1000 + n}`;
      const erp = erps.get(to);
      perhaps(10, 20 * MINUTE_MS, 3, (pick) => {
        const because = (['delivered', 'invoiced', 'locked'] as const)[pick] ?? 'delivered';
        if (erp?.handOver(reference, because)) count('tooLate');
      });
      perhaps(14, 20 * MINUTE_MS, 1, () => {
        // People touch what looks finished.
        const isFinished = entries.get(`${to}#${from}#${1000 + n}#create`)?.state === 'finished';
        if (isFinished && erp?.editByHand(reference)) count('staffEdits');
      });
    }
  }
  for (const erp of erps.values()) {
    perhaps(10, 10 * MINUTE_MS, 12, (pick) => {
      count('outages');
      world.tell(`${erp.name} is down for ${1 + pick} h`);
      erp.goDown((1 + pick) * HOUR_MS);
    });
    perhaps(10, 10 * MINUTE_MS, 240, (pick) => {
      const ms = (1 + pick) * 6 * MINUTE_MS;
      count('pauses');
      world.tell(`the queue of ${erp.name} is paused for ${ms / MINUTE_MS} min`);
      pausedUntil.set(erp.name, Math.max(pausedUntil.get(erp.name) ?? 0, world.nowMs() + ms));
    });
    // While orders come in; and while what failed is parked and sent again.
    for (const [n, withinMs] of [
      [30, 10 * MINUTE_MS],
      [10, 12 * HOUR_MS],
    ] as const) {
      perhaps(n, withinMs, 1, () => {
        count('longPauses');
        world.tell(`the queue of ${erp.name} is paused for ${LONG_PAUSE_DAYS} days`);
        pausedUntil.set(erp.name, world.nowMs() + LONG_PAUSE_DAYS * 24 * HOUR_MS);
      });
    }
  }

  return { shops, routes: ROUTES, erps, entries, rows, bindings, counts };
};

const wordsOf = ({ status, payment, refunds }: OrderChangedV1): string =>
  `${status}, ${payment.state}${refunds.length > 0 ? `, ${refunds.length} refunds` : ''}`;
