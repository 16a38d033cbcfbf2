import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE, type MetricName } from '../../shared/observability/names.ts';
import type { Alarms, Severity } from '../monitoring/alarms.ts';
import { type Environment, NodeFunction } from './node-function.ts';

export interface ScheduledPollerProps {
  readonly description: string;
  /** Absolute path of a module that exports `handler`. */
  readonly entry: string;
  readonly environment: Environment;
  /** Longest one run may take. */
  readonly timeout: Duration;
  readonly schedule: events.Schedule;
  /** What the schedule amounts to; at most a day. */
  readonly every: Duration;
  /** What every run that got somewhere counts, and the connection it counts for. */
  readonly runs: { readonly metric: MetricName; readonly connection: string };
  /** Runs that may be missing in a row before somebody is told. */
  readonly mayMiss: number;
  readonly lateSeverity: Severity;
  readonly alarms: Alarms;
  /** Headings `<concern>-late`, `-errors` and `-throttled` of the runbook. */
  readonly concern: string;
}

/** Schedule -> function, and the alarm that says that it does not run, or gets nowhere. */
export class ScheduledPoller extends Construct {
  readonly fn: lambda.Function;

  constructor(scope: Construct, id: string, props: ScheduledPollerProps) {
    super(scope, id);
    const { description, entry, environment, timeout, schedule, every, runs, alarms, concern } = props;
    this.fn = new NodeFunction(this, 'Poll', {
      description,
      entry,
      environment,
      timeout,
      alarms,
      concern,
      severity: 'ticket', // the next run goes on
    }).fn;
    // A run that failed is not repeated: the next one begins where this one did. One that Lambda throttles may wait.
    const maxEventAge = every.toMinutes() > 60 ? Duration.hours(1) : Duration.minutes(1);
    this.fn.configureAsyncInvoke({ retryAttempts: 0, maxEventAge });
    new events.Rule(this, 'Rule', { schedule, targets: [new targets.LambdaFunction(this.fn)] });
    alarms.add(this, {
      runbook: `${concern}-late`,
      metric: new cloudwatch.MathExpression({
        label: 'no run got anywhere',
        expression: 'IF(runs > 0, 0, 1)',
        usingMetrics: {
          runs: new cloudwatch.Metric({
            namespace: METRICS_NAMESPACE,
            metricName: runs.metric,
            dimensionsMap: { connection: runs.connection },
            statistic: cloudwatch.Stats.SUM,
            period: every,
          }),
        },
        period: every,
      }),
      threshold: 1,
      evaluationPeriods: props.mayMiss,
      severity: props.lateSeverity,
      whenSilent: cloudwatch.TreatMissingData.BREACHING, // a poll that does not run says nothing
    });
  }
}
