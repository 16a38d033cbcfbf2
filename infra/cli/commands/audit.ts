import { readFile, writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { dynamoAuditReports } from '../../../shared/aws/dynamo-audit-reports.ts';
import { ANY_SOURCE, dynamoMappings } from '../../../shared/aws/dynamo-mappings.ts';
import { dynamoPrices } from '../../../shared/aws/dynamo-prices.ts';
import { dynamoStock } from '../../../shared/aws/dynamo-stock.ts';
import type { MappingRow, Mappings } from '../../../shared/connectors/contract.ts';
import { type Audit, type AuditPorts, audit } from '../../../shared/core/audit/audit.ts';
import { isExplained } from '../../../shared/core/audit/differences.ts';
import { locationsOf, type StockRoute } from '../../../shared/settings/stock-route.ts';
import { hint } from '../../problems.ts';
import { loadSecretsFile, type Secrets } from '../../secrets.ts';
import { erpsOf, loadSettingsFile, type Settings, storefrontsOf } from '../../settings.ts';
import { mappingRowsFrom } from '../mapping-csv.ts';
import { openedErp, storefrontReads, storefrontStock } from '../peers.ts';
import { openTarget, type TargetOptions } from '../target.ts';
import { auditCsv, auditWords, reportWords } from './audit-words.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';

interface AuditOptions extends TargetOptions {
  readonly settings?: string;
  readonly secrets?: string;
  readonly mappings?: string;
  readonly erp?: string;
  readonly days: number;
  readonly csv?: string;
  readonly last?: number | boolean;
  readonly json?: boolean;
}

export const addAuditCommand = (program: Command): void => {
  onTarget(program.command('audit'))
    .description(
      'SKUs, stock, prices, status and orders of an ERP and its shops, side by side: what differs, and why. Only reads',
    )
    .option('--settings <file>', 'before anything is deployed: a stage file, with --secrets')
    .option('--secrets <file>', 'its credentials (.json), see infra/stages/README.md')
    .option('--mappings <file>', 'with --settings: mapping rows (.csv)')
    .option('--erp <connection>', 'of several stock routes')
    .option('--days <n>', 'orders of the last n days, 0: none', days, 7)
    .option('--last [n]', 'read nothing: print what the last n daily audits found, the newest first', last)
    .option('--csv <file>', 'write the differences there, for spreadsheets')
    .option('--json', 'for programs')
    .addHelpText('after', '\nIt ends with 1 when something is to be mended.')
    .action(run);
};

const days = (text: string): number => {
  const n = Number(text);
  if (text.trim() && Number.isInteger(n) && n >= 0 && n <= 90) return n;
  throw new InvalidArgumentError('a whole number of days up to 90 is needed');
};

const last = (text: string): number => {
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1 && n <= 30) return n;
  throw new InvalidArgumentError('a whole number up to 30 is needed');
};

const run = async (options: AuditOptions): Promise<void> => {
  if (options.last) return kept(options, options.last === true ? 1 : options.last);
  const opened = await open(options);
  const { settings, secrets } = opened;
  const wanted = settings.stock.filter(({ from }) => options.erp === undefined || options.erp === from);
  if (wanted.length === 0) {
    const known = settings.stock.map(({ from }) => from);
    throw new Error(
      options.erp === undefined
        ? 'the settings have no stock route: say which ERP and which shops belong together (stock: [{ from, to, mode: "off" }])'
        : `no stock flows from "${options.erp}"; ${hint(options.erp, known)}`,
    );
  }
  const audits: ({ erp: string } & Audit)[] = [];
  for (const route of wanted) {
    const ports = portsOf(settings, secrets, route, opened);
    const call = { signal: new AbortController().signal };
    audits.push({ erp: route.from, ...(await audit(ports, { days: options.days }, call)) });
  }
  const all = audits.flatMap(({ differences }) => differences);
  if (options.csv !== undefined) await writeFile(options.csv, auditCsv(all));
  if (options.json) {
    sayJson(
      audits.map(({ differences, ...rest }) => ({
        ...rest,
        differences: differences.map((one) => ({ ...one, explained: isExplained(one) })),
      })),
    );
  } else for (const { erp, ...rest } of audits) for (const line of auditWords(erp, rest)) say(line);
  if (all.some((one) => !isExplained(one))) process.exitCode = 1;
};

/** What the daily audits of a deployed stage, or of the local stack, have kept. */
const kept = async (options: AuditOptions, most: number): Promise<void> => {
  if (options.settings !== undefined || options.secrets !== undefined) {
    throw new Error('--last prints what a deployed stage has kept: say --local or --stage NAME');
  }
  const target = await openTarget(options);
  const routes = target.settings.stock.filter(
    ({ from }) => options.erp === undefined || options.erp === from,
  );
  if (routes.length === 0) throw new Error('no such stock route');
  const store = dynamoAuditReports(dynamoDb(), target.reportsTable);
  const lists = await Promise.all(routes.map(({ from }) => store.list(from, most)));
  const reports = lists.flat();
  if (options.csv !== undefined) {
    await writeFile(options.csv, auditCsv(reports.flatMap(({ differences }) => differences)));
  }
  if (options.json) sayJson(reports);
  else for (const line of reportWords(reports)) say(line);
  if (lists.some(([newest]) => newest && newest.unexplained > 0)) process.exitCode = 1;
};

interface Opened {
  readonly settings: Settings;
  readonly secrets: Secrets | undefined;
  readonly mappings: Mappings;
  readonly known: AuditPorts['known'];
}

/** What is deployed, or only a file: then nothing of AWS is asked. */
const open = async (options: AuditOptions): Promise<Opened> => {
  if (options.settings === undefined && options.secrets === undefined) {
    const target = await openTarget(options);
    const dynamo = dynamoDb();
    return {
      settings: target.settings,
      secrets: undefined,
      mappings: dynamoMappings(dynamo, target.mappingsTable, Date.now),
      known: {
        stock: dynamoStock(dynamo, target.stockTable),
        prices: dynamoPrices(dynamo, target.stockTable),
      },
    };
  }
  if (options.settings === undefined || options.secrets === undefined) {
    throw new Error('--settings and --secrets belong together: give both, or say --local or --stage NAME');
  }
  const settings = await loadSettingsFile(options.settings);
  const secrets = await loadSecretsFile(options.secrets, settings);
  const rows = options.mappings === undefined ? [] : await rowsIn(options.mappings, settings);
  return { settings, secrets, mappings: mappingsOf(rows), known: undefined };
};

const rowsIn = async (file: string, settings: Settings): Promise<readonly MappingRow[]> =>
  mappingRowsFrom(await readFile(file, 'utf8'), file, {
    sources: storefrontsOf(settings).map(({ id }) => id),
    destinations: erpsOf(settings).map(({ id }) => id),
  });

const mappingsOf = (rows: readonly MappingRow[]): Mappings => ({
  lookup: async (kind, source, destination, keys) =>
    new Map(
      keys.flatMap((key) => {
        const found = [source, ANY_SOURCE].flatMap(
          (from) =>
            rows.find(
              (row) =>
                row.kind === kind &&
                row.source === from &&
                row.destination === destination &&
                row.key === key,
            ) ?? [],
        );
        return found[0] ? [[key, found[0]] as const] : [];
      }),
    ),
});

const portsOf = (
  settings: Settings,
  secrets: Secrets | undefined,
  route: StockRoute,
  { mappings, known }: Opened,
): AuditPorts => {
  const { stock, products, orders } = openedErp(settings, route.from, secrets);
  if (!stock) throw new Error(`the connector of "${route.from}" cannot tell its stock`);
  const routes = settings.orders.filter(({ to, mode }) => to === route.from && mode !== 'off');
  return {
    erp: route.from,
    route,
    stock,
    products,
    shops: new Map(
      route.to.map((shop) => [shop, storefrontStock(settings, shop, locationsOf(route, shop), secrets)]),
    ),
    mappings,
    known,
    orders: routes.map((each) => ({
      route: each,
      reads: storefrontReads(settings, each.from, secrets),
      erp: orders,
    })),
    nowMs: Date.now,
  };
};
