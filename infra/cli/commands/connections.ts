import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { dynamoConnectionStates } from '../../../shared/aws/dynamo-connection-states.ts';
import { invokeFunction } from '../../../shared/aws/lambda-api.ts';
import { CONTROLLER, changeByHand } from '../../../shared/core/connection-states.ts';
import { hint } from '../../problems.ts';
import { openTarget, type Target, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';

interface ActOptions extends TargetOptions {
  readonly by: string;
  readonly why: string;
  readonly json?: boolean;
}

export const addConnectionCommands = (program: Command): void => {
  const acting = (command: Command): Command =>
    onTarget(command)
      .option('--by <name>', 'who: kept with the connection', userInfo().username)
      .requiredOption('--why <text>', 'why: kept with the connection')
      .option('--json', 'as JSON');
  acting(program.command('pause <connection>'))
    .description('let the orders to an ERP wait; they are kept, and nothing but waybill resume ends it')
    .action((connection: string, options: ActOptions) => act('paused', connection, options));
  acting(program.command('resume <connection>'))
    .description('let the orders to an ERP go on, whoever paused them')
    .action((connection: string, options: ActOptions) => act('running', connection, options));
};

const act = async (state: 'running' | 'paused', connection: string, options: ActOptions): Promise<void> => {
  const { by, json } = options;
  const why = options.why.trim();
  if (why === '') throw new Error('say why: --why TEXT');
  if (by === CONTROLLER) throw new Error(`"${CONTROLLER}" is nobody's name: --by NAME`);
  const target = await openTarget(options);
  if (!target.erps.includes(connection)) {
    throw new Error(
      target.storefronts.includes(connection)
        ? `"${connection}" is a storefront: only what goes to an ERP can be paused`
        : `there is no connection "${connection}"; ${hint(connection, target.erps)}`,
    );
  }
  const states = dynamoConnectionStates(dynamoDb(), target.connectionsTable);
  const { before } = await changeByHand(states, connection, { state, by, why, atMs: Date.now() });
  const isApplied = await applied(target, connection);
  if (json)
    return sayJson({ connection, state, by, why, before: before.state, beforeBy: before.by, isApplied });
  const wasSo = before.state === state ? `, as it was${before.by ? ` by ${before.by}` : ''}` : '';
  say(
    `${connection} is ${state} now${wasSo}: ${isApplied ? 'done' : 'its controller does it within a minute'}`,
  );
  if (state === 'paused')
    say(`its orders wait until: npx waybill resume ${connection} ${target.flag} --why "…"`);
};

/** The controller would do it within a minute; asked, it does it now. Who may not ask it, waits. */
const applied = async (target: Target, connection: string): Promise<boolean> => {
  const { control } = (await target.functions())[connection] ?? {};
  if (!control) return false;
  const answer = await invokeFunction(dynamoDb(), control, {}).catch(() => undefined);
  return typeof answer === 'object' && answer !== null && 'outcome' in answer && answer.outcome !== 'failed';
};
