import {
  EventBridgeClient,
  type PutEventsCommand,
  type PutEventsCommandOutput,
} from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { publisher } from '../../../shared/aws/event-bridge.ts';
import { RetryableError } from '../../../shared/core/errors.ts';
import { anOrder } from '../../fakes/orders.ts';

const event = {
  meta: {
    id: 'e1',
    connection: 'acme-woo',
    correlationId: 'acme-woo:1001',
    receivedAtMs: 1_764_000_000_000,
    via: 'webhook' as const,
  },
  data: anOrder(),
};
const answering = (answer: Partial<PutEventsCommandOutput>) => {
  const sent: PutEventsCommand['input'][] = [];
  const client = Object.create(EventBridgeClient.prototype) as EventBridgeClient;
  client.send = async (command: PutEventsCommand) => {
    sent.push(command.input);
    return answer;
  };
  return { publish: publisher(client, 'commerce'), sent };
};

it('puts one entry on the bus, with the time at which we learned of it', async () => {
  const { publish, sent } = answering({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] });
  await publish('order.changed.v1', event);
  expect(sent).toEqual([
    {
      Entries: [
        {
          EventBusName: 'commerce',
          Source: 'waybill.storefront',
          DetailType: 'order.changed.v1',
          Time: new Date('2025-11-24T16:00:00Z'),
          Detail: JSON.stringify(event),
        },
      ],
    },
  ]);
});

it.each([
  ['a failed entry', { FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException' }] }, 'Throttling'],
  ['a failed entry without a reason', { FailedEntryCount: 1 }, 'no reason'],
  ['an answer that does not say', {}, 'no reason'],
])('is an error although the bus answered 200: %s', async (_case, answer, reason) => {
  const error: unknown = await answering(answer)
    .publish('order.changed.v1', event)
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RetryableError);
  expect(error).toMatchObject({ code: 'NOT_PUBLISHED', message: expect.stringContaining(reason) });
});
