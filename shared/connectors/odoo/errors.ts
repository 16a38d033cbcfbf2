import { CredentialsError, PermanentError, RetryableError, UnknownOutcomeError } from '../../core/errors.ts';
import { type ErpOperation, type ErpRefusal, operationText } from '../../core/reasons.ts';

/** An exception that Odoo reports: Python class and message. Both dialects (JSON-RPC, JSON-2) carry them. */
export interface OdooException {
  /** Fully qualified, e.g. `odoo.exceptions.UserError`. `error.code` means nothing (200 in 16 and 18, 0 in 19). */
  readonly name: string;
  /** May be in the language of the API user, and may name a buyer. */
  readonly message: string;
}

export interface FailedCall {
  /** Connection id of the Odoo. */
  readonly destination: string;
  /** What we wanted. */
  readonly operation: ErpOperation;
  readonly write: boolean;
}

/**
 * What one of Odoo's exceptions means for us. Odoo rolls the transaction back before it reports one, so a known
 * exception means that nothing was written; only an exception that nobody foresaw leaves a write in doubt.
 */
export const odooError = (
  exception: OdooException,
  call: FailedCall,
): PermanentError | RetryableError | UnknownOutcomeError | CredentialsError => {
  const { name, message } = exception;
  const { destination, operation, write } = call;
  const context = { destination, exception: name };
  if (name === 'odoo.exceptions.AccessDenied' || name.endsWith('.SessionExpiredException')) {
    return new CredentialsError('CREDENTIALS_REFUSED', `${destination} refused the login`, context);
  }
  if (REFUSALS.test(name)) {
    return new PermanentError(
      'ERP_REFUSED',
      { destination, operation, error: refusalOf(exception) },
      { detail: message.trim().slice(0, MAX_DETAIL) },
    );
  }
  if (CONTENTION.test(name)) {
    return new RetryableError('PEER_BUSY', `${destination} gave way to another transaction`, context);
  }
  if (DATABASE.test(name)) {
    return /database ".*" does not exist/.test(message)
      ? new RetryableError('DATABASE_UNAVAILABLE', `the database of ${destination} does not exist`, context)
      : new RetryableError('DATABASE_FAILED', `the database of ${destination} is in trouble`, context);
  }
  const text = `${destination} failed to ${operationText(operation)} with an exception we do not know`;
  return write
    ? new UnknownOutcomeError('PEER_FAILED', text, context)
    : new RetryableError('PEER_FAILED', text, context);
};

/** Odoo's name for "no such address", where the answer is not about a model or a method. */
export const routeMissing = (name: string): boolean => name === 'werkzeug.exceptions.NotFound';

/** Long enough for Odoo's own messages; a custom module may put a whole page into one. */
const MAX_DETAIL = 2000;

/**
 * The same call fails for ever: rules, rights, unknown fields and records, violated constraints; in JSON-2 also unknown
 * models, methods and arguments, and a body that is too large.
 */
const REFUSALS =
  /^(odoo\.exceptions\.(AccessError|UserError|ValidationError|RedirectWarning|MissingError|Warning|except_orm)|builtins\.(ValueError|KeyError|TypeError|AttributeError|IndexError|AssertionError|NotImplementedError|NameError|ZeroDivisionError|UnicodeDecodeError|OverflowError)|psycopg2\.(IntegrityError|DataError|ProgrammingError)|psycopg2\.errors\.(\w*Violation|InvalidTextRepresentation|Undefined\w+|NumericValueOutOfRange|StringDataRightTruncation|InvalidDatetimeFormat|DatetimeFieldOverflow|SyntaxError|DatatypeMismatch|InsufficientPrivilege)|werkzeug\.exceptions\.(NotFound|UnprocessableEntity|BadRequest|RequestEntityTooLarge))$/;

/** Odoo has tried five times by itself already (odoo/odoo, odoo/service/model.py): real contention. */
const CONTENTION =
  /^(psycopg2\.errors\.(SerializationFailure|DeadlockDetected|LockNotAvailable|TransactionRollback|QueryCanceled|InFailedSqlTransaction)|psycopg2\.extensions\.(TransactionRollbackError|QueryCanceledError)|odoo\.exceptions\.(LockError|ConcurrencyError))$/;

/** No connection to PostgreSQL, or none left in the pool. */
const DATABASE =
  /^psycopg2\.(OperationalError|InterfaceError|pool\.PoolError|errors\.(Admin|Cannot|Connection|TooMany)\w+)$/;

/**
 * The class of the exception, and its message only where that cannot name a person: field, model and record
 * numbers. Everything else stays in `detail`.
 */
const refusalOf = ({ name, message }: OdooException): ErpRefusal => {
  const exception = name.split('.').at(-1) ?? name;
  for (const pattern of HARMLESS) {
    const found = pattern.exec(message);
    if (found) return { why: 'words', words: `${exception}: ${found[0]}` };
  }
  const [, model] = /\(Record: ([\w.]+)\(/.exec(message) ?? [];
  if (model) return { why: 'record-missing', exception, model };
  const [, ofModel, field] = /\nModel: [^\n]*\(([\w.]+)\)\s*\nField: [^\n]*\((\w+)\)/.exec(message) ?? [];
  if (ofModel && field) return { why: 'constraint', exception, model: ofModel, field };
  return { why: 'words', words: exception };
};

/** Observed on Odoo 18 and 19; those of JSON-2 on models and arguments read in odoo/odoo, addons/rpc. */
const HARMLESS = [
  /Invalid field '?[\w.]+'? on model '?[\w.]+'?/,
  /Object [\w.]+ doesn't exist/,
  /The method '?\w+'? does not exist on the model '?[\w.]+'?/,
  /The method '[\w.]+' does not exist$/,
  /the model '[\w.]+' does not exist/,
  /cannot call [\w.]+ with ids/,
  /(missing a required argument: |got an unexpected keyword argument )'\w+'/,
  /Private methods \(such as \w+\) cannot be called remotely/,
  /Some orders are not in a state requiring confirmation/,
];
