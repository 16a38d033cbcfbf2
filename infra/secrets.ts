import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import type { Manifest } from '../shared/connectors/manifest.ts';
import { check, hint, problem, SettingsError } from './problems.ts';
import { connectionsOf, type Settings } from './settings.ts';

/** Credentials by connection id, each as its manifest's schema reads them. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Read the credentials of a laptop run: JSON, `{ "<connection>": { … } }`, for every connection of the settings.
 * No error ever contains a value of the file.
 * @throws SettingsError with every problem
 */
export const loadSecretsFile = async (file: string, stage: Settings): Promise<Secrets> => {
  const origin = path.relative(process.cwd(), file) || file;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SettingsError(origin, [`cannot be read (${error.code})`]);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's own words quote what surrounds the mistake, which may be a password.
    const at = /position \d+( \(line \d+ column \d+\))?/.exec(error instanceof Error ? error.message : '');
    throw new SettingsError(origin, [`is no valid JSON${at ? ` at ${at[0]}` : ''}`]);
  }
  return parseSecrets(value, stage, origin);
};

/** @throws SettingsError with every problem */
export const parseSecrets = (value: unknown, stage: Settings, origin: string): Secrets => {
  const table = check(z.record(z.string(), z.unknown()), value, { showValues: false });
  if ('problems' in table) throw new SettingsError(origin, table.problems);
  const connections = connectionsOf(stage);
  const known = connections.map(({ id }) => id);
  const problems = Object.keys(table.value)
    .filter((id) => !known.includes(id))
    .map((id) => problem([id], `no connection of the settings has this id; ${hint(id, known)}`));
  const secrets: Record<string, Record<string, unknown>> = {};
  for (const { id, manifest } of connections) {
    if (!Object.hasOwn(table.value, id)) {
      problems.push(problem([id], `missing; ${manifest.title} needs ${fieldsNeeded(manifest)}`));
      continue;
    }
    const checked = check(manifest.credentials, table.value[id], { at: [id], showValues: false });
    if ('problems' in checked) problems.push(...checked.problems);
    else secrets[id] = checked.value;
  }
  if (problems.length > 0) throw new SettingsError(origin, problems);
  return secrets;
};

const fieldsNeeded = ({ credentials }: Manifest): string =>
  Object.entries(credentials.shape)
    .map(([name, schema]) => (z.safeParse(schema, undefined).success ? `${name} (optional)` : name))
    .join(', ');
