import { expect, it } from 'vitest';
import { METRICS } from '../../../shared/observability/names.ts';
import { type WideLine, wideEvents } from '../../../shared/observability/wide-event.ts';

const NOW_MS = Date.parse('2026-11-21T22:56:11.250Z');
const written = (line: WideLine, metrics?: Parameters<ReturnType<typeof wideEvents>>[1]) => {
  const lines: string[] = [];
  wideEvents(
    () => NOW_MS,
    (text) => lines.push(text),
  )(line, metrics);
  return lines.map((text) => JSON.parse(text) as unknown);
};

const FULL: Required<WideLine> = {
  what: 'consume-orders',
  connection: 'acme-odoo',
  source: 'acme-woo',
  correlationId: 'acme-woo:1001',
  orderId: '1001',
  orderNumber: '#1001',
  sourceVersion: 1,
  outcome: 'written',
  code: 'CODE',
  reason: 'why',
  remedy: 'what to do',
  documentId: '42',
  documentName: 'S00042',
  documentUrl: 'https://erp.test/42',
  level: 'confirm',
  done: ['edited'],
  attempt: 1,
  receive: 2,
  retryInMs: 3,
  switched: 'off',
  status: 202,
  bytes: 4,
  warnings: ['a warning'],
  looked: 7,
  found: 8,
  unsure: 9,
  left: 10,
  due: 11,
  written: 12,
  stale: 13,
  unanswered: 14,
  held: 15,
  same: 16,
  skus: ['A-1 TRACKING_OFF'],
  readUpTo: '2026-11-21T22:56:11.000Z',
  totalMs: 5,
  ageMs: 6,
};

it('writes every field of a line, in one object, with the time', () => {
  expect(written(FULL)).toEqual([{ at: '2026-11-21T22:56:11.250Z', ...FULL }]);
});

it('leaves out what is undefined and keeps what is zero or empty', () => {
  expect(written({ what: 'w', connection: 'c', code: undefined, attempt: 0, reason: '' })).toEqual([
    { at: '2026-11-21T22:56:11.250Z', what: 'w', connection: 'c', attempt: 0, reason: '' },
  ]);
});

it('writes nothing that is not on its list', () => {
  const line = {
    what: 'w',
    connection: 'c',
    email: 'ming.wang@example.test',
    buyer: { name: '王小明' },
    headers: { authorization: 'Basic aHVudGVyMg==' },
    error: new Error('ming.wang@example.test'),
    __proto__: { phone: '0912' },
  } as unknown as WideLine;
  expect(written(line)).toEqual([{ at: '2026-11-21T22:56:11.250Z', what: 'w', connection: 'c' }]);
});

it('stays on one line, whatever the words contain', () => {
  const lines: string[] = [];
  wideEvents(
    () => NOW_MS,
    (text) => lines.push(text),
  )({ what: 'w', connection: 'c', reason: 'a\nb\r\n{"what":"forged"}' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('\n');
});

it('writes metrics in the embedded metric format, by connection and, where given, by reason', () => {
  const [, counted, timed] = written({ what: 'w', connection: 'acme-odoo', orderId: '1001' }, [
    { name: METRICS.ordersParked, value: 1, reason: 'UNKNOWN_SKU' },
    { name: METRICS.webhookToErpMs, value: 1234, unit: 'Milliseconds' },
  ]);
  expect(counted).toEqual({
    _aws: {
      Timestamp: NOW_MS,
      CloudWatchMetrics: [
        {
          Namespace: 'Waybill',
          Dimensions: [['connection', 'reason'], ['connection']],
          Metrics: [{ Name: 'OrdersParked', Unit: 'Count' }],
        },
      ],
    },
    connection: 'acme-odoo',
    reason: 'UNKNOWN_SKU',
    OrdersParked: 1,
  });
  expect(timed).toEqual({
    _aws: {
      Timestamp: NOW_MS,
      CloudWatchMetrics: [
        {
          Namespace: 'Waybill',
          Dimensions: [['connection']],
          Metrics: [{ Name: 'WebhookToErpMs', Unit: 'Milliseconds' }],
        },
      ],
    },
    connection: 'acme-odoo',
    WebhookToErpMs: 1234,
  });
});
