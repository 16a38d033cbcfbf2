import type { SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BusyError, CredentialsError, PermanentError, RetryableError } from '../../shared/core/errors.ts';
import { RESERVE_MS, sqsBatch, type WorkResult } from '../../shared/core/sqs-batch.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { METRICS } from '../../shared/observability/names.ts';
import { type Metric, type WideLine, wideEvents } from '../../shared/observability/wide-event.ts';
import { anOrder } from '../fakes/orders.ts';

const FATES = [
  'ok',
  'retry',
  'park',
  'park-fails',
  'garbage',
  'hangs',
  'throws-string',
  'credentials',
  'busy',
  'rests',
  'unforeseen',
] as const;
type Fate = (typeof FATES)[number];

/** In every event and in every foreign message; in no line. */
const PERSONAL = ['ming.wang@example.test', '王小明', '測試路一段'];
const LEAK = PERSONAL.join(' ');
const RECORD_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_764_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const bodyOf = (fate: Fate, index: number): string => {
  if (fate === 'garbage') {
    const bodies = [
      LEAK,
      JSON.stringify({ 'detail-type': 'order.changed.v1', detail: { meta: {}, data: LEAK } }),
      JSON.stringify({
        'detail-type': 'order.changed.v1',
        detail: { meta: metaOf(index), data: { ...anOrder(), total: LEAK, lines: [{ title: LEAK }] } },
      }),
      JSON.stringify({ 'detail-type': 'stock.changed.v1', detail: { meta: metaOf(index), data: anOrder() } }),
      'null',
    ];
    return bodies[index % bodies.length] ?? '';
  }
  return JSON.stringify({
    'detail-type': 'order.changed.v1',
    detail: { meta: metaOf(index), data: anOrder({ orderId: String(index) }) },
  });
};
const metaOf = (index: number) => ({
  id: `e${index}`,
  connection: 'acme-woo',
  correlationId: `acme-woo:${index}`,
  receivedAtMs: 1_763_999_990_000,
  via: 'webhook' as const,
});

const work =
  (fates: readonly Fate[], seen: string[], signals: AbortSignal[]) =>
  async (
    { data }: Envelope<OrderChangedV1>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<WorkResult> => {
    const index = Number(data.orderId);
    seen.push(data.orderId);
    signals.push(signal);
    await new Promise((resolve) => setTimeout(resolve, 10));
    switch (fates[index]) {
      case 'retry':
        throw Object.assign(new RetryableError('PEER_FAILED', 'erp answered HTTP 503'), { attempt: 2 });
      case 'park':
      case 'park-fails':
        throw new PermanentError(
          'MISSING_SKU',
          { line: { kind: 'line', number: 1, title: 'Mug' } },
          { detail: LEAK },
        );
      case 'hangs':
        return new Promise<never>(() => undefined);
      case 'throws-string':
        throw LEAK;
      case 'credentials':
        throw new CredentialsError('CREDENTIALS_REFUSED', 'erp answered HTTP 401', { retryAfterMs: 77_000 });
      case 'busy':
        throw new BusyError('a#b#c#create', Date.now() + 42_000);
      case 'rests':
        throw Object.assign(new RetryableError('PEER_FAILED', 'erp answered HTTP 503'), {
          attempt: 2,
          waitMs: 71_234,
        });
      case 'unforeseen':
        throw new TypeError(LEAK);
      default:
        return {
          line: { outcome: 'written', documentId: `D${index}` },
          metrics: [{ name: METRICS.ordersWritten, value: 1 }],
        };
    }
  };

/** Milliseconds until a message that was received for the third time is shown again; jitter at its middle. */
const HIDDEN_MS: Partial<Record<Fate, number>> = {
  retry: 60_000,
  hangs: 300_000,
  'throws-string': 300_000,
  credentials: 300_000,
  busy: 42_000,
  rests: 71_234,
  unforeseen: 300_000,
};
const CODES: Record<Fate, string | undefined> = {
  ok: undefined,
  retry: 'PEER_FAILED',
  park: 'MISSING_SKU',
  'park-fails': 'COULD_NOT_PARK',
  garbage: 'EVENT_NOT_UNDERSTOOD',
  hangs: 'CUT_OFF',
  'throws-string': 'UNFORESEEN',
  credentials: 'CREDENTIALS_REFUSED',
  busy: 'BUSY',
  rests: 'PEER_FAILED',
  unforeseen: 'UNFORESEEN',
};

const runWith = async (
  fates: readonly Fate[],
  options: {
    remainingMs?: number;
    recordMs?: number | undefined;
    hideFails?: boolean;
    answerFails?: boolean;
  } = {},
) => {
  const { remainingMs = 60_000, recordMs, hideFails = false, answerFails = false } = options;
  const answers: unknown[] = [];
  const parked: { id: string; code: string; detail: string | undefined; facts: object }[] = [];
  const hidden: Record<string, number> = {};
  const lines: WideLine[] = [];
  const metrics: Metric[] = [];
  const written: string[] = [];
  const seen: string[] = [];
  const signals: AbortSignal[] = [];
  const emit = wideEvents(Date.now, (text) => written.push(text));
  const handler = sqsBatch({
    what: 'consume-orders',
    connection: 'acme-odoo',
    event: 'order.changed.v1',
    ports: {
      park: async (record, error, facts) => {
        if (fates[Number(record.messageId)] === 'park-fails') throw new Error(LEAK);
        parked.push({ id: record.messageId, code: error.code, detail: error.detail, facts });
      },
      answer: async (record, connection, result) => {
        answers.push([record.messageId, connection, result]);
        if (answerFails) throw new Error(LEAK);
      },
      hide: async (record, ms) => {
        hidden[record.messageId] = ms;
        if (hideFails) throw new Error(LEAK);
      },
      line: (line, more = []) => {
        lines.push(line);
        metrics.push(...more);
        emit(line, more);
      },
      nowMs: Date.now,
      timeScale: 1,
      random: () => 0.5,
      ...(recordMs === undefined ? {} : { recordMs }),
    },
    work: work(fates, seen, signals),
  });
  const startedMs = Date.now();
  const records = fates.map(
    (fate, index) =>
      ({
        messageId: String(index),
        receiptHandle: `r${index}`,
        body: bodyOf(fate, index),
        attributes: { ApproximateReceiveCount: '3' },
      }) as SQSRecord,
  );
  const running = handler(
    { Records: records },
    { getRemainingTimeInMillis: () => startedMs + remainingMs - Date.now() },
  );
  await vi.runAllTimersAsync();
  const { batchItemFailures } = await running;
  return {
    failedIds: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    parked,
    hidden,
    answers,
    lines,
    metrics,
    written,
    seen,
    signals,
    tookMs: Date.now() - startedMs,
  };
};

const idsWhere = (fates: readonly Fate[], ...wanted: Fate[]): string[] =>
  fates.flatMap((fate, index) => (wanted.includes(fate) ? [String(index)] : []));

it('lets every record fail alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...FATES), { maxLength: 10 }),
      fc.boolean(),
      async (fates, hideFails) => {
        const run = await runWith(fates, { recordMs: RECORD_MS, hideFails });
        expect(run.failedIds).toEqual(
          idsWhere(
            fates,
            'retry',
            'park-fails',
            'hangs',
            'throws-string',
            'credentials',
            'busy',
            'rests',
            'unforeseen',
          ),
        );
        expect(run.parked.map(({ id }) => id)).toEqual(idsWhere(fates, 'park', 'garbage'));
        expect(run.hidden).toEqual(
          Object.fromEntries(
            fates.flatMap((fate, i) => (HIDDEN_MS[fate] === undefined ? [] : [[String(i), HIDDEN_MS[fate]]])),
          ),
        );
        // Neighbours: every readable record was worked on, once, in order.
        expect(run.seen).toEqual(idsWhere(fates, ...FATES.filter((fate) => fate !== 'garbage')));
        // One line each, in order, that says what became of it, and nothing of the buyer.
        expect(run.lines.map(({ code }) => code)).toEqual(fates.map((fate) => CODES[fate]));
        expect(run.lines.map(({ outcome }) => outcome)).toEqual(
          fates.map((fate) => {
            if (fate === 'ok') return 'written';
            if (fate === 'park' || fate === 'garbage') return 'parked';
            return fate === 'busy' ? 'busy' : 'retry';
          }),
        );
        for (const text of run.written) for (const word of PERSONAL) expect(text).not.toContain(word);
        expect(run.metrics.map(({ name, reason }) => [name, reason])).toEqual(
          fates.flatMap((fate) => {
            if (fate === 'ok') return [['OrdersWritten', undefined]];
            if (fate === 'park' || fate === 'garbage') return [['OrdersParked', CODES[fate]]];
            return fate === 'credentials' ? [['CredentialsRefused', undefined]] : [];
          }),
        );
        expect(run.tookMs).toBeLessThan(60_000 - RESERVE_MS);
      },
    ),
    { numRuns: 300, seed: 20261123 },
  );
});

it('says everything about a record in its line', async () => {
  const { lines } = await runWith(['ok', 'retry', 'park']);
  const about = {
    what: 'consume-orders',
    connection: 'acme-odoo',
    receive: 3,
    source: 'acme-woo',
    orderNumber: '1001',
    sourceVersion: 1_795_301_771_000,
    totalMs: 10,
  };
  expect(lines).toEqual([
    {
      ...about,
      correlationId: 'acme-woo:0',
      orderId: '0',
      ageMs: 10_000,
      outcome: 'written',
      documentId: 'D0',
    },
    {
      ...about,
      correlationId: 'acme-woo:1',
      orderId: '1',
      ageMs: 10_010,
      outcome: 'retry',
      code: 'PEER_FAILED',
      reason: 'erp answered HTTP 503',
      attempt: 2,
      retryInMs: 60_000,
    },
    {
      ...about,
      correlationId: 'acme-woo:2',
      orderId: '2',
      ageMs: 10_020,
      outcome: 'parked',
      code: 'MISSING_SKU',
      reason: 'Line 1 ("Mug") has no SKU and its product has no row in the mapping table.',
      remedy:
        'Give the product a SKU in the shop, or map its product id ("product:<id>") in the mapping table; then redrive.',
    },
  ]);
});

it("parks with the peer's words, which are for the operator alone", async () => {
  const { parked } = await runWith(['park']);
  expect(parked).toEqual([
    {
      id: '0',
      code: 'MISSING_SKU',
      detail: LEAK,
      facts: {
        connection: 'acme-odoo',
        atMs: 1_764_000_000_010,
        about: {
          source: 'acme-woo',
          correlationId: 'acme-woo:0',
          orderId: '0',
          orderNumber: '1001',
          sourceVersion: 1_795_301_771_000,
        },
      },
    },
  ]);
});

it.each([false, true])(
  'answers whoever waits for a record, and fails no record for it: %s',
  async (answerFails) => {
    const { answers, failedIds } = await runWith(['ok', 'retry', 'park', 'park-fails', 'busy'], {
      answerFails,
    });
    expect(failedIds).toEqual(['1', '3', '4']);
    expect(answers).toEqual([
      ['0', 'acme-odoo', { atMs: 1_764_000_000_010, outcome: 'written' }],
      ['1', 'acme-odoo', { atMs: 1_764_000_000_020, outcome: 'retry', code: 'PEER_FAILED' }],
      ['2', 'acme-odoo', { atMs: 1_764_000_000_030, outcome: 'parked', code: 'MISSING_SKU' }],
      ['4', 'acme-odoo', { atMs: 1_764_000_000_050, outcome: 'busy', code: 'BUSY' }],
    ]);
  },
);

describe('time', () => {
  it('cuts off what hangs before the function ends, and gives the rest back at once', async () => {
    const { failedIds, hidden, lines, seen, signals, tookMs } = await runWith(['ok', 'hangs', 'ok', 'ok']);
    expect(tookMs).toBe(60_000 - RESERVE_MS);
    expect(failedIds).toEqual(['1', '2', '3']);
    expect(seen).toEqual(['0', '1']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    expect(lines.map(({ code }) => code)).toEqual([undefined, 'CUT_OFF', 'OUT_OF_TIME', 'OUT_OF_TIME']);
    // What hung waits like any failure, or it would be the first to be received again, for ever.
    expect(hidden).toEqual({ 1: 300_000, 2: 0, 3: 0 });
  });

  it('gives one record no longer than it may have, and its neighbours their turn', async () => {
    const { failedIds, seen, tookMs } = await runWith(['hangs', 'ok', 'hangs', 'ok'], {
      recordMs: RECORD_MS,
    });
    expect(failedIds).toEqual(['0', '2']);
    expect(seen).toEqual(['0', '1', '2', '3']);
    expect(tookMs).toBe(2 * RECORD_MS + 20);
  });

  it('begins nothing when no time is left', async () => {
    const { failedIds, seen, hidden } = await runWith(['ok', 'park'], { remainingMs: RESERVE_MS });
    expect(failedIds).toEqual(['0', '1']);
    expect(seen).toEqual([]);
    expect(hidden).toEqual({ 0: 0, 1: 0 });
  });

  it('leaves no timer behind', async () => {
    await runWith(['ok', 'retry', 'park', 'busy']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('takes an empty batch', async () => {
  expect(await runWith([])).toMatchObject({ failedIds: [], lines: [] });
});

it.each<[string, number, boolean, boolean]>([
  ['a person has just sent again', 1, true, true],
  ['a person sent again, and that was tried or found busy', 2, true, false],
  ['comes from the bus', 1, false, false],
])('says whether somebody waits for a message: %s', async (_case, receive, isRedriven, isUrgent) => {
  const seen: boolean[] = [];
  const nothing = async () => undefined;
  await sqsBatch({
    what: 'consume-orders',
    connection: 'acme-odoo',
    event: 'order.changed.v1',
    ports: {
      park: nothing,
      answer: nothing,
      hide: nothing,
      line: () => undefined,
      nowMs: Date.now,
      timeScale: 1,
    },
    work: async (_event, call) => {
      seen.push(call.isUrgent);
      return { line: {} };
    },
  })(
    {
      Records: [
        {
          messageId: '0',
          body: bodyOf('ok', 0),
          attributes: { ApproximateReceiveCount: String(receive) },
          messageAttributes: isRedriven ? { redriveOf: { stringValue: 'm0', dataType: 'String' } } : {},
        } as unknown as SQSRecord,
      ],
    },
    { getRemainingTimeInMillis: () => 60_000 },
  );
  expect(seen).toEqual([isUrgent]);
});
