import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { StockAbility, StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { ENV, METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { secretName } from '../constructs/credentials.ts';
import { ScheduledPoller } from '../constructs/scheduled-poller.ts';
import { grantItems } from '../constructs/state-tables.ts';
import { type Connected, fieldsOf, type Settings, withoutDefaults } from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import { CLOCK_MARGIN_MS, concurrencyOf, dailyAt, entry, TIMEOUTS } from './stage.ts';

/** Before the daily check of orders: shops are quiet, and nobody has begun to work. */
const LIST_HOUR = 4;
/** Days without a complete list of what a shop sells, before somebody is told. */
const LISTS_MAY_MISS = 2;

/** What one storefront shows: the queue of what it has to show, the function that writes it, and the one that lists it all. */
export class StorefrontStock extends Construct {
  readonly functions: Readonly<Record<'write' | 'list', lambda.Function>>;
  readonly consumer: BufferedConsumer;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly stage: Settings;
      readonly connected: Connected<StorefrontManifest>;
      readonly ability: StockAbility;
      readonly route: StockRoute;
      readonly core: CoreStack;
      readonly secret: secretsmanager.ISecret;
    },
  ) {
    super(scope, id);
    const { stage, connected, ability, route, core, secret } = props;
    const { manifest } = connected;
    const shop = connected.id;
    const { stock, cursors, mappings, parked } = core.tables;
    const environment = {
      [ENV.connection]: shop,
      [ENV.settings]: JSON.stringify({
        connection: fieldsOf(connected),
        stock: withoutDefaults(StockRoute, route),
      }),
      [ENV.secretId]: secretName(stage.name, shop),
      [ENV.eventBus]: core.bus.eventBusName,
      [ENV.stockTable]: stock.tableName,
      [ENV.cursorsTable]: cursors.tableName,
      [ENV.mappingsTable]: mappings.tableName,
      [ENV.timeScale]: String(stage.timeScale),
    };
    const { prices } = route;
    const takesPrices = prices !== undefined && (prices.shops ?? route.to).includes(shop);
    this.consumer = new BufferedConsumer(this, 'Write', {
      bus: core.bus,
      listensTo: 'stock.due.v1',
      to: shop,
      also: takesPrices ? [{ listensTo: 'product.changed.v1', from: [route.from] }] : [],
      description: `${takesPrices ? 'Stock and prices' : 'Stock'} shown by ${shop} (${manifest.title})`,
      entry: entry('write-stock', `${manifest.name}.ts`),
      environment,
      timeout: TIMEOUTS.writeStock,
      maxConcurrency: concurrencyOf(manifest.name, ability.maxConcurrentCalls),
      parkedIndex: parked,
      alarms: core.alarms,
      concern: 'stock-write',
    });
    if (route.prices) {
      core.alarms.add(this, {
        runbook: 'prices-held',
        metric: new cloudwatch.Metric({
          namespace: METRICS_NAMESPACE,
          metricName: METRICS.pricesHeld,
          dimensionsMap: { connection: shop },
          statistic: cloudwatch.Stats.SUM,
          period: cdk.Duration.minutes(5),
        }),
        threshold: 1,
        evaluationPeriods: 1,
        severity: 'ticket', // the shop goes on showing what it showed
        whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // nothing was held
      });
    }
    const lister = new ScheduledPoller(this, 'List', {
      description: `What ${shop} (${manifest.title}) sells, and shows`,
      entry: entry('list-stock', `${manifest.name}.ts`),
      environment: {
        ...environment,
        [ENV.leaseMs]: String(TIMEOUTS.listStock.toMilliseconds() + CLOCK_MARGIN_MS),
      },
      timeout: TIMEOUTS.listStock,
      schedule: dailyAt(LIST_HOUR, stage.timeZone),
      every: cdk.Duration.days(1),
      runs: { metric: METRICS.listingRuns, connection: shop },
      mayMiss: LISTS_MAY_MISS,
      lateSeverity: 'ticket',
      alarms: core.alarms,
      concern: 'stock-list',
    });
    for (const fn of [this.consumer.fn, lister.fn]) {
      secret.grantRead(fn);
      core.bus.grantPutEventsTo(fn);
      grantItems(stock, fn, 'dynamodb:BatchGetItem', 'dynamodb:PutItem');
      grantItems(cursors, fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
      grantItems(mappings, fn, 'dynamodb:BatchGetItem');
    }
    grantItems(stock, lister.fn, 'dynamodb:Query');
    this.functions = { write: this.consumer.fn, list: lister.fn };
  }
}
