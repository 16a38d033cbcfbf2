import { decodeUtf8, firstProblem, jsonOf } from '../../http/json.ts';
import { signatureProblem } from '../../http/signature.ts';
import type { Delivery, ReceiveContext, Received } from '../contract.ts';
import { normalised } from '../normalised.ts';
import { manifest, type ShopifyCredentials, type ShopifySettings } from './manifest.ts';
import { toOrder } from './orders.mapper.ts';
import { ShOrder } from './wire.ts';

type Context = ReceiveContext<ShopifySettings, ShopifyCredentials>;

/** Topics whose body is a whole order. */
const ORDER_TOPICS = [
  'orders/create',
  'orders/updated',
  'orders/paid',
  'orders/cancelled',
  'orders/fulfilled',
  'orders/partially_fulfilled',
];

/** Why a topic is acknowledged and not used. `orders/updated` follows each change of an order, and carries it whole. */
const IGNORED: Readonly<Record<string, string>> = {
  'orders/edited': 'EDIT_WITHOUT_ORDER',
  'orders/delete': 'ORDER_DELETED_WITHOUT_CONTENT',
  'refunds/create': 'REFUND_WITHOUT_ORDER',
  'order_transactions/create': 'TRANSACTION_WITHOUT_ORDER',
  'app/uninstalled': 'APP_UNINSTALLED',
  'shop/redact': 'SHOP_REDACT',
  'customers/redact': 'CUSTOMERS_REDACT',
  'customers/data_request': 'CUSTOMERS_DATA_REQUEST',
};

/** Resources that carry no order: their topics are counted by resource. */
const OTHER_RESOURCES = [
  'orders',
  'fulfillments',
  'fulfillment_orders',
  'fulfillment_events',
  'fulfillment_holds',
  'returns',
  'products',
  'inventory_items',
  'inventory_levels',
  'customers',
  'draft_orders',
  'app',
  'shop',
];

/**
 * Say what a delivery is. Effect-free.
 * @throws RangeError no webhook secret in the credentials
 */
export const receive = (delivery: Delivery, context: Context): Received => {
  const { headers, body } = delivery;
  const problem = signatureProblem(
    body,
    headers['x-shopify-hmac-sha256'],
    context.credentials.webhookSecrets,
  );
  if (problem) return { kind: 'rejected', reason: problem };
  // One action of the merchant may fire several subscriptions: they share the event id, each has a webhook id.
  const deliveryId = headers['x-shopify-event-id'] ?? headers['x-shopify-webhook-id'];
  return { ...understand(delivery, context), ...(deliveryId && { deliveryId }) };
};

type Understood = Extract<Received, { kind: 'ignored' | 'order' | 'unreadable' }>;
const ignored = (reason: string): Understood => ({ kind: 'ignored', reason });
const unreadable = (reason: string): Understood => ({ kind: 'unreadable', reason });

const understand = ({ headers, body }: Delivery, context: Context): Understood => {
  const header = (name: string) => headers[`x-shopify-${name}`]?.trim().toLowerCase() || undefined;
  // An app that several shops installed signs for all of them with one secret: the shop must be this one.
  const shop = header('shop-domain');
  if (shop !== undefined && shop !== context.settings.shop) {
    return unreadable(
      `x-shopify-shop-domain: is not ${context.settings.shop}; correct the webhook's address`,
    );
  }
  const topic = header('topic');
  if (topic !== undefined && !ORDER_TOPICS.includes(topic)) return ignored(reasonOf(topic));

  const text = decodeUtf8(body);
  if (text === undefined) return unreadable('body: is no UTF-8 text');
  const fields = jsonOf(text);
  if (fields === undefined) return unreadable('body: is no JSON');
  const parsed = ShOrder.safeParse(fields);
  if (!parsed.success) return unreadable(firstProblem(parsed.error));
  const triggeredAt = headers['x-shopify-triggered-at'];
  const told = normalised(() => toOrder(parsed.data, { ...context, triggeredAt }));
  if (told.kind === 'unreadable') return told;
  return { ...told, warnings: [...told.warnings, ...versionWarning(header('api-version'))] };
};

const reasonOf = (topic: string): string => {
  const known = Object.hasOwn(IGNORED, topic) ? IGNORED[topic] : undefined;
  const resource = topic.split('/')[0] ?? '';
  return known ?? (OTHER_RESOURCES.includes(resource) ? `TOPIC_${resource.toUpperCase()}` : 'TOPIC_OTHER');
};

/** Shopify falls forward to the oldest version it still supports; the app says which one it is sent. */
const versionWarning = (version: string | undefined): string[] =>
  version === undefined || version === manifest.apiVersion
    ? []
    : [`x-shopify-api-version is not ${manifest.apiVersion}: set the app's webhook version to it`];
