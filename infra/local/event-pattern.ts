/**
 * Event patterns as the EventBridge user guide documents them ("Comparison operators for use in event patterns"):
 * fields of a pattern are ANDed, values in a list ORed; an array in the event matches if one element does.
 */
type Json = string | number | boolean | null | Json[] | { readonly [key: string]: Json };
type Test = (values: readonly Json[]) => boolean;
type Matcher = (event: Json | undefined) => boolean;

/** A pattern that EventBridge would refuse, or an operator that is not known here. */
export class EventPatternError extends Error {
  constructor(path: readonly string[], problem: string) {
    super(`event pattern ${path.join('.') || '(root)'}: ${problem}`);
    this.name = 'EventPatternError';
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isScalar = (value: unknown): value is string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

/** The leaves of a field: an object has none, an array those of its elements. */
const leaves = (value: Json | undefined): Json[] => {
  if (value === undefined || isObject(value)) return [];
  return Array.isArray(value) ? value.flatMap(leaves) : [value as Json];
};

const some =
  (holds: (value: Json) => boolean): Test =>
  (values) =>
    values.some(holds);
const someText = (holds: (value: string) => boolean): Test =>
  some((value) => typeof value === 'string' && holds(value));

const needText = (value: unknown, path: readonly string[], operator: string): string => {
  if (typeof value === 'string') return value;
  throw new EventPatternError(path, `${operator} needs a string`);
};

const wildcard = (value: unknown, path: readonly string[]): Test => {
  const text = needText(value, path, 'wildcard');
  if (text.includes('**')) throw new EventPatternError(path, 'wildcard has consecutive asterisks');
  let source = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '*') source += '[\\s\\S]*';
    else if (char === '\\') {
      at += 1;
      const escaped = text[at];
      if (escaped !== '*' && escaped !== '\\') throw new EventPatternError(path, 'wildcard has a bad escape');
      source += `\\${escaped}`;
    } else source += char.replace(/[.+?^${}()|[\]]/g, '\\$&');
  }
  const expression = new RegExp(`^${source}$`);
  return someText((candidate) => expression.test(candidate));
};

const affix =
  (operator: 'prefix' | 'suffix') =>
  (value: unknown, path: readonly string[]): Test => {
    const holds = (candidate: string, part: string) =>
      operator === 'prefix' ? candidate.startsWith(part) : candidate.endsWith(part);
    if (isObject(value)) {
      const [key, ...more] = Object.keys(value);
      if (key !== 'equals-ignore-case' || more.length > 0)
        throw new EventPatternError(path, `operator ${key} inside ${operator} is not known`);
      const folded = needText(value[key], path, `${operator} equals-ignore-case`).toLowerCase();
      return someText((candidate) => holds(candidate.toLowerCase(), folded));
    }
    const part = needText(value, path, operator);
    return someText((candidate) => holds(candidate, part));
  };

const NUMERIC: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '=': (left, right) => left === right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};
const numeric = (value: unknown, path: readonly string[]): Test => {
  if (!Array.isArray(value) || value.length === 0 || value.length % 2 !== 0)
    throw new EventPatternError(path, 'numeric needs pairs of an operator and a number');
  const tests: ((candidate: number) => boolean)[] = [];
  for (let at = 0; at < value.length; at += 2) {
    const compare = NUMERIC[String(value[at])];
    const limit: unknown = value[at + 1];
    if (!compare) throw new EventPatternError(path, `numeric operator ${value[at]} is not known`);
    if (typeof limit !== 'number') throw new EventPatternError(path, 'numeric needs a number');
    tests.push((candidate) => compare(candidate, limit));
  }
  return some((candidate) => typeof candidate === 'number' && tests.every((holds) => holds(candidate)));
};

/** Matches each of several values by the same operator. */
const anyOf =
  (operator: (value: unknown, path: readonly string[]) => Test) =>
  (value: unknown, path: readonly string[]): Test => {
    const tests = (Array.isArray(value) ? value : [value]).map((one) => operator(one, path));
    return (values) => tests.some((holds) => holds(values));
  };

const ignoreCase = (value: unknown, path: readonly string[]): Test => {
  const folded = needText(value, path, 'equals-ignore-case').toLowerCase();
  return someText((candidate) => candidate.toLowerCase() === folded);
};

const ANYTHING_BUT: Readonly<Record<string, (value: unknown, path: readonly string[]) => Test>> = {
  prefix: anyOf(affix('prefix')),
  suffix: anyOf(affix('suffix')),
  'equals-ignore-case': anyOf(ignoreCase),
  wildcard: anyOf(wildcard),
};
/** The field must be there, with a value that is not excluded. */
const anythingBut = (value: unknown, path: readonly string[]): Test => {
  if (isObject(value)) {
    const [key, ...more] = Object.keys(value);
    const operator = ANYTHING_BUT[String(key)];
    if (!operator || more.length > 0)
      throw new EventPatternError(path, `operator ${key} inside anything-but is not known`);
    const excluded = operator(value[String(key)], path);
    return some((candidate) => !excluded([candidate]));
  }
  const excluded: unknown[] = Array.isArray(value) ? value : [value];
  if (excluded.length === 0 || !excluded.every((one) => typeof one === 'string' || typeof one === 'number'))
    throw new EventPatternError(path, 'anything-but needs strings or numbers');
  return some((candidate) => !(excluded as readonly Json[]).includes(candidate));
};

const OPERATORS: Readonly<Record<string, (value: unknown, path: readonly string[]) => Test>> = {
  prefix: affix('prefix'),
  suffix: affix('suffix'),
  'equals-ignore-case': ignoreCase,
  wildcard,
  numeric,
  'anything-but': anythingBut,
  exists: (value, path) => {
    if (typeof value !== 'boolean') throw new EventPatternError(path, 'exists needs true or false');
    return (values) => values.length > 0 === value;
  },
};

const leafTest = (value: unknown, path: readonly string[]): Test => {
  if (isScalar(value)) return some((candidate) => candidate === value);
  if (!isObject(value)) throw new EventPatternError(path, 'a list inside a list is not allowed');
  const [operator, ...more] = Object.keys(value);
  const work = OPERATORS[String(operator)];
  if (!work) throw new EventPatternError(path, `operator ${operator} is not known to the local stack`);
  if (more.length > 0) throw new EventPatternError(path, `only one operator per value: ${more.join(', ')}`);
  return work(value[String(operator)], path);
};

const compileField = (pattern: unknown, path: readonly string[]): Matcher => {
  if (Array.isArray(pattern)) {
    if (pattern.length === 0) throw new EventPatternError(path, 'an empty list matches nothing');
    const tests = pattern.map((value) => leafTest(value, path));
    return (value) => {
      const found = leaves(value);
      return tests.some((holds) => holds(found));
    };
  }
  if (isObject(pattern)) return compileObject(pattern, path);
  throw new EventPatternError(path, 'a value must be a list or an object');
};

const compileObject = (pattern: Readonly<Record<string, unknown>>, path: readonly string[]): Matcher => {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new EventPatternError(path, 'an empty object matches nothing');
  const fields = entries.map(([key, value]) => {
    if (key === '$or') {
      if (!Array.isArray(value) || value.length < 2 || !value.every(isObject))
        throw new EventPatternError([...path, key], '$or needs a list of two or more objects');
      const choices = value.map((choice) => compileObject(choice, path));
      return (event: Json | undefined) => choices.some((matches) => matches(event));
    }
    const matches = compileField(value, [...path, key]);
    return (event: Json | undefined) => matches(isObject(event) ? (event[key] as Json) : undefined);
  });
  const matchesOne: Matcher = (event) => fields.every((matches) => matches(event));
  // One element of an array of objects must satisfy all fields together.
  return (event) => (Array.isArray(event) && event.length > 0 ? event.some(matchesOne) : matchesOne(event));
};

/**
 * A predicate over events.
 * @throws EventPatternError an operator that is not known, or a pattern that EventBridge refuses
 * @example compileEventPattern({ 'detail-type': [{ prefix: 'order.' }] })({ 'detail-type': 'order.changed.v1' }) // true
 */
export const compileEventPattern = (
  pattern: Readonly<Record<string, unknown>>,
): ((event: unknown) => boolean) => {
  const matches = compileObject(pattern, []);
  return (event) => matches(event as Json);
};

/** @throws EventPatternError as {@link compileEventPattern} does */
export const checkEventPattern = (pattern: Readonly<Record<string, unknown>>): void => {
  compileEventPattern(pattern);
};
