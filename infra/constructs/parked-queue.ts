import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alarms } from '../monitoring/alarms.ts';

/**
 * A message that SQS itself moves to a DLQ keeps the date of its first sending, so the source must be shorter than the
 * DLQ: the difference is what people have left in the worst case. 14 days is the most that SQS offers.
 */
export const RETENTION = { source: Duration.days(10), parked: Duration.days(14) } as const;

/** What is unfinished for so long is published again, by a sweep that runs twice a day: before its queue forgets it. */
export const SWEEP = { every: Duration.hours(12), after: Duration.days(8) } as const;

/** Below the four days that the worst case leaves, with a day to act. SQS counts from the move to the DLQ. */
const EXPIRES_SOON = Duration.days(3);

/** Where work waits for a person. */
export class ParkedQueue extends Construct {
  readonly queue: sqs.Queue;

  /** @param props.concern headings `<concern>-parked` and `<concern>-expiring` of the runbook */
  constructor(scope: Construct, id: string, props: { readonly alarms: Alarms; readonly concern: string }) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Queue', {
      retentionPeriod: RETENTION.parked,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    // Visible ones only: counting those in flight too would alarm whenever somebody looks.
    props.alarms.add(this, {
      runbook: `${props.concern}-parked`,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({
        statistic: cloudwatch.Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'page',
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // SQS is silent about queues that nobody uses
    });
    waitingTooLong(this, props.alarms, this.queue, `${props.concern}-expiring`);
  }
}

/** Alarms while there is still time: SQS deletes what is older than the retention, silently. */
export const waitingTooLong = (scope: Construct, alarms: Alarms, queue: sqs.Queue, runbook: string): void => {
  alarms.add(scope, {
    runbook,
    metric: queue.metricApproximateAgeOfOldestMessage({
      statistic: cloudwatch.Stats.MAXIMUM,
      period: Duration.minutes(5),
    }),
    threshold: EXPIRES_SOON.toSeconds(),
    evaluationPeriods: 1,
    severity: 'page',
    whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // SQS is silent about queues that nobody uses
  });
};
