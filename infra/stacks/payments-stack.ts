import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { PaymentsManifest } from '../../shared/connectors/manifest.ts';
import { ENV, METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { Credentials, secretName } from '../constructs/credentials.ts';
import { grantItems } from '../constructs/state-tables.ts';
import { WebhookIngress } from '../constructs/webhook-ingress.ts';
import { type Connected, fieldsOf, type Settings } from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import { concurrencyOf, credentialsAlarm, entry, outputs, stackProps, TIMEOUTS } from './stage.ts';

/**
 * One connection to a payment provider: its secret, its webhook, and the function that reads the payments that webhooks
 * name and lets their orders be looked at again.
 */
export class PaymentsStack extends cdk.Stack {
  constructor(app: cdk.App, stage: Settings, connected: Connected<PaymentsManifest>, core: CoreStack) {
    const { id, manifest } = connected;
    super(app, `waybill-${stage.name}-${id}`, stackProps(stage, `Waybill: ${manifest.title} ${id}`, id));
    const { secret } = new Credentials(this, 'Credentials', { stage: stage.name, connection: id });
    const { journal, payments, parked } = core.tables;
    const ingress = new WebhookIngress(this, 'Webhook', {
      api: core.api,
      connection: id,
      description: `Webhooks of ${id} (${manifest.title})`,
      entry: entry('ingest-webhook', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: id,
        [ENV.settings]: JSON.stringify({ ...fieldsOf(connected), maxBodyBytes: stage.limits.maxBodyBytes }),
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.eventBus]: core.bus.eventBusName,
        [ENV.quarantineQueueUrl]: core.quarantine.queueUrl,
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.ingestWebhook,
      answerWithin:
        manifest.answerWithinMs === undefined ? undefined : cdk.Duration.millis(manifest.answerWithinMs),
      alarms: core.alarms,
    });
    secret.grantRead(ingress.fn);
    core.bus.grantPutEventsTo(ingress.fn);
    core.quarantine.grantSendMessages(ingress.fn);

    const fetcher = new BufferedConsumer(this, 'Fetch', {
      bus: core.bus,
      listensTo: 'payment.notified.v1',
      from: [id],
      description: `Payments read at ${id} (${manifest.title})`,
      entry: entry('fetch-payments', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: id,
        [ENV.settings]: JSON.stringify(fieldsOf(connected)),
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.eventBus]: core.bus.eventBusName,
        [ENV.journalTable]: journal.tableName,
        [ENV.paymentsTable]: payments.tableName,
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.fetchPayments,
      maxConcurrency: concurrencyOf(manifest.name, manifest.maxConcurrentCalls),
      parkedIndex: parked,
      alarms: core.alarms,
      concern: 'payments',
    });
    secret.grantRead(fetcher.fn);
    core.bus.grantPutEventsTo(fetcher.fn);
    grantItems(payments, fetcher.fn, 'dynamodb:UpdateItem');
    // Reads what became of an order, and adds a word to its timeline.
    grantItems(journal, fetcher.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    credentialsAlarm(this, core.alarms, id);
    core.alarms.add(this, {
      runbook: 'payments-disputed',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.paymentsDisputed,
        dimensionsMap: { connection: id },
        statistic: cloudwatch.Stats.SUM,
        period: cdk.Duration.minutes(15),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'ticket', // the provider gives days to answer, and tells the merchant, too
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nobody disputes
    });

    outputs(this, {
      WebhookUrl: ingress.url,
      SecretName: secretName(stage.name, id),
      FunctionName: ingress.fn.functionName,
      QueueUrl: fetcher.queue.queueUrl,
      ParkedQueueUrl: fetcher.parked.queueUrl,
      FetchFunctionName: fetcher.fn.functionName,
    });
  }
}
