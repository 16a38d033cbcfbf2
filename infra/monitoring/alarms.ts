import { Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

/** page: somebody gets up. ticket: somebody looks on the next working day. */
export type Severity = 'page' | 'ticket';

export interface RunbookAlarmProps {
  readonly metric: cloudwatch.IMetric;
  /** Alarms at this value and above. */
  readonly threshold: number;
  /** Periods of the metric in a row. */
  readonly evaluationPeriods: number;
  readonly severity: Severity;
  /** Heading of the article in infra/docs/runbook.md, and the end of the alarm's name: once in a stack. */
  readonly runbook: string;
  /** What silence means. No default: every author has to decide. */
  readonly whenSilent: cloudwatch.TreatMissingData;
}

/** Where every alarm is made, and the two topics that carry them. */
export class Alarms extends Construct {
  readonly topics: Readonly<Record<Severity, sns.Topic>>;

  constructor(scope: Construct, id: string, props: { readonly email?: string | undefined }) {
    super(scope, id);
    const topic = (name: string, displayName: string) => {
      const made = new sns.Topic(this, name, { displayName, enforceSSL: true });
      // The topic's own policy (TLS) replaces the default one, which had let CloudWatch publish.
      made.addToResourcePolicy(
        new iam.PolicyStatement({
          principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
          actions: ['sns:Publish'],
          resources: [made.topicArn],
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
        }),
      );
      if (props.email !== undefined) made.addSubscription(new EmailSubscription(props.email));
      return made;
    };
    this.topics = { page: topic('Page', 'Waybill: act now'), ticket: topic('Ticket', 'Waybill: look soon') };
  }

  /** Says so when it starts and when it is over. */
  add(scope: Construct, props: RunbookAlarmProps): cloudwatch.Alarm {
    const { metric, threshold, evaluationPeriods, severity, runbook, whenSilent } = props;
    const alarm = new cloudwatch.Alarm(scope, `Alarm-${runbook}`, {
      alarmName: `${Stack.of(scope).stackName}-${runbook}`,
      alarmDescription: `${severity}: infra/docs/runbook.md#${runbook}`,
      metric,
      threshold,
      evaluationPeriods,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: whenSilent,
    });
    const action = new SnsAction(this.topics[severity]);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    return alarm;
  }
}
