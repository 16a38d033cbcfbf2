import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { RetryableError } from '../core/errors.ts';
import { CATALOGUE, type Publish } from '../events/catalogue.ts';

/** @throws RetryableError also when the bus answered 200 with a failed entry inside */
export const publisher =
  (client: EventBridgeClient, busName: string): Publish =>
  async (name, event) => {
    const { FailedEntryCount, Entries } = await client.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: busName,
            Source: CATALOGUE[name].source,
            DetailType: name,
            Time: new Date(event.meta.receivedAtMs),
            Detail: JSON.stringify(event),
          },
        ],
      }),
    );
    if (FailedEntryCount !== 0) {
      throw new RetryableError(
        'NOT_PUBLISHED',
        `the bus refused the event: ${Entries?.[0]?.ErrorCode ?? 'no reason'}`,
      );
    }
  };
