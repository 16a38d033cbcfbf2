import * as cdk from 'aws-cdk-lib';
import type { StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { ENV } from '../../shared/observability/names.ts';
import { BufferedConsumer } from '../constructs/buffered-consumer.ts';
import { Credentials, secretName } from '../constructs/credentials.ts';
import { WebhookIngress } from '../constructs/webhook-ingress.ts';
import { type Connected, fieldsOf, type Settings } from '../settings.ts';
import type { CoreStack } from './core-stack.ts';
import { concurrencyOf, credentialsAlarm, entry, outputs, stackProps, TIMEOUTS } from './stage.ts';

/** One storefront connection: its secret, its webhook, and the function that fetches what a push only named. */
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
  }
}
