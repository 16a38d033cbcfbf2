import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type {
  Delivery,
  Fetched,
  ListedOrder,
  Received,
  StorefrontConnector,
  StorefrontReads,
} from '../../shared/connectors/contract.ts';
import type { StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { CredentialsError, RetryableError, UnknownOutcomeError } from '../../shared/core/errors.ts';
import { assertAddsUp } from '../../shared/core/order-totals.ts';
import { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { type PeerServer, startPeerServer } from '../fakes/peer-server.ts';

/** What a connector brings along to be tested: samples, and a fake peer. */
export interface StorefrontTestbed<S = unknown, C = unknown> {
  readonly connector: StorefrontConnector<S, C> & { readonly manifest: StorefrontManifest };
  /** The connection's settings, as the stage file has them. */
  settings(url: string): Record<string, unknown>;
  /** Two secrets that sign, as during a rotation. */
  readonly secrets: readonly [string, string];
  /** What the secret holds. Without `reading`, only what verifies pushes; undefined where it always holds both. */
  credentials(of: {
    readonly secrets: readonly string[];
    readonly reading: boolean;
  }): Record<string, unknown> | undefined;
  /** A push as the platform sends it: headers, and the signature over these bytes. */
  push(body: string | Uint8Array, secret: string, nowMs: number): Delivery;
  /** Where the signature stands in a delivery. */
  readonly signatureHeader: string;
  /** Orders and other things that the platform pushed: recorded, or copied from its documentation. */
  readonly samples: readonly PushSample[];
  /** It says more of an order when it is asked than when it pushes: then the two are not compared whole. */
  readonly tellsMoreWhenAsked?: boolean;
  /** It has to be asked for everything in a window before the oldest of it is known. */
  readonly longWindows?: boolean;
  /** How the platform tests whether somebody answers, as far as it does. */
  readonly ping?: Delivery;
  start(nowMs: () => number): Promise<StorefrontPeer>;
}

export interface PushSample {
  readonly name: string;
  readonly body: string;
  /** Of headers that the platform does not send with every push. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly becomes: 'order' | 'notified' | 'ignored';
}

/** A shop on this machine. */
export interface StorefrontPeer {
  readonly url: string;
  readonly server: PeerServer;
  /** A buyer orders; its id. */
  placeOrder(): Promise<string>;
  /** Something about it changes that an ERP would want to know. */
  changeOrder(id: string): Promise<void>;
  /** An id of the right form that nothing has. */
  readonly unknownId: string;
  /** Pushes go there from now on. */
  subscribe(url: string, secret: string): Promise<void>;
  /** Nothing is queued or under way. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const CONNECTION = 'acme-shop';
const START_MS = Date.parse('2026-11-21T22:55:57Z');

/** What every storefront connector must do. Run it in three lines: `test/conformance/<name>.test.ts`. */
export const storefrontSuite = <S, C>(testbed: StorefrontTestbed<S, C>): void => {
  const { connector, secrets } = testbed;
  const { manifest } = connector;
  const [secret, other] = secrets;
  let now = START_MS;
  const nowMs = () => now;

  const settingsOf = (url = 'https://shop.acme.example') =>
    manifest.settings.parse(testbed.settings(url)) as S;
  const credentialsOf = (held: readonly string[], reading = true): C =>
    manifest.credentials.parse(testbed.credentials({ secrets: held, reading })) as C;
  const receive = (delivery: Delivery, held: readonly string[] = [secret], url?: string): Received =>
    connector.receive(delivery, {
      connection: CONNECTION,
      settings: settingsOf(url),
      credentials: credentialsOf(held),
      nowMs,
    });
  const pushed = ({ body, headers = {} }: Pick<PushSample, 'body' | 'headers'>, by = secret): Delivery => {
    const delivery = testbed.push(body, by, now);
    return { ...delivery, headers: { ...delivery.headers, ...headers } };
  };
  const samplesOf = (kind: PushSample['becomes']) =>
    testbed.samples.filter(({ becomes }) => becomes === kind).map((sample) => [sample.name, sample] as const);
  const [first] = testbed.samples;
  if (!first) throw new Error('a connector without samples proves nothing');
  const valid = testbed.samples.find(({ becomes }) => becomes !== 'ignored') ?? first;

  beforeEach(() => {
    now = START_MS;
  });

  describe('manifest', () => {
    it('names the connector, its version, and when that version ends', () => {
      expect(manifest.name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      expect(manifest.kind).toBe('storefront');
      expect(manifest.title).not.toBe('');
      expect(manifest.apiVersion).not.toBe('');
      if (manifest.apiVersionSunset) expect(manifest.apiVersionSunset).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    });

    it('refuses settings and credentials that it does not know', () => {
      const known = testbed.settings('https://shop.acme.example');
      expect(manifest.settings.safeParse(known).success).toBe(true);
      expect(manifest.settings.safeParse({ ...known, unheardOf: 1 }).success).toBe(false);
      const keys = testbed.credentials({ secrets, reading: true });
      expect(manifest.credentials.safeParse(keys).success).toBe(true);
      expect(manifest.credentials.safeParse({ ...keys, unheardOf: 1 }).success).toBe(false);
      expect(manifest.credentials.safeParse({}).success).toBe(false);
    });

    it('says that orders can be read exactly when they can', () => {
      expect(manifest.reads !== undefined).toBe(connector.open !== undefined);
      // Ids alone are of no use to anybody who cannot ask.
      if (samplesOf('notified').length > 0) expect(manifest.reads).toBeDefined();
      if (manifest.reads) expect(manifest.reads.maxConcurrentCalls).toBeGreaterThanOrEqual(2);
    });

    it('answers success to everything that it has taken', () => {
      const { withoutBody: _, ...statuses } = connector.replies;
      for (const status of Object.values(statuses)) {
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(300);
      }
    });
  });

  describe('signature', () => {
    const header = testbed.signatureHeader;
    const good = () => pushed(valid);
    const signature = () => good().headers[header] ?? '';
    const withSignature = (value: string | undefined): Delivery => {
      const delivery = good();
      return { ...delivery, headers: { ...delivery.headers, [header]: value } };
    };
    const flip = (text: string, at: number) => {
      const replaced = text[at] === 'A' ? 'B' : 'A';
      return `${text.slice(0, at)}${replaced}${text.slice(at + 1)}`;
    };

    it('is right', () => expect(receive(good()).kind).toBe(valid.becomes));

    it.each<[string, () => Delivery]>([
      ['missing', () => withSignature(undefined)],
      ['empty', () => withSignature('')],
      ['blank', () => withSignature('   ')],
      ['truncated by one', () => withSignature(signature().slice(0, -1))],
      ['truncated to half', () => withSignature(signature().slice(0, signature().length / 2))],
      ['one character changed', () => withSignature(flip(signature(), signature().length - 6))],
      ['followed by something', () => withSignature(`${signature()}AAAA`)],
      ['not in its alphabet', () => withSignature('ÿ€漢'.repeat(20))],
      ['made with another secret', () => pushed(valid, `${secret.slice(0, -4)}AAAA`)],
      ['of another body', () => ({ ...good(), headers: pushed({ body: `${valid.body} ` }).headers })],
      ['one byte of the body changed', () => changedByte(good())],
      ['body serialised again', () => reserialised(good())],
      ['body with a byte order mark', () => prefixed(good())],
      ['empty body', () => ({ ...good(), body: new Uint8Array() })],
    ])('%s: rejected', (_case, delivery) => {
      expect(receive(delivery())).toEqual({
        kind: 'rejected',
        reason: expect.stringMatching(/^SIGNATURE_(MISSING|MALFORMED|WRONG)$/),
      });
    });

    it.each(['missing', 'empty'])('%s: said so', (what) => {
      const received = receive(withSignature(what === 'empty' ? '' : undefined));
      expect(received).toEqual({ kind: 'rejected', reason: 'SIGNATURE_MISSING' });
    });

    it('of either secret counts while one replaces the other, and of none that is gone', () => {
      const both = [secret, other];
      expect(receive(pushed(valid), both).kind).toBe(valid.becomes);
      expect(receive(pushed(valid, other), both).kind).toBe(valid.becomes);
      expect(receive(pushed(valid), [other])).toMatchObject({ kind: 'rejected' });
    });

    it('is over the bytes, in whatever script: what is authentic is never rejected', () => {
      expect(receive(testbed.push('漢字 ÿ', secret, now)).kind).toBe('unreadable');
    });

    it('of bytes that are no text is of no use', () => {
      const received = receive(testbed.push(Buffer.from([0xff, 0xfe, 0xfd]), secret, now));
      // Standard Webhooks signs text only.
      expect(['unreadable', 'rejected']).toContain(received.kind);
    });

    it('without a secret is no reason to accept', () => {
      const context = { connection: CONNECTION, settings: settingsOf(), nowMs };
      const credentials = { ...credentialsOf([secret]), webhookSecrets: [] } as C;
      expect(() => connector.receive(good(), { ...context, credentials })).toThrow(RangeError);
    });
  });

  describe('what is authentic', () => {
    it.each(GARBAGE)('%s: unreadable, with a reason, and nothing is thrown', (_case, body) => {
      const received = receive(testbed.push(body, secret, now));
      expect(received).toMatchObject({ kind: 'unreadable', reason: expect.stringMatching(/.{5,}/) });
    });

    it('a delivery cut short: unreadable', () => {
      const half = valid.body.slice(0, valid.body.length / 2);
      expect(receive(pushed({ ...valid, body: half })).kind).toBe('unreadable');
    });

    const { ping } = testbed;
    it.runIf(ping)('a test of the connection is answered, and nothing more', () => {
      expect(ping && receive(ping)).toEqual({ kind: 'ping' });
    });

    it.each(testbed.samples.map((sample) => [sample.name, sample] as const))('%s', (_name, sample) => {
      const received = receive(pushed(sample));
      expect(received.kind, JSON.stringify(received).slice(0, 300)).toBe(sample.becomes);
      if (received.kind === 'ignored') expect(received.reason).toMatch(/^[A-Z][A-Z0-9_]+$/);
      if (received.kind === 'notified') expect(received.orderId).toMatch(/^\S+$/);
      if (received.kind === 'order') assertSound(received);
    });

    it.each(samplesOf('order'))('%s: the same bytes are the same order', (_name, sample) => {
      expect(receive(pushed(sample))).toEqual(receive(pushed(sample)));
    });

    it('whatever one field of it holds: said in plain words, never thrown, nobody named', () => {
      const bodies = testbed.samples
        .filter(({ becomes }) => becomes !== 'ignored')
        .flatMap((sample) => {
          const json = jsonIn(sample.body);
          return json === undefined ? [] : [{ sample, json }];
        });
      const outcomes = new Set<string>();
      const property = fc.property(
        fc.constantFrom(...bodies),
        fc.nat(),
        fc.constantFrom(...ODD_VALUES),
        ({ sample, json }, at, odd) => {
          const body = JSON.stringify(withOddLeaf(json, at, odd));
          const received = receive(pushed({ ...sample, body }));
          outcomes.add(received.kind);
          expect(received.kind).not.toBe('rejected');
          if (received.kind === 'order') assertNormal(received.order);
          assertNobodyNamed(toldOf(received), personsIn(receive(pushed(sample))));
        },
      );
      fc.assert(property, { numRuns: 1_000, seed: 20261126 });
      expect([...outcomes]).toContain('unreadable');
    });
  });

  describe.runIf(connector.open)('reading', () => {
    let peer: StorefrontPeer;
    const secretReads: boolean[] = [];
    const open = (more: { url?: string; credentials?: (fresh: boolean) => C } = {}): StorefrontReads => {
      const reads = connector.open?.({
        connection: CONNECTION,
        settings: settingsOf(more.url ?? peer.url),
        credentials: async (fresh = false) => {
          secretReads.push(fresh);
          return more.credentials?.(fresh) ?? credentialsOf([secret]);
        },
        nowMs,
      });
      if (!reads) throw new Error('this connector cannot read');
      return reads;
    };
    const call = () => ({ signal: new AbortController().signal });
    const orderOf = (fetched: Fetched | undefined) => {
      if (fetched?.kind !== 'order') throw new Error(`no order: ${JSON.stringify(fetched)}`);
      return fetched;
    };
    const failureOf = async (work: Promise<unknown>): Promise<RetryableError> => {
      const error = await work.then(
        (value) => new Error(`it did not fail: ${JSON.stringify(value)}`),
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(RetryableError);
      expect(error).not.toBeInstanceOf(UnknownOutcomeError);
      const { message } = error as RetryableError;
      for (const hidden of hiddenIn(testbed.credentials({ secrets, reading: true }))) {
        expect(message).not.toContain(hidden);
      }
      return error as RetryableError;
    };
    /** Requests that it made. */
    const counting = async <T>(work: () => Promise<T>): Promise<{ result: T; requests: number }> => {
      const before = peer.server.requests.length;
      const result = await work();
      return { result, requests: peer.server.requests.length - before };
    };

    beforeEach(async () => {
      secretReads.length = 0;
      peer = await testbed.start(nowMs);
    });
    afterEach(() => peer.stop());

    describe('the connection test', () => {
      it('passes, with one read or two', async () => {
        const { requests } = await counting(() => open().test(call()));
        expect(requests).toBeGreaterThan(0);
        expect(requests).toBeLessThanOrEqual(2);
      });

      it.each([401, 403])('%d: credentials', async (status) => {
        peer.server.fault({ times: Number.POSITIVE_INFINITY, effect: { kind: 'answer', status } });
        expect(await failureOf(open().test(call()))).toBeInstanceOf(CredentialsError);
      });

      it.each<[string, Parameters<PeerServer['fault']>[0]['effect']]>([
        ['503', { kind: 'answer', status: 503 }],
        ['HTML with status 200', { kind: 'answer', status: 200, body: '<html>Just a moment</html>' }],
        ['a connection that is closed', { kind: 'drop-before' }],
      ])('%s: it is down', async (_case, effect) => {
        peer.server.fault({ times: Number.POSITIVE_INFINITY, effect });
        expect(await failureOf(open().test(call()))).not.toBeInstanceOf(CredentialsError);
      });
    });

    it('an order, sound, by its id', async () => {
      const id = await peer.placeOrder();
      const fetched = orderOf(await open().order(id, call()));
      assertSound(fetched);
      expect(fetched.order).toMatchObject({ source: CONNECTION, orderId: id });
      expect(fetched.order.lines.length).toBeGreaterThan(0);
    });

    it('twice the same while nothing changes; a newer version with other content when something does', async () => {
      const id = await peer.placeOrder();
      const { order: before } = orderOf(await open().order(id, call()));
      now += 5_000;
      expect(orderOf(await open().order(id, call())).order).toEqual(before);
      await peer.changeOrder(id);
      const { order: after } = orderOf(await open().order(id, call()));
      expect(after.sourceVersion).toBeGreaterThan(before.sourceVersion);
      expect(after.contentHash).not.toBe(before.contentHash);
    });

    it('undefined when there is no such order', async () => {
      expect(await open().order(peer.unknownId, call())).toBeUndefined();
    });

    it.each<[string, (id: string) => string]>([
      ['a quotation mark', (id) => `${id}' OR '1'='1`],
      ['a path', (id) => `0/../${id}`],
      ['a query', (id) => `${id}?x=1`],
      ['a fragment', (id) => `${id}#2`],
      ['a list', (id) => `${id},1`],
    ])('an id with %s in it: nothing there, or refused, never another order', async (_case, odd) => {
      const id = await peer.placeOrder();
      const answer = await open()
        .order(odd(id), call())
        .catch((error: unknown) => error);
      if (answer !== undefined) expect(answer).toBeInstanceOf(RetryableError);
    });

    it.each([401, 403])('%d: credentials, after the secret was read once more', async (status) => {
      const id = await peer.placeOrder();
      peer.server.fault({ times: Number.POSITIVE_INFINITY, effect: { kind: 'answer', status } });
      const { result, requests } = await counting(() => failureOf(open().order(id, call())));
      expect(result).toBeInstanceOf(CredentialsError);
      expect(secretReads).toEqual([false, true]);
      expect(requests).toBeLessThanOrEqual(2);
    });

    it('a rotated key is used at once', async () => {
      const id = await peer.placeOrder();
      peer.server.fault({ times: 1, effect: { kind: 'answer', status: 401 } });
      orderOf(await open().order(id, call()));
      expect(secretReads).toEqual([false, true]);
    });

    it('no key in the secret: said so by its code, and nothing is sent', async () => {
      const held = testbed.credentials({ secrets, reading: false });
      if (!held) return;
      const none = () => credentialsOf([secret], false);
      const { result, requests } = await counting(() =>
        failureOf(open({ credentials: none }).order(peer.unknownId, call())),
      );
      expect(result).toBeInstanceOf(CredentialsError);
      expect(result.code).toBe('CREDENTIALS_MISSING');
      expect(requests).toBe(0);
    });

    it("429: not before the peer's hint, and asked once only", async () => {
      const id = await peer.placeOrder();
      const answer = { kind: 'answer', status: 429, headers: { 'retry-after': '7' } } as const;
      peer.server.fault({ times: Number.POSITIVE_INFINITY, effect: answer });
      const { result, requests } = await counting(() => failureOf(open().order(id, call())));
      expect(result.retryAfterMs).toBe(7_000);
      expect(requests).toBe(1);
    });

    it.each<[string, Parameters<PeerServer['fault']>[0]['effect']]>([
      ['500', { kind: 'answer', status: 500 }],
      ['502', { kind: 'answer', status: 502, body: '<html>Bad gateway</html>' }],
      ['503', { kind: 'answer', status: 503 }],
      ['HTML with status 200', { kind: 'answer', status: 200, body: '<html>Just a moment</html>' }],
      ['an empty answer', { kind: 'answer', status: 200, body: '' }],
      ['JSON that is something else', { kind: 'answer', status: 200, body: '{"hello":"world"}' }],
      ['a redirect', { kind: 'answer', status: 302, headers: { location: 'https://elsewhere.example/' } }],
      ["a proxy's 404", { kind: 'answer', status: 404, body: '<html>Not found</html>' }],
      ['a connection that is closed', { kind: 'drop-before' }],
      ['a connection that is closed while it answers', { kind: 'drop-after' }],
    ])('%s: to be tried again, and asked once only', async (_case, effect) => {
      const id = await peer.placeOrder();
      peer.server.fault({ times: Number.POSITIVE_INFINITY, effect });
      const { result, requests } = await counting(() => failureOf(open().order(id, call())));
      expect(result).not.toBeInstanceOf(CredentialsError);
      expect(requests).toBe(1);
    });

    it('nobody listens: to be tried again', async () => {
      const gone = await startPeerServer(() => undefined);
      await gone.stop();
      expect((await failureOf(open({ url: gone.url }).order('1', call()))).code).toBe('PEER_UNREACHABLE');
    });

    it('no time left: nothing is sent', async () => {
      const id = await peer.placeOrder();
      const stop = new AbortController();
      stop.abort();
      const { requests } = await counting(() => failureOf(open().order(id, { signal: stop.signal })));
      expect(requests).toBe(0);
    });

    it('time runs out while the peer thinks', async () => {
      const id = await peer.placeOrder();
      peer.server.fault({ effect: { kind: 'slow', delayMs: 20_000 } });
      const stop = new AbortController();
      const failed = failureOf(open().order(id, { signal: stop.signal }));
      await expect.poll(() => peer.server.hits.slow).toBe(1);
      stop.abort();
      await failed;
    });

    describe('what changed in a window', () => {
      const SECOND_MS = 1_000;
      const WHOLE = { fromMs: START_MS - 60_000, untilMs: START_MS + 24 * 60 * 60_000 };
      const listed = async (window = WHOLE, reads = open()): Promise<ListedOrder[]> => {
        const rows: ListedOrder[] = [];
        for await (const page of reads.changed(window, call())) {
          expect(page.length).toBeGreaterThan(0);
          rows.push(...page);
        }
        return rows;
      };
      const idsOf = (rows: readonly ListedOrder[]) => rows.map(({ id }) => id);

      it('oldest change first, each as it is when it is read by its id, or its id only', async () => {
        const ids: string[] = [];
        for (let n = 0; n < 3; n += 1) {
          ids.push(await peer.placeOrder());
          now += 5 * SECOND_MS;
        }
        const [first = '', ...others] = ids;
        await peer.changeOrder(first);
        const rows = await listed();
        expect(idsOf(rows)).toEqual([...others, first]);
        expect(rows.map(({ changedAtMs }) => changedAtMs)).toEqual(
          [5, 10, 15].map((s) => START_MS + s * 1000),
        );
        for (const { id, changedAtMs, fetched } of rows) {
          const order = await open().order(id, call());
          if (fetched) expect(fetched).toEqual(order);
          // What is compared to know whether a row is news.
          expect(orderOf(order).order.sourceVersion).toBe(changedAtMs);
        }
      });

      it('from the first millisecond of the window on, and not the last', async () => {
        const ids: string[] = [];
        for (let n = 0; n < 4; n += 1) {
          ids.push(await peer.placeOrder());
          now += SECOND_MS;
        }
        const window = { fromMs: START_MS + SECOND_MS, untilMs: START_MS + 3 * SECOND_MS };
        expect(idsOf(await listed(window))).toEqual(ids.slice(1, 3));
      });

      it('nothing', async () => {
        expect(await listed()).toEqual([]);
        await peer.placeOrder();
        expect(await listed({ fromMs: START_MS + 60_000, untilMs: START_MS + 120_000 })).toEqual([]);
      });

      it('page by page, and none is stepped over because another changes while pages are turned', async () => {
        const ids: string[] = [];
        for (let n = 0; n < 130; n += 1) {
          ids.push(await peer.placeOrder());
          // Three of them in each second.
          if (n % 3 === 2) now += SECOND_MS;
        }
        const seen = new Set<string>();
        let pages = 0;
        for await (const page of open().changed(WHOLE, call())) {
          for (const { id } of page) seen.add(id);
          pages += 1;
          now += SECOND_MS;
          // What stood on the first page goes to the end, and the rest moves up.
          if (pages === 1) for (const id of idsOf(page).slice(0, 5)) await peer.changeOrder(id);
        }
        expect([...seen].sort()).toEqual([...ids].sort());
        if (!testbed.longWindows) expect(pages).toBeGreaterThan(1);
      }, 30_000);

      it('more in one second than a page holds', async () => {
        const ids: string[] = [];
        for (let n = 0; n < 110; n += 1) ids.push(await peer.placeOrder());
        expect(idsOf(await listed()).toSorted()).toEqual(ids.toSorted());
      }, 30_000);

      it('is asked for when the next page is wanted, not before', async () => {
        await peer.placeOrder();
        const before = peer.server.requests.length;
        const pages = open().changed(WHOLE, call())[Symbol.asyncIterator]();
        expect(peer.server.requests.length).toBe(before);
        expect((await pages.next()).done).toBe(false);
      });

      it.each<[string, Parameters<PeerServer['fault']>[0]['effect'], string]>([
        ['401', { kind: 'answer', status: 401 }, 'CREDENTIALS_REFUSED'],
        ['429', { kind: 'answer', status: 429, headers: { 'retry-after': '7' } }, 'RATE_LIMITED'],
        ['503', { kind: 'answer', status: 503 }, 'PEER_FAILED'],
        [
          'HTML',
          { kind: 'answer', status: 200, body: '<html>Just a moment</html>' },
          'ANSWER_NOT_UNDERSTOOD',
        ],
        ['something else', { kind: 'answer', status: 200, body: '{"hello":1}' }, 'ANSWER_NOT_UNDERSTOOD'],
        ['no answer', { kind: 'drop-before' }, 'PEER_DISCONNECTED'],
      ])('%s: said, and never an empty list', async (_case, effect, code) => {
        await peer.placeOrder();
        peer.server.fault({ times: Number.POSITIVE_INFINITY, effect });
        expect((await failureOf(listed())).code).toBe(code);
      });

      it('a rotated key is used at once', async () => {
        const id = await peer.placeOrder();
        peer.server.fault({ times: 1, effect: { kind: 'answer', status: 401 } });
        expect(idsOf(await listed())).toEqual([id]);
        expect(secretReads.slice(0, 2)).toEqual([false, true]);
      });

      it("its clock is the storefront's, where that is a machine of its own", async () => {
        const reads = open();
        if (!reads.clock) return;
        expect(await reads.clock(call())).toBe(START_MS);
        now += 90_000;
        expect(await reads.clock(call())).toBe(START_MS + 90_000);
        peer.server.fault({ effect: { kind: 'answer', status: 502 } });
        await failureOf(reads.clock(call()));
      });
    });

    it("the peer's own pushes verify, and say what it tells when it is asked", async () => {
      const received: Delivery[] = [];
      const hook = await startPeerServer((app) => {
        app.post('/webhooks/acme-shop', async (request) => {
          const headers = Object.fromEntries(
            Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
          );
          const url = `http://${request.headers.host}${request.url}`;
          received.push({ method: 'POST', url, headers, body: (request.body as Buffer) ?? Buffer.of() });
          return {};
        });
      });
      onTestFinished(() => hook.stop());
      await peer.subscribe(`${hook.url}/webhooks/acme-shop`, secret);
      const id = await peer.placeOrder();
      now += 5_000;
      await peer.changeOrder(id);
      await peer.settled();
      const kinds = received.map((delivery) => receive(delivery, [secret], peer.url));
      expect(kinds.filter(({ kind }) => kind === 'rejected' || kind === 'unreadable')).toEqual([]);
      const last = kinds.findLast(({ kind }) => kind === 'order' || kind === 'notified');
      const { order } = orderOf(await open().order(id, call()));
      if (last?.kind === 'notified') expect(last.orderId).toBe(id);
      else if (!testbed.tellsMoreWhenAsked) expect(last).toMatchObject({ kind: 'order', order });
      else {
        const { orderId, orderNumber, sourceVersion, status, total, placedAt } = order;
        expect(last).toMatchObject({
          kind: 'order',
          order: { orderId, orderNumber, sourceVersion, status, total, placedAt },
        });
      }
    });
  });
};

// --- what must hold of every order ---------------------------------------------------------------------------

type OrderTold = { readonly order: OrderChangedV1; readonly warnings: readonly string[] };

/** An order that a consumer takes, and of which nothing personal is logged. */
const assertSound = ({ order, warnings }: OrderTold): void => {
  assertNormal(order);
  assertAddsUp(order);
  expect(order.source).toBe(CONNECTION);
  expect(order.contentHash).toMatch(/^[0-9a-f]{32}$/);
  // A time in milliseconds, or a counter; seconds would lose to every version that counts in milliseconds.
  const isSeconds = order.sourceVersion > 1_000_000_000 && order.sourceVersion < 4_000_000_000;
  expect(isSeconds || order.sourceVersion < 0, String(order.sourceVersion)).toBe(false);
  expect(order.lines.every(({ quantity }) => quantity > 0)).toBe(true);
  for (const { total, subtotal, discount } of order.lines) {
    expect(subtotal.minor - discount.minor).toBe(total.minor);
    expect(discount.minor).toBeGreaterThanOrEqual(0);
  }
  if (order.buyer.masked) {
    // A mask that two buyers share would make them one customer in the ERP.
    expect([order.buyer.email, order.buyer.phone, order.shipping?.phone]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  }
  assertNobodyNamed(warnings, personsOf(order));
};

/** An event of the catalogue, as it is: nothing that its schema would change. */
const assertNormal = (order: OrderChangedV1): void => {
  expect(OrderChangedV1.parse(order)).toEqual(order);
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      const here = `${path}.${key}`;
      if (key === 'minor') expect(Number.isSafeInteger(part), here).toBe(true);
      if (key === 'id' || key.endsWith('Id'))
        expect(part === undefined || typeof part === 'string', here).toBe(true);
      visit(part, here);
    }
  };
  visit(order, 'order');
};

const personsOf = (order: OrderChangedV1): string[] =>
  [
    order.buyer.name,
    order.buyer.email,
    order.buyer.phone,
    order.buyer.taxNumber,
    ...[order.billing, order.shipping].flatMap((address) => [address?.name, address?.line1, address?.phone]),
    order.buyerNote,
  ].filter((text): text is string => text !== undefined && text.length > 3);

const personsIn = (received: Received): string[] =>
  received.kind === 'order' ? personsOf(received.order) : [];

const toldOf = (received: Received): readonly string[] => {
  if (received.kind === 'order') return received.warnings;
  return 'reason' in received ? [received.reason] : [];
};

const assertNobodyNamed = (told: readonly string[], persons: readonly string[]): void => {
  for (const text of told) for (const person of persons) expect(text).not.toContain(person);
};

/** Every secret in the credentials that is long enough to be one. */
const hiddenIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? value.length > 8
      ? [value]
      : []
    : Object.values((value ?? {}) as object).flatMap(hiddenIn);

// --- bodies ---------------------------------------------------------------------------------------------------

const GARBAGE: readonly (readonly [string, string])[] = [
  ['text', 'hello'],
  ['a form', 'a=1&b=2'],
  ['HTML', '<html><body>Service unavailable</body></html>'],
  ['null', 'null'],
  ['a number', '42'],
  ['a word', '"order"'],
  ['a list', '[]'],
  ['a list of lists', '[[1]]'],
  ['nothing in it', '{}'],
  ['something else', '{"hello":"world"}'],
  ['nested deeper than anybody reads', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ['keys that objects have anyway', '{"__proto__":{"id":1},"constructor":1,"toString":1}'],
];

const ODD_VALUES: readonly unknown[] = [
  null,
  '',
  ' ',
  '-1',
  '1e400',
  'NaN',
  '12.345678901234567890',
  '99999999999999999999999',
  '2026-02-30T25:61:00Z',
  -1,
  0,
  1.5,
  1e21,
  Number.MAX_SAFE_INTEGER,
  true,
  [],
  {},
  [null],
  { id: {} },
  'XXX',
  '\u0000\uD800',
  'x'.repeat(10_000),
];

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The same JSON with one value replaced: the `at`-th, counted through the whole. */
const withOddLeaf = (json: unknown, at: number, odd: unknown): unknown => {
  const paths: (string | number)[][] = [];
  const visit = (value: unknown, path: (string | number)[]): void => {
    if (path.length > 0) paths.push(path);
    if (Array.isArray(value)) for (const [index, part] of value.entries()) visit(part, [...path, index]);
    else if (typeof value === 'object' && value !== null)
      for (const [key, part] of Object.entries(value)) visit(part, [...path, key]);
  };
  visit(json, []);
  const path = paths[at % Math.max(1, paths.length)] ?? [];
  const replace = (value: unknown, [key, ...rest]: (string | number)[]): unknown => {
    if (key === undefined) return odd;
    if (Array.isArray(value)) return value.map((part, index) => (index === key ? replace(part, rest) : part));
    const object = value as Record<string, unknown>;
    return { ...object, [key]: replace(object[String(key)], rest) };
  };
  return replace(json, path);
};

const changedByte = (delivery: Delivery): Delivery => {
  const body = Uint8Array.from(delivery.body);
  const middle = Math.floor(body.length / 2);
  body[middle] = (body[middle] ?? 0) ^ 1;
  return { ...delivery, body };
};
const reserialised = (delivery: Delivery): Delivery => {
  const json: unknown = JSON.parse(Buffer.from(delivery.body).toString());
  return { ...delivery, body: Buffer.from(JSON.stringify(json, null, 1)) };
};
const prefixed = (delivery: Delivery): Delivery => ({
  ...delivery,
  body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), delivery.body]),
});
