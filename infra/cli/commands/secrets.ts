import { text } from 'node:stream/consumers';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { Command } from 'commander';
import { secretsManager } from '../../../shared/aws/clients.ts';
import { secretName } from '../../constructs/credentials.ts';
import { check, hint } from '../../problems.ts';
import { connectionsOf } from '../../settings.ts';
import { openTarget, type TargetOptions } from '../target.ts';
import { say } from './output.ts';

export const addSecretsCommands = (program: Command): void => {
  program
    .command('secrets')
    .description('credentials of connections')
    .command('set <connection>')
    .description("check and store a connection's credentials: JSON on standard input")
    .requiredOption('--stage <name>', 'a deployed stage: a file of infra/stages')
    .action(set);
};

const set = async (connection: string, options: TargetOptions): Promise<void> => {
  const { stage } = await openTarget(options);
  const connections = stage ? connectionsOf(stage) : [];
  const found = connections.find(({ id }) => id === connection);
  if (!stage || !found) {
    const known = connections.map(({ id }) => id);
    throw new Error(`there is no connection "${connection}"; ${hint(connection, known)}`);
  }
  const checked = check(found.manifest.credentials, parseJson(await text(process.stdin)), {
    at: [connection],
    showValues: false,
  });
  if ('problems' in checked) throw new Error(checked.problems.join('\n'));
  await secretsManager().send(
    new PutSecretValueCommand({
      SecretId: secretName(stage.name, connection),
      SecretString: JSON.stringify(checked.value),
    }),
  );
  say('stored; functions use it within five minutes, or at once after a refusal');
};

/** The parser's own words may quote a password. */
const parseJson = (input: string): unknown => {
  try {
    return JSON.parse(input);
  } catch {
    throw new Error('standard input is no valid JSON');
  }
};
