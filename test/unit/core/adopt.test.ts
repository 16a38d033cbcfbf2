import { describe, expect, it } from 'vitest';
import type { ErpCandidate } from '../../../shared/connectors/contract.ts';
import { type Match, matchOrders } from '../../../shared/core/adopt.ts';
import { buyerMarks } from '../../../shared/core/buyer-marks.ts';
import { OrderRoute } from '../../../shared/settings/order-route.ts';
import { anOrder } from '../../fakes/orders.ts';

const PLACED = Date.parse('2026-11-21T22:55:57Z');
const DAY = 86_400_000;
const route = OrderRoute.parse({ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-12-01T00:00:00Z' });
const marks = (of: { mail?: string; phone?: string; name?: string }) =>
  buyerMarks({ emails: [of.mail], phones: [of.phone], names: [of.name] });

/** What somebody typed in for `anOrder()`, without its number. */
const typed = (id: string, change: Partial<ErpCandidate> = {}): ErpCandidate => ({
  document: { id, name: `S${id}` },
  datedAtMs: PLACED + DAY,
  total: { minor: 110200, currency: 'TWD' },
  stepMinor: 100,
  state: 'confirmed',
  reference: '',
  mentions: [],
  buyer: marks({ mail: 'ming.wang@example.test' }),
  ...change,
});
const numbered = (id: string, text: string, change: Partial<ErpCandidate> = {}) =>
  typed(id, { mentions: [text], reference: text, buyer: [], ...change });

const said = (match: Match | undefined): string => {
  if (!match) return 'nothing';
  if (match.kind === 'certain' || match.kind === 'differs') {
    return `${match.kind} ${match.candidate.document.id} by ${match.by}`;
  }
  if (match.kind !== 'ambiguous') return match.kind;
  return `${match.because}: ${match.candidates.map(({ document }) => document.id).join(' ')}`;
};
const match = (candidates: readonly ErpCandidate[], orders = [anOrder()]) =>
  matchOrders(orders, candidates, { route, days: 7 }).map(said);

describe('one order', () => {
  it.each<[string, readonly ErpCandidate[], string]>([
    ['our reference', [numbered('1', 'acme-woo:1001')], 'certain 1 by our-reference'],
    [
      'our reference, whatever else fits',
      [typed('1'), numbered('2', 'acme-woo:1001')],
      'certain 2 by our-reference',
    ],
    [
      'our reference, another total',
      [numbered('1', 'acme-woo:1001', { total: { minor: 5, currency: 'TWD' } })],
      'differs 1 by our-reference',
    ],
    ['our reference twice', [numbered('1', 'acme-woo:1001'), numbered('2', 'acme-woo:1001')], 'several: 1 2'],
    ['the number', [numbered('1', '1001')], 'certain 1 by number'],
    ['the number with a sign', [numbered('1', '#1001')], 'certain 1 by number'],
    ['the number among words', [numbered('1', 'Web-1001, Ming')], 'certain 1 by number'],
    ['the number rather than the buyer', [typed('1'), numbered('2', 'order 1001')], 'certain 2 by number'],
    ['the number twice', [numbered('1', '1001'), numbered('2', '1001')], 'several: 1 2'],
    [
      'the number twice, one costs the same',
      [numbered('1', '1001', { total: { minor: 5, currency: 'TWD' } }), numbered('2', '1001')],
      'certain 2 by number',
    ],
    [
      'the number, another total',
      [numbered('1', '1001', { total: { minor: 99000, currency: 'TWD' } })],
      'differs 1 by number',
    ],
    [
      'the number, another currency',
      [numbered('1', '1001', { total: { minor: 110200, currency: 'USD' } })],
      'differs 1 by number',
    ],
    ['another number that holds this one', [numbered('1', '10011', { buyer: [] })], 'other-buyer: 1'],
    ['another shop with that number, adopted already', [numbered('1', 'acme-shopify:1001')], 'missing'],
    ['amount, date and buyer', [typed('1')], 'certain 1 by buyer'],
    [
      'a name in another order of words',
      [typed('1', { buyer: marks({ name: '王小明' }) })],
      'certain 1 by buyer',
    ],
    ['two of one buyer', [typed('1'), typed('2')], 'several: 1 2'],
    [
      'one of two is the buyer',
      [typed('1', { buyer: marks({ mail: 'other@example.test' }) }), typed('2')],
      'certain 2 by buyer',
    ],
    ['another buyer', [typed('1', { buyer: marks({ mail: 'other@example.test' }) })], 'other-buyer: 1'],
    [
      'two whole dollars of rounding on two lines',
      [typed('1', { total: { minor: 110398, currency: 'TWD' } })],
      'certain 1 by buyer',
    ],
    ['more than that', [typed('1', { total: { minor: 110399, currency: 'TWD' } })], 'missing'],
    ['a cent more, where cents are booked', [typed('1', { stepMinor: 1 })], 'certain 1 by buyer'],
    ['a day before', [typed('1', { datedAtMs: PLACED - DAY })], 'certain 1 by buyer'],
    ['longer before', [typed('1', { datedAtMs: PLACED - DAY - 1 })], 'missing'],
    ['a week later', [typed('1', { datedAtMs: PLACED + 7 * DAY })], 'missing'],
    ['cancelled by people', [numbered('1', '1001', { state: 'cancelled' })], 'missing'],
    ['nothing', [], 'missing'],
  ])('%s', (_case, candidates, expected) => {
    expect(match(candidates)).toEqual([expected]);
  });

  it('a buyer whom the platform masks agrees with nobody', () => {
    const masked = anOrder({
      buyer: { masked: true, name: 'M***' },
      billing: undefined,
      shipping: undefined,
    });
    expect(match([typed('1', { buyer: marks({ name: 'M***' }) })], [masked])).toEqual(['other-buyer: 1']);
  });

  it('what was cancelled in both is that one; what nobody would have entered is not missing', () => {
    const cancelled = anOrder({ status: 'cancelled' });
    expect(match([numbered('1', '1001', { state: 'cancelled' })], [cancelled])).toEqual([
      'certain 1 by number',
    ]);
    expect(match([], [cancelled])).toEqual(['not-expected']);
    const unpaid = anOrder({
      status: 'pending',
      payment: { state: 'pending', kind: 'online', method: 'card' },
    });
    expect(match([], [unpaid])).toEqual(['not-expected']);
  });
});

describe('several orders', () => {
  const one = anOrder();
  const two = anOrder({ orderId: '1002', orderNumber: '1002' });

  it('one document is never two orders', () => {
    expect(match([typed('1')], [one, two])).toEqual(['contested: 1', 'contested: 1']);
    expect(match([numbered('1', '1001 and 1002')], [one, two])).toEqual(['contested: 1', 'contested: 1']);
  });

  it('what is told by its number leaves the other to the other', () => {
    const buyer = marks({ mail: 'ming.wang@example.test' });
    expect(match([typed('1'), numbered('2', '1002', { buyer })], [one, two])).toEqual([
      'certain 1 by buyer',
      'certain 2 by number',
    ]);
  });

  it('a document that names another order is not taken, though buyer and amount fit', () => {
    const dearer = anOrder({
      orderId: '1002',
      orderNumber: '1002',
      total: { minor: 220000, currency: 'TWD' },
    });
    const buyer = marks({ mail: 'ming.wang@example.test' });
    expect(match([numbered('1', '1002', { buyer })], [one, dearer])).toEqual([
      'missing',
      'differs 1 by number',
    ]);
  });

  it('what one order certainly is, is not shown to another as a possibility', () => {
    const stranger = anOrder({
      orderId: '1002',
      orderNumber: '1002',
      buyer: { email: 'x@example.test', masked: false },
      billing: undefined,
      shipping: undefined,
    });
    expect(match([typed('1')], [one, stranger])).toEqual(['certain 1 by buyer', 'missing']);
  });
});

describe('buyer marks', () => {
  it.each([
    [{ mail: 'Ming.Wang@Example.test ' }, { mail: 'ming.wang@example.test' }, true],
    [{ phone: '+886 2 5550 0000' }, { phone: '(02) 5550-0000' }, true],
    [{ phone: '5550' }, { phone: '5550' }, false],
    [{ name: 'Wang  Ming' }, { name: 'ming wang' }, true],
    [{ name: 'ａｄａ' }, { name: 'Ada' }, true],
    [{ mail: 'ada' }, { name: 'ada' }, false],
    [{ mail: '' }, { mail: '' }, false],
  ])('%j and %j', (a, b, isAlike) => {
    const known = new Set(marks(a));
    expect(marks(b).some((mark) => known.has(mark))).toBe(isAlike);
  });

  it('tell nobody who it is', () => {
    expect(
      marks({ mail: 'ada@example.test', name: 'Ada' }).every((mark) => /^[0-9a-f]{16}$/.test(mark)),
    ).toBe(true);
  });
});
