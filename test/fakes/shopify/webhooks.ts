import { createHmac, randomUUID } from 'node:crypto';

export interface FakeWebhook {
  readonly id: number;
  readonly topic: string;
  readonly deliveryUrl: string;
  /** Deliveries in a row that were not answered 2xx. */
  failures: number;
  /** After eight failures Shopify deletes a subscription that was made through the API [H troubleshooting]. */
  deleted: boolean;
}

export interface FakeDelivery {
  readonly topic: string;
  readonly webhookId: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** 1 for the first time. */
  readonly attempt: number;
  /** undefined while under way; 0 when no answer came. */
  status: number | undefined;
}

export interface WebhooksOptions {
  readonly shop: string;
  readonly apiVersion: string;
  readonly secret: string;
  readonly nowMs: () => number;
  readonly retryDelaysMs: readonly number[];
  /** Real time passes: retries send themselves. Otherwise `retryDue` sends what is due. */
  readonly ticking: boolean;
}

/** [H] Any 2xx within five seconds is success. */
const TIMEOUT_MS = 5_000;
/** The first time and eight retries. */
const FAILURES_ALLOWED = 8;

/** [H] Eight retries over four hours, each later than the one before. */
export const RETRY_DELAYS_MS = [1, 2, 4, 8, 16, 32, 64, 113].map((minutes) => minutes * 60_000);

interface Job {
  readonly webhook: FakeWebhook;
  readonly topic: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly attempt: number;
  readonly dueMs: number;
}

/** Subscriptions and deliveries. A retry carries the bytes of the first time, however old they are [H]. */
export class Webhooks {
  readonly all: FakeWebhook[] = [];
  readonly deliveries: FakeDelivery[] = [];
  readonly #options: WebhooksOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #waiting: Job[] = [];
  #stopped = false;

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  register({ topic, deliveryUrl }: { topic: string; deliveryUrl: string }): FakeWebhook {
    const webhook = { id: this.all.length + 1, topic, deliveryUrl, failures: 0, deleted: false };
    this.all.push(webhook);
    return webhook;
  }

  /** One action of the merchant: all topics share an event id, every subscription has a webhook id of its own [H]. */
  fire(events: readonly { readonly topic: string; readonly body: string }[]): void {
    const eventId = randomUUID();
    const triggeredAt = new Date(this.#options.nowMs()).toISOString().replace('Z', '123456Z');
    for (const { topic, body } of events) {
      for (const webhook of this.all) {
        if (webhook.deleted || webhook.topic !== topic) continue;
        this.#send({
          webhook,
          topic,
          body,
          attempt: 1,
          dueMs: this.#options.nowMs(),
          headers: {
            'content-type': 'application/json',
            'x-shopify-topic': topic,
            'x-shopify-hmac-sha256': createHmac('sha256', this.#options.secret).update(body).digest('base64'),
            'x-shopify-shop-domain': this.#options.shop,
            'x-shopify-api-version': this.#options.apiVersion,
            'x-shopify-webhook-id': randomUUID(),
            'x-shopify-event-id': eventId,
            'x-shopify-triggered-at': triggeredAt,
          },
        });
      }
    }
  }

  /** Sends the retries whose time has come; they may fail again. */
  async retryDue(): Promise<void> {
    const now = this.#options.nowMs();
    const due = this.#waiting.filter(({ dueMs }) => dueMs <= now);
    this.#waiting = this.#waiting.filter(({ dueMs }) => dueMs > now);
    for (const job of due) this.#send(job);
    await this.settled();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  async redeliver(index: number): Promise<number> {
    const delivery = this.deliveries[index];
    const webhook = this.all.find(({ id }) => id === delivery?.webhookId);
    if (!delivery || !webhook) throw new Error(`there was no delivery ${index}`);
    const { topic, headers, body } = delivery;
    return this.#post({ webhook, topic, headers, body, attempt: delivery.attempt, dueMs: 0 });
  }

  #send(job: Job): void {
    if (this.#stopped) return;
    const sending = this.#deliver(job).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }

  async #deliver(job: Job): Promise<void> {
    const { webhook } = job;
    const status = await this.#post(job);
    if (status >= 200 && status < 300) {
      webhook.failures = 0;
      return;
    }
    webhook.failures += 1;
    if (webhook.failures > FAILURES_ALLOWED) webhook.deleted = true;
    const delayMs = this.#options.retryDelaysMs[job.attempt - 1];
    if (delayMs === undefined || webhook.deleted || this.#stopped) return;
    this.#waiting.push({ ...job, attempt: job.attempt + 1, dueMs: this.#options.nowMs() + delayMs });
    if (this.#options.ticking) setTimeout(() => void this.retryDue(), delayMs + 1).unref();
  }

  async #post({ webhook, topic, headers, body, attempt }: Job): Promise<number> {
    const url = webhook.deliveryUrl;
    const delivery: FakeDelivery = {
      topic,
      webhookId: webhook.id,
      url,
      headers,
      body,
      attempt,
      status: undefined,
    };
    this.deliveries.push(delivery);
    delivery.status = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'user-agent': 'Shopify-Captain-Hook' },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    return delivery.status;
  }

  /** Nothing is under way; retries that wait for their time are not counted. */
  async settled(): Promise<void> {
    do {
      await Promise.all(this.#underWay);
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#underWay.size > 0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.settled();
  }
}
