import type { SQSRecord } from 'aws-lambda';
import { expect, it } from 'vitest';
import type { PermanentError } from '../../../shared/core/errors.ts';
import { sqsBatch } from '../../../shared/core/sqs-batch.ts';
import { anOrder } from '../../fakes/orders.ts';

const META = {
  id: 'e1',
  connection: 'acme-woo',
  via: 'webhook',
  connector: 'woocommerce',
  correlationId: 'acme-woo:1',
  receivedAtMs: 1_764_000_000_000,
};

/** Why a body is parked; undefined: it was worked on. */
const problemOf = async (body: string): Promise<unknown> => {
  const parked: PermanentError[] = [];
  const worked: unknown[] = [];
  await sqsBatch({
    what: 'consume-orders',
    connection: 'acme-odoo',
    event: 'order.changed.v1',
    ports: {
      line: () => undefined,
      nowMs: () => 1_764_000_000_000,
      timeScale: 1,
      park: async (_record, error) => {
        parked.push(error);
      },
      hide: async () => undefined,
      answer: async () => undefined,
    },
    work: async (event) => {
      worked.push(event);
      return { line: { outcome: 'done' } };
    },
  })(
    {
      Records: [
        { messageId: '1', body, attributes: { ApproximateReceiveCount: '1' } } as unknown as SQSRecord,
      ],
    },
    { getRemainingTimeInMillis: () => 60_000 },
  );
  expect(parked.length + worked.length).toBe(1);
  return (parked[0]?.params as { problem: unknown } | undefined)?.problem;
};

const bus = (name: string, meta: unknown, data: unknown) =>
  JSON.stringify({ 'detail-type': name, detail: { meta, data } });
const order = anOrder();

it.each<[string, string, unknown]>([
  ['an order', bus('order.changed.v1', META, order), undefined],
  ['no JSON', '{"detail', { kind: 'not-json' }],
  ['nothing', 'null', { kind: 'fields', fields: '$: invalid_type' }],
  [
    'an envelope without its parts',
    '{"detail":{"data":1}}',
    { kind: 'fields', fields: '$.detail-type: invalid_type, $.detail.meta: invalid_type' },
  ],
  [
    'another event',
    bus('stock.changed.v1', META, order),
    { kind: 'other-event', got: 'stock.changed.v1', wanted: 'order.changed.v1' },
  ],
  [
    'fields of the order, and no values',
    bus('order.changed.v1', META, {
      ...order,
      total: '王小明',
      lines: [{ ...order.lines[0], quantity: '1' }],
    }),
    { kind: 'fields', fields: '$.lines.0.quantity: invalid_type, $.total: invalid_type' },
  ],
])('of what cannot be read the operator hears where: %s', async (_case, body, problem) => {
  expect(await problemOf(body)).toEqual(problem);
});

it('names the first twenty places, not hundreds', async () => {
  const lines = Array.from({ length: 300 }, () => ({ ...order.lines[0], quantity: '1' }));
  const { fields } = (await problemOf(bus('order.changed.v1', META, { ...order, lines }))) as {
    fields: string;
  };
  const places = fields.split(', ');
  expect(places).toEqual(Array.from({ length: 20 }, (_, n) => `$.lines.${n}.quantity: invalid_type`));
});
