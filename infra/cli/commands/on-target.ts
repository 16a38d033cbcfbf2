import type { Command } from 'commander';

/** The options of `TargetOptions`. */
export const onTarget = (command: Command): Command =>
  command
    .option('--local', 'the stack that npm start runs on this machine')
    .option('--data <dir>', 'the same, started with npm start -- --data <dir>')
    .option('--stage <name>', 'a deployed stage: a file of infra/stages');
