import { describe, expect, it } from 'vitest';
import { acceptanceOf, policyKey } from '../../../shared/core/accept.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { OrderRoute } from '../../../shared/settings/order-route.ts';
import { anOrder } from '../../fakes/orders.ts';

type Status = OrderChangedV1['status'];
type Payment = OrderChangedV1['payment'];
const order = (
  status: Status,
  kind: Payment['kind'],
  state: Payment['state'],
  more: Partial<OrderChangedV1> = {},
) => anOrder({ status, sourceStatus: status, payment: { state, kind, method: 'm' }, ...more });
const route = (override: Record<string, unknown> = {}) =>
  OrderRoute.parse({ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-01-01T00:00:00+08:00', ...override });

describe('which line of the policy speaks about an order', () => {
  it.each<[Status, Payment['kind'], Payment['state'], string | undefined]>([
    ['open', 'online', 'paid', 'paid'],
    ['completed', 'online', 'paid', 'paid'],
    ['unknown', 'online', 'paid', 'paid'],
    ['open', 'online', 'partially-refunded', 'paid'],
    ['open', 'online', 'pending', undefined],
    ['open', 'online', 'partially-paid', undefined],
    ['open', 'online', 'unknown', undefined],
    ['open', 'online', 'failed', undefined],
    ['open', 'online', 'refunded', undefined],
    ['open', 'free', 'pending', 'paid'],
    ['open', 'free', 'unknown', 'paid'],
    ['open', 'cash-on-delivery', 'pending', 'cashOnDelivery'],
    ['open', 'cash-on-delivery', 'unknown', 'cashOnDelivery'],
    ['open', 'cash-on-delivery', 'paid', 'paid'],
    ['open', 'cash-on-delivery', 'failed', undefined],
    ['open', 'cash-on-delivery', 'refunded', undefined],
    ['open', 'bank-transfer', 'pending', 'bankTransferPending'],
    ['open', 'bank-transfer', 'paid', 'paid'],
    ['open', 'bank-transfer', 'failed', undefined],
    ['open', 'bank-transfer', 'refunded', undefined],
    ['open', 'other', 'pending', undefined],
    ['open', 'other', 'paid', 'paid'],
    ['on-hold', 'bank-transfer', 'pending', 'bankTransferPending'],
    ['on-hold', 'bank-transfer', 'paid', 'onHold'],
    ['on-hold', 'online', 'paid', 'onHold'],
    ['on-hold', 'online', 'pending', 'onHold'],
    ['on-hold', 'cash-on-delivery', 'pending', 'onHold'],
    ['on-hold', 'online', 'failed', undefined],
    ['pending', 'online', 'pending', undefined],
    ['pending', 'online', 'paid', undefined],
    ['pending', 'cash-on-delivery', 'pending', undefined],
  ])('%s, %s %s: %s', (status, kind, state, key) => {
    expect(policyKey(order(status, kind, state))).toBe(key);
    expect(policyKey(order(status, kind, state, { test: true }))).toBe('test');
  });
});

describe('what is done with it', () => {
  it.each([
    ['paid', order('open', 'online', 'paid'), 'confirm'],
    ['cash on delivery', order('open', 'cash-on-delivery', 'pending'), 'confirm'],
  ])('takes by default: %s', (_case, taken, level) => {
    expect(acceptanceOf(taken, route())).toEqual({ kind: 'take', level });
  });

  it.each([
    ['bankTransferPending', order('on-hold', 'bank-transfer', 'pending')],
    ['onHold', order('on-hold', 'online', 'paid')],
    ['test', order('open', 'online', 'paid', { test: true })],
  ])('ignores by default: %s', (key, ignored) => {
    expect(acceptanceOf(ignored, route())).toEqual({
      kind: 'skip',
      reason: 'IGNORED_BY_POLICY',
      why: `the route's policy for ${key} is ignore`,
    });
  });

  it.each([
    ['paid', order('open', 'online', 'paid')],
    ['cashOnDelivery', order('open', 'cash-on-delivery', 'pending')],
    ['bankTransferPending', order('on-hold', 'bank-transfer', 'pending')],
    ['onHold', order('on-hold', 'online', 'paid')],
    ['test', order('open', 'online', 'paid', { test: true })],
  ])('goes as far as the route says for %s', (key, taken) => {
    for (const level of ['draft', 'reserve', 'confirm']) {
      expect(acceptanceOf(taken, route({ accept: { [key]: level } }))).toEqual({ kind: 'take', level });
    }
    expect(acceptanceOf(taken, route({ accept: { [key]: 'ignore' } }))).toMatchObject({
      kind: 'skip',
      reason: 'IGNORED_BY_POLICY',
    });
  });

  it('waits for an order that is not paid', () => {
    expect(acceptanceOf(order('open', 'online', 'pending'), route())).toEqual({
      kind: 'skip',
      reason: 'NOT_ACCEPTED_YET',
      why: 'not paid: status open, payment pending',
    });
  });

  it.each<Status>(['cancelled', 'failed', 'refunded'])('asks for nothing when it is %s already', (status) => {
    expect(acceptanceOf(order(status, 'online', 'paid'), route())).toEqual({
      kind: 'skip',
      reason: 'CANCELLED_BEFORE_WRITTEN',
      why: `already ${status} when it came`,
    });
  });

  it('is off for every order when the route is off', () => {
    expect(acceptanceOf(order('open', 'online', 'paid'), route({ mode: 'off' }))).toEqual({
      kind: 'skip',
      reason: 'ROUTE_OFF',
      why: 'the route is switched off',
    });
  });

  it('works the same in shadow mode', () => {
    expect(acceptanceOf(order('open', 'online', 'paid'), route({ mode: 'shadow' }))).toEqual({
      kind: 'take',
      level: 'confirm',
    });
  });

  // 2026-12-01T00:00 in Taipei is 16:00 UTC on the day before.
  it.each([
    ['2026-11-30T15:59:59Z', 'skip'],
    ['2026-11-30T16:00:00Z', 'take'],
    ['2026-12-01T00:00:00Z', 'take'],
  ])('placed at %s: %s', (placedAt, kind) => {
    const acceptance = acceptanceOf(
      order('open', 'online', 'paid', { placedAt }),
      route({ startAt: '2026-12-01T00:00:00+08:00' }),
    );
    expect(acceptance.kind).toBe(kind);
    if (acceptance.kind === 'skip') {
      expect(acceptance).toMatchObject({
        reason: 'BEFORE_START',
        why: "placed at 2026-11-30T15:59:59Z, before the route's startAt 2026-12-01T00:00:00+08:00",
      });
    }
  });
});
