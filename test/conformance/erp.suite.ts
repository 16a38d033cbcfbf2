import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  ChangeWindow,
  CompletedOrder,
  ErpCandidate,
  ErpConnector,
  ErpOrders,
  Mappings,
  OpenedErp,
  OrderContext,
  PaymentRequest,
  PeerDocument,
  RefundRequest,
} from '../../shared/connectors/contract.ts';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import {
  BusyError,
  CredentialsError,
  PermanentError,
  RetryableError,
  UnknownOutcomeError,
} from '../../shared/core/errors.ts';
import {
  intentKey,
  orderReference,
  paymentReference,
  refundReference,
} from '../../shared/core/intent-key.ts';
import { once } from '../../shared/core/once.ts';
import type { Booking } from '../../shared/core/payments.ts';
import { refundParts } from '../../shared/core/refund-parts.ts';
import type { OrderChangedV1, OrderRefund } from '../../shared/events/order-changed.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { anOrder } from '../fakes/orders.ts';
import { type Fault, type PeerServer, startPeerServer } from '../fakes/peer-server.ts';

/** What a connector brings along to be tested: a fake peer that can book `anOrder()`. */
export interface ErpTestbed<S = unknown, C = unknown> {
  /** Besides the connector's name, where there are several, e.g. its version. */
  readonly title: string;
  readonly connector: ErpConnector<S, C> & { readonly manifest: ErpManifest };
  settings(url: string): Record<string, unknown>;
  readonly credentials: Record<string, unknown>;
  /** Whether the connector can change what it has written; its peer then has `byHand`. Default: not yet. */
  readonly changes?: boolean;
  /** Rows that `anOrder()` needs. */
  readonly mappings: Mappings;
  start(): Promise<ErpPeer>;
}

/** An ERP on this machine. */
export interface ErpPeer {
  readonly url: string;
  readonly server: PeerServer;
  /** Whether a request changes something. */
  isWrite(request: FastifyRequest): boolean;
  /** How the ERP says that it does not take what it was given: an answer, and its words. */
  readonly refusal: { readonly status: number; readonly body: string };
  /** All orders as they stand, with everything that `complete` may touch. */
  orders(): readonly ErpOrder[];
  /** How many customers there are, addresses not counted. */
  customers(): number;
  /** Somebody enters an order by hand, with this reference. */
  enterByHand(reference: string): void;
  /** What people do to an order, and what was given back of it. */
  readonly changes?: {
    /** Somebody changes a quantity. */
    editByHand(id: string): void;
    /** All of it is shipped. */
    deliver(id: string): void;
    /** The books are closed for all days, so far as the ERP has them. Called, they are open again. */
    closeBooks(): () => void;
    creditNotes(): readonly {
      readonly id: string;
      readonly reference: string;
      readonly total: string;
      readonly isPosted: boolean;
    }[];
  };
  /** Payments of customers; the mappings then have a journal for "stripe", and one that is not there for "gone". */
  payments?(): readonly {
    readonly id: string;
    /** As staff read it. */
    readonly text: string;
    readonly direction: 'in' | 'out';
    readonly amount: number;
    readonly day: string;
    readonly isPosted: boolean;
  }[];
  stop(): Promise<void>;
}

export interface ErpOrder {
  readonly id: string;
  readonly reference: string;
  readonly isConfirmed: boolean;
  readonly isCancelled?: boolean;
  /** Decimal, as the ERP computed it. */
  readonly total: string;
  /** The buyer's, UTC. */
  readonly placedAt: string;
  readonly lines: readonly string[];
}

const DAY_MS = 86_400_000;
const DESTINATION = 'acme-erp';
const LEVELS = ['draft', 'reserve', 'confirm'] as const;

/** What every ERP connector must do. Run it in three lines: `test/conformance/<name>.test.ts`. */
export const erpSuite = <S, C>(testbed: ErpTestbed<S, C>): void => {
  const { connector } = testbed;
  const { manifest } = connector;
  const route = OrderRoute.parse({ from: 'acme-woo', to: DESTINATION, startAt: '2026-01-01T00:00:00Z' });
  const order = anOrder();
  const referenceOf = ({ source, orderId }: OrderChangedV1) => orderReference(source, orderId);
  const reference = referenceOf(order);

  let peer: ErpPeer;
  let run: string;
  let erp: ErpOrders;
  let context: OrderContext;
  const signal = new AbortController().signal;

  beforeEach(async () => {
    peer = await testbed.start();
    run = randomUUID().slice(0, 8);
    erp = openAt(peer.url);
    const ledger = memoryLedger(Date.now);
    context = {
      signal,
      route,
      mappings: testbed.mappings,
      once: async (subject, steps) => {
        const ports = { ledger, nowMs: Date.now, leaseMs: 60_000, settleMs: 0 };
        return (await once(ports, intentKey(DESTINATION, '*', subject, 'create'), steps)).document;
      },
    };
  });
  afterEach(() => peer.stop());

  const connectTo = (url: string): OpenedErp =>
    connector.open({
      connection: DESTINATION,
      settings: manifest.settings.parse(testbed.settings(url)) as S,
      credentials: async () => manifest.credentials.parse(testbed.credentials) as C,
      nowMs: Date.now,
    });
  const openAt = (url: string): ErpOrders => connectTo(url).orders;
  // Opening asks nobody.
  const canAdopt = openAt('http://127.0.0.1:1').adoption !== undefined;
  const canBook = openAt('http://127.0.0.1:1').payments !== undefined;
  const candidates = async (window: ChangeWindow): Promise<ErpCandidate[]> => {
    const all: ErpCandidate[] = [];
    for await (const page of erp.adoption?.candidates(window, route, { signal }) ?? []) all.push(...page);
    return all;
  };
  /** The one order that was entered by hand. */
  const entered = async () => {
    const [found] = await candidates({ fromMs: 0, untilMs: Date.now() + 2 * DAY_MS });
    if (!found) throw new Error('nothing was entered by hand');
    const { document } = found;
    return {
      document,
      adopt: async (ours: string | undefined) => erp.adoption?.adopt(document, ours, route, { signal }),
    };
  };
  const wireOf = async (of = order): Promise<unknown> =>
    erp.toWire(of, await erp.resolve(of, context), referenceOf(of), route).value;
  const written = async (of = order): Promise<{ wire: unknown; document: PeerDocument }> => {
    const wire = await wireOf(of);
    return { wire, document: await erp.create(wire, { signal }) };
  };
  const failureOf = async (work: Promise<unknown>): Promise<Error> => {
    const error = await work.then(
      (value) => new Error(`it did not fail: ${JSON.stringify(value)}`),
      (thrown: unknown) => thrown as Error,
    );
    expect(error instanceof RetryableError || error instanceof PermanentError, error.message).toBe(true);
    return error;
  };
  /** The connector's own steps, without a ledger around them. */
  const unguarded: OrderContext['once'] = async (_subject, steps) =>
    (await steps.find()) ?? (await steps.create());
  /** The `nth` request that `which` holds for, from now on; the others are not touched. */
  const nth = (n: number, effect: Fault['effect'], which: (request: FastifyRequest) => boolean): void => {
    let seen = 0;
    const when = (request: FastifyRequest): boolean => {
      if (!which(request)) return false;
      seen += 1;
      return seen === n;
    };
    peer.server.fault({ when, effect });
  };
  const any = () => true;
  const isWrite = (request: FastifyRequest) => peer.isWrite(request);
  /** Requests of one kind that `work` makes. */
  const counting = async (
    which: (request: FastifyRequest) => boolean,
    work: () => Promise<unknown>,
  ): Promise<number> => {
    let requests = 0;
    const when = (request: FastifyRequest): boolean => {
      if (which(request)) requests += 1;
      return false;
    };
    const remove = peer.server.fault({ when, effect: { kind: 'drop-before' } });
    await work().catch(() => undefined);
    remove();
    return requests;
  };
  /** Everything but what the ERP itself numbers. */
  const stateOf = () => peer.orders().map(({ id: _, ...rest }) => rest);

  describe(`${manifest.name}${testbed.title ? ` ${testbed.title}` : ''}`, () => {
    describe('manifest', () => {
      it('names the connector, its version and its limits', () => {
        expect(manifest.name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
        expect(manifest.kind).toBe('erp');
        expect(manifest.title).not.toBe('');
        expect(manifest.apiVersion).not.toBe('');
        if (manifest.apiVersionSunset) expect(manifest.apiVersionSunset).toMatch(/^\d{4}-\d{2}-\d{2}$/);
        expect(manifest.maxConcurrentCalls).toBeGreaterThanOrEqual(2);
        expect(manifest.settleMs).toBeGreaterThan(0);
      });

      it('refuses settings and credentials that it does not know', () => {
        const known = testbed.settings('https://erp.acme.example');
        expect(manifest.settings.safeParse(known).success).toBe(true);
        expect(manifest.settings.safeParse({ ...known, unheardOf: 1 }).success).toBe(false);
        expect(manifest.credentials.safeParse({ ...testbed.credentials, unheardOf: 1 }).success).toBe(false);
        expect(manifest.credentials.safeParse({}).success).toBe(false);
      });
    });

    describe('the connection test', () => {
      const KEEPS = Number.POSITIVE_INFINITY;
      const test = (at = peer.url) => connectTo(at).test({ signal });

      it('says who answers, and changes nothing', async () => {
        const before = { state: stateOf(), customers: peer.customers() };
        const writes = await counting(isWrite, async () => {
          expect(await test()).toMatch(/\w+ \d+/);
        });
        expect(writes).toBe(0);
        expect({ state: stateOf(), customers: peer.customers() }).toEqual(before);
      });

      it.each([401, 403])('%d: credentials', async (status) => {
        peer.server.fault({ times: KEEPS, effect: { kind: 'answer', status } });
        expect(await failureOf(test())).toBeInstanceOf(CredentialsError);
      });

      it.each<[string, Fault['effect']]>([
        ['503', { kind: 'answer', status: 503 }],
        ['502', { kind: 'answer', status: 502, body: '<html>Bad gateway</html>' }],
        ['HTML with status 200', { kind: 'answer', status: 200, body: '<html>Just a moment</html>' }],
        ['a connection that is closed', { kind: 'drop-before' }],
        ['an answer that is lost', { kind: 'drop-after' }],
      ])('%s: it is down', async (_case, effect) => {
        peer.server.fault({ times: KEEPS, effect });
        const error = await failureOf(test());
        expect(error).toBeInstanceOf(RetryableError);
        expect(error).not.toBeInstanceOf(CredentialsError);
        expect(error).not.toBeInstanceOf(UnknownOutcomeError);
      });

      it('what was true a moment ago is not believed', async () => {
        const opened = connectTo(peer.url);
        await opened.test({ signal });
        peer.server.fault({ times: KEEPS, effect: { kind: 'answer', status: 401 } });
        expect(await failureOf(opened.test({ signal }))).toBeInstanceOf(CredentialsError);
      });

      it('a refusal of what it asks: never parked', async () => {
        peer.server.fault({ times: KEEPS, effect: { kind: 'answer', ...peer.refusal } });
        expect(await failureOf(test())).toBeInstanceOf(RetryableError);
      });

      it('nobody listens: it is down', async () => {
        const gone = await startPeerServer(() => undefined);
        await gone.stop();
        expect(await failureOf(test(gone.url))).toMatchObject({ code: 'PEER_UNREACHABLE' });
      });
    });

    describe('finding', () => {
      it('nothing: undefined', async () => {
        expect(await erp.find(reference, route, { signal })).toBeUndefined();
      });

      it('what was created, by the reference that we wrote', async () => {
        const { document } = await written();
        expect(await erp.find(reference, route, { signal })).toMatchObject({ id: document.id });
        expect(await erp.find(`${reference}1`, route, { signal })).toBeUndefined();
        expect(peer.orders()).toMatchObject([{ id: document.id, reference, isConfirmed: false }]);
      });

      it('two: parked, never one of them', async () => {
        await written();
        peer.enterByHand(reference);
        expect(await failureOf(erp.find(reference, route, { signal }))).toMatchObject({
          code: 'AMBIGUOUS_REFERENCE',
          params: { reference, count: 2 },
        });
      });

      it('an answer that is none is not "nothing"', async () => {
        await written();
        peer.server.fault({
          times: Number.POSITIVE_INFINITY,
          effect: { kind: 'answer', status: 200, body: '<html>Just a moment</html>' },
        });
        const error = await failureOf(erp.find(reference, route, { signal }));
        expect(error).toBeInstanceOf(RetryableError);
        expect(error).not.toBeInstanceOf(UnknownOutcomeError);
      });
    });

    describe('mapping', () => {
      it('is the same every time, and carries the reference', async () => {
        const refs = await erp.resolve(order, context);
        const map = () => erp.toWire(order, refs, reference, route);
        expect(map()).toEqual(map());
        expect(JSON.stringify(map().value)).toContain(reference);
      });

      it('a SKU that the ERP does not have: parked, naming the line', async () => {
        const [first, second] = order.lines;
        if (!first || !second) throw new Error('the order has two lines');
        const unknown = anOrder({ lines: [first, { ...second, sku: 'NOT-THERE' }] });
        const error = await failureOf(wireOf(unknown));
        expect(error).toMatchObject({ code: 'UNKNOWN_SKU', params: { sku: 'NOT-THERE' } });
        expect(error.message).toMatch(/line 2/i);
        expect(peer.orders()).toEqual([]);
      });

      it('in shadow nothing is written, not even a customer', async () => {
        const before = peer.customers();
        const writes = await counting(isWrite, async () => {
          const refs = await erp.resolve(order, { ...context, once: undefined });
          erp.toWire(order, refs, reference, route);
        });
        expect(writes).toBe(0);
        expect(peer.customers()).toBe(before);
      });
    });

    describe('customers', () => {
      const customersMade = async (work: () => Promise<unknown>): Promise<number> => {
        const before = peer.customers();
        await work();
        return peer.customers() - before;
      };
      const again = async (of: OrderChangedV1, tries = 20): Promise<unknown> => {
        try {
          return await erp.resolve(of, context);
        } catch (error) {
          if (!(error instanceof BusyError) || tries === 0) throw error;
          await new Promise((resolve) => setTimeout(resolve, 20));
          return again(of, tries - 1);
        }
      };
      const next = anOrder({ orderId: '1002', orderNumber: '1002' });

      it('two orders of one new buyer at once make one', async () => {
        expect(await customersMade(() => Promise.all([again(order), again(next)]))).toBe(1);
      });

      it('that was created and never answered is found afterwards', async () => {
        const made = await customersMade(async () => {
          peer.server.fault({ when: isWrite, effect: { kind: 'drop-after' } });
          const bare = { ...context, once: unguarded };
          expect(await failureOf(erp.resolve(order, bare))).toBeInstanceOf(UnknownOutcomeError);
          await erp.resolve(order, bare);
        });
        expect(made).toBe(1);
      });

      it('two masked buyers are two, though their masks are alike', async () => {
        const masked = { masked: true, name: '王****' };
        const [one, two] = [order, next].map((each) => ({
          ...each,
          buyer: masked,
          billing: undefined,
          shipping: { city: '台北市', country: 'TW' },
        }));
        if (!one || !two) throw new Error('two orders');
        expect(await customersMade(async () => [await again(one), await again(two)])).toBe(2);
      });

      it('one masked buyer whom the platform numbers is one', async () => {
        const buyer = { masked: true, id: '258065' };
        expect(
          await customersMade(async () => [
            await again({ ...order, buyer }),
            await again({ ...next, buyer }),
          ]),
        ).toBe(1);
      });
    });

    describe('completing', () => {
      it.each(LEVELS)('takes the order as far as it is told: %s', async (level) => {
        const { wire, document } = await written();
        const completed = await erp.complete(document, wire, level, { signal });
        expect(completed).toMatchObject({ id: document.id, rounding: { currency: 'TWD' } });
        assertTotal(completed, order, peer);
        const [there] = peer.orders();
        expect(there?.isConfirmed).toBe(level !== 'draft');
        expect(Date.parse(there?.placedAt ?? '')).toBe(Date.parse(order.placedAt));
      });

      it('a draft, then confirmed', async () => {
        const { wire, document } = await written();
        await erp.complete(document, wire, 'draft', { signal });
        expect(peer.orders()).toMatchObject([{ isConfirmed: false }]);
        assertTotal(await erp.complete(document, wire, 'confirm', { signal }), order, peer);
        expect(peer.orders()).toMatchObject([{ isConfirmed: true }]);
      });

      it.each(LEVELS)('twice is once: %s', async (level) => {
        const { wire, document } = await written();
        const first = await erp.complete(document, wire, level, { signal });
        const state = stateOf();
        expect(await erp.complete(document, wire, level, { signal })).toEqual(first);
        expect(stateOf()).toEqual(state);
      });

      it.each(['drop-before', 'drop-after'] as const)(
        'after a crash at each of its calls, ends as without: %s',
        async (kind) => {
          const undisturbed = await written();
          const calls = await counting(any, () =>
            erp.complete(undisturbed.document, undisturbed.wire, 'confirm', { signal }),
          );
          const [{ reference: _, ...wanted } = {}] = stateOf();
          expect(calls).toBeGreaterThan(1);
          let failed = 0;
          for (let n = 1; n <= calls; n += 1) {
            const each = anOrder({ orderId: `crash-${n}` });
            const { wire, document } = await written(each);
            nth(n, { kind }, any);
            await erp.complete(document, wire, 'confirm', { signal }).catch((error: unknown) => {
              failed += 1;
              expect(error, String(error)).toBeInstanceOf(RetryableError);
            });
            assertTotal(await erp.complete(document, wire, 'confirm', { signal }), each, peer);
            const [{ reference: written_, ...end } = { reference: '' }] = stateOf().slice(-1);
            expect(written_).toBe(referenceOf(each));
            expect(end, `${kind} at call ${n} of ${calls}`).toEqual(wanted);
          }
          // Reads may be repeated in place, writes never: those at least must have failed.
          expect(failed).toBeGreaterThan(0);
          expect(peer.orders()).toHaveLength(calls + 1);
        },
      );

      it.each([503, 504])('%d to each of its writes, then completed', async (status) => {
        const undisturbed = await written();
        const writes = await counting(isWrite, () =>
          erp.complete(undisturbed.document, undisturbed.wire, 'confirm', { signal }),
        );
        for (let n = 1; n <= writes; n += 1) {
          const each = anOrder({ orderId: `status-${n}` });
          const { wire, document } = await written(each);
          nth(n, { kind: 'answer', status }, isWrite);
          const error = await failureOf(erp.complete(document, wire, 'confirm', { signal }));
          expect(error).toBeInstanceOf(RetryableError);
          expect(error instanceof UnknownOutcomeError).toBe(status === 504);
          assertTotal(await erp.complete(document, wire, 'confirm', { signal }), each, peer);
        }
        expect(writes).toBeGreaterThan(0);
        expect(peer.orders().every(({ isConfirmed }) => isConfirmed)).toBe(true);
      });

      it('a document that is gone: parked', async () => {
        const { wire } = await written();
        const gone = { id: '987654' };
        expect(await failureOf(erp.complete(gone, wire, 'confirm', { signal }))).toMatchObject({
          code: 'ERP_DOCUMENT_GONE',
        });
      });
    });

    describe.skipIf(!canAdopt)('what people entered (skipped: the connector cannot list it yet)', () => {
      const window = () => ({ fromMs: Date.now() - 2 * DAY_MS, untilMs: Date.now() + 2 * DAY_MS });
      const everything = { fromMs: 0, untilMs: Date.parse('2100-01-01T00:00:00Z') };

      it('is listed with what they noted; listing changes nothing', async () => {
        peer.enterByHand('Web 1001');
        const before = stateOf();
        const writes = await counting(isWrite, async () => {
          const found = await candidates(window());
          expect(found).toMatchObject([{ document: { id: peer.orders()[0]?.id }, state: 'draft' }]);
          expect(found[0]?.mentions).toContain('Web 1001');
        });
        expect(writes).toBe(0);
        expect(stateOf()).toEqual(before);
      });

      it('and what we wrote, too: by our reference', async () => {
        const { document } = await written();
        const [found] = await candidates(everything);
        expect(found).toMatchObject({ document: { id: document.id }, reference });
        expect(found?.total.currency).toBe('TWD');
        expect(found?.stepMinor).toBeGreaterThan(0);
      });

      it('becomes ours: found by our reference, once, and what they noted is not lost', async () => {
        peer.enterByHand('Web 1001');
        const { document, adopt } = await entered();
        expect(await adopt(reference)).toMatchObject({ id: document.id, state: 'draft' });
        expect(await erp.find(reference, route, { signal })).toMatchObject({ id: document.id });
        expect((await candidates(window()))[0]?.mentions.join(' ')).toContain('Web 1001');
        const before = stateOf();
        expect(await counting(isWrite, () => adopt(reference))).toBe(0);
        expect(stateOf()).toEqual(before);
      });

      it('is only read where our reference is not wanted', async () => {
        peer.enterByHand('Web 1001');
        const before = stateOf();
        const { adopt } = await entered();
        expect(await counting(isWrite, () => adopt(undefined))).toBe(0);
        expect(stateOf()).toEqual(before);
      });

      it('an answer that is none is not "nothing was entered"', async () => {
        peer.server.fault({
          times: Number.POSITIVE_INFINITY,
          effect: { kind: 'answer', status: 200, body: '<html>Just a moment</html>' },
        });
        expect(await failureOf(candidates(window()))).toBeInstanceOf(RetryableError);
      });

      it('what we wrote ourselves is as we would write it', async () => {
        const { document, wire } = await written();
        await erp.complete(document, wire, 'confirm', { signal });
        expect(await erp.adoption?.compare(document, wire, route, { signal })).toEqual([]);
      });
    });

    describe.skipIf(!testbed.changes)('changing what was written (skipped: the connector cannot yet)', () => {
      const twd = (minor: number) => ({ minor, currency: 'TWD' });
      const [tea, mug] = order.lines;
      if (!tea || !mug) throw new Error('the order has two lines');
      const [tax] = tea.taxes;
      if (!tax) throw new Error('its lines are taxed');
      const more = (of: OrderChangedV1): OrderChangedV1 => ({
        ...of,
        lines: [
          {
            ...tea,
            quantity: 3,
            subtotal: twd(126000),
            total: twd(126000),
            taxes: [{ ...tax, amount: twd(6300) }],
          },
        ],
        tax: twd(6600),
        total: twd(138600),
      });
      const refund = {
        id: '77',
        total: twd(44100),
        lines: [{ lineId: tea.id, quantity: 1, total: twd(42000), taxes: [{ ...tax, amount: twd(2100) }] }],
      };

      it('an edit of a confirmed order: same document, new total, and once', async () => {
        const { document, asLeft } = await confirmed();
        const edited = more(order);
        const wire = await wireOf(edited);
        const first = await erp.complete(document, wire, 'confirm', { signal }, asLeft);
        assertTotal(first, edited, peer);
        expect(first.fingerprint).not.toBe(asLeft);
        const state = stateOf();
        expect(await erp.complete(document, wire, 'confirm', { signal }, asLeft)).toEqual(first);
        expect(
          await counting(isWrite, () => erp.complete(document, wire, 'confirm', { signal }, asLeft)),
        ).toBe(0);
        expect(stateOf()).toEqual(state);
        expect(peer.orders()).toHaveLength(1);
      });

      it('an edit of a draft, then confirmed', async () => {
        const wire = await wireOf();
        const document = await erp.create(wire, { signal });
        const { fingerprint } = await erp.complete(document, wire, 'draft', { signal });
        const edited = more(order);
        const completed = await erp.complete(
          document,
          await wireOf(edited),
          'confirm',
          { signal },
          fingerprint,
        );
        assertTotal(completed, edited, peer);
        expect(peer.orders()).toMatchObject([{ isConfirmed: true }]);
      });

      it('what staff changed is neither overwritten nor cancelled', async () => {
        const { document, asLeft } = await confirmed();
        peer.changes?.editByHand(document.id);
        const state = stateOf();
        const wire = await wireOf(more(order));
        const edit = erp.complete(document, wire, 'confirm', { signal }, asLeft);
        expect(await failureOf(edit)).toMatchObject({ code: 'EDITED_IN_ERP' });
        const cancel = changes().cancel(document, asLeft, route, { signal });
        expect(await failureOf(cancel)).toMatchObject({ code: 'EDITED_IN_ERP' });
        expect(stateOf()).toEqual(state);
      });

      it('what was shipped is not cancelled', async () => {
        const { document, asLeft } = await confirmed();
        peer.changes?.deliver(document.id);
        const cancel = changes().cancel(document, asLeft, route, { signal });
        expect(await failureOf(cancel)).toMatchObject({
          code: 'TOO_LATE_IN_ERP',
          params: { change: 'cancelled', because: 'delivered' },
        });
        expect(peer.orders()).toMatchObject([{ isConfirmed: true }]);
      });

      it('a refund is found by its own reference, and never another one', async () => {
        const { document } = await confirmed();
        const { request, wire } = await refundOf(document, order, refund);
        expect(await changes().refunds.find(request, { signal })).toBeUndefined();
        peer.server.fault({ when: isWrite, effect: { kind: 'drop-after' } });
        expect(await failureOf(changes().refunds.create(wire, { signal }))).toBeInstanceOf(
          UnknownOutcomeError,
        );
        const found = await changes().refunds.find(request, { signal });
        expect(peer.changes?.creditNotes()).toMatchObject([{ id: found?.id, reference: request.reference }]);
        const other = { ...request, reference: `${request.reference}8` };
        expect(await changes().refunds.find(other, { signal })).toBeUndefined();
        expect(await erp.find(reference, route, { signal })).toMatchObject({ id: document.id });
      });

      it('a refund for which the books are closed is parked in words of its own, and booked once they are open', async () => {
        const { document } = await confirmed();
        const { request, wire } = await refundOf(document, order, refund);
        const credit = async () => {
          const { refunds } = changes();
          const found = await refunds.find(request, { signal });
          return refunds.complete(found ?? (await refunds.create(wire, { signal })), wire, { signal });
        };
        const reopen = peer.changes?.closeBooks();
        try {
          expect(await failureOf(credit())).toMatchObject({
            code: 'PERIOD_LOCKED',
            params: { what: 'credit-note', day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) },
          });
          expect(notes().filter(([, isPosted]) => isPosted)).toEqual([]);
        } finally {
          reopen?.();
        }
        expect((await credit()).warnings).toEqual([]);
        expect(notes()).toMatchObject([[expect.any(Number), true]]);
      });

      /** Each change, on an order of its own. */
      const CHANGES: readonly (readonly [string, (of: OrderChangedV1) => Promise<() => Promise<unknown>>])[] =
        [
          [
            'edit',
            async (of) => {
              const { document, asLeft } = await confirmed(of);
              const wire = await wireOf(more(of));
              return () => erp.complete(document, wire, 'confirm', { signal }, asLeft);
            },
          ],
          [
            'cancel',
            async (of) => {
              const { document, asLeft } = await confirmed(of);
              return () => changes().cancel(document, asLeft, route, { signal });
            },
          ],
          [
            'refund',
            async (of) => {
              const { document } = await confirmed(of);
              const { request, wire } = await refundOf(document, of, refund);
              return async () => {
                const note =
                  (await changes().refunds.find(request, { signal })) ??
                  (await changes().refunds.create(wire, { signal }));
                return changes().refunds.complete(note, wire, { signal });
              };
            },
          ],
          [
            'payment',
            async (of) => {
              const { document } = await confirmed(of);
              const { request, wire, payments } = await paymentOf(document, captured, of);
              return async () => {
                const made =
                  (await payments.find(request, { signal })) ?? (await payments.create(wire, { signal }));
                return payments.complete(made, wire, { signal });
              };
            },
          ],
        ];
      it.each(CHANGES.filter(([what]) => canBook || what !== 'payment'))(
        '%s: after a crash at each of its calls, ends as without, and once',
        async (_what, prepare) => {
          const change = await prepare(order);
          const calls = await counting(any, change);
          const [{ reference: _, ...wanted } = {}] = stateOf();
          const wantedNotes = notes();
          expect(calls).toBeGreaterThan(1);
          for (const kind of ['drop-before', 'drop-after'] as const) {
            for (let n = 1; n <= calls; n += 1) {
              const each = anOrder({ orderId: `${kind}-${n}` });
              const again = await prepare(each);
              const before = notes().length;
              nth(n, { kind }, any);
              await again().catch((error: unknown) => {
                expect(error, String(error)).toBeInstanceOf(RetryableError);
              });
              await again();
              const [{ reference: written_, ...end } = { reference: '' }] = stateOf().slice(-1);
              expect(written_).toBe(referenceOf(each));
              expect(end, `${kind} at call ${n} of ${calls}`).toEqual(wanted);
              expect(notes().slice(before)).toEqual(wantedNotes);
            }
          }
          expect(peer.orders()).toHaveLength(2 * calls + 1);
        },
      );
      const notes = () => [
        ...(peer.changes?.creditNotes() ?? []).map(({ total, isPosted }) => [Number(total), isPosted]),
        ...(peer.payments?.() ?? []).map(({ amount, isPosted }) => [amount, isPosted]),
      ];
    });

    describe.runIf(canBook)('payments', () => {
      const refunded: Booking = {
        id: 'refund 7_7',
        direction: 'out',
        amount: { minor: 10_000, currency: 'TWD' },
        method: 'stripe',
        at: '2026-11-22T03:00:00Z',
      };
      it('in and out: posted once, with amount, day and reference, and the order stays as it was', async () => {
        const { document, asLeft } = await confirmed();
        const state = stateOf();
        for (const booking of [captured, refunded]) {
          const { request, wire, payments } = await paymentOf(document, booking);
          expect(await payments.find(request, { signal })).toBeUndefined();
          const made = await payments.create(wire, { signal });
          expect(await payments.find(request, { signal })).toMatchObject({ id: made.id });
          const completed = await payments.complete(made, wire, { signal });
          expect(completed).toMatchObject({ id: made.id, amount: booking.amount });
          expect(await payments.complete(made, wire, { signal })).toEqual(completed);
          expect(await counting(isWrite, () => payments.complete(made, wire, { signal }))).toBe(0);
        }
        expect(peer.payments?.()).toMatchObject([
          { direction: 'in', amount: 1000, day: '2026-11-21', isPosted: true },
          { direction: 'out', amount: 100, day: '2026-11-22', isPosted: true },
        ]);
        const [{ text } = { text: '' }] = peer.payments?.() ?? [];
        for (const part of [`${reference}.${run}/payment/paid`, 'pi_1', '3.00 TWD']) {
          expect(text).toContain(part);
        }
        expect(stateOf()).toEqual(state);
        expect(
          (await erp.complete(document, await wireOf(), 'confirm', { signal }, asLeft)).fingerprint,
        ).toBe(asLeft);
      });

      it('is found by its own reference, and never another one', async () => {
        const { document } = await confirmed();
        const { wire, payments } = await paymentOf(document, refunded);
        peer.server.fault({ when: isWrite, effect: { kind: 'drop-after' } });
        expect(await failureOf(payments.create(wire, { signal }))).toBeInstanceOf(UnknownOutcomeError);
        const findBy = async (id: string) =>
          payments.find((await paymentOf(document, { ...refunded, id })).request, { signal });
        expect(peer.payments?.()).toMatchObject([{ id: (await findBy('refund 7_7'))?.id }]);
        for (const id of ['refund 7_', 'refund 797', 'refund 7_78', 'REFUND 7_7']) {
          expect(await findBy(id), id).toBeUndefined();
        }
        await payments.create(wire, { signal });
        expect(await failureOf(findBy('refund 7_7'))).toMatchObject({ code: 'AMBIGUOUS_REFERENCE' });
      });

      it.each([
        ['without a row', 'paypal', { method: 'paypal', source: 'acme-woo' }],
        ['whose row leads nowhere', 'gone', { method: 'gone', source: 'acme-woo', to: 'NOT-THERE' }],
      ])('a method %s: parked', async (_case, method, params) => {
        const { document } = await confirmed();
        const failed = paymentOf(document, { ...captured, method });
        expect(await failureOf(failed)).toMatchObject({ code: 'UNKNOWN_PAYMENT_JOURNAL', params });
        expect(peer.payments?.()).toEqual([]);
      });
    });

    const captured: Booking = {
      id: 'paid',
      direction: 'in',
      amount: { minor: 100_000, currency: 'TWD' },
      method: 'stripe',
      reference: 'pi_1',
      fee: { minor: 300, currency: 'TWD' },
      at: '2026-11-21T03:00:00Z',
    };
    const paymentOf = async (document: PeerDocument, payment: Booking, of = order) => {
      if (!erp.payments) throw new Error('the connector cannot book payments');
      const request: PaymentRequest = {
        order: of,
        payment,
        document,
        // A posted payment stays where it is: the next test's has another reference.
        reference: paymentReference(of.source, `${of.orderId}.${run}`, payment.id),
        route,
      };
      const refs = await erp.payments.resolve(request, context);
      return { request, wire: erp.payments.toWire(request, refs).value, payments: erp.payments };
    };

    const changes = () => {
      if (!erp.changes) throw new Error('the testbed says that the connector can change what it has written');
      return erp.changes;
    };
    const confirmed = async (of = order) => {
      const { wire, document } = await written(of);
      const { fingerprint } = await erp.complete(document, wire, 'confirm', { signal });
      expect(fingerprint).toBeTypeOf('string');
      return { document, asLeft: fingerprint };
    };
    const refundOf = async (document: PeerDocument, of: OrderChangedV1, refund: OrderRefund) => {
      const refunded = { ...of, refunds: [refund] };
      const request: RefundRequest = {
        order: refunded,
        refund,
        parts: refundParts(refunded, refund),
        document,
        reference: refundReference(of.source, of.orderId, refund.id),
        route,
      };
      const refs = await erp.resolve(refunded, context);
      return { request, wire: changes().refunds.toWire(request, refs).value };
    };

    type Write = readonly [string, () => Promise<(at: ErpOrders) => Promise<unknown>>];
    const CHANGING: readonly Write[] = [
      [
        'editing it',
        async () => {
          const { document, asLeft } = await confirmed();
          const wire = await wireOf({ ...order, buyerNote: 'please ring twice' });
          return (at) => at.complete(document, wire, 'confirm', { signal }, asLeft);
        },
      ],
      [
        'cancelling it',
        async () => {
          const { document, asLeft } = await confirmed();
          return async (at) => at.changes?.cancel(document, asLeft, route, { signal });
        },
      ],
      [
        'crediting it',
        async () => {
          const { document } = await confirmed();
          const refund = { id: '78', total: { minor: 1000, currency: 'TWD' } };
          const { wire } = await refundOf(document, order, refund);
          return async (at) => at.changes?.refunds.create(wire, { signal });
        },
      ],
    ];
    const BOOKING: Write = [
      'booking a payment',
      async () => {
        const { document } = await confirmed();
        const { wire } = await paymentOf(document, captured);
        return async (at) => at.payments?.create(wire, { signal });
      },
    ];
    const ADOPTING: Write = [
      'adopting what people entered',
      async () => {
        peer.enterByHand('Web 1001');
        const { document } = await entered();
        return async (at) => at.adoption?.adopt(document, reference, route, { signal });
      },
    ];
    /** Each write of the contract; `prepare` is what comes before it. */
    const WRITES: readonly Write[] = [
      ['creating the customer', async () => (at) => at.resolve(order, { ...context, once: unguarded })],
      [
        'creating the order',
        async () => {
          const wire = await wireOf();
          return (at) => at.create(wire, { signal });
        },
      ],
      [
        'completing it',
        async () => {
          const { wire, document } = await written();
          return (at) => at.complete(document, wire, 'confirm', { signal });
        },
      ],
      ...(testbed.changes ? CHANGING : []),
      ...(canBook ? [BOOKING] : []),
      ...(canAdopt ? [ADOPTING] : []),
    ];
    describe.each(WRITES)('%s fails:', (_what, prepare) => {
      const KEEPS = Number.POSITIVE_INFINITY;
      const hint = { 'retry-after': '7' };
      it.each<[string, Fault['effect'], 'retryable' | 'credentials' | 'unknown', number | undefined]>([
        ['429 with a hint', { kind: 'answer', status: 429, headers: hint }, 'retryable', 7_000],
        ['503', { kind: 'answer', status: 503 }, 'retryable', undefined],
        ['401', { kind: 'answer', status: 401 }, 'credentials', undefined],
        ['403', { kind: 'answer', status: 403 }, 'credentials', undefined],
        ['500', { kind: 'answer', status: 500 }, 'unknown', undefined],
        ['502', { kind: 'answer', status: 502, body: '<html>Bad gateway</html>' }, 'unknown', undefined],
        ['504 after the write', { kind: 'answer', status: 504 }, 'unknown', undefined],
        ['answer lost before the write', { kind: 'drop-before' }, 'unknown', undefined],
        ['answer lost after the write', { kind: 'drop-after' }, 'unknown', undefined],
        ['written late, never answered', { kind: 'late', delayMs: 5 }, 'unknown', undefined],
        [
          'HTML instead of an answer',
          { kind: 'answer', status: 200, body: '<html>ok</html>' },
          'unknown',
          undefined,
        ],
      ])('%s', async (_case, effect, kind, retryAfterMs) => {
        const write = await prepare();
        const before = { orders: peer.orders().length, customers: peer.customers() };
        let error: Error | undefined;
        // Counted first: a fault that hits hides a request from those after it.
        const writes = await counting(isWrite, async () => {
          peer.server.fault({ when: isWrite, times: KEEPS, effect });
          error = await failureOf(write(erp));
        });
        expect(error).toBeInstanceOf(RetryableError);
        expect(error instanceof UnknownOutcomeError, error?.message).toBe(kind === 'unknown');
        expect(error instanceof CredentialsError).toBe(kind === 'credentials');
        if (retryAfterMs !== undefined) expect(error).toMatchObject({ retryAfterMs });
        // Retries belong to the queue, not to the client; only a refused key is tried once more.
        expect(writes).toBeGreaterThan(0);
        expect(writes).toBeLessThanOrEqual(kind === 'credentials' ? 2 : 1);
        expect(peer.orders().length - before.orders).toBeLessThanOrEqual(1);
        expect(peer.customers() - before.customers).toBeLessThanOrEqual(1);
      });

      it('refusal of the data: parked, with its words for the operator', async () => {
        const write = await prepare();
        peer.server.fault({ when: isWrite, effect: { kind: 'answer', ...peer.refusal } });
        const error = await failureOf(write(erp));
        expect(error).toBeInstanceOf(PermanentError);
        expect(error).toMatchObject({ code: 'ERP_REFUSED' });
      });

      it('nobody listens: nothing was sent, so nothing was written', async () => {
        const write = await prepare();
        const gone = await startPeerServer(() => undefined);
        await gone.stop();
        const error = await failureOf(write(openAt(gone.url)));
        expect(error).toBeInstanceOf(RetryableError);
        expect(error).not.toBeInstanceOf(UnknownOutcomeError);
      });
    });

    it('no time left: nothing is sent, and nothing is unknown', async () => {
      const wire = await wireOf();
      const stop = new AbortController();
      stop.abort();
      let error: Error | undefined;
      const requests = await counting(any, async () => {
        error = await failureOf(erp.create(wire, { signal: stop.signal }));
      });
      expect(error).toBeInstanceOf(RetryableError);
      expect(error).not.toBeInstanceOf(UnknownOutcomeError);
      expect(requests).toBe(0);
    });

    it('time runs out while the ERP writes: unknown', async () => {
      const wire = await wireOf();
      const stop = new AbortController();
      peer.server.fault({ when: isWrite, effect: { kind: 'slow', delayMs: 20_000 } });
      const failed = failureOf(erp.create(wire, { signal: stop.signal }));
      await expect.poll(() => peer.server.hits.slow).toBe(1);
      stop.abort();
      expect(await failed).toBeInstanceOf(UnknownOutcomeError);
    });

    it('an unanswered write is found afterwards, and not made again', async () => {
      const wire = await wireOf();
      peer.server.fault({ when: isWrite, effect: { kind: 'drop-after' } });
      expect(await failureOf(erp.create(wire, { signal }))).toBeInstanceOf(UnknownOutcomeError);
      const found = await erp.find(reference, route, { signal });
      expect(peer.orders()).toMatchObject([{ id: found?.id, reference }]);
    });
  });
};

/** What the connector read back is what the ERP says, and that is the shop's total but for what was rounded away. */
const assertTotal = (completed: CompletedOrder, order: OrderChangedV1, peer: ErpPeer): void => {
  const there = peer.orders().find(({ id }) => id === completed.id);
  expect(Number(there?.total)).toBeCloseTo(completed.total.minor / 100, 6);
  // TWD has whole dollars in some ERPs.
  expect(Math.abs(completed.total.minor - order.total.minor)).toBeLessThan(100);
};
