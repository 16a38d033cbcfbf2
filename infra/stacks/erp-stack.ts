import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { ENV, METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { Credentials, secretName } from '../constructs/credentials.ts';
import { grantItems } from '../constructs/state-tables.ts';
import { type Connected, fieldsOf, type Settings, withoutDefaults } from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import { entry, outputs, stackProps, TIMEOUTS } from './stage.ts';

/** Clocks of two machines may differ; NTP keeps them within far less. */
const CLOCK_MARGIN_MS = 5_000;

/** One ERP connection: its secret, its queue of orders and the function that writes them. */
export class ErpStack extends cdk.Stack {
  constructor(app: cdk.App, stage: Settings, connected: Connected<ErpManifest>, core: CoreStack) {
    const { id, manifest } = connected;
    super(app, `waybill-${stage.name}-${id}`, stackProps(stage, `Waybill: ${manifest.title} ${id}`, id));
    const { secret } = new Credentials(this, 'Credentials', { stage: stage.name, connection: id });
    const routes = stage.orders.filter(({ to }) => to === id);
    const { ledger, bindings, journal, mappings } = core.tables;
    const consumer = new BufferedConsumer(this, 'Orders', {
      bus: core.bus,
      listensTo: 'order.changed.v1',
      from: routes.filter(({ mode }) => mode !== 'off').map(({ from }) => from),
      description: `Orders to ${id} (${manifest.title})`,
      entry: entry('consume-orders', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: id,
        [ENV.settings]: JSON.stringify({
          connection: fieldsOf(connected),
          routes: routes.map((route) => withoutDefaults(OrderRoute, route)),
        }),
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.ledgerTable]: ledger.tableName,
        [ENV.bindingsTable]: bindings.tableName,
        [ENV.journalTable]: journal.tableName,
        [ENV.mappingsTable]: mappings.tableName,
        [ENV.leaseMs]: String(leaseMs(manifest)),
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.consumeOrders,
      maxConcurrency: concurrencyOf(manifest),
      alarms: core.alarms,
      concern: 'orders',
    });
    secret.grantRead(consumer.fn);
    grantItems(ledger, consumer.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    grantItems(bindings, consumer.fn, 'dynamodb:PutItem');
    grantItems(journal, consumer.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    grantItems(mappings, consumer.fn, 'dynamodb:BatchGetItem');
    core.alarms.add(this, {
      runbook: 'credentials-refused',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.credentialsRefused,
        dimensionsMap: { connection: id },
        statistic: cloudwatch.Stats.SUM,
        period: cdk.Duration.minutes(5),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'page',
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nothing was refused
    });

    outputs(this, {
      QueueUrl: consumer.queue.queueUrl,
      ParkedQueueUrl: consumer.parked.queueUrl,
      SecretName: secretName(stage.name, id),
      FunctionName: consumer.fn.functionName,
    });
  }
}

/** A claim outlives the worker that made it, and whatever the peer still does with a write of that worker. */
const leaseMs = ({ settleMs }: ErpManifest): number =>
  TIMEOUTS.consumeOrders.toMilliseconds() + settleMs + CLOCK_MARGIN_MS;

/**
 * Batches at once times calls at once within a batch (one: records are taken one after another) is what the peer
 * allows.
 */
const concurrencyOf = ({ name, maxConcurrentCalls }: ErpManifest): number => {
  if (maxConcurrentCalls < 2) {
    throw new Error(
      `${name}: maxConcurrentCalls is ${maxConcurrentCalls}, but an SQS event source runs 2 batches at least`,
    );
  }
  return Math.min(maxConcurrentCalls, 1000);
};
