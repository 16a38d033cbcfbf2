import { setTimeout } from 'node:timers/promises';
import { dynamoDb } from '../../shared/aws/clients.ts';
import { invokeFunction } from '../../shared/aws/lambda-api.ts';
import type { Settings } from '../settings.ts';
import type { LocalRun } from './run-local.ts';

/**
 * What schedules would do within a day: lists what every shop sells, and reads what every ERP has. A failure is told by the
 * functions' own lines; the schedules try again.
 */
export const beginStock = async (run: LocalRun, settings: Settings): Promise<void> => {
  const routes = settings.stock.filter(({ mode }) => mode !== 'off');
  if (routes.length === 0) return;
  // The SDK's clients of this process talk to the local stack from here on.
  Object.assign(process.env, run.stack.env);
  const invoke = (name: string | undefined, payload: object) =>
    name === undefined ? undefined : invokeFunction(dynamoDb(), name, payload);
  await Promise.allSettled(
    routes.flatMap(({ to }) => to.map((shop) => invoke(run.functions[shop]?.listStock, {}))),
  );
  await Promise.allSettled(routes.map(({ from }) => invoke(run.functions[from]?.pollStock, { all: true })));
  // Shops date orders in whole seconds: of one in this second nobody could say whether the numbers that were just listed
  // contain it, and its pieces would be kept back until the shop's orders are reconciled.
  await setTimeout(SECOND_MS - (Date.now() % SECOND_MS));
};

const SECOND_MS = 1_000;
