import type { Command } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { invokeFunction } from '../../../shared/aws/lambda-api.ts';
import type { ShadowReport } from '../../../shared/core/shadow-report.ts';
import { hint } from '../../problems.ts';
import { openTarget, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';

export const addPollCommand = (program: Command): void => {
  onTarget(program.command('poll <connection>'))
    .description(
      'ask a storefront at once for orders that no webhook has brought, or an ERP for what people entered in shadow mode, instead of waiting for the next run',
    )
    .requiredOption('--now', 'needed, so that nobody asks a peer by mistake')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nWhat is younger than five minutes is left to the next run: its webhook, or its consumer, may still be on its way.',
    )
    .action(poll);
};

const poll = async (connection: string, options: TargetOptions & { json?: boolean }): Promise<void> => {
  const target = await openTarget(options);
  const known = [...target.storefronts, ...target.erps];
  if (!known.includes(connection)) {
    throw new Error(`there is no storefront and no ERP "${connection}"; ${hint(connection, known)}`);
  }
  const { reconcile, shadow } = (await target.functions())[connection] ?? {};
  const called = reconcile ?? shadow;
  if (!called) {
    throw new Error(
      target.erps.includes(connection)
        ? `no route to ${connection} is in shadow mode`
        : `${connection} is not reconciled: no route of it is on, or they say reconcile: 'off'`,
    );
  }
  const ran = await invokeFunction(dynamoDb(), called, {}).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'TimeoutError') return { outcome: 'running' };
    throw error;
  });
  if (options.json) sayJson(ran);
  else if (shadow) for (const line of shadowRunWords(connection, ran as ShadowRan, target.flag)) say(line);
  else say(pollWords(connection, ran as Ran));
  if ((ran as Ran).outcome === 'failed') process.exitCode = 1;
};

/** What a shadow report answers. */
interface ShadowRan extends Ran {
  readonly routes?: readonly Pick<ShadowReport, 'from' | 'counts' | 'isReady'>[];
}

export const shadowRunWords = (erp: string, ran: ShadowRan, flag: string): string[] => {
  const { outcome, routes } = ran;
  if (!routes || outcome === 'failed' || outcome === 'running') return [pollWords(erp, ran)];
  if (routes.length === 0) return [pollWords(erp, { outcome: 'busy' })];
  return [
    ...routes.map(({ from, counts, isReady }) => {
      const told = Object.entries(counts).map(([what, n]) => `${n} ${what}`);
      const verdict = isReady ? 'ready' : 'not ready';
      return `${from} to ${erp}: ${told.length === 0 ? 'nothing came since the last report' : `${told.join(', ')}; ${verdict}`}`;
    }),
    `all of it: npx waybill shadow --to ${erp} ${flag}`,
  ];
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
