import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import type { StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { ENV, METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { Credentials, secretName } from '../constructs/credentials.ts';
import { ScheduledPoller } from '../constructs/scheduled-poller.ts';
import { grantItems } from '../constructs/state-tables.ts';
import { WebhookIngress } from '../constructs/webhook-ingress.ts';
import { type Connected, fieldsOf, reconciliationOf, type Settings, stockTo } from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import {
  CLOCK_MARGIN_MS,
  concurrencyOf,
  credentialsAlarm,
  entry,
  outputs,
  stackProps,
  TIMEOUTS,
} from './stage.ts';
import { StorefrontStock } from './storefront-stock.ts';

/** Intervals without a run that got anywhere, before somebody is told. */
const RUNS_MAY_MISS = 3;

/**
 * One storefront connection: its secret, its webhook, the function that fetches what a push only named, and the one that
 * finds what no push has brought.
 */
export class StorefrontStack extends cdk.Stack {
  constructor(app: cdk.App, stage: Settings, connected: Connected<StorefrontManifest>, core: CoreStack) {
    const { id, manifest } = connected;
    super(app, `waybill-${stage.name}-${id}`, stackProps(stage, `Waybill: ${manifest.title} ${id}`, id));
    const { secret } = new Credentials(this, 'Credentials', { stage: stage.name, connection: id });
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

    outputs(this, {
      WebhookUrl: ingress.url,
      SecretName: secretName(stage.name, id),
      FunctionName: ingress.fn.functionName,
    });
    const route = stockTo(stage, id);
    if (route && manifest.stock) {
      const ability = manifest.stock;
      const { functions, consumer } = new StorefrontStock(this, 'Stock', {
        stage,
        connected,
        ability,
        route,
        core,
        secret,
      });
      outputs(this, {
        StockQueueUrl: consumer.queue.queueUrl,
        StockParkedQueueUrl: consumer.parked.queueUrl,
        StockWriteFunctionName: functions.write.functionName,
        StockListFunctionName: functions.list.functionName,
      });
    }

    if (!manifest.reads) return;

    const fetcher = new BufferedConsumer(this, 'Fetch', {
      bus: core.bus,
      listensTo: 'order.notified.v1',
      from: [id],
      description: `Orders read at ${id} (${manifest.title})`,
      entry: entry('fetch-orders', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: id,
        [ENV.settings]: JSON.stringify(fieldsOf(connected)),
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.eventBus]: core.bus.eventBusName,
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.fetchOrders,
      maxConcurrency: concurrencyOf(manifest.name, manifest.reads.maxConcurrentCalls),
      parkedIndex: core.tables.parked,
      alarms: core.alarms,
      concern: 'fetch',
    });
    secret.grantRead(fetcher.fn);
    core.bus.grantPutEventsTo(fetcher.fn);
    credentialsAlarm(this, core.alarms, id);
    outputs(this, {
      QueueUrl: fetcher.queue.queueUrl,
      ParkedQueueUrl: fetcher.parked.queueUrl,
      FetchFunctionName: fetcher.fn.functionName,
    });

    const reconciliation = reconciliationOf(stage, connected);
    if (!reconciliation) return;
    const { everyMinutes, destinations, startAt } = reconciliation;
    const every = cdk.Duration.minutes(everyMinutes);
    const reconciler = new ScheduledPoller(this, 'Reconcile', {
      description: `Orders of ${id} (${manifest.title}) that no webhook brought`,
      entry: entry('reconcile-orders', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: id,
        [ENV.settings]: JSON.stringify({ connection: fieldsOf(connected), destinations, startAt }),
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.eventBus]: core.bus.eventBusName,
        [ENV.journalTable]: core.tables.journal.tableName,
        [ENV.cursorsTable]: core.tables.cursors.tableName,
        [ENV.leaseMs]: String(TIMEOUTS.reconcileOrders.toMilliseconds() + CLOCK_MARGIN_MS),
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.reconcileOrders,
      schedule: events.Schedule.rate(every),
      every,
      runs: { metric: METRICS.reconciliationRuns, connection: id },
      mayMiss: RUNS_MAY_MISS,
      lateSeverity: 'page', // webhooks are a hint: without this, what they lose is lost
      alarms: core.alarms,
      concern: 'reconcile',
    });
    secret.grantRead(reconciler.fn);
    core.bus.grantPutEventsTo(reconciler.fn);
    grantItems(core.tables.journal, reconciler.fn, 'dynamodb:GetItem');
    grantItems(core.tables.cursors, reconciler.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    core.alarms.add(this, {
      runbook: 'reconcile-found',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.ordersFoundByReconciliation,
        dimensionsMap: { connection: id },
        statistic: cloudwatch.Stats.SUM,
        period: every,
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'ticket', // they are on their way now
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // see reconcile-late
    });
    outputs(this, { ReconcileFunctionName: reconciler.fn.functionName });
  }
}
