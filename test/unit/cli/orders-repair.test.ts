import { expect, it } from 'vitest';
import {
  type Call,
  lookFor,
  type Missing,
  repairAll,
  repairWords,
} from '../../../infra/cli/commands/orders.ts';
import type { CheckRequest, MissingOrder } from '../../../shared/core/check-request.ts';

const order = (orderId: string, atMs: number): MissingOrder => ({
  source: 'acme-woo',
  orderId,
  state: 'finished',
  atMs,
  attempt: 1,
  document: { id: orderId, name: `S0000${orderId}` },
  isCancelled: false,
  refunds: [],
  payments: [],
});
const missing = (erp: string, orderId: string, atMs = Date.parse('2026-11-22T10:00:00Z')): Missing => ({
  erp,
  order: order(orderId, atMs),
});
const answering = (...answers: unknown[]) => {
  const asked: [string, CheckRequest][] = [];
  const call: Call = async (erp, request) => {
    asked.push([erp, request]);
    return answers.shift();
  };
  return { call, asked };
};

it('looks until there is nothing left, ERP by ERP, and tells each order once', async () => {
  const { call, asked } = answering(
    {
      looked: 2,
      missing: [order('3', 30), order('2', 20)],
      outdated: [order('a', 25), order('b', 15)],
      leftBeforeMs: 21,
    },
    { looked: 2, missing: [order('2', 20), order('1', 10)], outdated: [order('c', 5)] },
    { looked: 5, missing: [] },
  );
  expect(await lookFor(call, ['odoo', 'tryton'], 7)).toEqual({
    looked: 9,
    missing: [
      { erp: 'odoo', order: order('3', 30) },
      { erp: 'odoo', order: order('2', 20) },
      { erp: 'odoo', order: order('1', 10) },
    ],
    // c: before the first of what is missing.
    outdated: [
      { erp: 'odoo', order: order('a', 25) },
      { erp: 'odoo', order: order('b', 15) },
    ],
  });
  const request = { action: 'check', sinceMs: 7, budgetMs: 15_000 };
  expect(asked).toEqual([
    ['odoo', request],
    ['odoo', { ...request, beforeMs: 21 }],
    ['tryton', request],
  ]);
});

it('gives up on an ERP that answers nothing within a call, instead of asking for ever', async () => {
  const stuck = { looked: 0, missing: [], leftBeforeMs: 21 };
  const { call } = answering(stuck, stuck, stuck);
  await expect(lookFor(call, ['odoo'], 7)).rejects.toThrow('odoo answers too slowly');
});

it('a function that failed says so in its log', async () => {
  const { call } = answering({ outcome: 'failed', code: 'PEER_FAILED' });
  await expect(lookFor(call, ['odoo'], 7)).rejects.toThrow(
    'odoo could not be asked for its orders; the log of its function check-orders says why',
  );
});

it('repairs five at once, each at its own ERP, with who and why', async () => {
  const deedsOf = (ids: string[], deed: string) => ({
    deeds: ids.map((orderId) => ({ source: 'acme-woo', orderId, deed })),
  });
  const ids = ['1', '2', '3', '4', '5', '6'];
  const { call, asked } = answering(
    deedsOf(ids.slice(0, 5), 'sent'),
    deedsOf(['6'], 'there'),
    deedsOf(['1'], 'busy'),
  );
  const who = { by: 'ada', why: 'restored' };
  const all = [...ids.map((id) => missing('odoo', id)), missing('tryton', '1')];
  const repaired = await repairAll(call, all, who);
  expect(repaired.map(({ erp, order: { orderId }, deed }) => `${erp} ${orderId} ${deed}`)).toEqual([
    ...['1', '2', '3', '4', '5'].map((id) => `odoo ${id} sent`),
    'odoo 6 there',
    'tryton 1 busy',
  ]);
  expect(asked.map(([erp, request]) => [erp, request.action === 'repair' && request.orders.length])).toEqual([
    ['odoo', 5],
    ['odoo', 1],
    ['tryton', 1],
  ]);
  expect(asked[0]?.[1]).toMatchObject({ action: 'repair', by: 'ada', why: 'restored' });
});

it('says what is missing and how to go on, or what became of it', () => {
  const one = missing('odoo', '1');
  expect(repairWords({ looked: 7, missing: [], outdated: [one] }, undefined, '--local')).toEqual([
    '7 orders looked for, 0 missing',
  ]);
  const outdated = [missing('odoo', '0')];
  expect(repairWords({ looked: 7, missing: [one], outdated }, undefined, '--stage acme')).toEqual([
    'odoo  acme-woo:1  S00001  2026-11-22 10:00 UTC',
    'odoo  acme-woo:0  S00000  2026-11-22 10:00 UTC  is there, and may lack its last change: compare it with the shop',
    '7 orders looked for, 1 missing; write them again: waybill orders repair --stage acme --yes --why "…"',
  ]);
  const deeds = [
    { ...one, deed: 'sent' as const },
    { ...missing('odoo', '2'), deed: 'failed' as const, code: 'PEER_FAILED' },
  ];
  const three = [one, missing('odoo', '2'), missing('odoo', '3')];
  expect(repairWords({ looked: 7, missing: three, outdated: [] }, deeds, '--local')).toEqual([
    'odoo  acme-woo:1  S00001  2026-11-22 10:00 UTC  on its way to the ERP again',
    'odoo  acme-woo:2  S00002  2026-11-22 10:00 UTC  not sent; it can be repaired later (PEER_FAILED)',
    '7 orders looked for, 3 missing; 1 sent again, 1 left (--max)',
  ]);
});
