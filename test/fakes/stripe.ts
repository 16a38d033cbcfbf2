import type { FastifyReply } from 'fastify';
import Stripe from 'stripe';
import { type PeerServer, startPeerServer } from './peer-server.ts';

/**
 * Stripe: the reads that we make, and signed webhooks. Keeps state in memory.
 *
 * Sources, named where they are used:
 * [A]  docs.stripe.com/api, version 2026-10-28.endive, and the types of npm stripe 23.1.0
 * [E]  docs.stripe.com/expand
 * [C]  docs.stripe.com/payments/payment-intents/asynchronous-capture
 * [W]  docs.stripe.com/webhooks
 */

export interface FakeStripeOptions {
  readonly port?: number;
  readonly apiKey: string;
  readonly livemode?: boolean;
  /** Events then say that they are this connected account's. */
  readonly account?: string;
  readonly nowMs?: () => number;
  /** Waits between attempts; default: not at all. Move an injected clock here. */
  readonly wait?: (ms: number) => Promise<void>;
}

export interface FakePaymentSpec {
  /** Default: counted. */
  readonly id?: string;
  /** In Stripe's smallest unit. */
  readonly amount: number;
  /** As Stripe writes it: small letters. */
  readonly currency: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Type of the payment method. Default: card. */
  readonly method?: string;
  /** What Stripe keeps, in `settlesIn`. Default: 2.9 %. */
  readonly fee?: number;
  /** Default: the currency of the payment. */
  readonly settlesIn?: string;
  /** later: there is no balance transaction until `settle` [C]. */
  readonly settles?: 'later';
  /** manual: only authorised, until `capture`. */
  readonly capture?: 'manual';
  /** Made at Stripe Checkout, with that id of the shop's. */
  readonly checkout?: { readonly clientReferenceId: string | null };
}

export interface FakeStripeWebhook {
  readonly deliveryUrl: string;
  /** All of them sign, as while a secret is rolled [W]. */
  readonly secrets: readonly string[];
}

export interface FakeStripeDelivery {
  readonly type: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly attempt: number;
  /** undefined while under way; 0 when no answer came. */
  status: number | undefined;
}

/** Open, because tests look into it and break it on purpose. */
export type FakeStripeObject = Record<string, unknown> & { readonly id: string };

export interface FakeStripe {
  readonly url: string;
  readonly server: PeerServer;
  /** A buyer pays; webhooks follow in the background (wait with `settled`). */
  pay(spec: FakePaymentSpec): FakeStripeObject;
  /** Default: everything that was authorised. */
  capture(paymentId: string, amount?: number): void;
  settle(paymentId: string): void;
  refund(
    paymentId: string,
    amount: number,
    status?: 'succeeded' | 'pending' | 'requires_action',
  ): FakeStripeObject;
  finishRefund(refundId: string, status: 'succeeded' | 'failed' | 'canceled'): void;
  dispute(paymentId: string, reason?: string): FakeStripeObject;
  closeDispute(disputeId: string, status: 'won' | 'lost'): void;
  /** Changes an object without a webhook. */
  patch(id: string, fields: Readonly<Record<string, unknown>>): void;
  registerWebhook(spec: { deliveryUrl: string; secret: string | readonly string[] }): FakeStripeWebhook;
  /** Every attempt, in the order in which they were sent. */
  readonly deliveries: readonly FakeStripeDelivery[];
  /** The same bytes, signed anew; resolves to the status answered, 0 for none. */
  redeliver(index: number): Promise<number>;
  /** Any body, signed as one of Stripe's. */
  send(type: string, body: unknown): void;
  /** Nothing is queued or under way. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** "for up to three days with an exponential back off" [W]; the steps are ours. */
const RETRY_DELAYS_MS = [5, 30, 120, 300, 600, 720, 720, 720].map((minutes) => minutes * 60_000);

export const startFakeStripe = async (options: FakeStripeOptions): Promise<FakeStripe> => {
  const account = new Account(options);
  const server = await startPeerServer((app) => routes(app, account), {
    ...(options.port && { port: options.port }),
  });
  const { webhooks } = account;
  return {
    url: server.url,
    server,
    pay: (spec) => account.pay(spec),
    capture: (id, amount) => account.capture(id, amount),
    settle: (id) => account.settle(id),
    refund: (id, amount, status = 'succeeded') => account.refund(id, amount, status),
    finishRefund: (id, status) => account.finishRefund(id, status),
    dispute: (id, reason = 'fraudulent') => account.dispute(id, reason),
    closeDispute: (id, status) => account.closeDispute(id, status),
    patch: (id, fields) => void Object.assign(account.get(id), fields),
    registerWebhook: ({ deliveryUrl, secret }) => webhooks.register(deliveryUrl, [secret].flat()),
    deliveries: webhooks.deliveries,
    redeliver: (index) => webhooks.redeliver(index),
    send: (type, body) => webhooks.enqueue(type, JSON.stringify(body)),
    settled: () => webhooks.settled(),
    stop: async () => {
      await webhooks.stop();
      await server.stop();
    },
  };
};

// --- state -------------------------------------------------------------------------------------------------

class Account {
  readonly options: FakeStripeOptions;
  readonly webhooks: Webhooks;
  readonly #objects = new Map<string, FakeStripeObject>();
  #count = 0;

  constructor(options: FakeStripeOptions) {
    this.options = options;
    this.webhooks = new Webhooks(options);
  }

  get(id: string): FakeStripeObject {
    const found = this.#objects.get(id);
    if (!found) throw new Error(`Stripe has no ${id}`);
    return found;
  }

  find(id: string): FakeStripeObject | undefined {
    return this.#objects.get(id);
  }

  /** Newest first [A, "Pagination"]. */
  list(object: string, payment?: string): FakeStripeObject[] {
    return [...this.#objects.values()]
      .filter((one) => one['object'] === object)
      .filter((one) => payment === undefined || one['payment_intent'] === payment)
      .reverse();
  }

  pay(spec: FakePaymentSpec): FakeStripeObject {
    const { amount, currency, metadata = {}, method = 'card', checkout } = spec;
    const charge = this.#make('charge', 'ch', {
      amount,
      amount_captured: 0,
      amount_refunded: 0,
      balance_transaction: null,
      captured: false,
      currency,
      disputed: false,
      metadata,
      paid: true,
      payment_method_details: { type: method },
      refunded: false,
      status: 'succeeded',
    });
    const intent = this.#make(
      'payment_intent',
      'pi',
      {
        amount,
        amount_capturable: amount,
        amount_received: 0,
        capture_method: spec.capture ?? 'automatic_async',
        currency,
        latest_charge: charge.id,
        metadata,
        payment_method_types: [method],
        status: 'requires_capture',
      },
      spec.id,
    );
    charge['payment_intent'] = intent.id;
    this.#fees.set(charge.id, spec);
    if (checkout) {
      const session = this.#make('checkout.session', 'cs', {
        client_reference_id: checkout.clientReferenceId,
        mode: 'payment',
        payment_intent: intent.id,
        payment_status: 'paid',
        status: 'complete',
      });
      this.#tell('checkout.session.completed', session);
    }
    if (spec.capture === 'manual') {
      this.#tell('charge.succeeded', charge);
      this.#tell('payment_intent.amount_capturable_updated', intent);
      return intent;
    }
    this.#take(intent, charge, amount);
    if (spec.settles !== 'later') this.#enter(charge);
    this.#tell('charge.succeeded', charge);
    this.#tell('payment_intent.succeeded', intent);
    if (spec.settles !== 'later') this.#tell('charge.updated', charge);
    return intent;
  }

  capture(paymentId: string, amount?: number): void {
    const intent = this.get(paymentId);
    const charge = this.#chargeOf(intent);
    this.#take(intent, charge, amount ?? Number(intent['amount_capturable']));
    this.#enter(charge);
    this.#tell('charge.captured', charge);
    this.#tell('payment_intent.succeeded', intent);
  }

  settle(paymentId: string): void {
    const charge = this.#chargeOf(this.get(paymentId));
    this.#enter(charge);
    this.#tell('charge.updated', charge);
  }

  refund(paymentId: string, amount: number, status: string): FakeStripeObject {
    const charge = this.#chargeOf(this.get(paymentId));
    const refund = this.#make('refund', 're', {
      amount,
      charge: charge.id,
      currency: charge['currency'],
      metadata: {},
      payment_intent: paymentId,
      reason: null,
      status,
    });
    charge['amount_refunded'] = Number(charge['amount_refunded']) + amount;
    charge['refunded'] = charge['amount_refunded'] === charge['amount_captured'];
    this.#tell('refund.created', refund);
    this.#tell('charge.refunded', charge);
    return refund;
  }

  finishRefund(refundId: string, status: string): void {
    const refund = this.get(refundId);
    refund['status'] = status;
    if (status !== 'succeeded') {
      const charge = this.get(String(refund['charge']));
      charge['amount_refunded'] = Number(charge['amount_refunded']) - Number(refund['amount']);
    }
    this.#tell(status === 'failed' ? 'refund.failed' : 'refund.updated', refund);
  }

  dispute(paymentId: string, reason: string): FakeStripeObject {
    const charge = this.#chargeOf(this.get(paymentId));
    charge['disputed'] = true;
    const dispute = this.#make('dispute', 'du', {
      amount: charge['amount_captured'],
      charge: charge.id,
      currency: charge['currency'],
      metadata: {},
      payment_intent: paymentId,
      reason,
      status: 'needs_response',
    });
    this.#tell('charge.dispute.created', dispute);
    return dispute;
  }

  closeDispute(disputeId: string, status: string): void {
    const dispute = this.get(disputeId);
    dispute['status'] = status;
    this.#tell('charge.dispute.closed', dispute);
  }

  /** [E] Ids become objects along the path; a list of refunds is there only when it is asked for [A, Charge]. */
  expanded(object: FakeStripeObject, paths: readonly string[]): FakeStripeObject {
    const view: FakeStripeObject = { ...object };
    const byField = new Map<string, string[]>();
    for (const path of paths) {
      const [field = '', ...rest] = path.split('.');
      byField.set(field, [...(byField.get(field) ?? []), ...(rest.length > 0 ? [rest.join('.')] : [])]);
    }
    for (const [field, rest] of byField) {
      if (object['object'] === 'charge' && field === 'refunds') {
        const all = this.list('refund', String(object['payment_intent']));
        const url = `/v1/charges/${object.id}/refunds`;
        view['refunds'] = { object: 'list', data: all.slice(0, 10), has_more: all.length > 10, url };
        continue;
      }
      const id = object[field];
      if (id === undefined)
        throw new Refusal(400, { message: `This property cannot be expanded (${field}).` });
      if (typeof id === 'string') view[field] = this.expanded(this.get(id), rest);
    }
    return view;
  }

  readonly #fees = new Map<string, FakePaymentSpec>();

  #chargeOf(intent: FakeStripeObject): FakeStripeObject {
    return this.get(String(intent['latest_charge']));
  }

  #take(intent: FakeStripeObject, charge: FakeStripeObject, amount: number): void {
    Object.assign(charge, { captured: true, amount_captured: amount });
    Object.assign(intent, { amount_capturable: 0, amount_received: amount, status: 'succeeded' });
  }

  /** The entry in Stripe's own books. */
  #enter(charge: FakeStripeObject): void {
    const spec = this.#fees.get(charge.id);
    const amount = Number(charge['amount_captured']);
    const fee = spec?.fee ?? Math.round(amount * 0.029);
    const entry = this.#make('balance_transaction', 'txn', {
      amount,
      currency: spec?.settlesIn ?? charge['currency'],
      fee,
      net: amount - fee,
      source: charge.id,
      type: 'charge',
    });
    charge['balance_transaction'] = entry.id;
  }

  #make(
    object: string,
    prefix: string,
    fields: Readonly<Record<string, unknown>>,
    id = `${prefix}_fake${String(++this.#count).padStart(6, '0')}`,
  ): FakeStripeObject {
    const made = { id, object, created: this.#nowS(), livemode: this.options.livemode ?? false, ...fields };
    this.#objects.set(id, made);
    return made;
  }

  /** A snapshot of the object as it is now, lists and ids as they are without expansion [W]. */
  #tell(type: string, object: FakeStripeObject): void {
    const { livemode = false, account } = this.options;
    const event = {
      id: `evt_fake${String(++this.#count).padStart(6, '0')}`,
      object: 'event',
      ...(account && { account }),
      api_version: '2026-10-28.endive',
      created: this.#nowS(),
      data: { object: { ...object } },
      livemode,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
    };
    this.webhooks.enqueue(type, JSON.stringify(event));
  }

  #nowS(): number {
    return Math.floor((this.options.nowMs ?? Date.now)() / 1000);
  }
}

// --- webhooks ----------------------------------------------------------------------------------------------

class Webhooks {
  readonly deliveries: FakeStripeDelivery[] = [];
  readonly #options: FakeStripeOptions;
  readonly #all: FakeStripeWebhook[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #isStopped = false;

  constructor(options: FakeStripeOptions) {
    this.#options = options;
  }

  register(deliveryUrl: string, secrets: readonly string[]): FakeStripeWebhook {
    const webhook = { deliveryUrl, secrets };
    this.#all.push(webhook);
    return webhook;
  }

  /** Every event goes its own way, so they may overtake each other [W, "Event ordering"]. */
  enqueue(type: string, body: string): void {
    for (const webhook of this.#all) {
      const work = this.#deliver(webhook, type, body).finally(() => this.#underWay.delete(work));
      this.#underWay.add(work);
    }
  }

  async redeliver(index: number): Promise<number> {
    const before = this.deliveries[index];
    const webhook = this.#all.find(({ deliveryUrl }) => deliveryUrl === before?.url);
    if (!before || !webhook) throw new Error(`there was no delivery ${index}`);
    return this.#send(webhook, before.type, before.body, before.attempt + 1);
  }

  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.settled();
  }

  async #deliver(webhook: FakeStripeWebhook, type: string, body: string): Promise<void> {
    for (const [index, pauseMs] of [...RETRY_DELAYS_MS, 0].entries()) {
      if (this.#isStopped) return;
      const status = await this.#send(webhook, type, body, index + 1);
      if (status >= 200 && status < 300) return;
      await (this.#options.wait ?? (() => new Promise(setImmediate)))(pauseMs);
    }
  }

  /** Signed anew in every attempt [W]. */
  async #send(webhook: FakeStripeWebhook, type: string, body: string, attempt: number): Promise<number> {
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      'stripe-signature': signature(body, webhook.secrets, (this.#options.nowMs ?? Date.now)()),
    };
    const url = webhook.deliveryUrl;
    const delivery: FakeStripeDelivery = { type, url, headers, body, attempt, status: undefined };
    this.deliveries.push(delivery);
    delivery.status = await fetch(url, { method: 'POST', headers, body, redirect: 'manual' }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    return delivery.status;
  }
}

/** Header `Stripe-Signature` as the package makes it; with two secrets it has two signatures. */
export const signature = (payload: string, secrets: readonly string[], nowMs: number): string => {
  const timestamp = Math.floor(nowMs / 1000);
  const [first = '', ...others] = secrets.map((secret) =>
    Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }),
  );
  return [first, ...others.map((header) => header.replace(/^t=\d+,/, ''))].join(',');
};

// --- reads [A] ---------------------------------------------------------------------------------------------

type App = Parameters<Parameters<typeof startPeerServer>[0]>[0];

/** [A, "Errors"] */
class Refusal extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(String(body['message']));
    this.status = status;
    this.body = { type: 'invalid_request_error', ...body };
  }
}

/** Answers for `server.fault`: as Stripe documents them. */
export const STRIPE_FAULTS = {
  rateLimited: {
    kind: 'answer',
    status: 429,
    headers: { 'content-type': 'application/json', 'stripe-rate-limited-reason': 'global-rate' },
    body: JSON.stringify({
      error: {
        code: 'rate_limit',
        message: 'Request rate limit exceeded. You can learn more about rate limits here …',
        type: 'invalid_request_error',
      },
    }),
  },
  broken: {
    kind: 'answer',
    status: 500,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: { message: 'An unknown error occurred', type: 'api_error' } }),
  },
  notPermitted: {
    kind: 'answer',
    status: 403,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      error: {
        message:
          "The provided key 'rk_test_***' does not have the required permissions for this endpoint on account 'acct_1'.",
        type: 'invalid_request_error',
      },
    }),
  },
} as const;

const routes = (app: App, account: Account): void => {
  app.setErrorHandler((error, _request, reply: FastifyReply) => {
    if (!(error instanceof Refusal)) throw error;
    reply.code(error.status).send({ error: error.body });
  });
  app.addHook('preHandler', async (request, reply) => {
    reply.header('request-id', 'req_fake');
    if (request.headers.authorization !== `Bearer ${account.options.apiKey}`) {
      throw new Refusal(401, { message: 'Invalid API Key provided: rk_test_*******key' });
    }
  });
  const query = (request: { query: unknown }) =>
    request.query as Readonly<Record<string, string | undefined>>;
  const expand = (request: { query: unknown }, prefix = ''): string[] =>
    Object.entries(query(request))
      .filter(([name]) => name.startsWith('expand['))
      .map(([, path = '']) => path.slice(prefix.length));
  const list = (path: string, object: string) =>
    app.get(path, async (request) => {
      const { limit = '10', starting_after: after, payment_intent: payment } = query(request);
      const all = account.list(object, payment);
      const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
      const data = all.slice(from, from + Number(limit));
      return {
        object: 'list',
        url: path,
        has_more: from + data.length < all.length,
        data: data.map((one) => account.expanded(one, expand(request, 'data.'))),
      };
    });
  list('/v1/payment_intents', 'payment_intent');
  list('/v1/refunds', 'refund');
  list('/v1/disputes', 'dispute');
  list('/v1/checkout/sessions', 'checkout.session');
  app.get('/v1/payment_intents/:id', async (request) => {
    const { id } = request.params as { id: string };
    const found = account.find(id);
    if (found?.['object'] !== 'payment_intent') {
      throw new Refusal(404, {
        code: 'resource_missing',
        doc_url: 'https://stripe.com/docs/error-codes/resource-missing',
        message: `No such payment_intent: '${id}'`,
        param: 'intent',
      });
    }
    return account.expanded(found, expand(request));
  });
};
