import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { PollState, PollStates } from '../core/stock/poll-state.ts';
import { versionedRows } from './dynamo-rows.ts';

/** Rows of the stock table: `polls` by ERP connection. */
export const dynamoPollStates = (client: DynamoDBClient, tableName: string): PollStates => {
  const rows = versionedRows(client, tableName);
  return {
    load: async (erp) =>
      (await rows.load<PollState>('polls', [erp])).get(erp) ?? { erp, version: 0, known: 0 },
    save: (state) => rows.put('polls', state.erp, state),
  };
};
