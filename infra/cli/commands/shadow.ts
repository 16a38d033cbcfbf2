import { type Command, InvalidArgumentError } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { dynamoShadowReports } from '../../../shared/aws/dynamo-shadow-reports.ts';
import type { ShadowReport } from '../../../shared/core/shadow-report.ts';
import { openTarget, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';
import { rehearsalWords } from './rehearse-words.ts';

interface ShadowOptions extends TargetOptions {
  readonly from?: string;
  readonly to?: string;
  readonly last: number;
  readonly json?: boolean;
}

export const addShadowCommand = (program: Command): void => {
  onTarget(program.command('shadow'))
    .description(
      'the daily reports of routes in shadow mode: what would have been written since the report before, beside what people entered',
    )
    .option('--from <storefront>', 'only of routes from there')
    .option('--to <erp>', 'only of routes to there')
    .option('--last <n>', 'how many reports of each route, the newest first', number, 1)
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nIt ends with 1 when the newest report of a route is not "ready". A report at once: waybill poll ERP --now.',
    )
    .action(shadow);
};

const number = (text: string): number => {
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1 && n <= 400) return n;
  throw new InvalidArgumentError('a whole number up to 400 is needed');
};

const shadow = async (options: ShadowOptions): Promise<void> => {
  const target = await openTarget(options);
  const { from, to, last, json } = options;
  const routes = target.settings.orders.filter(
    (route) => (from === undefined || route.from === from) && (to === undefined || route.to === to),
  );
  if (routes.length === 0) throw new Error(`${target.name} has no such route`);
  const store = dynamoShadowReports(dynamoDb(), target.reportsTable);
  const all = await Promise.all(routes.map((route) => store.list(route.to, route.from, last)));
  const inShadow = routes.flatMap(({ mode }, i) => (mode === 'shadow' ? [all[i]?.[0]] : []));
  const reports = all.flat();
  if (json) sayJson({ reports });
  else for (const line of shadowWords(reports)) say(line);
  if (inShadow.some((newest) => newest && !newest.isReady)) process.exitCode = 1;
};

/** What a person reads. */
export const shadowWords = (reports: readonly ShadowReport[]): string[] =>
  reports.length === 0
    ? ['no report yet: there is one each morning while a route is in shadow mode']
    : reports.flatMap((report, i) => [
        ...(i === 0 ? [] : ['']),
        headingOf(report),
        ...rehearsalWords(report.orders, report),
        ...againWords(report),
      ]);

const headingOf = ({ from, to, sinceMs, untilMs }: ShadowReport): string => {
  const since = sinceMs === 0 ? '' : ` after ${at(sinceMs)}`;
  return `${from} to ${to}, what came${since} until ${at(untilMs)} (UTC)`;
};

const againWords = ({ again }: ShadowReport): string[] => {
  if (again.length === 0) return [];
  const [are, them] = again.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return [`${again.length} ${are} looked at again by the next report: people may enter ${them} yet`];
};

const at = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
