import { gzipSync } from 'node:zlib';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { journeyKey } from '../core/intent-key.ts';
import type { Journal, JourneyState, JourneyStep } from '../core/journal.ts';

/** Settled rows are kept as long as finished ledger entries. */
const KEEP_SETTLED_S = 400 * 24 * 60 * 60;

/**
 * Table: partition key `pk`, time to live on `expiresAtS`, index `open` (`openFor`, `openSinceMs`) over the
 * rows that are unfinished. Snapshots are kept gzipped: an item holds at most 400 KB.
 */
export const dynamoJournal = (client: DynamoDBClient, tableName: string): Journal => {
  /** @returns whether the condition held */
  const update = async (
    pk: string,
    expression: string,
    condition: string,
    values: Record<string, AttributeValue>,
  ): Promise<boolean> => {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: { S: pk } },
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: namesIn(expression, condition),
          ExpressionAttributeValues: values,
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };
  const stepValues = (step: JourneyStep) => ({
    ':none': { L: [] },
    ':step': { L: [{ S: JSON.stringify(step) }] },
  });
  const ADD_STEP = '#steps = list_append(if_not_exists(#steps, :none), :step)';

  return {
    record: async (destination, event, step) => {
      const { source, orderId, sourceVersion } = event.data;
      const pk = journeyKey(destination, source, orderId);
      const values = {
        ':version': { N: String(sourceVersion) },
        ':snapshot': { B: gzipSync(JSON.stringify(event)) },
        ...stepValues(step),
      };
      const newer = '(attribute_not_exists(#version) OR #version < :version)';
      const snapshot = `#version = :version, #snapshot = :snapshot, ${ADD_STEP}`;
      // Unfinished, unless the consumer was faster than we are.
      const opened = await update(
        pk,
        `SET ${snapshot}, #state = :open, #openFor = :destination, #openSinceMs = if_not_exists(#openSinceMs, :at) REMOVE #expiresAtS`,
        `${newer} AND (attribute_not_exists(#settledVersion) OR #settledVersion < :version)`,
        {
          ...values,
          ':open': { S: 'open' },
          ':destination': { S: destination },
          ':at': { N: String(step.atMs) },
        },
      );
      if (!opened) await update(pk, `SET ${snapshot}`, newer, values);
    },

    settle: async (destination, source, orderId, settlement) => {
      const pk = journeyKey(destination, source, orderId);
      const { state, sourceVersion, step, document, detail, wire } = settlement;
      const set = [
        '#settledVersion = :version',
        ADD_STEP,
        ...(document ? ['#document = :document'] : []),
        ...(detail ? ['#detail = :detail'] : []),
        ...(wire === undefined ? [] : ['#wire = :wire']),
      ].join(', ');
      const values: Record<string, AttributeValue> = {
        ':version': { N: String(sourceVersion) },
        ...stepValues(step),
        ...(document ? { ':document': { S: JSON.stringify(document) } } : {}),
        ...(detail ? { ':detail': { S: detail } } : {}),
        ...(wire === undefined ? {} : { ':wire': { B: gzipSync(JSON.stringify(wire)) } }),
      };
      // The words of an earlier refusal explain nothing any more, and may name a buyer.
      const remove = detail ? [] : ['#detail'];
      const notOlder = '(attribute_not_exists(#settledVersion) OR #settledVersion <= :version)';
      const latest = '(attribute_not_exists(#version) OR #version <= :version)';
      const settled =
        state === 'parked'
          ? await update(
              pk,
              `SET ${set}, #state = :state, #openFor = :destination, #openSinceMs = if_not_exists(#openSinceMs, :at) REMOVE ${['#expiresAtS', ...remove].join(', ')}`,
              `${notOlder} AND ${latest}`,
              {
                ...values,
                ':state': { S: state },
                ':destination': { S: destination },
                ':at': { N: String(step.atMs) },
              },
            )
          : await update(
              pk,
              `SET ${set}, #state = :state, #expiresAtS = :ttl REMOVE ${['#openFor', '#openSinceMs', ...remove].join(', ')}`,
              `${notOlder} AND ${latest}`,
              {
                ...values,
                ':state': { S: state },
                ':ttl': { N: String(Math.floor(step.atMs / 1000) + KEEP_SETTLED_S) },
              },
            );
      // A newer version is recorded and not yet settled: the row stays open.
      if (!settled) await update(pk, `SET ${set}`, notOlder, values);
    },

    settled: async (destination, source, orderId) => {
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: tableName,
          Key: { pk: { S: journeyKey(destination, source, orderId) } },
          ProjectionExpression: '#settledVersion, #state',
          ExpressionAttributeNames: namesIn('#settledVersion, #state'),
          ConsistentRead: true,
        }),
      );
      const version = Item?.['settledVersion']?.N;
      if (version === undefined) return undefined;
      return {
        sourceVersion: Number(version),
        state: (Item?.['state']?.S ?? 'open') as JourneyState | 'open',
      };
    },
  };
};

/**
 * Names for exactly the attributes that the expressions mention. All are aliased, because some are reserved
 * words (snapshot, state), and an alias that is not used would be refused.
 */
const namesIn = (...expressions: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    expressions.flatMap((text) => text.match(/#\w+/g) ?? []).map((name) => [name, name.slice(1)]),
  );
