import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { ENV, METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { Credentials, secretName } from '../constructs/credentials.ts';
import { ScheduledPoller } from '../constructs/scheduled-poller.ts';
import { grantItems } from '../constructs/state-tables.ts';
import {
  type Connected,
  fetchableOf,
  fieldsOf,
  providersOf,
  type Settings,
  stockOf,
  withoutDefaults,
} from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import { ErpAudit } from './erp-audit.ts';
import { ErpShadow, shadowRoutes } from './erp-shadow.ts';
import { ErpStock, STOCK_READERS } from './erp-stock.ts';
import {
  CLOCK_MARGIN_MS,
  concurrencyOf,
  credentialsAlarm,
  dailyAt,
  entry,
  outputs,
  stackProps,
  TIMEOUTS,
} from './stage.ts';

const MINUTE = cdk.Duration.minutes(1);
/** Runs of the controller without a result, before somebody is told. */
const CONTROL_MAY_MISS = 5;
/** Minutes that a connection may be paused before somebody is told: an ERP that is restarted is back by then. */
const PAUSED_MINUTES = 5;

/** Before people begin to work, after backups and nightly jobs of the ERP. */
const CHECK_HOUR = 5;
/** Days without a check, before somebody is told. */
const CHECKS_MAY_MISS = 2;
/** Longer than the look-up and the writes between a claim and its release. The check makes no other call under it. */
const CHECK_LEASE = cdk.Duration.minutes(16);

/**
 * One ERP connection: its secret, its queue of orders, the function that writes them, the one that pauses that function
 * while the ERP is away, and the one that asks whether the orders are still there.
 */
export class ErpStack extends cdk.Stack {
  constructor(app: cdk.App, stage: Settings, connected: Connected<ErpManifest>, core: CoreStack) {
    const { id, manifest } = connected;
    super(app, `waybill-${stage.name}-${id}`, stackProps(stage, `Waybill: ${manifest.title} ${id}`, id));
    const { secret } = new Credentials(this, 'Credentials', { stage: stage.name, connection: id });
    const routes = stage.orders.filter(({ to }) => to === id);
    const { ledger, bindings, journal, mappings, connections, payments } = core.tables;
    const stock = stockOf(stage, id);
    const orders = {
      connection: fieldsOf(connected),
      routes: routes.map((route) => withoutDefaults(OrderRoute, route)),
      fetchable: fetchableOf(stage).filter((shop) => routes.some(({ from }) => from === shop)),
    };
    const providers = providersByShop(stage, id);
    const slice = JSON.stringify(orders);
    const consumer = new BufferedConsumer(this, 'Orders', {
      bus: core.bus,
      listensTo: 'order.changed.v1',
      from: routes.filter(({ mode }) => mode !== 'off').map(({ from }) => from),
      description: `Orders to ${id} (${manifest.title})`,
      entry: entry('consume-orders', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: id,
        [ENV.settings]: JSON.stringify({
          ...orders,
          ...(stock && { tellsStock: true }),
          ...(providers && { providers }),
        }),
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.eventBus]: core.bus.eventBusName,
        [ENV.ledgerTable]: ledger.tableName,
        [ENV.bindingsTable]: bindings.tableName,
        [ENV.journalTable]: journal.tableName,
        [ENV.mappingsTable]: mappings.tableName,
        [ENV.connectionsTable]: connections.tableName,
        ...(providers && { [ENV.paymentsTable]: payments.tableName }),
        [ENV.leaseMs]: String(leaseMs(manifest)),
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.consumeOrders,
      // Who reads the stock of written orders calls the ERP, too.
      maxConcurrency: concurrencyOf(
        manifest.name,
        stock ? Math.max(2, manifest.maxConcurrentCalls - STOCK_READERS) : manifest.maxConcurrentCalls,
      ),
      parkedIndex: core.tables.parked,
      alarms: core.alarms,
      concern: 'orders',
    });
    secret.grantRead(consumer.fn);
    core.bus.grantPutEventsTo(consumer.fn);
    grantItems(ledger, consumer.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    grantItems(bindings, consumer.fn, 'dynamodb:PutItem');
    grantItems(journal, consumer.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    grantItems(mappings, consumer.fn, 'dynamodb:BatchGetItem');
    grantItems(connections, consumer.fn, 'dynamodb:UpdateItem');
    if (providers) grantItems(payments, consumer.fn, 'dynamodb:BatchGetItem', 'dynamodb:UpdateItem');
    credentialsAlarm(this, core.alarms, id);

    const controller = new ScheduledPoller(this, 'Control', {
      description: `Pauses orders to ${id} (${manifest.title}) while it is away`,
      entry: entry('control-connection', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: id,
        [ENV.settings]: JSON.stringify(fieldsOf(connected)),
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.connectionsTable]: connections.tableName,
        [ENV.eventSource]: consumer.eventSource.id,
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.controlConnection,
      schedule: events.Schedule.rate(MINUTE),
      every: MINUTE,
      runs: { metric: METRICS.connectionChecks, connection: id },
      mayMiss: CONTROL_MAY_MISS,
      lateSeverity: 'page', // a connection that is paused stays so
      alarms: core.alarms,
      concern: 'control',
    });
    secret.grantRead(controller.fn);
    grantItems(connections, controller.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    controller.fn.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['lambda:GetEventSourceMapping', 'lambda:UpdateEventSourceMapping'],
        resources: [consumer.eventSource.arn],
      }),
    );
    core.alarms.add(this, {
      runbook: 'connection-paused',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.connectionPaused,
        dimensionsMap: { connection: id },
        statistic: cloudwatch.Stats.MINIMUM,
        period: MINUTE,
      }),
      threshold: 1,
      evaluationPeriods: PAUSED_MINUTES,
      severity: 'page',
      whenSilent: cloudwatch.TreatMissingData.IGNORE, // nobody has looked: what was known holds, and control-late tells
    });

    const checker = new ScheduledPoller(this, 'Check', {
      description: `Asks ${id} (${manifest.title}) for the orders that were written to it`,
      entry: entry('check-orders', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: id,
        [ENV.settings]: slice,
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.eventBus]: core.bus.eventBusName,
        [ENV.ledgerTable]: ledger.tableName,
        [ENV.journalTable]: journal.tableName,
        [ENV.leaseMs]: String(CHECK_LEASE.toMilliseconds()),
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.checkOrders,
      schedule: dailyAt(CHECK_HOUR, stage.timeZone),
      every: cdk.Duration.days(1),
      runs: { metric: METRICS.checkRuns, connection: id },
      mayMiss: CHECKS_MAY_MISS,
      lateSeverity: 'ticket',
      alarms: core.alarms,
      concern: 'check',
    });
    secret.grantRead(checker.fn);
    core.bus.grantPutEventsTo(checker.fn);
    grantItems(ledger, checker.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:Scan');
    grantItems(journal, checker.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    core.alarms.add(this, {
      runbook: 'orders-missing',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.ordersMissingInErp,
        dimensionsMap: { connection: id },
        statistic: cloudwatch.Stats.MAXIMUM,
        period: cdk.Duration.days(1),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'page', // the warehouse does not know of orders that everybody believes to be there
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // see check-late
    });

    outputs(this, {
      QueueUrl: consumer.queue.queueUrl,
      ParkedQueueUrl: consumer.parked.queueUrl,
      SecretName: secretName(stage.name, id),
      FunctionName: consumer.fn.functionName,
      ControlFunctionName: controller.fn.functionName,
      CheckFunctionName: checker.fn.functionName,
    });

    const inShadow = shadowRoutes(stage, id);
    if (inShadow.length > 0) {
      const { fn } = new ErpShadow(this, 'Shadow', { stage, connected, routes: inShadow, core, secret });
      outputs(this, { ShadowFunctionName: fn.functionName });
    }

    if (!stock) return;
    const { functions, queues } = new ErpStock(this, 'Stock', {
      stage,
      connected,
      route: stock,
      core,
      secret,
    });
    outputs(this, {
      StockQueueUrl: queues.project.queue.queueUrl,
      StockParkedQueueUrl: queues.project.parked.queueUrl,
      StockReadQueueUrl: queues.read.queue.queueUrl,
      StockReadParkedQueueUrl: queues.read.parked.queueUrl,
      StockPollFunctionName: functions.poll.functionName,
      StockReadFunctionName: functions.read.functionName,
      StockFunctionName: functions.project.functionName,
    });
    const { fn } = new ErpAudit(this, 'Audit', { stage, connected, route: stock, core, secret });
    outputs(this, { AuditFunctionName: fn.functionName });
  }
}

/** Who takes the money for the shops whose payments are booked there; undefined: nobody who tells us. */
const providersByShop = (stage: Settings, erp: string) => {
  const found = stage.orders
    .filter(({ to, payments, mode }) => to === erp && payments === 'book' && mode !== 'off')
    .map(({ from }) => [from, providersOf(stage, from)] as const)
    .filter(([, providers]) => providers.length > 0);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
};

/** A claim outlives the worker that made it, and whatever the peer still does with a write of that worker. */
const leaseMs = ({ settleMs }: ErpManifest): number =>
  TIMEOUTS.consumeOrders.toMilliseconds() + settleMs + CLOCK_MARGIN_MS;
