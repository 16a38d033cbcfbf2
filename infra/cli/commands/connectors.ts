import type { Command } from 'commander';
import { MANIFESTS } from '../../../shared/connectors/manifests.ts';
import { say } from './output.ts';

export const addConnectorsCommand = (program: Command): void => {
  program
    .command('connectors')
    .description('peers that Waybill speaks to')
    .action(() => {
      for (const { name, kind, title, apiVersion } of Object.values(MANIFESTS))
        say(`${name.padEnd(14)} ${kind.padEnd(11)} ${title}, ${apiVersion}`);
    });
};
