import { describe, expect, it } from 'vitest';
import {
  type AdoptionRow,
  adoptionCsv,
  adoptionWords,
  countsOf,
  rowOf,
} from '../../../infra/cli/commands/adopt-words.ts';
import { routeOf } from '../../../infra/cli/route.ts';
import type { ErpCandidate } from '../../../shared/connectors/contract.ts';
import type { Match } from '../../../shared/core/adopt.ts';
import type { Planned } from '../../../shared/core/adopt-order.ts';
import { OrderRoute } from '../../../shared/settings/order-route.ts';
import { anOrder } from '../../fakes/orders.ts';

const route = OrderRoute.parse({ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-12-01T00:00:00Z' });
const order = anOrder();
const candidate = (id: string): ErpCandidate => ({
  document: { id, name: `S0000${id}` },
  datedAtMs: 0,
  total: { minor: 99000, currency: 'TWD' },
  stepMinor: 100,
  state: 'confirmed',
  reference: '',
  mentions: ['Ming 0912345678'],
  buyer: [],
});
const planned = (match: Match, pending: readonly string[] = []): Planned => ({
  kind: 'matched',
  event: {
    meta: { id: 'a', connection: 'acme-woo', correlationId: '1', receivedAtMs: 0, via: 'replay' },
    data: order,
  },
  match,
  pending,
});

const ROW = {
  orderId: '1001',
  orderNumber: '1001',
  placedAt: '2026-11-21T22:55:57Z',
  total: '1101.98 TWD',
  documents: [],
  pending: [],
};

it.each<[string, Planned, AdoptionRow]>([
  [
    'found',
    planned({ kind: 'certain', order, candidate: candidate('1'), by: 'number' }, ['refund 7']),
    {
      ...ROW,
      outcome: 'adoptable',
      because: "by the shop's number",
      documents: ['S00001'],
      documentTotal: '990.00 TWD',
      pending: ['refund 7'],
    },
  ],
  [
    'another total',
    planned({ kind: 'differs', order, candidate: candidate('1'), by: 'number' }, ['edited']),
    {
      ...ROW,
      outcome: 'differs',
      because: "by the shop's number",
      documents: ['S00001'],
      documentTotal: '990.00 TWD',
      pending: ['edited'],
    },
  ],
  [
    'several',
    planned({ kind: 'ambiguous', order, candidates: [candidate('1'), candidate('2')], because: 'several' }),
    { ...ROW, outcome: 'ambiguous', because: 'several documents fit', documents: ['S00001', 'S00002'] },
  ],
  ['none', planned({ kind: 'missing', order }), { ...ROW, outcome: 'missing' }],
  [
    'none, and none is expected',
    planned({ kind: 'not-expected', order, why: 'already cancelled when it came' }),
    { ...ROW, outcome: 'not-expected', because: 'already cancelled when it came' },
  ],
  [
    'no order',
    { kind: 'unreadable', orderId: '9', reason: 'total: missing' },
    { orderId: '9', outcome: 'unreadable', because: 'total: missing', documents: [], pending: [] },
  ],
])('%s', (_case, plan, row) => {
  expect(rowOf(plan, route)).toEqual(row);
});

describe('what is said', () => {
  const rows: AdoptionRow[] = [
    { ...ROW, outcome: 'adopted', documents: ['S00001'], pending: ['refund 7'] },
    {
      ...ROW,
      orderNumber: '1002',
      outcome: 'ambiguous',
      because: 'several documents fit',
      documents: ['S00002', 'S00003'],
    },
    { ...ROW, orderNumber: '1003', outcome: 'missing' },
  ];

  it('how many, what is left to people, what changed since', () => {
    expect(adoptionWords(rows)).toEqual([
      '1  adopted    adopted now',
      "1  ambiguous  left alone: note the shop's order number on the right document, then run this again",
      '1  missing    in the shop only: enter them by hand, or redrive with --not-in-erp what is parked',
      '',
      'Left to people',
      '  1002  2026-11-21  1101.98 TWD  ambiguous  S00002 S00003; several documents fit',
      '  1003  2026-11-21  1101.98 TWD  missing',
      '',
      'Changed in the shop since: applied to the document once it is ours',
      '  1001  2026-11-21  1101.98 TWD  adopted  S00001; refund 7',
    ]);
    expect(countsOf(rows)).toEqual({ adopted: 1, ambiguous: 1, missing: 1 });
  });

  it('for spreadsheets, with a header and one line for each order', () => {
    expect(adoptionCsv(rows).split('\n')).toEqual([
      'orderNumber,orderId,placedAt,total,outcome,because,documents,documentTotal,pending',
      '1001,1001,2026-11-21T22:55:57Z,1101.98 TWD,adopted,,S00001,,refund 7',
      '1002,1001,2026-11-21T22:55:57Z,1101.98 TWD,ambiguous,several documents fit,S00002 S00003,,',
      '1003,1001,2026-11-21T22:55:57Z,1101.98 TWD,missing,,,,',
      '',
    ]);
  });
});

describe('which route', () => {
  const other = OrderRoute.parse({ ...route, from: 'acme-shopify' });

  it('the only one, or the one that is named', () => {
    expect(routeOf([route], {})).toBe(route);
    expect(routeOf([route, other], { from: 'acme-shopify' })).toBe(other);
  });

  it.each([
    [{}, 'there are several routes: --from acme-woo --to acme-odoo, or --from acme-shopify --to acme-odoo'],
    [
      { from: 'acme-wo' },
      'there is no such route: --from acme-woo --to acme-odoo, or --from acme-shopify --to acme-odoo',
    ],
  ])('%j: says which there are', (ends, message) => {
    expect(() => routeOf([route, other], ends)).toThrow(message);
  });
});
