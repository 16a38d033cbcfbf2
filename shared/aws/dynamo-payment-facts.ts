import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { RetryableError } from '../core/errors.ts';
import { journeyKey, partsOf } from '../core/intent-key.ts';
import type { PaymentFacts, PaymentFactsStore, PaymentProvider } from '../core/payment-facts.ts';
import type { Clock } from '../core/ports.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';

/** As long as finished ledger entries: refunds come late. */
const KEEP_S = 400 * 24 * 60 * 60;
/** DynamoDB's limit for one BatchGetItem. */
const BATCH = 100;

type Side = 'payments' | 'orders';

/**
 * Table: partition key `pk`, time to live on `expiresAtS`. One row per payment with its facts, and one per name that a
 * payment and an order may share (a reference, or the order's id or number), with the sets of both that have used it.
 */
const rows = (client: DynamoDBClient, tableName: string, nowMs: Clock) => ({
  ttl: () => ({ N: String(Math.floor(nowMs() / 1000) + KEEP_S) }),

  /** Adds one to a side of the name, and says who is on the other. One write: it cannot come between two others. */
  meet: async (pk: string, side: Side, id: string): Promise<readonly string[]> => {
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { pk: { S: pk } },
        UpdateExpression: 'SET #ttl = :ttl ADD #side :id',
        ExpressionAttributeNames: { '#ttl': 'expiresAtS', '#side': side },
        ExpressionAttributeValues: {
          ':id': { SS: [id] },
          ':ttl': { N: String(Math.floor(nowMs() / 1000) + KEEP_S) },
        },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return Attributes?.[side === 'orders' ? 'payments' : 'orders']?.SS ?? [];
  },
});

const key = (...parts: readonly string[]): string => parts.map(encodeURIComponent).join('#');
const factsKey = (source: string, paymentId: string): string => key('facts', source, paymentId);

/** For the function that reads payments at their provider. */
export const dynamoPaymentRecords = (
  client: DynamoDBClient,
  tableName: string,
  nowMs: Clock,
): Pick<PaymentFactsStore, 'put' | 'ordersOf'> => {
  const { meet, ttl } = rows(client, tableName, nowMs);
  return {
    put: async (facts) => {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: { pk: { S: factsKey(facts.source, facts.paymentId) } },
            UpdateExpression: 'SET #facts = :facts, #asOf = :asOf, #ttl = :ttl',
            ConditionExpression: 'attribute_not_exists(#asOf) OR #asOf < :asOf',
            ExpressionAttributeNames: { '#facts': 'facts', '#asOf': 'asOfMs', '#ttl': 'expiresAtS' },
            ExpressionAttributeValues: {
              ':facts': { S: JSON.stringify(facts) },
              ':asOf': { N: String(facts.asOfMs) },
              ':ttl': ttl(),
            },
          }),
        );
        return 'kept';
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return 'older';
        throw error;
      }
    },

    ordersOf: async ({ source, paymentId, references, orderHint }) => {
      const names = [
        ...references.map((reference) => key('reference', source, reference)),
        ...(orderHint === undefined ? [] : [key('order', source, orderHint)]),
      ];
      const found = await Promise.all(names.map((name) => meet(name, 'payments', paymentId)));
      return [...new Set(found.flat())].map((journey) => {
        const [destination = '', orderSource = '', orderId = ''] = partsOf(journey);
        return { destination, source: orderSource, orderId };
      });
    },
  };
};

/** For the function that writes orders to one ERP. */
export const dynamoPaymentFacts = (
  client: DynamoDBClient,
  tableName: string,
  nowMs: Clock,
): Pick<PaymentFactsStore, 'of'> => {
  const { meet } = rows(client, tableName, nowMs);
  return {
    of: async (providers, destination, order) => {
      const journey = journeyKey(destination, order.source, order.orderId);
      const keys = new Set<string>();
      for (const provider of providers) {
        const found = await Promise.all(
          namesOf(order, provider).map((name) => meet(name, 'orders', journey)),
        );
        for (const paymentId of found.flat()) keys.add(factsKey(provider.source, paymentId));
      }
      return factsIn(client, tableName, [...keys]);
    },
  };
};

const namesOf = (order: OrderChangedV1, { source, hint }: PaymentProvider): string[] => {
  const { payment, payments = [], orderId, orderNumber } = order;
  const references = [payment.reference, ...payments.flatMap(({ id, reference }) => [id, reference])];
  const hints = { either: [orderId, orderNumber], id: [orderId], number: [orderNumber], none: [] }[hint];
  return [
    ...new Set([
      ...references.flatMap((reference) => (reference ? [key('reference', source, reference)] : [])),
      ...hints.map((name) => key('order', source, name)),
    ]),
  ];
};

const factsIn = async (
  client: DynamoDBClient,
  tableName: string,
  keys: readonly string[],
): Promise<PaymentFacts[]> => {
  const found: PaymentFacts[] = [];
  for (let at = 0; at < keys.length; at += BATCH) {
    const Keys = keys.slice(at, at + BATCH).map((pk) => ({ pk: { S: pk } }));
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ConsistentRead: true } } }),
    );
    // Throttled: without them a payment would be booked as the shop alone states it.
    if (Object.keys(UnprocessedKeys ?? {}).length > 0) {
      throw new RetryableError('PAYMENTS_THROTTLED', 'the table of payments did not answer for all rows');
    }
    for (const item of Responses?.[tableName] ?? []) {
      found.push(JSON.parse(item['facts']?.S ?? '{}') as PaymentFacts);
    }
  }
  return found.sort((a, b) => (a.paymentId < b.paymentId ? -1 : 1));
};
