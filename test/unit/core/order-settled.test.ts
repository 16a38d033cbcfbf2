import { describe, expect, it } from 'vitest';
import { settledOf } from '../../../shared/core/order-settled.ts';
import type { PushOutcome } from '../../../shared/core/push-order.ts';
import type { Envelope } from '../../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { anOrder } from '../../fakes/orders.ts';

const order = anOrder();
const event: Envelope<OrderChangedV1> = {
  meta: { id: 'e1', connection: order.source, correlationId: 'c1', receivedAtMs: 1_000, via: 'webhook' },
  data: order,
};
const written = (rest: object = {}): PushOutcome => ({
  kind: 'written',
  document: { id: '7' },
  attempt: 1,
  level: 'confirm',
  warnings: [],
  roundingMinor: 0,
  ...rest,
});
const skipped = (reason: string, rest: object = {}) =>
  ({ kind: 'skipped', reason, why: '', ...rest }) as PushOutcome;

describe('settledOf', () => {
  it.each([
    ['confirmed', written(), 'promised'],
    ['held for later', written({ level: 'reserve' }), 'promised'],
    ['a draft', written({ level: 'draft' }), 'drafted'],
    ['edited', written({ kind: 'changed', done: ['edited'] }), 'promised'],
    ['cancelled', written({ kind: 'changed', done: ['cancelled'] }), 'ended'],
    ['there already', skipped('ALREADY_DONE', { holds: 'promised' }), 'promised'],
    ['cancelled already', skipped('ALREADY_DONE', { holds: 'ended' }), 'ended'],
    ['before the cut-over', skipped('BEFORE_START'), 'dropped'],
    ['not paid', skipped('NOT_ACCEPTED_YET'), 'dropped'],
    ['cancelled before it was written', skipped('CANCELLED_BEFORE_WRITTEN'), 'dropped'],
    ['given up by a person', skipped('DISCARDED'), 'dropped'],
    ['too old', skipped('OLDER_THAN_SETTLED'), undefined],
    ['asked for again', skipped('FETCHING_AGAIN'), undefined],
    ['in shadow', { kind: 'shadow', warnings: [] } as PushOutcome, undefined],
  ])('%s', (_, outcome, state) => {
    expect(settledOf('acme-odoo', event, outcome, 5_000)?.data.state).toBe(state);
  });

  it('names the order, its version and its SKUs, under an id that copies share', () => {
    expect(settledOf('acme-odoo', event, written(), 5_000)).toEqual({
      meta: { ...event.meta, id: 'e1:acme-odoo:settled', via: 'derived' },
      data: {
        source: order.source,
        orderId: order.orderId,
        destination: 'acme-odoo',
        sourceVersion: order.sourceVersion,
        state: 'promised',
        skus: [...new Set(order.lines.flatMap(({ sku }) => (sku ? [sku] : [])))],
        atMs: 5_000,
      },
    });
  });
});
