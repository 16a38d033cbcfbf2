import { Duration } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import type { Alarms } from '../monitoring/alarms.ts';
import { type Environment, NodeFunction } from './node-function.ts';

export interface WebhookIngressProps {
  readonly api: apigateway.HttpApi;
  /** Connection id, the last part of the path. */
  readonly connection: string;
  readonly description: string;
  /** Absolute path of a module that exports `handler`. */
  readonly entry: string;
  readonly environment: Environment;
  readonly timeout: Duration;
  /** How long the storefront waits for the answer; undefined: not known. */
  readonly answerWithin: Duration | undefined;
  readonly alarms: Alarms;
}

/** Share of the sender's patience from which on an answer is slow; connecting and starting take the rest. */
const SLOW_SHARE = 0.6;

/** `POST /webhooks/<connection>` -> function, and the alarms that say that deliveries are refused. */
export class WebhookIngress extends Construct {
  readonly fn: lambda.Function;
  readonly url: string;

  constructor(scope: Construct, id: string, props: WebhookIngressProps) {
    super(scope, id);
    const { api, connection, description, entry, environment, timeout, answerWithin, alarms } = props;
    const path = `/webhooks/${connection}`;
    this.fn = new NodeFunction(this, 'Ingest', {
      description,
      entry,
      environment,
      timeout,
      alarms,
      concern: 'webhook',
      severity: 'page', // storefronts do not always send again
    }).fn;
    new apigateway.HttpRoute(this, 'Route', {
      httpApi: api,
      routeKey: apigateway.HttpRouteKey.with(path, apigateway.HttpMethod.POST),
      integration: new HttpLambdaIntegration('Webhook', this.fn),
    });
    this.url = `${api.apiEndpoint}${path}`;
    const patienceMs = Math.min(
      timeout.toMilliseconds(),
      answerWithin?.toMilliseconds() ?? Number.POSITIVE_INFINITY,
    );
    alarms.add(this, {
      runbook: 'webhook-slow',
      // Of ten deliveries, one may meet a cold start.
      metric: this.fn.metricDuration({
        statistic: cloudwatch.Stats.percentile(90),
        period: Duration.minutes(15),
      }),
      threshold: patienceMs * SLOW_SHARE,
      evaluationPeriods: 1,
      severity: 'ticket', // a delivery that is answered late is stored all the same
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nothing was sent
    });
    alarms.add(this, {
      runbook: 'webhook-rejected',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.webhooksRejected,
        dimensionsMap: { connection },
        statistic: cloudwatch.Stats.SUM,
        period: Duration.minutes(15),
      }),
      // WooCommerce switches a webhook off after more than five refusals in a row; less is somebody knocking.
      threshold: 5,
      evaluationPeriods: 1,
      severity: 'ticket',
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nothing was refused
    });
  }
}
