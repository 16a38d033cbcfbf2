import * as cdk from 'aws-cdk-lib';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import { ENV } from '../../shared/observability/names.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { Credentials, secretName } from '../constructs/credentials.ts';
import { grantItems } from '../constructs/state-tables.ts';
import { type Connected, fetchableOf, fieldsOf, type Settings, withoutDefaults } from '../settings.ts';
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
          fetchable: fetchableOf(stage).filter((shop) => routes.some(({ from }) => from === shop)),
        }),
        [ENV.secretId]: secretName(stage.name, id),
        [ENV.eventBus]: core.bus.eventBusName,
        [ENV.ledgerTable]: ledger.tableName,
        [ENV.bindingsTable]: bindings.tableName,
        [ENV.journalTable]: journal.tableName,
        [ENV.mappingsTable]: mappings.tableName,
        [ENV.leaseMs]: String(leaseMs(manifest)),
        [ENV.timeScale]: String(stage.timeScale),
      },
      timeout: TIMEOUTS.consumeOrders,
      maxConcurrency: concurrencyOf(manifest.name, manifest.maxConcurrentCalls),
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
    credentialsAlarm(this, core.alarms, id);

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
