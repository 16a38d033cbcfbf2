import { gunzipSync, gzipSync } from 'node:zlib';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { journeyKey } from '../core/intent-key.ts';
import type { ShadowReport, ShadowReports } from '../core/shadow-report.ts';

/** Longer than anybody is in shadow mode. */
const KEEP_S = 400 * 24 * 60 * 60;

/**
 * Table: partition key `pk` (what it is about), range key `sk` (from when on), time to live on `expiresAtS`. The report is
 * kept gzipped: an item holds at most 400 KB.
 */
export const dynamoShadowReports = (client: DynamoDBClient, tableName: string): ShadowReports => {
  const pk = (destination: string, source: string) => ({ S: journeyKey('shadow', destination, source) });
  return {
    list: async (destination, source, most) => {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :route',
          ExpressionAttributeValues: { ':route': pk(destination, source) },
          ScanIndexForward: false,
          Limit: most,
          ConsistentRead: true,
        }),
      );
      return Items.flatMap(({ report }) =>
        report?.B ? [JSON.parse(gunzipSync(report.B).toString()) as ShadowReport] : [],
      );
    },

    put: async (report) => {
      const { from, to, sinceMs, untilMs } = report;
      try {
        await client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: {
              pk: pk(to, from),
              sk: { S: new Date(sinceMs).toISOString() },
              report: { B: gzipSync(JSON.stringify(report)) },
              expiresAtS: { N: String(Math.floor(untilMs / 1000) + KEEP_S) },
            },
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
};
