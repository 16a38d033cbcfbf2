#!/usr/bin/env node
import { Command } from 'commander';
import { addAdoptCommand } from './commands/adopt.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addConnectionCommands } from './commands/connections.ts';
import { addConnectorsCommand } from './commands/connectors.ts';
import { addMappingCommands } from './commands/mapping.ts';
import { addOrdersCommands } from './commands/orders.ts';
import { addParkedCommands } from './commands/parked.ts';
import { addPollCommand } from './commands/poll.ts';
import { addQuarantineCommands } from './commands/quarantine.ts';
import { addRehearseCommand } from './commands/rehearse.ts';
import { addSecretsCommands } from './commands/secrets.ts';
import { addShadowCommand } from './commands/shadow.ts';
import { addStatusCommand } from './commands/status.ts';
import { addStockCommands } from './commands/stock.ts';
import { addStockTestCommand } from './commands/stock-test.ts';

const program = new Command('waybill')
  .description("Operator's tools, against AWS with your own credentials, or --local")
  .showHelpAfterError('(waybill --help lists the commands)')
  .configureHelp({ sortSubcommands: true });
addAdoptCommand(program);
addAuditCommand(program);
addMappingCommands(program);
addOrdersCommands(program);
addParkedCommands(program);
addPollCommand(program);
addQuarantineCommands(program);
addRehearseCommand(program);
addSecretsCommands(program);
addShadowCommand(program);
addConnectionCommands(program);
addStatusCommand(program);
addStockCommands(program);
addStockTestCommand(program);
addConnectorsCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`waybill: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
