import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as cdk from 'aws-cdk-lib';
import { buildApp } from './build.ts';
import { hint } from './problems.ts';
import { loadSettingsFile, SettingsError } from './settings.ts';

const STAGES = fileURLToPath(new URL('./stages/', import.meta.url));
const EXTENSIONS = ['.ts', '.json'];

const stageFile = (name: string): string => {
  const known = readdirSync(STAGES)
    .filter((file) => EXTENSIONS.includes(path.extname(file)))
    .map((file) => path.parse(file).name);
  const file = EXTENSIONS.map((extension) => path.join(STAGES, `${name}${extension}`)).find((candidate) =>
    existsSync(candidate),
  );
  if (file === undefined || !known.includes(name)) {
    throw new SettingsError('infra/stages', [`there is no stage "${name}"; ${hint(name, known)}`]);
  }
  return file;
};

// Only asked for its context: the settings must be known before the app is made.
const context = new cdk.App({ autoSynth: false, analyticsReporting: false }).node;
try {
  const name: unknown = context.tryGetContext('stage') ?? 'sandbox';
  buildApp(await loadSettingsFile(stageFile(String(name)))).synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
