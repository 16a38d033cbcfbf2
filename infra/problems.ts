import * as z from 'zod';

/** A file of ours that cannot be used: every problem at once, one line each, readable in a terminal. */
export class SettingsError extends Error {
  readonly origin: string;
  /** `path: what is wrong; what to do` */
  readonly problems: readonly string[];

  constructor(origin: string, problems: readonly string[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super([`${origin}: ${count}`, ...problems.map((line) => `  ${line}`)].join('\n'));
    this.name = 'SettingsError';
    this.origin = origin;
    this.problems = problems;
  }
}

export type Checked<T> = { readonly value: T } | { readonly problems: readonly string[] };

/**
 * Parse, or say everything that is wrong.
 * @param at where the value stands in the file, so that lines carry the whole path
 * @param showValues false for secrets: then no line contains anything but names of keys
 */
export const check = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  { at = [], showValues = true }: { at?: readonly PropertyKey[]; showValues?: boolean } = {},
): Checked<z.output<S>> => {
  const result = schema.safeParse(value, { error: (issue) => wording(issue, showValues) });
  if (result.success) return { value: result.data };
  return { problems: result.error.issues.flatMap((issue) => lines(issue, at)) };
};

/** @example problem(['connections', 'acme-woo', 'url'], 'missing') // 'connections.acme-woo.url: missing' */
export const problem = (path: readonly PropertyKey[], text: string): string =>
  `${path.length === 0 ? '(top level)' : path.map(String).join('.')}: ${text}`;

/** ` did you mean "url"?`, or what there is to choose from. */
export const hint = (given: string, known: readonly string[]): string => {
  const near = nearest(given, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  return known.length === 0 ? 'there are none' : `known: ${known.join(', ')}`;
};

/** The known word that a typing error turned into `given`, if one is close enough to be worth suggesting. */
export const nearest = (given: string, known: readonly string[]): string | undefined => {
  const limit = Math.max(2, Math.floor(given.length / 3));
  return known
    .map((word) => ({ word, distance: editDistance(given.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, distance }) => distance <= limit && distance < word.length)
    .sort((a, b) => a.distance - b.distance)[0]?.word;
};

/** Insertions, deletions and replacements between two words (Levenshtein). */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

const lines = (issue: z.core.$ZodIssue, at: readonly PropertyKey[]): string[] => {
  const path = [...at, ...issue.path];
  // One message per unknown key, in the order of the keys (see `wording`).
  if (issue.code === 'unrecognized_keys') {
    const texts = issue.message.split('\n');
    return issue.keys.map((key, i) => problem([...path, key], texts[i] ?? 'unknown key'));
  }
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => problem(path, inner.message));
  return [problem(path, issue.message)];
};

/** undefined keeps the message that the schema itself states. */
const wording = (issue: z.core.$ZodRawIssue, showValues: boolean): string | undefined => {
  const given = showValues && issue.input !== undefined ? `${JSON.stringify(issue.input)} ` : '';
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = Object.keys(issue.inst instanceof z.ZodObject ? issue.inst.shape : {});
      return issue.keys.map((key) => `unknown key; ${hint(key, known)}`).join('\n');
    }
    case 'invalid_type':
      if (issue.input === undefined) return `missing (${TYPES[issue.expected] ?? issue.expected})`;
      return `must be ${TYPES[issue.expected] ?? issue.expected}, not ${typeName(issue.input)}`;
    case 'invalid_value': {
      const known = issue.values.map(String);
      if (issue.input === undefined) return `missing (one of ${known.join(', ')})`;
      return `${given}is not one of ${known.join(', ')}${suggestion(issue.input, known)}`;
    }
    case 'invalid_union': {
      if (typeof issue['discriminator'] === 'string') {
        const known = issue['options'] as string[];
        const name = (issue.input as Record<string, unknown>)[issue['discriminator']];
        if (name === undefined) return `missing (one of ${known.join(', ')})`;
        return `there is no connector ${JSON.stringify(name)}; known: ${known.join(', ')}${suggestion(name, known)}`;
      }
      const options = issue.inst instanceof z.ZodUnion ? issue.inst.options.map(describe) : [];
      return `must be ${options.join(' or ')}`;
    }
    case 'invalid_format':
      if (issue.format === 'datetime') {
        return `${given}is no point in time with a zone, e.g. 2026-12-01T00:00:00+08:00 or 2026-11-30T16:00:00Z`;
      }
      if (issue.format === 'url') return `${given}is no address, e.g. https://shop.acme.example`;
      if (issue.format === 'email') return `${given}is no mail address`;
      return undefined;
    case 'too_small':
      return issue.origin === 'string' && issue.minimum === 1
        ? 'must not be empty'
        : `must be at least ${issue.minimum}${issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : ''}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : ''}`;
    default:
      return undefined;
  }
};

const suggestion = (given: unknown, known: readonly string[]): string => {
  const near = typeof given === 'string' ? nearest(given, known) : undefined;
  return near === undefined ? '' : `; did you mean "${near}"?`;
};

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object { … }',
  record: 'an object { … }',
  array: 'a list [ … ]',
};

const typeName = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
};

const describe = (option: unknown): string => {
  if (option instanceof z.ZodLiteral) return [...option.values].map((v) => JSON.stringify(v)).join(' or ');
  if (option instanceof z.ZodObject) return `{ ${Object.keys(option.shape).join(', ')} }`;
  if (option instanceof z.ZodNumber) return 'a number';
  return 'a text';
};
