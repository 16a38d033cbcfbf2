import { expect, it } from 'vitest';
import { CheckAnswer, CheckRequest, RepairAnswer } from '../../../shared/core/check-request.ts';

const order = {
  source: 'acme-woo',
  orderId: '1001',
  state: 'finished',
  atMs: 1,
  attempt: 1,
  isCancelled: false,
  refunds: [],
  payments: [],
};
const repair = (more: object = {}) => ({
  action: 'repair',
  by: 'ann',
  why: 'restored',
  orders: [order],
  ...more,
});
const accepts = (request: unknown) => CheckRequest.safeParse(request).success;

it.each<[string, unknown]>([
  ['a look', { action: 'check', sinceMs: 1, budgetMs: 2 }],
  ['a look at what is older', { action: 'check', sinceMs: 1, beforeMs: 9, budgetMs: 2 }],
  ['a repair', repair()],
  ['of what the ledger has forgotten, too', repair({ orders: [{ ...order, state: 'forgotten' }] })],
  ['of as many as one call takes', repair({ orders: Array.from({ length: 25 }, () => order) })],
])('takes %s', (_case, request) => expect(accepts(request)).toBe(true));

it.each<[string, unknown]>([
  ['what a schedule sends', { version: '0', detail: {} }],
  ['another deed', repair({ action: 'delete' })],
  ['a repair by nobody', repair({ by: '' })],
  ['a repair without a reason', repair({ why: '' })],
  ['a repair of nothing', repair({ orders: [] })],
  ['more than one call takes', repair({ orders: Array.from({ length: 26 }, () => order) })],
  ['an order of no shop', repair({ orders: [{ ...order, source: '' }] })],
  ['an order without id', repair({ orders: [{ ...order, orderId: '' }] })],
  ['an order in another state', repair({ orders: [{ ...order, state: 'open' }] })],
  ['what nobody knows', repair({ force: true })],
])('refuses %s', (_case, request) => expect(accepts(request)).toBe(false));

it('a function that was deployed before it told what is outdated has none', () => {
  expect(CheckAnswer.parse({ looked: 3, missing: [order] })).toEqual({
    looked: 3,
    missing: [order],
    outdated: [],
  });
});

it.each(['sent', 'there', 'busy', 'changed', 'no-snapshot', 'failed'])('knows the deed %s', (deed) => {
  const deeds = [{ source: 'acme-woo', orderId: '1001', deed }];
  expect(RepairAnswer.parse({ deeds })).toEqual({ deeds });
  expect(RepairAnswer.safeParse({ deeds: [{ ...deeds[0], deed: `${deed}!` }] }).success).toBe(false);
});
