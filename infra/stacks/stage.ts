import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import { METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import type { Alarms } from '../monitoring/alarms.ts';
import type { Settings } from '../settings.ts';

/** Longest runs of the functions. */
export const TIMEOUTS = {
  /** Longer than the most impatient storefront waits: what is stored late is stored, too (decision 0016). */
  ingestWebhook: cdk.Duration.seconds(15),
  /** A batch of ten, each one to four reads at a slow shop. */
  fetchOrders: cdk.Duration.seconds(60),
  /** A batch of ten, each one to three reads at the provider, and some writes to DynamoDB. */
  fetchPayments: cdk.Duration.seconds(60),
  /** A batch of ten, each a handful of calls to a slow ERP. */
  consumeOrders: cdk.Duration.seconds(60),
  /** A batch of ten, each one or two writes to DynamoDB. */
  recordOrders: cdk.Duration.seconds(30),
  /** Some dozens of pages of a slow shop; the next run goes on where this one stopped. */
  reconcileOrders: cdk.Duration.minutes(5),
  /** Every unfinished order of weeks, one read and one event each. */
  sweepOrders: cdk.Duration.minutes(10),
  /** One read at the ERP for each order of three days; what is left, it says. The most that Lambda allows. */
  checkOrders: cdk.Duration.minutes(15),
  /** A read at the ERP or two for each order of a day in shadow mode; the next report goes on. */
  reportShadow: cdk.Duration.minutes(15),
  /** What changed since the last run, some pages of it; a complete listing once a day takes longest. */
  pollStock: cdk.Duration.minutes(5),
  /** The SKUs of ten orders, one or two reads. */
  readStock: cdk.Duration.seconds(60),
  /** Ten events of up to 500 SKUs, a read and a write for each. */
  projectStock: cdk.Duration.seconds(60),
  /** Some batches at a shop that says when it may be asked again. */
  writeStock: cdk.Duration.minutes(2),
  /** Everything that a shop sells, page by page. The most that Lambda allows. */
  listStock: cdk.Duration.minutes(15),
  /** Everything that an ERP has and each of its shops sells. The most that Lambda allows. */
  auditStock: cdk.Duration.minutes(15),
  /** One connection test of an ERP that may not answer; the next run comes after a minute. */
  controlConnection: cdk.Duration.seconds(50),
} as const;

/** Clocks of two machines may differ; NTP keeps them within far less. */
export const CLOCK_MARGIN_MS = 5_000;

/**
 * Absolute path of a module that exports `handler`.
 * @example entry('consume-orders', 'odoo.ts')
 * @throws Error it does not exist
 */
export const entry = (folder: string, file: string): string => {
  const at = fileURLToPath(new URL(`../../functions/${folder}/${file}`, import.meta.url));
  if (!existsSync(at)) throw new Error(`${at} is missing: every connector has an entry of its own`);
  return at;
};

/** Any account; the region of the settings. Tags are put on by CloudFormation: the bill shows them. */
export const stackProps = (stage: Settings, description: string, connection?: string): cdk.StackProps => ({
  env: { region: stage.region },
  description,
  tags: {
    'waybill:stage': stage.name,
    ...(connection === undefined ? {} : { 'waybill:connection': connection }),
  },
});

/** Outputs under exactly these names. */
export const outputs = (stack: cdk.Stack, values: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(values)) new cdk.CfnOutput(stack, name, { value });
};

/**
 * Every day at that hour of the company's winter: rules know UTC only.
 * @param timeZone IANA
 */
export const dailyAt = (hour: number, timeZone: string): events.Schedule => {
  const [h = 0, m = 0] = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
    .format(Date.UTC(2026, 0, 15))
    .split(':')
    .map(Number);
  const utcMinutes = (hour * 60 - (h * 60 + m) + 24 * 60) % (24 * 60);
  return events.Schedule.cron({
    hour: String(Math.floor(utcMinutes / 60)),
    minute: String(utcMinutes % 60),
  });
};

/**
 * Batches at once times calls at once within a batch (one: records are taken one after another) is what the peer
 * allows.
 * @throws Error fewer than an SQS event source runs at least
 */
export const concurrencyOf = (connector: string, maxConcurrentCalls: number): number => {
  if (maxConcurrentCalls < 2) {
    throw new Error(
      `${connector}: maxConcurrentCalls is ${maxConcurrentCalls}, but an SQS event source runs 2 batches at least`,
    );
  }
  return Math.min(maxConcurrentCalls, 1000);
};

/** The connection's peer refused our credentials: nothing gets through until somebody mends them. */
export const credentialsAlarm = (stack: cdk.Stack, alarms: Alarms, connection: string): void => {
  alarms.add(stack, {
    runbook: 'credentials-refused',
    metric: new cloudwatch.Metric({
      namespace: METRICS_NAMESPACE,
      metricName: METRICS.credentialsRefused,
      dimensionsMap: { connection },
      statistic: cloudwatch.Stats.SUM,
      period: cdk.Duration.minutes(5),
    }),
    threshold: 1,
    evaluationPeriods: 1,
    severity: 'page',
    whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nothing was refused
  });
};
