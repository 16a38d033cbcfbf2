import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { RetryableError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import {
  type Bucket,
  type BucketTold,
  type RateBudget,
  settledWith,
  takenFrom,
  untoldBucket,
} from '../core/rate-budget.ts';

/** How often a row is tried that others write at the same moment. */
const TRIES = 10;
/** A bucket is full again long before. */
const KEEP_S = 24 * 60 * 60;

interface Known {
  readonly bucket: Bucket;
  readonly revision: number;
}

/**
 * In the table of cursors, one row for each connection. Taking is one conditional write, and settles what the calls before
 * it left over; whoever loses reads again, and takes nothing before it has written.
 */
export const dynamoRateBudget = (
  client: DynamoDBClient,
  tableName: string,
  connection: string,
  nowMs: Clock,
): RateBudget => {
  const key = { pk: { S: `budget#${connection}` } };
  let known: Known | undefined;
  let unsettled: { readonly unused: number; readonly told: BucketTold | undefined }[] = [];

  const read = async (): Promise<Known> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
    );
    return Item?.['points']?.S === undefined
      ? { bucket: untoldBucket(nowMs()), revision: 0 }
      : { bucket: JSON.parse(Item['points'].S) as Bucket, revision: Number(Item['revision']?.N ?? 0) };
  };

  /** @returns false: somebody was faster */
  const write = async (bucket: Bucket, revision: number): Promise<boolean> => {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: key,
          ConditionExpression: revision === 0 ? 'attribute_not_exists(pk)' : 'revision = :revision',
          UpdateExpression: 'SET points = :points, revision = :next, expiresAtS = :ttl',
          ExpressionAttributeValues: {
            ':points': { S: JSON.stringify(bucket) },
            ...(revision > 0 && { ':revision': { N: String(revision) } }),
            ':next': { N: String(revision + 1) },
            ':ttl': { N: String(Math.floor(nowMs() / 1000) + KEEP_S) },
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  return {
    take: async (points) => {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const { bucket, revision } = known ?? (await read());
        const settling = unsettled;
        const settled = settling.reduce(
          (one, { unused, told }) => settledWith(one, unused, told, nowMs()),
          bucket,
        );
        const taken = takenFrom(settled, points, nowMs());
        known = undefined;
        if (!(await write(taken.bucket, revision))) continue;
        known = { bucket: taken.bucket, revision: revision + 1 };
        unsettled = unsettled.filter((each) => !settling.includes(each));
        return taken.waitMs;
      }
      const message = 'too many workers take from the budget of one connection at this moment';
      throw new RetryableError('RATE_LIMITED', message, { connection, retryAfterMs: 1_000 });
    },
    settle: async (unused, told) => {
      unsettled = [...unsettled, { unused, told }];
    },
  };
};
