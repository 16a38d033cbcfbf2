import { gzipSync } from 'node:zlib';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { journeyKey } from '../core/intent-key.ts';
import type { Journal, JourneyStep } from '../core/journal.ts';

/** Settled rows are kept as long as finished ledger entries. */
const KEEP_SETTLED_S = 400 * 24 * 60 * 60;

/**
 * Table: partition key `pk`, time to live on `expiresAtS`, index `open` (`openFor`, `openSinceMs`) over the
 * rows that are unfinished. Snapshots are kept gzipped: an item holds at most 400 KB.
 */
export const dynamoJournal = (client: DynamoDBClient, tableName: string): Journal => {
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
          ExpressionAttributeNames: { '#state': 'state', '#steps': 'steps' },
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
      const newer = '(attribute_not_exists(version) OR version < :version)';
      const snapshot = `version = :version, snapshot = :snapshot, ${ADD_STEP}`;
      // Unfinished, unless the consumer was faster than we are.
      const opened = await update(
        pk,
        `SET ${snapshot}, #state = :open, openFor = :destination, openSinceMs = if_not_exists(openSinceMs, :at) REMOVE expiresAtS`,
        `${newer} AND (attribute_not_exists(settledVersion) OR settledVersion < :version)`,
        {
          ...values,
          ':open': { S: 'open' },
          ':destination': { S: destination },
          ':at': { N: String(step.atMs) },
        },
      );
      // `#state = #state` keeps the name in use; the row exists, or the first update had succeeded.
      if (!opened) await update(pk, `SET ${snapshot}, #state = #state`, newer, values);
    },

    settle: async (destination, source, orderId, settlement) => {
      const pk = journeyKey(destination, source, orderId);
      const { state, sourceVersion, step, document, detail, wire } = settlement;
      const expiresAtS = Math.floor(step.atMs / 1000) + KEEP_SETTLED_S;
      const set = [
        'settledVersion = :version',
        ADD_STEP,
        ...(document ? ['document = :document'] : []),
        ...(detail ? ['detail = :detail'] : []),
        ...(wire === undefined ? [] : ['wire = :wire']),
      ].join(', ');
      const values: Record<string, AttributeValue> = {
        ':version': { N: String(sourceVersion) },
        ':state': { S: state },
        ...stepValues(step),
        ...(document ? { ':document': { S: JSON.stringify(document) } } : {}),
        ...(detail ? { ':detail': { S: detail } } : {}),
        ...(wire === undefined ? {} : { ':wire': { B: gzipSync(JSON.stringify(wire)) } }),
      };
      const notOlder = '(attribute_not_exists(settledVersion) OR settledVersion <= :version)';
      const latest = '(attribute_not_exists(version) OR version <= :version)';
      const settled =
        state === 'parked'
          ? await update(
              pk,
              `SET ${set}, #state = :state, openFor = :destination, openSinceMs = if_not_exists(openSinceMs, :at) REMOVE expiresAtS`,
              `${notOlder} AND ${latest}`,
              { ...values, ':destination': { S: destination }, ':at': { N: String(step.atMs) } },
            )
          : await update(
              pk,
              `SET ${set}, #state = :state, expiresAtS = :ttl REMOVE openFor, openSinceMs`,
              `${notOlder} AND ${latest}`,
              { ...values, ':ttl': { N: String(expiresAtS) } },
            );
      // A newer version is recorded and not yet settled: the row stays open.
      const { ':state': _state, ...withoutState } = values;
      if (!settled) await update(pk, `SET ${set}, #state = #state`, notOlder, withoutState);
    },
  };
};
