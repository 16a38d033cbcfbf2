import { describe, expect, it } from 'vitest';
import { normalised } from '../../shared/connectors/normalised.ts';
import { UnreadableOrder } from '../../shared/core/read-amounts.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { message, payload, receive, signed } from './custom-store/deliveries.ts';

const anOrder = (): OrderChangedV1 => {
  const received = receive(signed(message(payload('usd-several-taxes-discount'))));
  if (received.kind !== 'order') throw new Error(JSON.stringify(received));
  return received.order;
};
const throwing = (failure: unknown) => () => {
  throw failure;
};

it('an event of the catalogue, with what somebody should know about it', () => {
  const value = anOrder();
  expect(normalised(() => ({ value, warnings: ['rounded'] }))).toEqual({
    kind: 'order',
    order: value,
    warnings: ['rounded'],
  });
});

describe('never thrown, because it would be the same when it is sent again', () => {
  it.each<[string, Parameters<typeof normalised>[0], string]>([
    [
      'no event: the field, and no value of it',
      () => ({ value: { ...anOrder(), orderId: '' }, warnings: [] }),
      'as an event, orderId: Too small: expected string to have >=1 characters',
    ],
    [
      'what the mapper cannot state, where it stands in what was sent',
      throwing(new UnreadableOrder('total', 'is no amount')),
      'data.total: is no amount',
    ],
    [
      'a fault of ours, without its message, which may hold anything',
      throwing(new TypeError('Ada')),
      'not mapped (TypeError)',
    ],
    ['whatever else can be thrown', throwing('Ada'), 'not mapped (unknown)'],
  ])('%s', (_case, map, reason) => {
    expect(normalised(map, 'data.')).toEqual({ kind: 'unreadable', reason });
  });
});
