import type { ErpOrders, PeerDocument } from '../../shared/connectors/contract.ts';
import { delayMs } from '../../shared/core/backoff.ts';
import { BusyError, PermanentError, RetryableError, UnknownOutcomeError } from '../../shared/core/errors.ts';
import type { Journal } from '../../shared/core/journal.ts';
import type { Ledger, LedgerEntry } from '../../shared/core/ledger.ts';
import type { PushOrderPorts, Refetch } from '../../shared/core/order-ports.ts';
import { pushOrder } from '../../shared/core/push-order.ts';
import type { Envelope, Meta } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { type JournalRow, memoryJournal } from '../fakes/memory-journal.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { anOrder } from '../fakes/orders.ts';
import type { World } from './scheduler.ts';

/** As in production: a function lives 60 s, the peer settles within 30 s, the lease outlives both. */
export const LIFETIME_MS = 60_000;
export const SETTLE_MS = 30_000;
export const LEASE_MS = LIFETIME_MS + SETTLE_MS + 15_000;
/** The request itself takes time, too. */
const SEND_MS = 5_000;

/** So few that eight attempts are never used up: parking is another test's subject. */
const MOST_FAULTS = 6;

const random = () => 0.5;

interface ErpDocument extends PeerDocument {
  readonly reference: string;
  /** When the peer's own search finds it. */
  readonly visibleAtMs: number;
  state: 'draft' | 'sale';
  confirmations: number;
}

/** What a mutant breaks. Given from the tests, never from production code. */
export interface Mutant {
  readonly ledger?: (real: Ledger, entries: Map<string, LedgerEntry>) => Ledger;
  readonly erp?: (real: ErpOrders) => ErpOrders;
  readonly journal?: (real: Journal) => Journal;
  /** Turns "nobody knows" into "it failed", so that the lease is given back. */
  readonly forgetsUnknown?: boolean;
  readonly refetch?: (real: Refetch) => Refetch;
  /** What was fetched looks as if it had been pushed. */
  readonly forgetsFetching?: boolean;
}

export interface Run {
  readonly documents: readonly ErpDocument[];
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly rows: ReadonlyMap<string, JournalRow>;
  readonly parked: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
}

export interface SimulationOptions {
  readonly mutant?: Mutant | undefined;
  /** The buyer cancels in the end. */
  readonly cancelled?: boolean;
  /** Instead: opened and cancelled within one second, so that both have one version; named is how it ends. */
  readonly sameSecond?: 'open' | 'cancelled';
}

/**
 * Several deliveries of one order (some of them twice, some of a later version), worked on by workers that
 * crash and stall at any call, against a peer that refuses, answers never, or writes late.
 */
export const simulateOrders = (
  world: World,
  { mutant = {}, cancelled = false, sameSecond }: SimulationOptions = {},
): Run => {
  const documents: ErpDocument[] = [];
  const entries = new Map<string, LedgerEntry>();
  const rows = new Map<string, JournalRow>();
  const parked: string[] = [];
  const faults: Record<string, number> = {};
  const hit = (kind: string): void => {
    faults[kind] = (faults[kind] ?? 0) + 1;
  };
  const mayFail = (): boolean => Object.values(faults).reduce((a, b) => a + b, 0) < MOST_FAULTS;
  const fault = (kind: string, n: number): boolean => {
    if (!mayFail() || !world.oneIn(n)) return false;
    hit(kind);
    return true;
  };

  const route = OrderRoute.parse({
    from: 'shop',
    to: 'erp',
    startAt: '2026-01-01T00:00:00Z',
    accept: { bankTransferPending: 'draft' },
  });
  const base = anOrder({ source: 'shop', orderId: '1001' });
  const first: OrderChangedV1 = {
    ...base,
    status: 'on-hold',
    payment: { ...base.payment, kind: 'bank-transfer', state: 'pending' },
  };
  const second: OrderChangedV1 = { ...base, sourceVersion: base.sourceVersion + 1000, contentHash: 'second' };

  let refetch: Refetch = { sources: new Set(), notify: async () => undefined };

  const worker = (name: string): PushOrderPorts => {
    const startedMs = world.nowMs();
    /** Nothing returns to a worker that is dead: its promise stays open, as a killed process's would. */
    const dead = () => new Promise<never>(() => undefined);
    let isDead = false;
    /** One call: it leaves the worker, has its effect (perhaps later), and the answer may be lost with the worker. */
    const call = async <T>(label: string, effect: () => Promise<T>): Promise<T> => {
      if (isDead) return dead();
      if (fault('crash-before', 60)) {
        world.tell(`${name} dies before ${label}`);
        isDead = true;
        return dead();
      }
      await world.sleep(100 + world.choose(400));
      const answer = await effect().then(
        (value) => () => value,
        (error: unknown) => () => {
          throw error;
        },
      );
      if (fault('crash-after', 60)) {
        world.tell(`${name} dies after ${label}`);
        isDead = true;
        return dead();
      }
      if (fault('stall', 80)) {
        // A suspended machine: the process was not killed, and goes on long after its lease.
        const ms = 40_000 + world.choose(120_000);
        world.tell(`${name} stalls ${ms} ms after ${label}`);
        await world.sleep(ms);
      } else if (world.nowMs() - startedMs > LIFETIME_MS) {
        world.tell(`${name} is killed at its time limit`);
        isDead = true;
        return dead();
      }
      return answer();
    };

    const held = memoryLedger(world.nowMs, entries);
    const ledger = mutant.ledger?.(held, entries) ?? held;
    const journal = mutant.journal?.(memoryJournal(rows)) ?? memoryJournal(rows);
    const erp: ErpOrders = {
      resolve: async () => ({}),
      toWire: (_order, _refs, reference) => ({ value: { reference }, warnings: [] }),
      find: (reference) =>
        call('find', async () => {
          if (fault('refused', 12)) throw new RetryableError('DOWN', '503');
          const found = documents.filter((d) => d.reference === reference && d.visibleAtMs <= world.nowMs());
          if (found.length > 1)
            throw new PermanentError('AMBIGUOUS_REFERENCE', {
              reference,
              count: found.length,
              destination: 'erp',
            });
          world.tell(`${name} finds ${found[0]?.id ?? 'nothing'}`);
          return found[0];
        }),
      create: (wire) =>
        call('create', async () => {
          const { reference } = wire as { reference: string };
          if (fault('refused', 12)) throw new RetryableError('DOWN', '503');
          const landMs = fault('late-write', 6) ? world.choose(SETTLE_MS) : 0;
          const lagMs = world.choose(Math.max(1, SETTLE_MS - landMs));
          let document: ErpDocument | undefined;
          world.later(landMs, () => {
            document = {
              id: String(documents.length + 1),
              reference,
              visibleAtMs: world.nowMs() + lagMs,
              state: 'draft',
              confirmations: 0,
            };
            documents.push(document);
            world.tell(`document ${document.id} lands, found after ${lagMs} ms`);
          });
          if (landMs > 0 || fault('lost-answer', 6)) {
            world.tell(`${name} gets no answer to create`);
            throw new UnknownOutcomeError('NO_ANSWER', 'connection reset');
          }
          await world.sleep(1);
          if (!document) throw new Error('the write did not land');
          return document;
        }),
      complete: (document, _wire, level) =>
        call('complete', async () => {
          if (fault('refused', 12)) throw new RetryableError('DOWN', '503');
          const found = documents.find((d) => d.id === document.id);
          if (!found)
            throw new PermanentError('ERP_DOCUMENT_GONE', { destination: 'erp', document: document.id });
          if (level === 'confirm' && found.state === 'draft') {
            found.state = 'sale';
            found.confirmations += 1;
          }
          if (fault('lost-answer', 12)) throw new UnknownOutcomeError('NO_ANSWER', 'connection reset');
          return {
            id: found.id,
            total: base.total,
            rounding: { minor: 0, currency: base.currency },
            warnings: [],
          };
        }),
    };
    const mutated = mutant.erp?.(erp) ?? erp;
    return {
      destination: 'erp',
      routes: [route],
      nowMs: world.nowMs,
      leaseMs: LEASE_MS,
      settleMs: SETTLE_MS + SEND_MS,
      random,
      erp: mutant.forgetsUnknown ? forgetful(mutated) : mutated,
      ledger: {
        peek: (intent) => call('peek', () => ledger.peek(intent)),
        claim: (...args) => call('claim', () => ledger.claim(...args)),
        written: (...args) => call('written', () => ledger.written(...args)),
        note: (...args) => call('note', () => ledger.note(...args)),
        finish: (...args) => call('finish', () => ledger.finish(...args)),
        release: (...args) => call('release', () => ledger.release(...args)),
      },
      mappings: { lookup: async () => new Map() },
      bindings: { put: async () => undefined },
      refetch: { ...refetch, notify: (event) => call('notify', () => refetch.notify(event)) },
      journal: {
        record: (...args) => journal.record(...args),
        settle: (...args) => call('settle', () => journal.settle(...args)),
        close: (...args) => call('close', () => journal.close(...args)),
        settled: (...args) => call('settled', () => journal.settled(...args)),
      },
    };
  };

  let workers = 0;
  /** A message in the queue: received, worked on, and received again until somebody deleted it. */
  const deliver = (order: OrderChangedV1, label: string, seen: Seen = {}, receive = 1): void => {
    workers += 1;
    const name = `worker ${workers} (${label})`;
    let done = false;
    const again = (ms: number) => world.later(ms, () => deliver(order, label, seen, receive + 1));
    const event: Envelope<OrderChangedV1> = {
      meta: {
        id: label,
        connection: 'shop',
        correlationId: 'shop:1001',
        receivedAtMs: 0,
        via: 'webhook',
        ...seen,
      },
      data: order,
    };
    pushOrder(worker(name), event, { signal: new AbortController().signal }).then(
      (outcome) => {
        done = true;
        world.tell(`${name}: ${outcome.kind}${outcome.kind === 'skipped' ? ` ${outcome.reason}` : ''}`);
      },
      (error: unknown) => {
        done = true;
        world.tell(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        if (error instanceof PermanentError) parked.push(error.code);
        else if (error instanceof BusyError) again(error.leaseUntilMs - world.nowMs());
        else {
          const { waitMs, attempt } = error instanceof RetryableError ? error : {};
          again(waitMs ?? delayMs(attempt ?? receive, { random }));
        }
      },
    );
    // Nobody deleted it: the queue shows it again when its visibility runs out.
    world.later(6 * LIFETIME_MS, () => {
      if (!done) deliver(order, label, seen, receive + 1);
    });
  };
  const send = (order: OrderChangedV1, label: string) => {
    world.later(world.choose(5_000), () => deliver(order, label));
    for (let copy = world.choose(4); copy > 0; copy -= 1) {
      world.later(world.choose(250_000), () => deliver(order, `${label}, copy ${copy}`));
    }
  };
  if (sameSecond) {
    const end = { ...second, contentHash: 'end', status: 'cancelled' } as const;
    const [before, after] = sameSecond === 'cancelled' ? [second, end] : [end, second];
    let truth: OrderChangedV1 = before;
    /** Recorder and consumer get their own copies, each in its own time. */
    const arrive = (order: OrderChangedV1, label: string, seen: Seen & { receivedAtMs: number }) => {
      world.later(world.choose(5_000), () => deliver(order, label, seen));
      for (let copy = world.choose(3); copy > 0; copy -= 1) {
        world.later(world.choose(250_000), () => deliver(order, `${label}, copy ${copy}`, seen));
      }
      const event: Envelope<OrderChangedV1> = {
        meta: { id: label, connection: 'shop', correlationId: 'shop:1001', via: 'webhook', ...seen },
        data: order,
      };
      const step = { atMs: 0, code: 'RECEIVED', text: label };
      world.later(world.choose(30_000), () => void memoryJournal(rows).record('erp', event, step));
    };
    let fetches = 0;
    const fetch = (): void => {
      fetches += 1;
      const label = `fetched ${fetches}`;
      const fetchedAtMs = world.nowMs();
      world.later(50 + world.choose(2_000), () => {
        const order = truth;
        if (fault('fetch-fails', 8)) return world.later(10_000, fetch);
        world.tell(`the shop says: ${order.status}`);
        const seen = mutant.forgetsFetching ? {} : { fetchedAtMs };
        arrive(order, label, { receivedAtMs: fetchedAtMs, ...seen });
      });
    };
    const real: Refetch = {
      sources: new Set(['shop']),
      notify: async () => world.later(world.choose(3_000), fetch),
    };
    refetch = mutant.refetch?.(real) ?? real;
    world.later(0, () => arrive(before, before.status, { receivedAtMs: world.nowMs() }));
    world.later(1 + world.choose(900), () => {
      truth = after;
      // The webhook of the first state may be late, and come after that of the second.
      world.later(1 + world.choose(500), () => arrive(after, after.status, { receivedAtMs: world.nowMs() }));
    });
    return { documents, entries, rows, parked, faults };
  }
  send(first, 'first version');
  send(second, 'second version');
  if (cancelled) send({ ...second, sourceVersion: second.sourceVersion + 1000, status: 'cancelled' }, 'end');
  return { documents, entries, rows, parked, faults };
};

type Seen = Partial<Pick<Meta, 'receivedAtMs' | 'fetchedAtMs'>>;

const forgetful = (erp: ErpOrders): ErpOrders => ({
  ...erp,
  create: (wire, call) =>
    erp.create(wire, call).catch((error: unknown) => {
      throw error instanceof UnknownOutcomeError ? new RetryableError('FAILED', error.message) : error;
    }),
});
