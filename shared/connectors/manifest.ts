import * as z from 'zod';

/**
 * What infrastructure, alarms and documents need to know of a connector: data only. A manifest imports
 * nothing but this file and zod, so that synthesising never loads a client.
 */
interface ConnectorManifest<S extends z.ZodObject, C extends z.ZodObject> {
  /** kebab-case; metric dimension, and the name of the function entries that serve it. */
  readonly name: string;
  readonly title: string;
  /** Version of the peer's API that this connector speaks. */
  readonly apiVersion: string;
  /** ISO date on which the peer withdraws that version, as far as it is announced. */
  readonly apiVersionSunset: string | undefined;
  /** What a connection says of itself in the settings file, besides `connector`. Strict. */
  readonly settings: S;
  /** What its Secrets Manager secret holds. Strict. */
  readonly credentials: C;
}

export interface StorefrontManifest<S extends z.ZodObject = z.ZodObject, C extends z.ZodObject = z.ZodObject>
  extends ConnectorManifest<S, C> {
  readonly kind: 'storefront';
  /**
   * How long it waits for the answer to a webhook before it counts a failure; undefined: nobody says. The function may
   * go on for longer (decision 0016), but answers that come near this are an alarm.
   */
  readonly answerWithinMs?: number;
  /**
   * Orders can be read by id: the connector has `open`, and every connection gets a queue and a function that
   * fetch what a push only named. undefined: it takes what is pushed, as it is pushed.
   */
  readonly reads?: {
    /** The most calls the storefront takes at once; caps the concurrency of that function. 2 or more. */
    readonly maxConcurrentCalls: number;
  };
  /** Stock can be set there; undefined: it is not. */
  readonly stock?: StockAbility;
}

/** What infrastructure and arithmetic must know of a storefront's way of setting stock. */
export interface StockAbility {
  /**
   * atomic: a value is set only if the shop still shows `from`, and the shop itself compares. reads-first: the connector looks
   * right before it writes, and a sale between the two is overwritten.
   */
  readonly compare: 'atomic' | 'reads-first';
  /** Entries per write request. */
  readonly batch: number;
  /** The most write requests at once; caps the concurrency of the writing function. 2 or more. */
  readonly maxConcurrentCalls: number;
}

export interface ErpManifest<S extends z.ZodObject = z.ZodObject, C extends z.ZodObject = z.ZodObject>
  extends ConnectorManifest<S, C> {
  readonly kind: 'erp';
  /** The most calls the peer takes at once; caps the consumer's concurrency. */
  readonly maxConcurrentCalls: number;
  /** After an unanswered write: how long until a look-up by reference can be trusted. */
  readonly settleMs: number;
}

/** A payment provider: it says what was captured and paid back, and is never written to. */
export interface PaymentsManifest<S extends z.ZodObject = z.ZodObject, C extends z.ZodObject = z.ZodObject>
  extends ConnectorManifest<S, C> {
  readonly kind: 'payments';
  /** As of storefronts. */
  readonly answerWithinMs?: number;
  /** The most calls it takes at once; caps the concurrency of the function that reads payments. 2 or more. */
  readonly maxConcurrentCalls: number;
}

export type Manifest = StorefrontManifest | ErpManifest | PaymentsManifest;

/** Keeps the literal types of the schemas, so that settings and credentials can be inferred. */
export const defineStorefront = <S extends z.ZodObject, C extends z.ZodObject>(
  manifest: Omit<StorefrontManifest<S, C>, 'kind'>,
): StorefrontManifest<S, C> => ({ kind: 'storefront', ...manifest });

export const defineErp = <S extends z.ZodObject, C extends z.ZodObject>(
  manifest: Omit<ErpManifest<S, C>, 'kind'>,
): ErpManifest<S, C> => ({ kind: 'erp', ...manifest });

export const definePayments = <S extends z.ZodObject, C extends z.ZodObject>(
  manifest: Omit<PaymentsManifest<S, C>, 'kind'>,
): PaymentsManifest<S, C> => ({ kind: 'payments', ...manifest });

/** Addresses of peers: https, or plain http on this machine only. */
export const PeerUrl = z
  // abort: what is no address at all would make the next check throw instead of refuse.
  .url({ protocol: /^https?$/, abort: true })
  .refine((text) => {
    const { protocol, hostname } = new URL(text);
    return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  }, 'must be https (plain http only on this machine: localhost, 127.0.0.1, [::1])')
  .transform((text) => text.replace(/\/+$/, ''));

/** A secret that signs webhooks. Shorter ones are guessable. */
export const WebhookSecret = z.string().min(16, 'must have 16 characters or more');
