import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { EventName } from '../events/catalogue.ts';
import { PermanentError } from './errors.ts';
import type { CallContext } from './ports.ts';
import { type BatchPorts, eachRecord, readOneOf, type Told, type WorkResult } from './sqs-batch.ts';

/**
 * As `sqsBatch`, for events that are better worked on together: newest wins, one read serves all. `work` is called once,
 * with all events of the batch that can be read, and what it says holds for all of them. When it says that they can never
 * be done, each is tried alone, so that only the culprit is parked.
 */
export const sqsGroup =
  <N extends EventName>(options: {
    what: string;
    connection: string;
    /** See `queueId`. */
    queue: string;
    events: readonly N[];
    ports: Omit<BatchPorts, 'recordMs'>;
    work: (told: readonly Told<N>[], call: CallContext) => Promise<WorkResult>;
  }) =>
  (batch: SQSEvent, context: { getRemainingTimeInMillis(): number }): Promise<SQSBatchResponse> => {
    const { events, work, ...rest } = options;
    const read = (body: string) => readOneOf(events, body);
    const all = batch.Records.flatMap(({ body }) => {
      try {
        return [read(body)];
      } catch {
        // Parked below, when its turn comes.
        return [];
      }
    });
    let together: Promise<WorkResult> | undefined;
    return eachRecord<Told<N>>(
      {
        ...rest,
        read,
        envelopeOf: ({ event }) => event,
        work: async (told, call) => {
          const isFirst = together === undefined;
          together ??= work(all, call);
          try {
            const result = await together;
            return isFirst ? result : { line: { outcome: result.line.outcome, code: 'TOGETHER' } };
          } catch (error) {
            if (error instanceof PermanentError && all.length > 1) return work([told], call);
            throw error;
          }
        },
      },
      batch,
      context,
    );
  };
