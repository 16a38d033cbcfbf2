import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { Command } from 'commander';
import pc from 'picocolors';
import { dynamoDb, sqs } from '../../../shared/aws/clients.ts';
import { dynamoConnectionStates } from '../../../shared/aws/dynamo-connection-states.ts';
import { dynamoParkedRows } from '../../../shared/aws/dynamo-parked-rows.ts';
import { type ParkedQueueUrls, sqsParkedMessages } from '../../../shared/aws/sqs-parked-messages.ts';
import type { ConnectionState } from '../../../shared/core/connection-states.ts';
import { openTarget, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';
import { ageWords, aligned, timeWords } from './parked-words.ts';

/** One connection; the recorder of the order journal counts as one. */
export interface ConnectionStatus {
  readonly connection: string;
  /** undefined: it cannot be paused, so it runs. */
  readonly state: Pick<ConnectionState, 'state' | 'sinceMs' | 'by' | 'code' | 'why'> | undefined;
  /** Messages; SQS counts approximately. undefined: it has no queue. */
  readonly queue:
    | { readonly visible: number; readonly inFlight: number; readonly parked: number }
    | undefined;
}

export const addStatusCommand = (program: Command): void => {
  onTarget(program.command('status'))
    .description('every connection: running or paused, since when and why; what waits, what is parked')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nIt ends with 1 when something is paused, parked or in quarantine.')
    .action(status);
};

const status = async (options: TargetOptions & { json?: boolean }): Promise<void> => {
  const target = await openTarget(options);
  const queues = await target.queues();
  const dynamo = dynamoDb();
  const states = dynamoConnectionStates(dynamo, target.connectionsTable);
  const rows = dynamoParkedRows(dynamo, target.parkedTable);
  const names = [...new Set([...target.storefronts, ...target.erps, ...Object.keys(queues)])];
  const connections = await Promise.all(
    names.map(async (connection): Promise<ConnectionStatus> => {
      const urls = queues[connection];
      const [row, queue] = await Promise.all([
        target.erps.includes(connection) ? states.get(connection) : undefined,
        urls && countOf(urls, async () => (await rows.list(connection)).length),
      ]);
      const { state, sinceMs, by, code, why } = row ?? {};
      return {
        connection,
        state: state && { state, sinceMs: sinceMs ?? 0, by, code, why },
        queue,
      };
    }),
  );
  const quarantined = await quarantinedIn(target.quarantineQueue);
  if (options.json) sayJson({ connections, quarantined });
  else for (const line of statusWords(connections, quarantined, Date.now())) say(line);
  if (needsAttention(connections, quarantined)) process.exitCode = 1;
};

/** Whether a person has to do something, or has paused something. */
export const needsAttention = (connections: readonly ConnectionStatus[], quarantined: number): boolean =>
  quarantined > 0 ||
  connections.some(({ state, queue }) => state?.state === 'paused' || (queue?.parked ?? 0) > 0);

/** A line for each connection, and one below it for why it is paused. */
export const statusWords = (
  connections: readonly ConnectionStatus[],
  quarantined: number,
  nowMs: number,
): string[] => {
  const cells = connections.map(({ connection, state, queue }) => [
    connection,
    state?.state ?? 'running',
    queue ? `${queue.visible} wait` : '',
    queue ? `${queue.inFlight} at work or to be tried again` : '',
    queue ? `${queue.parked} parked` : '',
  ]);
  const lines = aligned(cells).flatMap((line, i) => {
    const { state, queue } = connections[i] ?? {};
    if (state?.state !== 'paused') return [queue && queue.parked > 0 ? pc.yellow(line) : line];
    const { sinceMs, by, code, why } = state;
    const since = `since ${timeWords(sinceMs)} (${ageWords(nowMs - sinceMs)}) by ${by ?? 'somebody'}`;
    return [pc.yellow(line), `    paused ${since}, ${code ?? 'no code'}: ${why ?? 'no reason given'}`];
  });
  return [
    ...lines,
    ...(quarantined > 0 ? [pc.yellow(`${quarantined} in quarantine: waybill quarantine list`)] : []),
  ];
};

/** Of what is parked, queue and index each may know something that the other does not. */
const countOf = async (
  urls: ParkedQueueUrls,
  indexed: () => Promise<number>,
): Promise<NonNullable<ConnectionStatus['queue']>> => {
  const [{ visible, inFlight }, queued, known] = await Promise.all([
    depthOf(urls.queue),
    sqsParkedMessages(sqs(), urls).count(),
    indexed(),
  ]);
  return { visible, inFlight, parked: Math.max(queued, known) };
};

const quarantinedIn = async (queueUrl: string): Promise<number> => {
  const { visible, inFlight } = await depthOf(queueUrl);
  return visible + inFlight;
};

const depthOf = async (QueueUrl: string): Promise<{ visible: number; inFlight: number }> => {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes = {} } = await sqs().send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }),
  );
  const [visible = 0, inFlight = 0] = names.map((name) => Number(Attributes[name] ?? 0));
  return { visible, inFlight };
};
