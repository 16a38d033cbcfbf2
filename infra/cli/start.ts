import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { loadSecretsFile } from '../secrets.ts';
import { loadSettingsFile, SettingsError } from '../settings.ts';
import { demonstrate } from './demonstration.ts';
import { startSandboxPeers } from './sandbox/index.ts';

interface Options {
  readonly settings?: string;
  readonly secrets?: string;
  readonly mappings?: string;
  readonly once?: true;
  readonly json?: true;
  readonly orders?: number;
  readonly timeout: number;
  readonly port?: number;
  readonly data?: string;
  readonly quiet?: true;
}

const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed`);
};

const command = new Command('npm start --')
  .description(
    'Runs the deployed templates and bundles on this machine, against sandbox shops and ERPs or, with --settings and --secrets, against your own.',
  )
  .option(
    '--settings <file>',
    'a stage (.ts, .mjs, .js or .json): your own shops and ERPs instead of the sandbox',
  )
  .option('--secrets <file>', 'its credentials (.json), see infra/stages/README.md')
  .option('--mappings <file>', 'mapping rows (.csv) to import at start')
  .option('--once', 'one round, then end: exit code 0 only if every order is right')
  .option('--json', 'print the report of --once as JSON on standard output')
  .option(
    '--orders <n>',
    'with --settings and --once: how many orders to wait for (default 1)',
    whole(1, 10_000),
  )
  .option('--timeout <seconds>', 'how long --once waits', whole(1, 86_400), 120)
  .option('--port <port>', 'where webhooks are received (default: a free port)', whole(0, 65_535))
  .option('--data <dir>', 'keep queues and tables there, to go on after a stop or a crash')
  .option('--quiet', 'no narration')
  .showHelpAfterError('(npm start -- --help lists the options)')
  .parse();
const options = command.opts<Options>();
if (options.json && !options.once) command.error('error: --json prints the report of --once: give both');

/** With --json standard output belongs to the report. */
const tell = (line: string): void => {
  if (!options.quiet) (options.json ? process.stderr : process.stdout).write(`${line}\n`);
};

const peersOf = async () => {
  if (!options.settings && !options.secrets) {
    if (options.data === undefined) return startSandboxPeers();
    throw new SettingsError('npm start', [
      '--data needs --settings and --secrets: the shops and ERPs of the sandbox forget everything when they stop',
    ]);
  }
  if (!options.settings || !options.secrets) {
    throw new SettingsError('npm start', [
      '--settings and --secrets belong together: give both, or neither for the sandbox',
    ]);
  }
  const settings = await loadSettingsFile(options.settings);
  return { settings, secrets: await loadSecretsFile(options.secrets, settings), sandbox: undefined };
};

try {
  const peers = await peersOf();
  process.exitCode = await demonstrate({ ...options, ...peers, tell });
} catch (error) {
  if (error instanceof SettingsError) process.exitCode = 2;
  else process.exitCode = 1;
  const message =
    error instanceof Error ? (process.env['WAYBILL_DEBUG'] ? error.stack : error.message) : String(error);
  process.stderr.write(`${pc.red(message ?? 'failed')}\n`);
}
