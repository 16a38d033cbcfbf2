import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { PeerDocument } from '../connectors/contract.ts';
import { RetryableError } from '../core/errors.ts';
import { journeyKey, partsOf } from '../core/intent-key.ts';
import type { LedgerFacts } from '../core/ledger.ts';
import type { LedgerRepairs, WrittenOrder } from '../core/ledger-repairs.ts';
import { twinOf } from '../core/order-changes.ts';

type Item = Record<string, AttributeValue>;

const IS_WRITTEN =
  'begins_with(pk, :destination) AND ((#state = :finished AND finishedAtMs >= :since) OR (#state = :open AND forgottenAtMs >= :since))';

/**
 * The table that `dynamoLedger` writes. Read whole: once a day, half a cent for every gigabyte, and an index would cost a
 * write with each order.
 */
export const dynamoLedgerRepairs = (client: DynamoDBClient, tableName: string): LedgerRepairs => ({
  async *orders(destination, sinceMs) {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new ScanCommand({
          TableName: tableName,
          FilterExpression: IS_WRITTEN,
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: {
            ':destination': { S: journeyKey(destination, '', '').slice(0, -1) },
            ':finished': { S: 'finished' },
            ':open': { S: 'open' },
            ':since': { N: String(sinceMs) },
          },
          ...(from ? { ExclusiveStartKey: from } : {}),
        }),
      );
      for (const item of Items) {
        const order = orderOf(item);
        if (order) yield order;
      }
      from = LastEvaluatedKey;
    } while (from);
  },

  forget: async (intent, attempt, repair) => {
    await client
      .send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: { S: intent } },
          ConditionExpression: 'attempt = :attempt AND leaseUntilMs > :zero',
          UpdateExpression:
            'SET #state = :open, leaseUntilMs = :zero, failures = :zero, forgottenAtMs = :at, repairs = list_append(if_not_exists(repairs, :none), :repair) REMOVE #document, facts, finishedAtMs, expiresAtS',
          ExpressionAttributeNames: { '#state': 'state', '#document': 'document' },
          ExpressionAttributeValues: {
            ':attempt': { N: String(attempt) },
            ':open': { S: 'open' },
            ':zero': { N: '0' },
            ':at': { N: String(repair.atMs) },
            ':none': { L: [] },
            ':repair': { L: [{ S: JSON.stringify(repair) }] },
          },
        }),
      )
      .catch((error: unknown) => {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        throw new RetryableError('FENCED', 'another worker has taken over', { intent }, { cause: error });
      });
  },
});

/** undefined: a customer, a refund. */
const orderOf = (item: Item): WrittenOrder | undefined => {
  const [, source = '', orderId = '', intent] = partsOf(item['pk']?.S ?? '');
  if (intent !== 'create' || source === '*') return undefined;
  const isFinished = item['state']?.S === 'finished';
  const twin = twinOf(JSON.parse(item['facts']?.S ?? '{}') as LedgerFacts);
  return {
    source,
    orderId,
    state: isFinished ? 'finished' : 'forgotten',
    atMs: Number(item[isFinished ? 'finishedAtMs' : 'forgottenAtMs']?.N ?? 0),
    attempt: Number(item['attempt']?.N ?? 0),
    document: item['document']?.S ? (JSON.parse(item['document'].S) as PeerDocument) : undefined,
    isCancelled: twin?.ended === 'cancelled',
    refunds: twin?.refunds ?? [],
    payments: twin?.payments?.map(({ id }) => id) ?? [],
  };
};
