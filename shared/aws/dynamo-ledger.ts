import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { PeerDocument } from '../connectors/contract.ts';
import { RetryableError } from '../core/errors.ts';
import type { Claim, Ledger, LedgerEntry, LedgerFacts } from '../core/ledger.ts';
import type { Clock } from '../core/ports.ts';

/**
 * Finished entries are kept for 400 days: far longer than a parked queue (14 days) or an archive replay can
 * bring an event back. Afterwards the look-up by reference still protects. Unfinished entries never expire.
 */
export const KEEP_FINISHED_S = 400 * 24 * 60 * 60;

type Item = Record<string, AttributeValue>;

/** Table: partition key `pk` (the intent), time to live on `expiresAtS`. */
export const dynamoLedger = (client: DynamoDBClient, tableName: string, nowMs: Clock): Ledger => {
  const key = (intent: string) => ({ pk: { S: intent } });

  const peek = async (intent: string): Promise<LedgerEntry | undefined> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key(intent), ConsistentRead: true }),
    );
    return Item ? entryOf(intent, Item) : undefined;
  };

  /** Holds only while nobody has claimed since. */
  const fenced = async (
    intent: string,
    attempt: number,
    update: string,
    names: Record<string, string>,
    values: Item,
    condition = 'attempt = :attempt',
  ) => {
    await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: key(intent),
        UpdateExpression: update,
        ConditionExpression: condition,
        ...(Object.keys(names).length > 0 ? { ExpressionAttributeNames: names } : {}),
        ExpressionAttributeValues: { ...values, ':attempt': { N: String(attempt) } },
      }),
    );
  };
  const orFenced = (intent: string) => (error: unknown) => {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    throw new RetryableError('FENCED', 'another worker has taken over', { intent }, { cause: error });
  };

  return {
    peek,

    claim: async (intent, leaseMs, { reopen = false, isUrgent = false } = {}): Promise<Claim> => {
      const now = nowMs();
      try {
        const { Attributes = {} } = await client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: key(intent),
            ConditionExpression: `attribute_not_exists(pk) OR (${[
              ...(reopen ? [] : ['#state <> :finished']),
              'leaseUntilMs <= :now',
              ...(isUrgent ? [] : ['(attribute_not_exists(notBeforeMs) OR notBeforeMs <= :now)']),
            ].join(' AND ')})`,
            UpdateExpression:
              'SET leaseUntilMs = :lease, #state = if_not_exists(#state, :open) REMOVE notBeforeMs ADD attempt :one, failures :one',
            ExpressionAttributeNames: { '#state': 'state' },
            ExpressionAttributeValues: {
              ...(reopen ? {} : { ':finished': { S: 'finished' } }),
              ':open': { S: 'open' },
              ':now': { N: String(now) },
              ':lease': { N: String(now + leaseMs) },
              ':one': { N: '1' },
            },
            ReturnValues: 'ALL_NEW',
          }),
        );
        return { kind: 'claimed', entry: entryOf(intent, Attributes) };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        // Read again rather than ask for the old item with the failure: local tables ignore that option.
        const entry = await peek(intent);
        if (entry?.state === 'finished' && !reopen) return { kind: 'finished', entry };
        return { kind: 'busy', leaseUntilMs: Math.max(entry?.leaseUntilMs ?? now, entry?.notBeforeMs ?? 0) };
      }
    },

    written: (intent, attempt, document, facts) =>
      fenced(
        intent,
        attempt,
        `SET #state = :written, #document = :document${facts ? ', facts = :facts' : ''}`,
        { '#state': 'state', '#document': 'document' },
        {
          ':written': { S: 'written' },
          ':finished': { S: 'finished' },
          ':document': { S: JSON.stringify(document) },
          ...(facts && { ':facts': { S: JSON.stringify(facts) } }),
        },
        // The SDK sends again what was not answered: the first copy may arrive after `finish`.
        'attempt = :attempt AND #state <> :finished',
      ).catch(orFenced(intent)),

    note: (intent, attempt, facts) =>
      fenced(
        intent,
        attempt,
        'SET facts = :facts',
        {},
        { ':facts': { S: JSON.stringify(facts) }, ':zero': { N: '0' } },
        // As above: what was finished knows better.
        'attempt = :attempt AND leaseUntilMs > :zero',
      ).catch(orFenced(intent)),

    finish: (intent, attempt, document, facts) =>
      fenced(
        intent,
        attempt,
        'SET #state = :finished, #document = :document, facts = :facts, finishedAtMs = :now, expiresAtS = :ttl, leaseUntilMs = :zero, failures = :zero',
        { '#state': 'state', '#document': 'document' },
        {
          ':finished': { S: 'finished' },
          ':document': { S: JSON.stringify(document) },
          ':facts': { S: JSON.stringify(facts) },
          ':now': { N: String(nowMs()) },
          ':ttl': { N: String(Math.floor(nowMs() / 1000) + KEEP_FINISHED_S) },
          ':zero': { N: '0' },
        },
      ).catch(orFenced(intent)),

    release: async (intent, attempt, { keepLease, budget, restMs = 0 }) => {
      const set = [
        ...(keepLease ? [] : ['leaseUntilMs = :zero']),
        ...(budget === 'renewed' ? ['failures = :zero'] : []),
        ...(budget === 'unspent' ? ['failures = failures - :one'] : []),
        ...(restMs > 0 ? ['notBeforeMs = :notBefore'] : []),
      ];
      if (set.length === 0) return;
      const values: Item = {
        ...(keepLease && budget !== 'renewed' ? {} : { ':zero': { N: '0' } }),
        ...(budget === 'unspent' ? { ':one': { N: '1' } } : {}),
        ...(restMs > 0 ? { ':notBefore': { N: String(nowMs() + restMs) } } : {}),
      };
      await fenced(intent, attempt, `SET ${set.join(', ')}`, {}, values).catch((error: unknown) => {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      });
    },
  };
};

const entryOf = (intent: string, item: Item): LedgerEntry => {
  const number = (name: string) => Number(item[name]?.N ?? 0);
  const json = <T>(name: string): T | undefined =>
    item[name]?.S === undefined ? undefined : (JSON.parse(item[name].S) as T);
  return {
    intent,
    state: (item['state']?.S ?? 'open') as LedgerEntry['state'],
    attempt: number('attempt'),
    failures: number('failures'),
    leaseUntilMs: number('leaseUntilMs'),
    notBeforeMs: item['notBeforeMs'] && number('notBeforeMs'),
    document: json<PeerDocument>('document'),
    facts: json<LedgerFacts>('facts') ?? {},
  };
};
