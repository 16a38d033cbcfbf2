import type { Clock } from '../core/ports.ts';
import { METRICS_NAMESPACE, type MetricName } from './names.ts';

/**
 * One line per attempt: everything that on-call filters by, in one JSON object, and the metrics that follow
 * from it (CloudWatch embedded metric format). The fields are an allow-list: whatever is not named here is
 * not logged, so names, addresses, mails, phone numbers and secrets cannot slip in.
 */
export interface WideLine {
  /** What was done: ingest-webhook, fetch-orders, consume-orders, record-orders, reconcile-orders, ... */
  readonly what: string;
  readonly connection: string;
  readonly source?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly orderId?: string | undefined;
  readonly orderNumber?: string | undefined;
  readonly sourceVersion?: number | undefined;
  /** accepted, rejected, written, parked, retry, ... */
  readonly outcome?: string | undefined;
  /** Stable code behind the outcome. */
  readonly code?: string | undefined;
  /** In plain words. */
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
  readonly documentId?: string | undefined;
  readonly documentName?: string | undefined;
  readonly documentUrl?: string | undefined;
  readonly level?: string | undefined;
  readonly attempt?: number | undefined;
  /** Of an order that was at the ERP: what was changed there. */
  readonly done?: readonly string[] | undefined;
  readonly receive?: number | undefined;
  readonly retryInMs?: number | undefined;
  /** Of a controller: what it did with the event source. */
  readonly switched?: 'on' | 'off' | undefined;
  readonly status?: number | undefined;
  readonly bytes?: number | undefined;
  readonly warnings?: readonly string[] | undefined;
  /** Of a run over many orders: how many it looked at, how many it was looking for, could not tell, and left. */
  readonly looked?: number | undefined;
  readonly found?: number | undefined;
  readonly unsure?: number | undefined;
  readonly left?: number | undefined;
  /** Of stock and prices, how many: told to be written, written, found to be others, not answered, held, already so. */
  readonly due?: number | undefined;
  readonly written?: number | undefined;
  readonly stale?: number | undefined;
  readonly unanswered?: number | undefined;
  readonly held?: number | undefined;
  readonly same?: number | undefined;
  /** SKUs that somebody should look at, the first ones, each with a code. */
  readonly skus?: readonly string[] | undefined;
  /** Of a poll: the largest change seen, by the peer's clock. */
  readonly readUpTo?: string | undefined;
  readonly totalMs?: number | undefined;
  /** Since the webhook was received. */
  readonly ageMs?: number | undefined;
}

export interface Metric {
  readonly name: MetricName;
  readonly value: number;
  readonly unit?: 'Count' | 'Milliseconds';
  /** Only for metrics that names.ts documents with a reason. */
  readonly reason?: string;
}

export type WriteLine = (line: WideLine, metrics?: readonly Metric[]) => void;

const FIELDS = [
  'what',
  'connection',
  'source',
  'correlationId',
  'orderId',
  'orderNumber',
  'sourceVersion',
  'outcome',
  'code',
  'reason',
  'remedy',
  'documentId',
  'documentName',
  'documentUrl',
  'level',
  'attempt',
  'done',
  'receive',
  'retryInMs',
  'switched',
  'status',
  'bytes',
  'warnings',
  'looked',
  'found',
  'due',
  'written',
  'stale',
  'unanswered',
  'held',
  'same',
  'skus',
  'unsure',
  'left',
  'readUpTo',
  'totalMs',
  'ageMs',
] as const satisfies readonly (keyof WideLine)[];

/** Writes to standard output, which is where Lambda's log and metrics pipeline reads. */
export const wideEvents =
  (nowMs: Clock, write: (text: string) => void = (text) => process.stdout.write(`${text}\n`)): WriteLine =>
  (line, metrics = []) => {
    const atMs = nowMs();
    const fields = Object.fromEntries(FIELDS.flatMap((f) => (line[f] === undefined ? [] : [[f, line[f]]])));
    write(JSON.stringify({ at: new Date(atMs).toISOString(), ...fields }));
    for (const { name, value, unit = 'Count', reason } of metrics) {
      write(
        JSON.stringify({
          _aws: {
            Timestamp: atMs,
            CloudWatchMetrics: [
              {
                Namespace: METRICS_NAMESPACE,
                Dimensions: reason ? [['connection', 'reason'], ['connection']] : [['connection']],
                Metrics: [{ Name: name, Unit: unit }],
              },
            ],
          },
          connection: line.connection,
          ...(reason ? { reason } : {}),
          [name]: value,
        }),
      );
    }
  };
