import { CredentialsError, PermanentError, RetryableError, UnknownOutcomeError } from '../../core/errors.ts';
import { type ErpOperation, type ErpRefusal, operationText } from '../../core/reasons.ts';

/** What stands in `error` of an answer: the kind, then what it says (trytond/exceptions.py). */
export type TrytonFault = readonly [kind: string, ...said: unknown[]];

export interface FailedCall {
  /** Connection id of the Tryton. */
  readonly destination: string;
  /** What we wanted. */
  readonly operation: ErpOperation;
  readonly write: boolean;
}

/**
 * What an error of Tryton means for us. Tryton rolls the transaction back before it reports one, so an error of its
 * own means that nothing was written; only one that nobody foresaw leaves a write in doubt.
 */
export const trytonError = (
  fault: TrytonFault,
  call: FailedCall,
): PermanentError | RetryableError | UnknownOutcomeError | CredentialsError => {
  const { destination, operation, write } = call;
  const [kind, said] = fault;
  switch (kind) {
    case 'UserError': {
      const message = wordsOf(said);
      if (NUMBER_TAKEN.test(message)) {
        return new RetryableError('PEER_BUSY', `${destination} gave one number to two records at once`, {
          destination,
        });
      }
      const detail = message.slice(0, MAX_DETAIL);
      return new PermanentError(
        'ERP_REFUSED',
        { destination, operation, error: refusalOf(message) },
        { detail },
      );
    }
    case 'UserWarning':
      return new PermanentError(
        'ERP_REFUSED',
        { destination, operation, error: { why: 'asked-a-question' } },
        { detail: wordsOf(said).slice(0, MAX_DETAIL) },
      );
    case 'ConcurrencyException':
      return new RetryableError('PEER_BUSY', `${destination} gave way to another change`, { destination });
    case 'LoginException':
      return new CredentialsError('CREDENTIALS_REFUSED', `${destination} refused the login`, { destination });
    case 'RateLimitException':
      return new RetryableError('RATE_LIMITED', `${destination} takes no more calls for now`, {
        destination,
      });
  }
  // Anything else is the text of an exception of Python's, without its class (observed on Tryton 6.0).
  if (/^Database '.*' doesn't exist/.test(kind)) {
    const message = `the database of ${destination} does not exist`;
    return new RetryableError('DATABASE_UNAVAILABLE', message, { destination });
  }
  const missing = /^'([\w.]+)'$/.exec(kind)?.[1];
  if (missing) {
    const error: ErpRefusal = { why: 'words', words: `it knows no "${missing}"` };
    return new PermanentError('ERP_REFUSED', { destination, operation, error });
  }
  if (CONTENTION.test(kind)) {
    return new RetryableError('PEER_BUSY', `${destination} gave way to another transaction`, { destination });
  }
  const text = `${destination} failed to ${operationText(operation)} with an exception we do not know`;
  const Failure = write ? UnknownOutcomeError : RetryableError;
  return new Failure('PEER_FAILED', text, { destination });
};

/** Long enough for Tryton's own messages. */
const MAX_DETAIL = 2000;

/** Tryton has tried five times by itself already (trytond/protocols/dispatcher.py): real contention. */
const CONTENTION =
  /database is locked|could not serialize access|deadlock detected|could not obtain lock|lock timeout/i;

/**
 * Tryton numbers parties itself. Two that are made at the same time get one number where the database has no sequences,
 * and the second is refused (observed on 6.0 with SQLite); the next attempt gets another.
 */
const NUMBER_TAKEN = /^The code on party must be unique\b/;

/** A UserError says [message, description, domain], a UserWarning [name, message, description]. */
const wordsOf = (said: unknown): string =>
  Array.isArray(said)
    ? said
        .filter((part): part is string => typeof part === 'string' && part !== '')
        .join('\n')
        .trim()
    : typeof said === 'string'
      ? said
      : '';

/**
 * Tryton's message only where that cannot name a person: fields, models and buttons. Everything else stays in
 * `detail`.
 */
const refusalOf = (message: string): ErpRefusal => {
  const [, field, model] = /\bfield "([^"]+)" in "([^"]+)"/.exec(message) ?? [];
  if (field && model) return { why: 'constraint', exception: 'UserError', model, field };
  for (const pattern of HARMLESS) {
    const found = pattern.exec(message);
    if (found) return { why: 'words', words: found[0] };
  }
  return { why: 'words', words: 'UserError' };
};

/** Observed on Tryton 6.0. */
const HARMLESS = [
  /Calling button "\w+"? on "[\w.]+" is not allowed/,
  /You are not allowed to access "[\w. -]+"/,
  /You are not allowed to \w+ records "[\d, .]+" of "[\w. -]+"/,
  /you must enter an? (invoice address|shipment address|warehouse)/,
];
