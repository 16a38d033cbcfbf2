import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { MappingKind, MappingRow, Mappings } from '../connectors/contract.ts';
import { RetryableError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';

/** A row that was changed is seen after a minute at the latest; a row that was missing, at once. */
const KEEP_MS = 60_000;
/** DynamoDB's limit for one BatchGetItem. */
const BATCH = 100;

/** Rows with this source hold for every source that has no row of its own. */
export const ANY_SOURCE = '*';

export const mappingPk = (destination: string, source: string, kind: MappingKind): string =>
  [destination, source, kind].map(encodeURIComponent).join('#');

/** Table: partition key `pk` (destination, source, kind), range key `sk` (the key). Attribute `row`: JSON. */
export const dynamoMappings = (client: DynamoDBClient, tableName: string, nowMs: Clock): Mappings => {
  const cache = new Map<string, { row: MappingRow; untilMs: number }>();
  const cacheKey = (pk: string, sk: string) => `${pk}\n${sk}`;

  const load = async (wanted: readonly { pk: string; sk: string }[]): Promise<void> => {
    for (let at = 0; at < wanted.length; at += BATCH) {
      const Keys = wanted.slice(at, at + BATCH).map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } }));
      const { Responses, UnprocessedKeys } = await client.send(
        // Consistent: an order may be redriven the moment after the row that it lacked was saved.
        new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ConsistentRead: true } } }),
      );
      // Throttled: an absent row would park an order, so the whole look-up is tried again later.
      if (Object.keys(UnprocessedKeys ?? {}).length > 0) {
        throw new RetryableError('MAPPINGS_THROTTLED', 'the mapping table did not answer for all rows');
      }
      for (const item of Responses?.[tableName] ?? []) {
        const row = JSON.parse(item['row']?.S ?? '{}') as MappingRow;
        cache.set(cacheKey(item['pk']?.S ?? '', item['sk']?.S ?? ''), { row, untilMs: nowMs() + KEEP_MS });
      }
    }
  };

  return {
    lookup: async (kind, source, destination, keys) => {
      const places = [
        ...new Set([mappingPk(destination, source, kind), mappingPk(destination, ANY_SOURCE, kind)]),
      ];
      // One moment for the whole look-up: a row that ends while others load is not missing.
      const startedMs = nowMs();
      const fresh = (pk: string, sk: string) => {
        const hit = cache.get(cacheKey(pk, sk));
        return hit && hit.untilMs > startedMs ? hit.row : undefined;
      };
      // DynamoDB refuses an empty key, and no row can have one.
      const unique = [...new Set(keys)].filter((sk) => sk !== '');
      await load(unique.flatMap((sk) => places.filter((pk) => !fresh(pk, sk)).map((pk) => ({ pk, sk }))));
      return new Map(
        unique.flatMap((sk) => {
          const row = places.map((pk) => fresh(pk, sk)).find((found) => found !== undefined);
          return row ? [[sk, row] as const] : [];
        }),
      );
    },
  };
};
