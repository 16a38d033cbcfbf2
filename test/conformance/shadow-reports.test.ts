import { afterAll, beforeAll, expect, it } from 'vitest';
import { dynamoShadowReports } from '../../shared/aws/dynamo-shadow-reports.ts';
import type { ShadowReport } from '../../shared/core/shadow-report.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';

let tables: DynamoTables;
beforeAll(async () => {
  tables = await startDynamoTables();
});
afterAll(() => tables.stop());

const DAY_MS = 86_400_000;
const report = (sinceMs: number, change: Partial<ShadowReport> = {}): ShadowReport => ({
  from: 'acme-woo',
  to: 'acme-odoo',
  sinceMs,
  untilMs: sinceMs + DAY_MS,
  isReady: false,
  identicalPercent: 99.5,
  counts: { identical: 199, different: 1 },
  failing: [],
  differing: [{ what: 'total', orders: 1 }],
  orders: [{ orderId: '1', outcome: 'different', documents: ['S1'], differences: [] }],
  again: [],
  documents: { 1: '42' },
  ...change,
});

it('keeps a report for each time, of each route, and lists the newest first', async () => {
  const table = await tables.create({ sortKey: true });
  const reports = dynamoShadowReports(tables.client, table);
  const times = [0, 1_795_000_000_000, 1_795_086_400_000];
  for (const sinceMs of times) expect(await reports.put(report(sinceMs))).toBe(true);
  expect(await reports.put(report(0, { from: 'acme', to: 'woo#acme-odoo' }))).toBe(true);
  expect(await reports.list('acme-odoo', 'acme-woo', 2)).toEqual([
    report(1_795_086_400_000),
    report(1_795_000_000_000),
  ]);
  expect(await reports.list('acme-odoo', 'acme-woo', 9)).toHaveLength(3);
  expect(await reports.list('acme-woo', 'acme-odoo', 9)).toEqual([]);
});

it('keeps the first of two about the same time', async () => {
  const reports = dynamoShadowReports(tables.client, await tables.create({ sortKey: true }));
  expect(await reports.put(report(0))).toBe(true);
  expect(await reports.put(report(0, { identicalPercent: 1 }))).toBe(false);
  expect(await reports.list('acme-odoo', 'acme-woo', 9)).toEqual([report(0)]);
});

it('keeps a report on 500 orders, and 20,000 that are identical', async () => {
  const reports = dynamoShadowReports(tables.client, await tables.create({ sortKey: true }));
  const orders = Array.from({ length: 500 }, (_, n) => ({
    orderId: String(n),
    outcome: 'unmappable' as const,
    code: 'UNKNOWN_SKU',
    reason:
      `Line 1 ("高山烏龍茶 Oolong ${n * 7919}") has SKU "TEA-${n * 104_729}", which is unknown. `.repeat(8),
    documents: [],
    differences: [],
  }));
  const documents = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, n) => [String(50_000 + n), String(90_000 + n)]),
  );
  expect(await reports.put(report(0, { orders, documents }))).toBe(true);
});

it('passes on every failure but a failed condition', async () => {
  const reports = dynamoShadowReports(tables.client, 'no-such-table');
  const missing = { name: 'ResourceNotFoundException' };
  await expect(reports.put(report(0))).rejects.toMatchObject(missing);
  await expect(reports.list('a', 'b', 1)).rejects.toMatchObject(missing);
});
