import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { ENV, METRICS, METRICS_NAMESPACE } from '../../shared/observability/names.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';
import { secretName } from '../constructs/credentials.ts';
import { ScheduledPoller } from '../constructs/scheduled-poller.ts';
import { grantItems } from '../constructs/state-tables.ts';
import { type Connected, fieldsOf, type Settings, storefrontsOf, withoutDefaults } from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import { dailyAt, entry, TIMEOUTS } from './stage.ts';

/** After the shops were listed and the orders checked, and before people begin to work. */
const AUDIT_HOUR = 7;
/** Days without an audit, before somebody is told. */
const AUDITS_MAY_MISS = 2;

/** Every morning: what an ERP has and what each of its shops shows, side by side. It writes to none of them. */
export class ErpAudit extends Construct {
  readonly fn: lambda.Function;

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
    const erp = connected.id;
    const shops = storefrontsOf(stage).filter((shop) => route.to.includes(shop.id));
    const { stock, mappings, cursors, reports } = core.tables;
    const peer = (of: Connected) => ({
      connector: of.manifest.name,
      connection: fieldsOf(of),
      secretId: secretName(stage.name, of.id),
    });
    this.fn = new ScheduledPoller(this, 'Audit', {
      description: `Compares ${erp} (${connected.manifest.title}) with what its shops show`,
      entry: entry('audit-stock', 'index.ts'),
      environment: {
        [ENV.connection]: erp,
        [ENV.settings]: JSON.stringify({
          erp: peer(connected),
          shops: Object.fromEntries(shops.map((shop) => [shop.id, peer(shop)])),
          stock: withoutDefaults(StockRoute, route),
        }),
        [ENV.stockTable]: stock.tableName,
        [ENV.mappingsTable]: mappings.tableName,
        [ENV.cursorsTable]: cursors.tableName,
        [ENV.reportsTable]: reports.tableName,
      },
      timeout: TIMEOUTS.auditStock,
      schedule: dailyAt(AUDIT_HOUR, stage.timeZone),
      every: cdk.Duration.days(1),
      runs: { metric: METRICS.auditRuns, connection: erp },
      mayMiss: AUDITS_MAY_MISS,
      lateSeverity: 'ticket',
      alarms: core.alarms,
      concern: 'audit',
    }).fn;
    core.alarms.add(this, {
      runbook: 'audit-differences',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.auditUnexplained,
        dimensionsMap: { connection: erp },
        statistic: cloudwatch.Stats.MAXIMUM,
        period: cdk.Duration.days(1),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'ticket', // sales go on; somebody looks on the next working day
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // see audit-late
    });
    secret.grantRead(this.fn);
    for (const shop of shops) {
      secretsmanager.Secret.fromSecretNameV2(
        this,
        `Credentials-${shop.id}`,
        secretName(stage.name, shop.id),
      ).grantRead(this.fn);
    }
    grantItems(stock, this.fn, 'dynamodb:BatchGetItem');
    grantItems(mappings, this.fn, 'dynamodb:BatchGetItem');
    grantItems(cursors, this.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    grantItems(reports, this.fn, 'dynamodb:PutItem');
  }
}
