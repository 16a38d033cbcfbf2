import type { PermanentError } from './errors.ts';
import { isReasonCode, type Language, type ReasonText, reasonText } from './reasons.ts';
import { WORDINGS } from './wordings.ts';

/** SQS deletes a parked message at this age, silently; its row stays. The most that SQS offers. */
export const PARKED_KEPT_MS = 14 * 24 * 60 * 60_000;

/** Attributes of messages that tie them to their row. */
export const PARKED_ATTRIBUTES = {
  /** Of a message in the parked queue: its row. */
  row: 'parkedId',
  /** Of a message that was redriven: the row it comes from. */
  redriveOf: 'redriveOf',
} as const;

/** Whose message it is, as far as the message could be read. */
export interface ParkedAbout {
  readonly source?: string | undefined;
  readonly orderId?: string | undefined;
  readonly orderNumber?: string | undefined;
  readonly sourceVersion?: number | undefined;
  readonly correlationId?: string | undefined;
}

/** One message that waits for a person, and why. `id` is the source message's: parked twice, it has one row. */
export interface ParkedMessage extends ParkedAbout {
  /** Whose queue it waits in. */
  readonly connection: string;
  readonly id: string;
  readonly code: string;
  /** Of `code`, so that any language can be rendered later. */
  readonly params: unknown;
  /** As it was said in English when it was parked: for codes that a later release no longer knows. */
  readonly text: ReasonText;
  /** The peer's own words; may name a buyer. */
  readonly detail?: string | undefined;
  readonly parkedAtMs: number;
  readonly receives: number;
  /** Calls of the peer, counted by the ledger; undefined: none. */
  readonly attempts?: number | undefined;
  /** The row that was redriven and led here. */
  readonly previousId?: string | undefined;
}

export type ParkedState = 'parked' | 'redriven' | 'discarded';
export type ParkedVerb = 'redrive' | 'discard';

/** What a person did, kept for ever with the row. */
export interface ParkedAction {
  readonly verb: ParkedVerb;
  readonly by: string;
  readonly why: string;
  readonly atMs: number;
}

/** What became of a message that was redriven, as its consumer says. */
export interface ParkedResult {
  readonly atMs: number;
  /** written, skipped, parked, retry, busy, ... as in the log line. */
  readonly outcome: string;
  readonly code?: string | undefined;
  readonly documentName?: string | undefined;
  readonly documentUrl?: string | undefined;
}

export interface ParkedRow extends ParkedMessage {
  readonly state: ParkedState;
  /** Oldest first. */
  readonly actions: readonly ParkedAction[];
  readonly result?: ParkedResult | undefined;
}

/** The index of parked messages, as consumers write it. */
export interface ParkedIndex {
  /** Waits for a person from now on. The same message again: the same row, with its history. */
  put(message: ParkedMessage): Promise<void>;
  /** What became of a message that was redriven. A row that is gone stays gone. */
  answer(connection: string, id: string, result: ParkedResult): Promise<void>;
}

/** Which orders a person is asked about. */
export interface WaitingOrders {
  /** Of one connection, as `orderReference`. */
  references(connection: string): Promise<ReadonlySet<string>>;
}

/** The same index as operators read and close it. Every read sees all that was written before. */
export interface ParkedRows {
  /** Those that still wait, oldest first. */
  list(connection: string): Promise<ParkedRow[]>;
  get(connection: string, id: string): Promise<ParkedRow | undefined>;
  /** Rows whose id begins so, in any state. */
  find(connection: string, idPrefix: string): Promise<ParkedRow[]>;
  /** Writes down who acts and why, before anything is done. @returns false: it does not wait any more */
  begin(row: ParkedRow, action: ParkedAction): Promise<boolean>;
  /** It waits no longer; the row itself is forgotten after a while. */
  close(row: ParkedRow, state: Exclude<ParkedState, 'parked'>, atMs: number): Promise<void>;
}

export const parkedMessage = (
  error: PermanentError,
  message: {
    readonly connection: string;
    readonly id: string;
    readonly atMs: number;
    readonly receives: number;
    readonly about: ParkedAbout;
    readonly previousId?: string | undefined;
  },
): ParkedMessage => {
  const { connection, id, atMs, receives, about, previousId } = message;
  return {
    ...about,
    connection,
    id,
    code: error.code,
    params: error.params,
    text: error.text,
    detail: error.detail,
    parkedAtMs: atMs,
    receives,
    attempts: error.attempt,
    previousId,
  };
};

/** What happened and what to do, in any language; in English where this release no longer knows the code. */
export const parkedText = (
  { code, params, text }: Pick<ParkedMessage, 'code' | 'params' | 'text'>,
  language: Language,
): ReasonText => {
  if (!isReasonCode(code)) return text;
  try {
    // Params were checked by the compiler when they were written; another release may have meant others.
    const told = reasonText(code, params as never, WORDINGS[language]);
    return /undefined|\[object/.test(told.reason + told.remedy) ? text : told;
  } catch {
    return text;
  }
};
