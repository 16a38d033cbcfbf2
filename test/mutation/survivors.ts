import { REASONS } from './reasons.ts';

interface Position {
  readonly line: number;
  readonly column: number;
}
interface Mutant {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: string;
  /** In a constant: in force while modules load. */
  readonly static?: boolean;
  readonly location: { readonly start: Position; readonly end: Position };
}
/** What of Stryker's report (mutation-testing-report-schema) is read here. */
export interface MutationReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

export interface Survivor {
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  /** The code as it is, and what no test missed it for; cut to one line. */
  readonly before: string;
  readonly after: string;
  /** Why it may survive; undefined if nobody has said. */
  readonly why: string | undefined;
}

const DETECTED = ['Killed', 'Timeout'];
const UNDETECTED = ['Survived', 'NoCoverage'];

export const isSurvivor = ({ status }: Mutant): boolean => UNDETECTED.includes(status);

/** Percent of the mutants in `files` that some test notices; what is ignored or does not compile does not count. */
export const scoreOf = (report: MutationReport, files: readonly string[]) => {
  const mutants = files.flatMap((file) => report.files[file]?.mutants ?? []);
  const count = (statuses: readonly string[]) =>
    mutants.filter(({ status }) => statuses.includes(status)).length;
  const detected = count(DETECTED);
  const total = detected + count(UNDETECTED);
  return { score: total === 0 ? 100 : (100 * detected) / total, detected, total };
};

const oneLine = (code: string): string => {
  const text = code.replaceAll(/\s+/g, ' ').trim();
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
};

const textAt = (source: string, { start, end }: Mutant['location']): string => {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, n) => line.slice(n === 0 ? start.column - 1 : 0, n === last ? end.column - 1 : undefined))
    .join('\n');
};

/** Every mutant that no test noticed, in the order of files and lines. */
export const survivorsOf = (report: MutationReport): Survivor[] =>
  Object.entries(report.files)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([file, { source, mutants }]) =>
      mutants
        .filter(isSurvivor)
        .toSorted(
          (a, b) =>
            a.location.start.line - b.location.start.line ||
            a.location.start.column - b.location.start.column,
        )
        .map(({ mutatorName, replacement, location }) => {
          const before = oneLine(textAt(source, location));
          const after = oneLine(replacement);
          const code = source.split('\n')[location.start.line - 1] ?? '';
          const why = REASONS.find(
            (reason) =>
              reason.files.test(file) &&
              (reason.mutator === undefined || reason.mutator === mutatorName) &&
              (reason.code?.test(code) ?? true) &&
              (reason.before?.test(before) ?? true) &&
              (reason.after?.test(after) ?? true),
          )?.why;
          return { file, line: location.start.line, mutator: mutatorName, before, after, why };
        }),
    );

const cell = (code: string): string => `\`${code.replaceAll('`', 'ˋ').replaceAll('|', '\\|')}\``;

/** The page `survivors.md`: the score of every file, and each survivor with its reason. */
export const survivorsPage = (report: MutationReport): string => {
  const files = Object.keys(report.files).toSorted();
  const survivors = survivorsOf(report);
  const row = (name: string, scope: readonly string[]) => {
    const { score, detected, total } = scoreOf(report, scope);
    return `| ${name} | ${detected} | ${total} | ${score.toFixed(1)} % |`;
  };
  const section = (file: string): string[] => {
    const own = survivors.filter((survivor) => survivor.file === file);
    if (own.length === 0) return [];
    const byWhy = Map.groupBy(own, ({ why }) => why ?? 'No reason is written down.');
    return [
      `## ${file}`,
      '',
      ...[...byWhy].flatMap(([why, group]) => [
        why,
        '',
        ...group.map(
          ({ line, mutator, before, after }) =>
            `* ${line} ${mutator}: ${cell(before)} becomes ${after ? cell(after) : 'nothing'}`,
        ),
        '',
      ]),
    ];
  };
  return [
    '# Mutants that no test notices, and why',
    '',
    'Written by `npm run mutation`; the reasons are in `reasons.ts`. README.md beside this page says how to read it.',
    '',
    '| File | Noticed | Mutants | Score |',
    '|---|---|---|---|',
    ...files.filter((file) => scoreOf(report, [file]).total > 0).map((file) => row(file, [file])),
    row('**all**', files),
    '',
    ...files.flatMap(section),
  ].join('\n');
};
