import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addConnectionCommands } from '../../../infra/cli/commands/connections.ts';
import { addQuarantineCommands } from '../../../infra/cli/commands/quarantine.ts';
import { addStatusCommand } from '../../../infra/cli/commands/status.ts';

/** Nothing is opened before the command line is known to make sense: there is no stack here to open. */
const waybill = async (...words: string[]): Promise<string> => {
  const written: string[] = [];
  const program = new Command('waybill');
  for (const add of [addConnectionCommands, addQuarantineCommands, addStatusCommand]) add(program);
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: (text) => written.push(text) });
    for (const one of command.commands) quiet(one);
  };
  quiet(program);
  const error: unknown = await program.parseAsync(words, { from: 'user' }).catch((thrown: unknown) => thrown);
  return written.length > 0 ? written.join('') : error instanceof Error ? error.message : 'not refused';
};

it.each([
  [['pause', 'acme-odoo', '--local'], "required option '--why <text>' not specified"],
  [['pause', 'acme-odoo', '--why', ' ', '--local'], 'say why: --why TEXT'],
  [['resume', '--why', 'x'], "missing required argument 'connection'"],
  [['resume', 'acme-odoo', '--why', 'x', '--by', 'controller'], '"controller" is nobody\'s name'],
  [['pause', 'acme-odoo', '--why', 'x'], 'say which one: --local, or --stage NAME'],
  [['status'], 'say which one: --local, or --stage NAME'],
  [['quarantine'], 'say which one: --local, or --stage NAME'],
  [['quarantine', 'replay', '--local'], 'say which: ids'],
  [['quarantine', 'replay', 'abc', '--all', '--local'], 'say which: ids'],
  [['quarantine', 'replay', '--all', '--yes', '--local'], 'say why: --why TEXT; it is kept in the log'],
  [['quarantine', 'show'], "missing required argument 'id'"],
])('refuses %j', async (words, message) => {
  expect(await waybill(...words)).toContain(message);
});
