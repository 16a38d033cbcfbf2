import { decodeUtf8, firstProblem, jsonOf } from '../../http/json.ts';
import { signatureProblem } from '../../http/signature.ts';
import type { Delivery, ReceiveContext, Received } from '../contract.ts';
import { decodeSpecialChars } from './html-entities.ts';
import type { WooCommerceCredentials, WooCommerceSettings } from './manifest.ts';
import { ignoredStatus, normalise } from './normalise.ts';
import { WcError, WcOrder } from './wire.ts';

type Context = ReceiveContext<WooCommerceSettings, WooCommerceCredentials>;

/** Resources of WooCommerce's topics that carry no order; `action` is any WordPress hook. */
const OTHER_RESOURCES = ['product', 'customer', 'coupon', 'action'];

/**
 * Say what a delivery is. Effect-free.
 * @throws RangeError no webhook secret in the credentials
 */
export const receive = (delivery: Delivery, context: Context): Received => {
  const text = decodeUtf8(delivery.body);
  if (isPing(delivery, text)) return { kind: 'ping' };

  const problem = signatureProblem(
    delivery.body,
    delivery.headers['x-wc-webhook-signature'],
    signingSecrets(context.credentials.webhookSecrets),
  );
  if (problem) return { kind: 'rejected', reason: problem };

  const deliveryId = delivery.headers['x-wc-webhook-delivery-id'];
  return { ...understand(delivery, text, context), ...(deliveryId && { deliveryId }) };
};

type Understood = Extract<Received, { kind: 'ignored' | 'notified' | 'order' | 'unreadable' }>;
const ignored = (reason: string): Understood => ({ kind: 'ignored', reason });
const unreadable = (reason: string): Understood => ({ kind: 'unreadable', reason });

const understand = ({ headers }: Delivery, text: string | undefined, context: Context): Understood => {
  if (text === undefined) return unreadable('body: is no UTF-8 text');
  const body = jsonOf(text);
  if (body === undefined) return unreadable('body: is no JSON');

  const [resource, event] = topicOf(headers);
  if (resource !== undefined && resource !== 'order') {
    return ignored(OTHER_RESOURCES.includes(resource) ? `TOPIC_${resource.toUpperCase()}` : 'TOPIC_OTHER');
  }
  if (resource === 'order' && event === 'deleted') return ignored('ORDER_DELETED_WITHOUT_CONTENT');

  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return unreadable('body: is no object');
  const fields = body as Readonly<Record<string, unknown>>;
  const error = 'line_items' in fields ? undefined : WcError.safeParse(fields).data;
  if (error) {
    // The webhook's owner may not read orders (any more), or a plug-in broke the REST answer.
    const code = /^[\w-]{1,80}$/.test(error.code) ? error.code : 'unknown code';
    return unreadable(`body: an error instead of an order (${code})`);
  }
  if (typeof fields['order'] === 'object' && !('line_items' in fields)) {
    return unreadable('body: legacy API payload; set the webhook to "WP REST API Integration v3"');
  }
  if (isRefund(fields)) return ignored('REFUND_WITHOUT_ORDER');
  // Before anything else is read: a draft need not be whole.
  const notYet = typeof fields['status'] === 'string' ? ignoredStatus(fields['status']) : undefined;
  if (notYet) return ignored(notYet);

  const parsed = WcOrder.safeParse(fields);
  if (!parsed.success) return unreadable(firstProblem(parsed.error));
  const told = normalise(parsed.data, context);
  // An order names the sums of its refunds; what they are for has to be asked for, where we may.
  const isToBeAsked = told.kind === 'order' && told.order.refunds.length > 0 && mayRead(context.credentials);
  return isToBeAsked ? { kind: 'notified', orderId: parsed.data.id } : told;
};

const mayRead = ({ consumerKey, consumerSecret }: WooCommerceCredentials): boolean =>
  consumerKey !== undefined && consumerSecret !== undefined;

/**
 * A webhook that was just saved sends `webhook_id=N` as a form, unsigned and without any X-WC-Webhook header
 * (class-wc-webhook.php, deliver_ping; observed on 10.2). It says nothing, so answering it is harmless.
 */
const isPing = ({ headers }: Delivery, text: string | undefined): boolean =>
  text !== undefined &&
  /^webhook_id=\d+$/.test(text) &&
  !Object.entries(headers).some(([name, value]) => name.startsWith('x-wc-webhook-') && value !== undefined);

/**
 * WooCommerce decodes a stored secret before it signs (`wp_specialchars_decode(secret, ENT_QUOTES)`), so one
 * that holds "&amp;" signs with "&". Operators may have copied either form.
 */
const signingSecrets = (secrets: readonly string[]): string[] => [
  ...new Set(secrets.flatMap((secret) => [secret, decodeSpecialChars(secret)])),
];

/** [resource, event]; both undefined when no header names them: then the body's shape decides. */
const topicOf = (headers: Delivery['headers']): [string | undefined, string | undefined] => {
  const word = (name: string) => headers[name]?.trim().toLowerCase() || undefined;
  const [resource, event] = word('x-wc-webhook-topic')?.split('.') ?? [];
  return [resource || word('x-wc-webhook-resource'), event ?? word('x-wc-webhook-event')];
};

/** A refund is an order of its own in WooCommerce's tables; the order's `refunds` say the same. */
const isRefund = (fields: Readonly<Record<string, unknown>>): boolean => {
  if (fields['type'] === 'shop_order_refund') return true;
  const hasParent = Number(fields['parent_id'] ?? 0) > 0;
  return (
    (hasParent && Number(fields['total'] ?? 0) < 0) || ('refunded_by' in fields && !('status' in fields))
  );
};
