import { type ReasonCode, type ReasonParams, type ReasonText, reasonText } from './reasons.ts';

/** Facts for logs and metrics. Never a name, an address, a mail, a phone number or a secret. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>;

/** `code` is stable: logs, metrics, alarms and the runbook use it. */
export abstract class IntegrationError extends Error {
  abstract readonly code: string;
  readonly context: ErrorContext;

  constructor(message: string, context: ErrorContext = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.context = context;
  }
}

/**
 * The same input will fail for ever; a person must change data, mapping or settings. Parked at once.
 *
 * The sentence a person reads comes from `reasons.ts`. `detail` holds the peer's own words: it may name a
 * buyer, so it goes to the parked message and the order journal, never to a log line.
 */
export class PermanentError<C extends ReasonCode = ReasonCode> extends IntegrationError {
  readonly code: C;
  readonly params: ReasonParams[C];
  readonly detail: string | undefined;
  /** Which attempt it was, counted by the ledger; undefined when it failed before a claim. */
  attempt: number | undefined;

  constructor(code: C, params: ReasonParams[C], options?: ErrorOptions & { detail?: string }) {
    super(reasonText(code, params).reason, {}, options);
    this.code = code;
    this.params = params;
    this.detail = options?.detail;
  }

  /** What happened and what to do, in plain words. */
  get text(): ReasonText {
    return reasonText(this.code, this.params);
  }
}

export interface RetryHint {
  /** The peer's own hint (Retry-After), milliseconds from now. */
  readonly retryAfterMs?: number;
}

/** It may work later: the peer is busy, slow, down, or refused before anything was written. */
export class RetryableError extends IntegrationError {
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  /** Which attempt failed, counted by the ledger; undefined when it failed before a claim. */
  attempt: number | undefined;
  /** When the ledger lets anybody try again, milliseconds from now; undefined: whoever waits decides. */
  waitMs: number | undefined;

  constructor(code: string, message: string, context: ErrorContext & RetryHint = {}, options?: ErrorOptions) {
    super(message, context, options);
    this.code = code;
    this.retryAfterMs = context.retryAfterMs;
  }
}

/**
 * A write was sent and its answer never came (timeout, reset, 500, 502, 504): it may or may not have
 * happened, or may happen yet. The lease must run out before anybody asks the peer.
 */
export class UnknownOutcomeError extends RetryableError {}

/** Credentials were refused (401, 403, access denied): retried, and alarmed on at once. */
export class CredentialsError extends RetryableError {}

/** Another worker holds the intent until `leaseUntilMs`, or has failed and nobody is to try before. Costs no attempt. */
export class BusyError extends RetryableError {
  readonly leaseUntilMs: number;

  constructor(intent: string, leaseUntilMs: number) {
    super('BUSY', 'another worker holds this intent, or has just failed', { intent });
    this.leaseUntilMs = leaseUntilMs;
  }
}

/** Unknown failures are retried: a wrong retry costs a minute, a wrong "permanent" costs an order. */
export const dispositionOf = (error: unknown): 'retry' | 'park' =>
  error instanceof PermanentError ? 'park' : 'retry';

/**
 * What a log line may say of an error. Our own errors are written without personal data; the message of a
 * foreign one may quote anything, so only its kind and the place it came from are told.
 */
export const describeError = (error: unknown): string => {
  if (error instanceof IntegrationError) return error.message;
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  // The stack begins with the message: it is cut off, for its lines may look like frames.
  const { stack = '', message } = error;
  const at = stack.indexOf(message);
  const frames = at < 0 ? '' : stack.slice(at + message.length);
  const frame = /^\s+at .*?([^/\\\s()]+:\d+:\d+)\)?$/m.exec(frames)?.[1];
  return frame ? `${error.name} at ${frame}` : error.name;
};
