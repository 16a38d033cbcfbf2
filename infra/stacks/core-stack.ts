import * as cdk from 'aws-cdk-lib';
import { ENV } from '../../shared/observability/names.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { EventBus } from '../constructs/event-bus.ts';
import { Quarantine } from '../constructs/quarantine.ts';
import { grantItems, StateTables } from '../constructs/state-tables.ts';
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

    outputs(this, {
      ApiUrl: this.api.apiEndpoint,
      EventBusName: this.bus.eventBusName,
      QuarantineQueueUrl: this.quarantine.queueUrl,
      QueueUrl: recorder.queue.queueUrl,
      ParkedQueueUrl: recorder.parked.queueUrl,
      FunctionName: recorder.fn.functionName,
      LedgerTable: this.tables.ledger.tableName,
      BindingsTable: this.tables.bindings.tableName,
      JournalTable: this.tables.journal.tableName,
      MappingsTable: this.tables.mappings.tableName,
      ParkedTable: this.tables.parked.tableName,
      CursorsTable: this.tables.cursors.tableName,
      ConnectionsTable: this.tables.connections.tableName,
      PageTopicArn: this.alarms.topics.page.topicArn,
      TicketTopicArn: this.alarms.topics.ticket.topicArn,
    });
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
