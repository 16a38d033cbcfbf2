import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alarms } from '../monitoring/alarms.ts';
import { RETENTION, waitingTooLong } from './parked-queue.ts';

/** Deliveries that are authentic and not understood, raw, until a person has looked at them. */
export class Quarantine extends Construct {
  readonly queue: sqs.Queue;

  constructor(scope: Construct, id: string, props: { readonly alarms: Alarms }) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Queue', {
      retentionPeriod: RETENTION.parked,
      visibilityTimeout: Duration.minutes(1),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    props.alarms.add(this, {
      runbook: 'quarantine-not-empty',
      metric: this.queue.metricApproximateNumberOfMessagesVisible({
        statistic: cloudwatch.Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'page',
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // SQS is silent about queues that nobody uses
    });
    waitingTooLong(this, props.alarms, this.queue, 'quarantine-expiring');
  }
}
