import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import {
  ENV,
  JOURNAL,
  JOURNAL_OPEN_INDEX,
  METRICS,
  METRICS_NAMESPACE,
} from '../../shared/observability/names.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { EventBus } from '../constructs/event-bus.ts';
import { SWEEP } from '../constructs/parked-queue.ts';
import { Quarantine } from '../constructs/quarantine.ts';
import { ScheduledPoller } from '../constructs/scheduled-poller.ts';
import { grantIndex, grantItems, StateTables } from '../constructs/state-tables.ts';
import { WebhookApi } from '../constructs/webhook-api.ts';
import { Alarms } from '../monitoring/alarms.ts';
import type { Settings } from '../settings.ts';
import { entry, outputs, stackProps, TIMEOUTS } from './stage.ts';

/** Recording only writes to DynamoDB, which takes whatever comes; this keeps a replay from taking all of Lambda. */
const RECORDER_CONCURRENCY = 10;

/** What all connections share: bus and archive, front door, tables, quarantine, alarms, and the order journal. */
export class CoreStack extends cdk.Stack {
  readonly alarms: Alarms;
  readonly bus: EventBus['bus'];
  readonly api: WebhookApi['api'];
  readonly tables: StateTables;
  readonly quarantine: Quarantine['queue'];

  constructor(app: cdk.App, stage: Settings) {
    super(app, `waybill-${stage.name}-core`, stackProps(stage, 'Waybill: what all connections share'));
    this.alarms = new Alarms(this, 'Alarms', { email: stage.alarms.email });
    this.bus = new EventBus(this, 'Events', {
      name: `waybill-${stage.name}`,
      archiveDays: stage.limits.archiveDays,
    }).bus;
    this.api = new WebhookApi(this, 'Webhooks', {
      name: `waybill-${stage.name}`,
      alarms: this.alarms,
    }).api;
    this.tables = new StateTables(this, 'Tables');
    this.quarantine = new Quarantine(this, 'Quarantine', { alarms: this.alarms }).queue;
    const recorder = new BufferedConsumer(this, 'Recorder', {
      bus: this.bus,
      listensTo: 'order.changed.v1',
      description: 'Keeps the newest snapshot of every order until it is done',
      entry: entry('record-orders', 'index.ts'),
      environment: {
        [ENV.settings]: JSON.stringify({ routes: destinations(stage) }),
        [ENV.journalTable]: this.tables.journal.tableName,
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.recordOrders,
      maxConcurrency: RECORDER_CONCURRENCY,
      parkedIndex: this.tables.parked,
      alarms: this.alarms,
      concern: 'journal',
    });
    grantItems(this.tables.journal, recorder.fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    const sweep = this.sweep(stage);

    outputs(this, {
      ApiUrl: this.api.apiEndpoint,
      EventBusName: this.bus.eventBusName,
      QuarantineQueueUrl: this.quarantine.queueUrl,
      QueueUrl: recorder.queue.queueUrl,
      ParkedQueueUrl: recorder.parked.queueUrl,
      FunctionName: recorder.fn.functionName,
      SweepFunctionName: sweep.functionName,
      LedgerTable: this.tables.ledger.tableName,
      BindingsTable: this.tables.bindings.tableName,
      JournalTable: this.tables.journal.tableName,
      MappingsTable: this.tables.mappings.tableName,
      ParkedTable: this.tables.parked.tableName,
      CursorsTable: this.tables.cursors.tableName,
      ConnectionsTable: this.tables.connections.tableName,
      StockTable: this.tables.stock.tableName,
      ReportsTable: this.tables.reports.tableName,
      PaymentsTable: this.tables.payments.tableName,
      PageTopicArn: this.alarms.topics.page.topicArn,
      TicketTopicArn: this.alarms.topics.ticket.topicArn,
    });
  }

  /** Queues forget, the journal does not. */
  private sweep(stage: Settings): lambda.Function {
    const { journal, parked } = this.tables;
    const { fn } = new ScheduledPoller(this, 'Sweep', {
      description: 'Publishes again what is unfinished for longer than queues remember',
      entry: entry('sweep-orders', 'index.ts'),
      environment: {
        [ENV.settings]: JSON.stringify({
          destinations: [...new Set(Object.values(destinations(stage)).flat())],
          keptMs: SWEEP.after.toMilliseconds(),
        }),
        [ENV.eventBus]: this.bus.eventBusName,
        [ENV.journalTable]: journal.tableName,
        [ENV.parkedTable]: parked.tableName,
      },
      timeout: TIMEOUTS.sweepOrders,
      schedule: events.Schedule.rate(SWEEP.every),
      every: SWEEP.every,
      runs: { metric: METRICS.sweepRuns, connection: JOURNAL },
      mayMiss: 2,
      lateSeverity: 'ticket',
      alarms: this.alarms,
      concern: 'sweep',
    });
    this.bus.grantPutEventsTo(fn);
    grantItems(journal, fn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    grantIndex(journal, JOURNAL_OPEN_INDEX, fn);
    grantItems(parked, fn, 'dynamodb:Query');
    this.alarms.add(this, {
      runbook: 'sweep-found',
      metric: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: METRICS.ordersSwept,
        dimensionsMap: { connection: JOURNAL },
        statistic: cloudwatch.Stats.SUM,
        period: SWEEP.every,
      }),
      threshold: 1,
      evaluationPeriods: 1,
      severity: 'ticket', // what is paused alarms by itself; here nobody may know why it is unfinished
      whenSilent: cloudwatch.TreatMissingData.NOT_BREACHING, // see sweep-late
    });
    return fn;
  }
}

/** Where orders of each storefront are due. Routes that are off open nothing. */
const destinations = (stage: Settings): Record<string, string[]> => {
  const routes: Record<string, string[]> = {};
  for (const { from, to, mode } of stage.orders) {
    if (mode !== 'off') routes[from] = [...(routes[from] ?? []), to];
  }
  return routes;
};
