import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { ENV, METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { STOCK_MINUTES, StockRoute } from '../../shared/settings/stock-route.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { secretName } from '../constructs/credentials.ts';
import { ScheduledPoller } from '../constructs/scheduled-poller.ts';
import { grantItems } from '../constructs/state-tables.ts';
import { type Connected, fieldsOf, type Settings, withoutDefaults } from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import { CLOCK_MARGIN_MS, entry, TIMEOUTS } from './stage.ts';

/** Polls without a result, before somebody is told. */
const POLLS_MAY_MISS = 3;
/** Batches of written orders at once: the least that an event source runs. */
export const STOCK_READERS = 2;
/** Batches of stock events at once: they meet in the same rows, and whoever comes second begins again. */
const PROJECTORS = 2;

/**
 * What one ERP has, and who may show how much of it: the poll that asks what changed, the function that asks again about
 * an order the moment it is written, and the one that does the sums. None of them writes to a shop.
 */
export class ErpStock extends Construct {
  readonly functions: Readonly<Record<'poll' | 'read' | 'project', lambda.Function>>;
  readonly queues: Readonly<Record<'read' | 'project', BufferedConsumer>>;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly stage: Settings;
      readonly connected: Connected<ErpManifest>;
      readonly route: StockRoute;
      readonly core: CoreStack;
      readonly secret: secretsmanager.ISecret;
    },
  ) {
    super(scope, id);
    const { stage, connected, route, core, secret } = props;
    const { manifest } = connected;
    const erp = connected.id;
    const { stock, cursors, mappings, parked } = core.tables;
    const routeSlice = withoutDefaults(StockRoute, route);
    const every = cdk.Duration.minutes(STOCK_MINUTES[route.every]);
    const reading = {
      [ENV.connection]: erp,
      [ENV.settings]: JSON.stringify({ connection: fieldsOf(connected), stock: routeSlice }),
      [ENV.secretId]: secretName(stage.name, erp),
      [ENV.eventBus]: core.bus.eventBusName,
      [ENV.stockTable]: stock.tableName,
      [ENV.timeScale]: String(stage.timeScale),
    };

    const poll = new ScheduledPoller(this, 'Poll', {
      description: `Asks ${erp} (${manifest.title}) what changed in its stock`,
      entry: entry('poll-stock', `${manifest.name}.ts`),
      environment: {
        ...reading,
        [ENV.cursorsTable]: cursors.tableName,
        [ENV.leaseMs]: String(TIMEOUTS.pollStock.toMilliseconds() + CLOCK_MARGIN_MS),
      },
      timeout: TIMEOUTS.pollStock,
      schedule: events.Schedule.rate(every),
      every,
      runs: { metric: METRICS.stockPolls, connection: erp },
      mayMiss: POLLS_MAY_MISS,
      lateSeverity: 'page', // shops go on selling what they show
      alarms: core.alarms,
      concern: 'stock-poll',
    });
    core.alarms.add(this, {
      runbook: 'stock-held',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.stockHeld,
        dimensionsMap: { connection: erp },
        statistic: cloudwatch.Stats.MAXIMUM,
        period: every,
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'page', // nothing flows until a person has looked
      whenSilent: cloudwatch.TreatMissingData.IGNORE, // no poll: what was held still is, and stock-poll-late tells
    });

    const reader = new BufferedConsumer(this, 'Read', {
      bus: core.bus,
      listensTo: 'order.settled.v1',
      to: erp,
      description: `Stock of orders that were just written to ${erp} (${manifest.title})`,
      entry: entry('read-stock', `${manifest.name}.ts`),
      environment: { ...reading, [ENV.mappingsTable]: mappings.tableName },
      timeout: TIMEOUTS.readStock,
      maxConcurrency: STOCK_READERS,
      parkedIndex: parked,
      alarms: core.alarms,
      concern: 'stock-read',
    });

    const orders = stage.orders.filter(({ to, mode }) => to === erp && mode === 'live');
    const projector = new BufferedConsumer(this, 'Project', {
      bus: core.bus,
      listensTo: 'stock.changed.v1',
      from: [erp],
      also: [
        { listensTo: 'order.settled.v1', to: erp },
        { listensTo: 'order.changed.v1', from: orders.map(({ from }) => from) },
      ],
      description: `Who may show how much of what ${erp} has`,
      entry: entry('project-stock', 'index.ts'),
      environment: {
        [ENV.connection]: erp,
        [ENV.settings]: JSON.stringify({
          stock: routeSlice,
          orders: orders.map((each) => withoutDefaults(OrderRoute, each)),
        }),
        [ENV.eventBus]: core.bus.eventBusName,
        [ENV.stockTable]: stock.tableName,
        [ENV.cursorsTable]: cursors.tableName,
        [ENV.mappingsTable]: mappings.tableName,
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.projectStock,
      maxConcurrency: PROJECTORS,
      parkedIndex: parked,
      alarms: core.alarms,
      concern: 'stock-project',
    });

    if (route.rules.some(({ lowStock }) => lowStock !== undefined)) {
      core.alarms.add(this, {
        runbook: 'stock-low',
        metric: new cloudwatch.Metric({
          namespace: METRICS_NAMESPACE,
          metricName: METRICS.lowStock,
          dimensionsMap: { connection: erp },
          statistic: cloudwatch.Stats.SUM,
          period: cdk.Duration.minutes(5),
        }),
        threshold: 1,
        evaluationPeriods: 1,
        severity: 'ticket', // operations reorder; nobody gets up
        whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nothing fell
      });
    }

    for (const fn of [poll.fn, reader.fn, projector.fn]) core.bus.grantPutEventsTo(fn);
    for (const fn of [poll.fn, reader.fn]) secret.grantRead(fn);
    grantItems(stock, poll.fn, 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:Query');
    grantItems(stock, reader.fn, 'dynamodb:BatchGetItem');
    grantItems(stock, projector.fn, 'dynamodb:BatchGetItem', 'dynamodb:PutItem');
    grantItems(cursors, poll.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    grantItems(cursors, projector.fn, 'dynamodb:GetItem');
    for (const fn of [reader.fn, projector.fn]) grantItems(mappings, fn, 'dynamodb:BatchGetItem');
    this.functions = { poll: poll.fn, read: reader.fn, project: projector.fn };
    this.queues = { read: reader, project: projector };
  }
}
