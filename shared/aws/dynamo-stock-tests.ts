import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { StockTestNote, StockTestNotes } from '../core/stock-test/note.ts';
import { versionedRows } from './dynamo-rows.ts';

/** Rows of the stock table: `stock-test#<ERP connection>` by SKU. Who tests from another machine finds what was left. */
export const dynamoStockTests = (client: DynamoDBClient, tableName: string): StockTestNotes => {
  const rows = versionedRows(client, tableName);
  const pk = (erp: string) => `stock-test#${erp}`;
  return {
    load: async (erp, sku) => (await rows.load<StockTestNote>(pk(erp), [sku])).get(sku),
    save: (note) => rows.put(pk(note.erp), note.sku, note),
  };
};
