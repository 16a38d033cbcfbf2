import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { CATALOGUE, type EventName } from '../../shared/events/catalogue.ts';
import { ENV } from '../../shared/observability/names.ts';
import type { Alarms } from '../monitoring/alarms.ts';
import { type Environment, NodeFunction } from './node-function.ts';
import { ParkedQueue, RETENTION } from './parked-queue.ts';
import { grantItems } from './state-tables.ts';

export interface Subscription {
  readonly listensTo: EventName;
  /**
   * Connections whose events are wanted. Empty: none at the moment; what the queue still holds is worked off.
   * @default all
   */
  readonly from?: readonly string[];
  /** Only what is meant for that connection: field `destination` of the event. @default all */
  readonly to?: string;
}

export interface BufferedConsumerProps extends Subscription {
  readonly bus: events.IEventBus;
  /** Further events that come into the same queue. */
  readonly also?: readonly Subscription[];
  readonly description: string;
  /** Absolute path of a module that exports `handler`. */
  readonly entry: string;
  /** Without the two queue URLs and the index of parked messages, which are added here. */
  readonly environment: Environment;
  /** Longest one batch may run. The queue hides messages for six times as long. */
  readonly timeout: Duration;
  /** Batches at work at once. The handler takes records one after another, so this is also calls at once. 2 to 1000. */
  readonly maxConcurrency: number;
  /** Index of parked messages: table of `StateTables`. */
  readonly parkedIndex: dynamodb.ITable;
  readonly alarms: Alarms;
  /** Prefix of the runbook's headings. */
  readonly concern: string;
}

/**
 * Deliveries before SQS itself parks a message. Only a backstop: the handler counts attempts in the ledger and parks
 * with a reason, long before.
 */
const MAX_RECEIVE_COUNT = 100;
const BATCH_SIZE = 10;

/** Rule -> queue -> function, the DLQ for both ways, and the alarms that say that work waits. Nothing else. */
export class BufferedConsumer extends Construct {
  readonly queue: sqs.Queue;
  readonly parked: sqs.Queue;
  readonly fn: lambda.Function;
  /** What hands the queue to the function; whoever switches it off needs both names of it. */
  readonly eventSource: { readonly id: string; readonly arn: string };

  constructor(scope: Construct, id: string, props: BufferedConsumerProps) {
    super(scope, id);
    const { timeout, maxConcurrency, alarms, concern } = props;
    this.parked = new ParkedQueue(this, 'Parked', { alarms, concern }).queue;
    this.queue = new sqs.Queue(this, 'Queue', {
      retentionPeriod: RETENTION.source,
      // What AWS recommends, so that a throttled batch does not become visible while it still may run.
      visibilityTimeout: Duration.seconds(timeout.toSeconds() * 6),
      deadLetterQueue: { queue: this.parked, maxReceiveCount: MAX_RECEIVE_COUNT },
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });

    this.subscribe('Rule', props.bus, props);
    for (const more of props.also ?? []) this.subscribe(`Rule-${more.listensTo}`, props.bus, more);

    this.fn = new NodeFunction(this, 'Consumer', {
      description: props.description,
      entry: props.entry,
      environment: {
        ...props.environment,
        [ENV.queueUrl]: this.queue.queueUrl,
        [ENV.parkedQueueUrl]: this.parked.queueUrl,
        [ENV.parkedTable]: props.parkedIndex.tableName,
      },
      timeout,
      alarms,
      concern,
      severity: 'ticket', // the messages come back
    }).fn;
    this.parked.grantSendMessages(this.fn);
    grantItems(props.parkedIndex, this.fn, 'dynamodb:UpdateItem');
    const source = new SqsEventSource(this.queue, {
      batchSize: BATCH_SIZE,
      reportBatchItemFailures: true,
      maxConcurrency,
    });
    this.fn.addEventSource(source);
    this.eventSource = { id: source.eventSourceMappingId, arn: source.eventSourceMappingArn };
    this.waitingAlarms(alarms, concern);
  }

  private subscribe(id: string, eventBus: events.IEventBus, { listensTo, from, to }: Subscription): void {
    if (from?.length === 0) return;
    new events.Rule(this, id, {
      eventBus,
      eventPattern: {
        source: [CATALOGUE[listensTo].source],
        detailType: [listensTo],
        ...((from ?? to) && {
          detail: {
            ...(from && { meta: { connection: [...from] } }),
            ...(to !== undefined && { data: { destination: [to] } }),
          },
        }),
      },
      targets: [
        new targets.SqsQueue(this.queue, {
          // An event that never reached the queue has the same shape and the same way back.
          deadLetterQueue: this.parked,
          // Fair queue: a shop with a thousand orders waiting does not hold up the one with three.
          messageGroupId: '$.detail.meta.connection',
        }),
      ],
    });
  }

  private waitingAlarms(alarms: Alarms, concern: string): void {
    const period = Duration.minutes(5);
    alarms.add(this, {
      runbook: `${concern}-delayed`,
      // Of messages received at most three times: the others no longer count as oldest (SQS documentation).
      metric: this.queue.metricApproximateAgeOfOldestMessage({ statistic: cloudwatch.Stats.MAXIMUM, period }),
      threshold: Duration.minutes(15).toSeconds(),
      evaluationPeriods: 1,
      severity: 'page',
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // SQS is silent about queues that nobody uses
    });
    // A peer that is down: everything is tried, hidden and tried again, so that nothing grows old and visible.
    const least = { statistic: cloudwatch.Stats.MINIMUM, period };
    alarms.add(this, {
      runbook: `${concern}-stuck`,
      metric: new cloudwatch.MathExpression({
        label: 'work waits and none gets done',
        expression: 'IF(FILL(visible, 0) + FILL(hidden, 0) > 0 AND FILL(done, 0) == 0, 1, 0)',
        usingMetrics: {
          visible: this.queue.metricApproximateNumberOfMessagesVisible(least),
          hidden: this.queue.metricApproximateNumberOfMessagesNotVisible(least),
          done: this.queue.metricNumberOfMessagesDeleted({ statistic: cloudwatch.Stats.SUM, period }),
        },
        period,
      }),
      threshold: 1,
      evaluationPeriods: 6,
      severity: 'page',
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // SQS is silent about queues that nobody uses
    });
  }
}
