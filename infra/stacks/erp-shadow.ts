import * as cdk from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { ENV, METRICS } from '../../shared/observability/names.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { secretName } from '../constructs/credentials.ts';
import { ScheduledPoller } from '../constructs/scheduled-poller.ts';
import { grantItems } from '../constructs/state-tables.ts';
import { type Connected, fieldsOf, type Settings, withoutDefaults } from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import { dailyAt, entry, TIMEOUTS } from './stage.ts';

/** After the daily check, and before people begin to work. */
const REPORT_HOUR = 6;
/** Days without a report, before somebody is told. */
const REPORTS_MAY_MISS = 2;

/** Routes of the settings that lead to an ERP in shadow mode. */
export const shadowRoutes = ({ orders }: Settings, erp: string): readonly OrderRoute[] =>
  orders.filter(({ to, mode }) => to === erp && mode === 'shadow');

/** Every morning: what shadow mode would have written to one ERP, beside what people entered there. */
export class ErpShadow extends Construct {
  readonly fn: lambda.Function;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly stage: Settings;
      readonly connected: Connected<ErpManifest>;
      readonly routes: readonly OrderRoute[];
      readonly core: CoreStack;
      readonly secret: secretsmanager.ISecret;
    },
  ) {
    super(scope, id);
    const { stage, connected, routes, core, secret } = props;
    const { id: erp, manifest } = connected;
    const { journal, reports } = core.tables;
    this.fn = new ScheduledPoller(this, 'Report', {
      description: `What shadow mode would have written to ${erp} (${manifest.title}), beside what people entered`,
      entry: entry('report-shadow', `${manifest.name}.ts`),
      environment: {
        [ENV.connection]: erp,
        [ENV.settings]: JSON.stringify({
          connection: fieldsOf(connected),
          routes: routes.map((route) => withoutDefaults(OrderRoute, route)),
        }),
        [ENV.secretId]: secretName(stage.name, erp),
        [ENV.journalTable]: journal.tableName,
        [ENV.reportsTable]: reports.tableName,
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.reportShadow,
      schedule: dailyAt(REPORT_HOUR, stage.timeZone),
      every: cdk.Duration.days(1),
      runs: { metric: METRICS.shadowRuns, connection: erp },
      mayMiss: REPORTS_MAY_MISS,
      lateSeverity: 'ticket',
      alarms: core.alarms,
      concern: 'shadow',
    }).fn;
    secret.grantRead(this.fn);
    grantItems(journal, this.fn, 'dynamodb:Scan');
    grantItems(reports, this.fn, 'dynamodb:Query', 'dynamodb:PutItem');
  }
}
