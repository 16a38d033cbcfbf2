import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type * as z from 'zod';
import { eventBridge, secretsManager, sqs } from '../../shared/aws/clients.ts';
import { publisher } from '../../shared/aws/event-bridge.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import { quarantineQueue } from '../../shared/aws/sqs-queues.ts';
import type { Delivery } from '../../shared/connectors/contract.ts';
import type { PaymentsManifest, StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { acceptWebhook, type WebhookSender } from '../../shared/core/accept-webhook.ts';
import { type ReplayRequest, replayDelivery } from '../../shared/core/replay-delivery.ts';
import { ENV } from '../../shared/observability/names.ts';
import { wideEvents } from '../../shared/observability/wide-event.ts';
import { Env, Slice } from './env.ts';

/** Wires the connector of one storefront, or of one payment provider, to the bus, the quarantine queue and its secret. */
export const compose = <S extends z.ZodObject, C extends z.ZodObject>(
  connector: WebhookSender<z.output<S>, z.output<C>> & {
    readonly manifest: StorefrontManifest<S, C> | PaymentsManifest<S, C>;
  },
  environment: NodeJS.ProcessEnv,
) => {
  const env = Env.parse(environment);
  const nowMs = Date.now;
  const connection = env[ENV.connection];
  const { maxBodyBytes, ...slice } = Slice.parse(env[ENV.settings]);
  const settings = connector.manifest.settings.parse(slice);
  const credentials = secretReader(
    secretsManager(),
    env[ENV.secretId],
    connector.manifest.credentials,
    nowMs,
  );
  const ports = {
    connector,
    connection,
    maxBodyBytes,
    nowMs,
    newId: randomUUID,
    line: wideEvents(nowMs),
    context: async () => ({ connection, settings, credentials: await credentials(), nowMs }),
    publish: publisher(eventBridge(), env[ENV.eventBus]),
    quarantine: quarantineQueue(sqs(), env[ENV.quarantineQueueUrl]),
  };
  return async (
    event: APIGatewayProxyEventV2 | ReplayRequest,
  ): Promise<APIGatewayProxyStructuredResultV2> => {
    if ('replay' in event) return json(200, await replayDelivery(ports, event));
    const { statusCode, body } = await acceptWebhook(ports, deliveryOf(event));
    return body ? json(statusCode, body) : { statusCode, body: '' };
  };
};

const json = (statusCode: number, body: object): APIGatewayProxyStructuredResultV2 => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** As the sender knows us: what a proxy of one's own in front of API Gateway is called, nobody here can know. */
const urlOf = ({ requestContext, headers, rawPath, rawQueryString }: APIGatewayProxyEventV2): string => {
  const scheme = headers['x-forwarded-proto'] ?? 'https';
  return `${scheme}://${requestContext.domainName}${rawPath}${rawQueryString ? `?${rawQueryString}` : ''}`;
};

/** The exact bytes: API Gateway hands over form bodies, and whatever it takes for binary, as base64. */
const deliveryOf = (event: APIGatewayProxyEventV2): Delivery => ({
  method: event.requestContext.http.method,
  url: urlOf(event),
  headers: Object.fromEntries(
    Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]),
  ),
  body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
});
