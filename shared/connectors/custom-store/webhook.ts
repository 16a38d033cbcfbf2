import { decodeUtf8, firstProblem, jsonOf, problems } from '../../http/json.ts';
import type { Delivery, ReceiveContext, Received } from '../contract.ts';
import { normalised } from '../normalised.ts';
import type { CustomStoreCredentials, CustomStoreSettings } from './manifest.ts';
import { toOrder } from './orders.mapper.ts';
import { signatureProblem } from './signature.ts';
import { CustomStoreEvent, CustomStoreOrderEvent, PROBLEMS_TOLD } from './wire.ts';

type Context = ReceiveContext<CustomStoreSettings, CustomStoreCredentials>;

/** Each carries the whole order as it is now; the word is for people. */
export const ORDER_EVENTS = ['created', 'paid', 'updated', 'cancelled', 'refunded', 'fulfilled'].map(
  (event) => `order.${event}`,
);

/** Part of the contract, and nothing for us yet. */
const OTHER_RESOURCES = ['product', 'price', 'inventory', 'customer'];

/**
 * Say what a delivery is. Effect-free.
 * @throws RangeError no key in the credentials
 */
export const receive = (delivery: Delivery, context: Context): Received => {
  const { webhookSecrets } = context.credentials;
  const problem = signatureProblem(delivery, webhookSecrets, context.nowMs());
  if (problem) return { kind: 'rejected', reason: problem };
  const received = understand(delivery.body, context);
  return received.kind === 'ping' ? received : { ...received, deliveryId: delivery.headers['webhook-id'] };
};

type Understood = Extract<Received, { kind: 'ping' | 'ignored' | 'order' | 'unreadable' }>;
const unreadable = (reason: string): Understood => ({ kind: 'unreadable', reason });

const understand = (bytes: Uint8Array, context: Context): Understood => {
  const body = jsonOf(decodeUtf8(bytes) ?? '');
  if (body === undefined) return unreadable('body: is no JSON');
  const event = CustomStoreEvent.safeParse(body);
  if (!event.success) return unreadable(firstProblem(event.error));
  const { type } = event.data;
  if (type === 'ping') return { kind: 'ping' };
  const resource = type.split('.')[0] ?? '';
  if (OTHER_RESOURCES.includes(resource))
    return { kind: 'ignored', reason: `TYPE_${resource.toUpperCase()}` };
  if (!ORDER_EVENTS.includes(type)) {
    // The sender is the merchant's own code: a word that nobody agreed on is a slip, and orders may hang on it.
    return unreadable(`type: "${type}" is none of the contract's; orders come as ${ORDER_EVENTS.join(', ')}`);
  }
  const parsed = CustomStoreOrderEvent.safeParse(body);
  if (!parsed.success) return unreadable(problems(parsed.error, PROBLEMS_TOLD));
  return normalised(() => toOrder(parsed.data.data, context), 'data.');
};
