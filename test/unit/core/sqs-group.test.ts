import type { SQSRecord } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import type { WorkResult } from '../../../shared/core/sqs-batch.ts';
import { sqsGroup } from '../../../shared/core/sqs-group.ts';

const NOW = 1_764_000_000_000;

const record = (id: string, body: string): SQSRecord =>
  ({ messageId: id, body, attributes: { ApproximateReceiveCount: '1' } }) as unknown as SQSRecord;

const levels = (id: string, sku: string) =>
  record(
    id,
    JSON.stringify({
      'detail-type': 'stock.changed.v1',
      detail: {
        meta: { id, connection: 'acme-odoo', correlationId: id, receivedAtMs: NOW - 5_000, via: 'poll' },
        data: { source: 'acme-odoo', asOfMs: NOW, levels: [{ sku, warehouse: 'WH', onHand: 3, free: 2 }] },
      },
    }),
  );

const due = (id: string) =>
  record(
    id,
    JSON.stringify({
      'detail-type': 'stock.due.v1',
      detail: {
        meta: { id, connection: 'acme-odoo', correlationId: id, receivedAtMs: NOW, via: 'derived' },
        data: { source: 'acme-odoo', destination: 'acme-woo', listings: [{ sku: 'A', location: 'default' }] },
      },
    }),
  );

let parked: string[];
let hidden: string[];
let lines: (string | undefined)[];
let calls: string[][];
beforeEach(() => {
  parked = [];
  hidden = [];
  lines = [];
  calls = [];
});

const handler = (work: (names: readonly string[]) => Promise<WorkResult>) =>
  sqsGroup({
    what: 'project-stock',
    connection: 'acme-odoo',
    queue: 'acme-odoo/stock',
    events: ['stock.changed.v1', 'stock.due.v1'],
    ports: {
      park: async ({ messageId }, error, { connection }) =>
        void parked.push(`${messageId} ${error.code} ${connection}`),
      answer: async () => undefined,
      hide: async ({ messageId }) => void hidden.push(messageId),
      line: ({ outcome, code }) => void lines.push([outcome, code].filter(Boolean).join(' ')),
      nowMs: () => NOW,
      timeScale: 1,
    },
    work: async (told) => {
      const names = told.map(({ name, event }) => `${name} ${event.meta.id}`);
      calls.push(names);
      return work(names);
    },
  });

const run = async (work: (names: readonly string[]) => Promise<WorkResult>, records: SQSRecord[]) => {
  const { batchItemFailures } = await handler(work)(
    { Records: records },
    { getRemainingTimeInMillis: () => 60_000 },
  );
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
};

const done = async (): Promise<WorkResult> => ({ line: { outcome: 'done' } });

describe('sqsGroup', () => {
  it('works once on all events of a batch, whatever their kind', async () => {
    expect(await run(done, [levels('1', 'A'), due('2'), levels('3', 'B')])).toEqual([]);
    expect(calls).toEqual([['stock.changed.v1 1', 'stock.due.v1 2', 'stock.changed.v1 3']]);
    expect(lines).toEqual(['done', 'done TOGETHER', 'done TOGETHER']);
  });

  it('parks what it cannot read, and works on the rest', async () => {
    expect(await run(done, [levels('1', 'A'), record('2', '{}'), levels('3', 'B')])).toEqual([]);
    expect(calls).toEqual([['stock.changed.v1 1', 'stock.changed.v1 3']]);
    expect(parked).toEqual(['2 EVENT_NOT_UNDERSTOOD acme-odoo/stock']);
  });

  it('brings all of them back when the work is to be tried again', async () => {
    const busy = async () => Promise.reject(new RetryableError('THROTTLED', 'not now'));
    expect(await run(busy, [levels('1', 'A'), due('2')])).toEqual(['1', '2']);
    expect(calls).toHaveLength(1);
    expect(hidden).toEqual(['1', '2']);
  });

  it('parks only the culprit when the work can never be done', async () => {
    const refuse = async (names: readonly string[]) => {
      if (names.includes('stock.changed.v1 2')) {
        throw new PermanentError('ROUTE_MISSING', { source: 'a', destination: 'b' });
      }
      return done();
    };
    expect(await run(refuse, [levels('1', 'A'), levels('2', 'B'), levels('3', 'C')])).toEqual([]);
    expect(parked).toEqual(['2 ROUTE_MISSING acme-odoo/stock']);
    expect(calls.slice(1)).toEqual([['stock.changed.v1 1'], ['stock.changed.v1 2'], ['stock.changed.v1 3']]);
  });
});
