import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Alarms } from '../monitoring/alarms.ts';

/**
 * Requests a second, all connections together. A storefront that saves a thousand products in a second must get through;
 * at 0.1 seconds each that is a tenth of an account's 1,000 concurrent executions.
 */
const THROTTLE = { rateLimit: 1000, burstLimit: 2000 } as const;

/** The front door: routes are added by the connections. */
export class WebhookApi extends Construct {
  readonly api: apigateway.HttpApi;

  constructor(scope: Construct, id: string, props: { readonly name: string; readonly alarms: Alarms }) {
    super(scope, id);
    this.api = new apigateway.HttpApi(this, 'Api', {
      apiName: props.name,
      description: 'Webhooks of storefronts',
      createDefaultStage: false,
    });
    // The prefix spares the account's one resource policy for logs, which has room for few log groups.
    const log = new logs.LogGroup(this, 'AccessLog', {
      logGroupName: `/aws/vendedlogs/${props.name}/api`,
      retention: logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new apigateway.HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new apigateway.LogGroupLogDestination(log),
        format: AccessLogFormat.custom(
          JSON.stringify({
            at: '$context.requestTime',
            requestId: '$context.requestId',
            route: '$context.routeKey',
            status: '$context.status',
            bytes: '$context.responseLength',
            totalMs: '$context.responseLatency',
            functionMs: '$context.integrationLatency',
            problem: '$context.integrationErrorMessage',
          }),
        ),
      },
    });
    props.alarms.add(this, {
      runbook: 'webhooks-unavailable',
      metric: this.api.metricServerError({ statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'page',
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nobody called
    });
  }
}
