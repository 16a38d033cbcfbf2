import { gunzipSync, gzipSync } from 'node:zlib';
import { type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { AuditReport, AuditReports } from '../core/audit/report.ts';
import { journeyKey } from '../core/intent-key.ts';

/** One a day: the last thirty. */
const KEEP_S = 30 * 24 * 60 * 60;

/** In the table of reports: partition key `pk` (`audit` and the ERP), range key `sk` (when). Gzipped, as shadow reports are. */
export const dynamoAuditReports = (client: DynamoDBClient, tableName: string): AuditReports => {
  const pk = (erp: string) => ({ S: journeyKey('audit', erp, 'stock') });
  return {
    put: async (report) => {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: {
            pk: pk(report.erp),
            sk: { S: new Date(report.atMs).toISOString() },
            report: { B: gzipSync(JSON.stringify(report)) },
            expiresAtS: { N: String(Math.floor(report.atMs / 1000) + KEEP_S) },
          },
        }),
      );
    },

    list: async (erp, most) => {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :erp',
          ExpressionAttributeValues: { ':erp': pk(erp) },
          ScanIndexForward: false,
          Limit: most,
          ConsistentRead: true,
        }),
      );
      return Items.flatMap(({ report }) =>
        report?.B ? [JSON.parse(gunzipSync(report.B).toString()) as AuditReport] : [],
      );
    },
  };
};
