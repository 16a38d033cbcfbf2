/** The local stack in a process of its own, so that it can be killed whole. Started by chaos-stack.ts. */
import type { MappingRow } from '../../shared/connectors/contract.ts';
import type { FunctionProcess } from '../local/index.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import { seeded } from './chaos-orders.ts';
import { type FunctionFolder, runLocally } from './run-local.ts';

/** What the runner is told, once. */
export interface RunnerStart {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly mappings: readonly MappingRow[];
  /** Most processes of each function. */
  readonly processes: Readonly<Record<FunctionFolder, number>>;
  readonly scratch: string;
  readonly dataDir?: string;
  readonly port?: number;
  /** How many of a thousand messages are handed out twice. */
  readonly redeliverPerMille: number;
  readonly seed: number;
}
export type ToRunner =
  | { readonly kind: 'start'; readonly start: RunnerStart }
  | { readonly kind: 'processes' }
  | { readonly kind: 'stop' };
export type FromRunner =
  | {
      readonly kind: 'ready';
      readonly webhookUrls: Readonly<Record<string, string>>;
      readonly apiUrl: string;
      readonly sqsUrl: string;
      /** `<stack>.<output>` -> value. */
      readonly outputs: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'processes'; readonly processes: readonly FunctionProcess[] };

const answer = (message: FromRunner): void => {
  process.send?.(message);
};

const run = async ({ redeliverPerMille, seed, processes, mappings, ...options }: RunnerStart) => {
  const random = seeded(seed);
  const { stack, webhookUrls, stop, ...running } = await runLocally({
    ...options,
    processes: (folder) => processes[folder],
    redeliver: () => random() * 1000 < redeliverPerMille,
    onLine: (text) => process.stdout.write(`${text}\n`),
  });
  for (const row of mappings) await running.mappings.put(row, 'chaos');
  process.on('message', async (message: ToRunner) => {
    if (message.kind === 'processes') answer({ kind: 'processes', processes: stack.processes() });
    if (message.kind === 'stop') {
      await stop();
      process.disconnect();
    }
  });
  answer({
    kind: 'ready',
    webhookUrls: Object.fromEntries(webhookUrls),
    apiUrl: stack.apiUrl,
    sqsUrl: stack.endpoints.sqs,
    outputs: stack.outputs,
  });
};

// Ctrl-C reaches the whole group of processes; the parent decides when this one ends.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.once('message', (message: ToRunner) => {
  if (message.kind !== 'start') return;
  run(message.start).catch((error: unknown) =>
    answer({
      kind: 'failed',
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
});
