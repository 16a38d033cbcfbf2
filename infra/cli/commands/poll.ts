import type { Command } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { invokeFunction } from '../../../shared/aws/lambda-api.ts';
import { hint } from '../../problems.ts';
import { openTarget, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';

export const addPollCommand = (program: Command): void => {
  onTarget(program.command('poll <storefront>'))
    .description(
      'ask a storefront at once for orders that no webhook has brought, instead of waiting for the next run',
    )
    .requiredOption('--now', 'needed, so that nobody asks a shop by mistake')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nWhat is younger than five minutes is left to the next run: its webhook may still be on its way.',
    )
    .action(poll);
};

const poll = async (storefront: string, options: TargetOptions & { json?: boolean }): Promise<void> => {
  const target = await openTarget(options);
  if (!target.storefronts.includes(storefront)) {
    throw new Error(`there is no storefront "${storefront}"; ${hint(storefront, target.storefronts)}`);
  }
  const { reconcile } = (await target.functions())[storefront] ?? {};
  if (!reconcile)
    throw new Error(`${storefront} is not reconciled: no route of it is on, or they say reconcile: 'off'`);
  const ran = await invokeFunction(dynamoDb(), reconcile, {}).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'TimeoutError') return { outcome: 'running' };
    throw error;
  });
  if (options.json) sayJson(ran);
  else say(pollWords(storefront, ran as Ran));
  if ((ran as Ran).outcome === 'failed') process.exitCode = 1;
};

/** The line of the function that was called. */
export interface Ran {
  readonly outcome?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly looked?: number;
  readonly found?: number;
  readonly readUpTo?: string;
}

export const pollWords = (
  storefront: string,
  { outcome, code, reason, looked = 0, found = 0, readUpTo }: Ran,
): string => {
  switch (outcome) {
    case 'running':
      return `${storefront} is still being read; its log says how it ends`;
    case 'busy':
      return `${storefront} is being read at this moment, by another run`;
    case 'failed':
      return `${storefront} could not be read: ${code ?? 'no code'}, ${reason ?? 'no reason'}`;
    default: {
      const rest = outcome === 'continues' ? '; there is more: the next run goes on' : '';
      const upTo = readUpTo === undefined ? '' : `, up to ${readUpTo}`;
      return `${storefront}: ${looked} orders looked at${upTo}, ${found} found that no webhook had brought${rest}`;
    }
  }
};
