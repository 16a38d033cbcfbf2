import { gzipSync } from 'node:zlib';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { RetryableError } from '../core/errors.ts';
import { journeyKey } from '../core/intent-key.ts';
import {
  isClosable,
  type Journal,
  type JourneyRow,
  type JourneyState,
  type JourneyStep,
  onRecord,
  onSettle,
  type SeenInShadow,
  seenIn,
  staysListed,
} from '../core/journal.ts';
import { type Revision, revisionOf } from '../core/revision.ts';

/** Settled rows are kept as long as finished ledger entries. */
const KEEP_SETTLED_S = 400 * 24 * 60 * 60;

/** Recorder and consumer meet on a row at most now and then: whoever loses this often has found a mistake. */
const MOST_TRIES = 8;

/**
 * Table: partition key `pk`, time to live on `expiresAtS`, index `open` (`openFor`, `openSinceMs`) over the
 * rows that are unfinished. Snapshots are kept gzipped: an item holds at most 400 KB.
 *
 * Which copy counts is decided by `journal.ts`, on what was read; the write holds only while that is still so.
 */
export const dynamoJournal = (client: DynamoDBClient, tableName: string): Journal => {
  const read = async (pk: string): Promise<Row> => {
    const projection = '#revision, #settledRevision, #state, #openFor, #seenInShadow';
    const { Item } = await client.send(
      new GetItemCommand({
        TableName: tableName,
        Key: { pk: { S: pk } },
        ProjectionExpression: projection,
        ExpressionAttributeNames: namesIn(projection),
        ConsistentRead: true,
      }),
    );
    const recordedText = Item?.['revision']?.S;
    const settledText = Item?.['settledRevision']?.S;
    return {
      recordedText,
      settledText,
      recorded: revisionIn(recordedText),
      settled: revisionIn(settledText),
      state: (Item?.['state']?.S ?? 'open') as JourneyState | 'open',
      isListed: Item?.['openFor'] !== undefined,
      seenText: Item?.['seenInShadow']?.S,
    };
  };

  /** @returns whether the row was still as it was read */
  const update = async (
    pk: string,
    row: Row,
    set: readonly string[],
    remove: readonly string[],
    values: Record<string, AttributeValue>,
  ): Promise<boolean> => {
    const expression = `SET ${set.join(', ')}${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`;
    const condition = `${unchanged('#revision', ':wasRecorded', row.recordedText)} AND ${unchanged('#settledRevision', ':wasSettled', row.settledText)}`;
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: { S: pk } },
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: namesIn(expression, condition),
          ExpressionAttributeValues: {
            ...values,
            ...(row.recordedText === undefined ? {} : { ':wasRecorded': { S: row.recordedText } }),
            ...(row.settledText === undefined ? {} : { ':wasSettled': { S: row.settledText } }),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  /** @param write undefined: somebody else wrote in between, decide again */
  const decide = async <T>(pk: string, write: (row: Row) => Promise<T | undefined>): Promise<T> => {
    for (let left = MOST_TRIES; left > 0; left -= 1) {
      const result = await write(await read(pk));
      if (result !== undefined) return result;
    }
    throw new RetryableError('JOURNAL_BUSY', 'others wrote to this row all the time');
  };
  const stepValues = (step: JourneyStep) => ({
    ':none': { L: [] },
    ':step': { L: [{ S: JSON.stringify(step) }] },
  });
  const ADD_STEP = '#steps = list_append(if_not_exists(#steps, :none), :step)';

  return {
    record: async (destination, event, step) => {
      const { source, orderId } = event.data;
      const pk = journeyKey(destination, source, orderId);
      const copy = revisionOf(event);
      const values = {
        ':revision': { S: JSON.stringify(copy) },
        ':snapshot': { B: gzipSync(JSON.stringify(event)) },
        ...stepValues(step),
      };
      const snapshot = ['#revision = :revision', '#snapshot = :snapshot', ADD_STEP];
      const opening = ['#state = :open', '#openFor = :destination', OPEN_SINCE];
      await decide(pk, async (row) => {
        const recording = onRecord(row, copy);
        if (!recording) return true;
        // Unfinished, unless the consumer was faster than we are.
        const written = recording.opens
          ? await update(pk, row, [...snapshot, ...opening], ['#expiresAtS'], {
              ...values,
              ':open': { S: 'open' },
              ':destination': { S: destination },
              ':at': { N: String(step.atMs) },
            })
          : await update(pk, row, snapshot, [], values);
        return written || undefined;
      });
    },

    settle: (destination, source, orderId, settlement) => {
      const pk = journeyKey(destination, source, orderId);
      const { state, revision, step, document, detail, wire } = settlement;
      const seen = seenIn(settlement);
      const set = [
        '#settledRevision = :revision',
        ADD_STEP,
        ...(document ? ['#document = :document'] : []),
        ...(detail ? ['#detail = :detail'] : []),
        ...(wire === undefined ? [] : ['#wire = :wire']),
        ...(seen ? ['#seenInShadow = :seen'] : []),
      ];
      const told: Record<string, AttributeValue> = {
        ...stepValues(step),
        ...(document ? { ':document': { S: JSON.stringify(document) } } : {}),
        ...(detail ? { ':detail': { S: detail } } : {}),
        ...(wire === undefined ? {} : { ':wire': { B: gzipSync(JSON.stringify(wire)) } }),
        ...(seen ? { ':seen': { S: JSON.stringify(seen) } } : {}),
      };
      // The words of an earlier refusal explain nothing any more, and may name a buyer.
      const forget = detail ? [] : ['#detail'];
      return decide(pk, async (row) => {
        const settling = onSettle(row, revision);
        const { precedence, settled, closes } = settling;
        if (precedence === 'older' || precedence === 'unclear') return precedence;
        const values = { ...told, ':revision': { S: JSON.stringify(settled) } };
        const written = !closes
          ? // Something newer is recorded and not yet settled: the row stays open.
            await update(pk, row, set, [], values)
          : staysListed(row, settlement, settling)
            ? await update(
                pk,
                row,
                [...set, '#state = :state', '#openFor = :destination', OPEN_SINCE],
                ['#expiresAtS', ...forget],
                {
                  ...values,
                  ':state': { S: state },
                  ':destination': { S: destination },
                  ':at': { N: String(step.atMs) },
                },
              )
            : await update(
                pk,
                row,
                [...set, '#state = :state', '#expiresAtS = :ttl'],
                ['#openFor', '#openSinceMs', ...forget],
                {
                  ...values,
                  ':state': { S: state },
                  ':ttl': { N: String(Math.floor(step.atMs / 1000) + KEEP_SETTLED_S) },
                },
              );
        return written ? precedence : undefined;
      });
    },

    close: (destination, source, orderId, revision, atMs) => {
      const pk = journeyKey(destination, source, orderId);
      return decide(pk, async (row) => {
        if (!isClosable(row, revision)) return null;
        const closed = await update(pk, row, ['#expiresAtS = :ttl'], ['#openFor', '#openSinceMs'], {
          ':ttl': { N: String(Math.floor(atMs / 1000) + KEEP_SETTLED_S) },
        });
        return closed ? null : undefined;
      }).then(() => undefined);
    },

    settled: async (destination, source, orderId) => {
      const { settled, state, seenText } = await read(journeyKey(destination, source, orderId));
      const seenInShadow = seenText === undefined ? undefined : (JSON.parse(seenText) as SeenInShadow);
      return settled && { revision: settled, state, seenInShadow };
    },
  };
};

interface Row extends JourneyRow {
  /** As stored: the write compares them. */
  readonly recordedText: string | undefined;
  readonly settledText: string | undefined;
  /** On the list of unfinished work. */
  readonly isListed: boolean;
  readonly seenText: string | undefined;
  readonly state: JourneyState | 'open';
}

const OPEN_SINCE = '#openSinceMs = if_not_exists(#openSinceMs, :at)';

/** JSON leaves out what is undefined. */
const revisionIn = (text: string | undefined): Revision | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as Revision);

const unchanged = (name: string, value: string, text: string | undefined): string =>
  text === undefined ? `attribute_not_exists(${name})` : `${name} = ${value}`;

/**
 * Names for exactly the attributes that the expressions mention. All are aliased, because some are reserved
 * words (snapshot, state), and an alias that is not used would be refused.
 */
const namesIn = (...expressions: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    expressions.flatMap((text) => text.match(/#\w+/g) ?? []).map((name) => [name, name.slice(1)]),
  );
