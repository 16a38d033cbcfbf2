import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addParkedCommands } from '../../../infra/cli/commands/parked.ts';

/** Nothing is opened before the command line is known to make sense: there is no stack here to open. */
const parked = async (...words: string[]): Promise<string> => {
  const written: string[] = [];
  const program = new Command('waybill').exitOverride().configureOutput({
    writeErr: (text) => written.push(text),
    outputError: (text) => written.push(text),
  });
  addParkedCommands(program);
  const error: unknown = await program
    .parseAsync(['parked', ...words], { from: 'user' })
    .catch((thrown: unknown) => thrown);
  return written.length > 0 ? written.join('') : error instanceof Error ? error.message : 'not refused';
};

it.each([
  [['lst'], 'there is no command "parked lst"; did you mean "list"?'],
  [['list', '--lang', 'fr'], 'Allowed choices are en, zh-Hant'],
  [['redrive'], 'say which messages: ids'],
  [['redrive', 'm1', '--all'], 'say which messages: ids'],
  [['redrive', 'm1', '--yes'], 'say why: --why TEXT; it is kept with the message, and so is --by'],
  [['discard', '--all', '--yes', '--why', ' '], 'say why: --why TEXT'],
  [['redrive', 'm1', '--per-second', '0'], 'a number from 0.1 to 100 is needed'],
  [['redrive', 'm1', '--max', '1.5'], 'a whole number from 1 to 10000 is needed'],
  [['redrive', 'm1', '--wait', 'x'], 'a number from 0 to 3600 is needed'],
  [['redrive', 'm1'], 'say which one: --local, or --stage NAME'],
])('refuses %j', async (words, message) => {
  expect(await parked(...words)).toContain(message);
});
