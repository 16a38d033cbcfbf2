import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addAdoptCommand } from '../../../infra/cli/commands/adopt.ts';
import { addAuditCommand } from '../../../infra/cli/commands/audit.ts';
import { addConnectionCommands } from '../../../infra/cli/commands/connections.ts';
import { addConnectorsCommand } from '../../../infra/cli/commands/connectors.ts';
import { addMappingCommands } from '../../../infra/cli/commands/mapping.ts';
import { addOrdersCommands } from '../../../infra/cli/commands/orders.ts';
import { addParkedCommands } from '../../../infra/cli/commands/parked.ts';
import { addPollCommand } from '../../../infra/cli/commands/poll.ts';
import { addQuarantineCommands } from '../../../infra/cli/commands/quarantine.ts';
import { addRehearseCommand } from '../../../infra/cli/commands/rehearse.ts';
import { addSecretsCommands } from '../../../infra/cli/commands/secrets.ts';
import { addShadowCommand } from '../../../infra/cli/commands/shadow.ts';
import { addStatusCommand } from '../../../infra/cli/commands/status.ts';
import { addStockCommands } from '../../../infra/cli/commands/stock.ts';
import { addStockTestCommand } from '../../../infra/cli/commands/stock-test.ts';

const program = new Command('waybill');
for (const add of [
  addAdoptCommand,
  addAuditCommand,
  addConnectionCommands,
  addConnectorsCommand,
  addMappingCommands,
  addOrdersCommands,
  addParkedCommands,
  addPollCommand,
  addQuarantineCommands,
  addRehearseCommand,
  addSecretsCommands,
  addShadowCommand,
  addStatusCommand,
  addStockCommands,
  addStockTestCommand,
])
  add(program);

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const RUNBOOK = read('infra/docs/runbook.md');

/** What stands after `npx waybill`, in code spans and blocks, without comments. */
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/npx waybill ([^`#\n]+)/g)].map(([, words = '']) => words.trim());

/** The command and the options that a line names and the program does not know. */
const unknownIn = (line: string): string[] => {
  let command = program;
  const words = line.split(/\s+/);
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (!next) break;
    command = next;
  }
  const options = command.options.map(({ long }) => long);
  const unknown = words.filter((word) => word.startsWith('--') && !options.includes(word));
  return command === program || command.commands.length > 0 ? [line, ...unknown] : unknown;
};

describe('documented commands exist, with their options', () => {
  it.each(
    ['infra/docs/runbook.md', 'README.md'].flatMap((file) => commandsIn(read(file)).map((c) => [file, c])),
  )('%s: %s', (_file, command) => {
    expect(unknownIn(command ?? '')).toEqual([]);
  });

  it('would notice', () => {
    expect(unknownIn('parked redrive ID --stage acme --yess')).toEqual(['--yess']);
    expect(unknownIn('parked lst')).toEqual(['parked lst']);
    expect(unknownIn('replay --from 1')).toEqual(['replay --from 1', '--from']);
  });
});

describe('articles on what is parked', () => {
  const articles = RUNBOOK.split(/^### /m).slice(1);
  const own = articles.filter((text) => /^(orders|fetch|journal)-parked\n/.test(text));
  it.each(own.map((text) => [text.split('\n')[0], text]))('%s names the command', (_name, text) => {
    expect(text).toContain('npx waybill parked list');
    expect(text).toContain('npx waybill parked redrive');
  });
  it('are three', () => expect(own).toHaveLength(3));
});
