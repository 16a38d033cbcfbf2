import type { Journey } from '../../../shared/aws/dynamo-journey.ts';
import { type ParkedRow, parkedText } from '../../../shared/core/parked.ts';
import type { Language } from '../../../shared/core/reasons.ts';
import { type Count, type Verdict, verdictOf } from '../../../shared/core/redrive.ts';

const SHORTEST = 8;

/** The shortest beginnings of ids, of eight characters or more, that no other of these shares. */
export const shortIds = (rows: readonly Pick<ParkedRow, 'id'>[]): ReadonlyMap<string, string> => {
  const ids = [...new Set(rows.map(({ id }) => id))];
  const length = (id: string): number => {
    for (let n = SHORTEST; n < id.length; n += 1) {
      if (ids.every((other) => other === id || !other.startsWith(id.slice(0, n)))) return n;
    }
    return id.length;
  };
  return new Map(ids.map((id) => [id, id.slice(0, length(id))]));
};

export const orderWords = ({ orderNumber, orderId }: Pick<ParkedRow, 'orderNumber' | 'orderId'>): string =>
  orderNumber ? `order ${orderNumber}` : orderId ? `order id ${orderId}` : 'order unknown';

/** Minutes are enough for people; the log has the rest. */
export const timeWords = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @example ageWords(7_300_000) // '2 h' */
export const ageWords = (ms: number): string => {
  if (ms < 2 * HOUR) return `${Math.max(0, Math.floor(ms / MINUTE))} min`;
  return ms < 2 * DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} days`;
};

export const countWords = (n: number): string => `${n} message${n === 1 ? '' : 's'}`;

export interface About {
  readonly language: Language;
  readonly nowMs: number;
}

/** Rows by connection: each with id, order, code and since when; below, what happened and what to do. */
export const listWords = (rows: readonly ParkedRow[], { language, nowMs }: About): string[] => {
  const ids = shortIds(rows);
  return [...Map.groupBy(rows, ({ connection }) => connection)].flatMap(([connection, its]) => {
    const cells = its.map((row) => [
      ids.get(row.id) ?? row.id,
      orderWords(row),
      row.code,
      `since ${timeWords(row.parkedAtMs)} (${ageWords(nowMs - row.parkedAtMs)})`,
    ]);
    return [
      `${connection}: ${countWords(its.length)}`,
      ...aligned(cells).flatMap((line, i) => {
        const row = its[i];
        if (!row) return [];
        const { reason, remedy } = parkedText(row, language);
        const moved = row.result
          ? [
              `    the command that redrove it was interrupted; since then: ${verdictWords(verdictOf(row.result))}`,
            ]
          : [];
        return [`  ${line}`, `    ${reason}`, `    → ${remedy}`, ...moved];
      }),
    ];
  });
};

/** One line for each connection and code. */
export const planWords = (counts: readonly Count[]): string[] =>
  aligned(counts.map(({ connection, code, messages }) => [connection, code, countWords(messages)])).map(
    (line) => `  ${line}`,
  );

export const verdictWords = (verdict: Verdict): string => {
  switch (verdict.kind) {
    case 'done':
      return [verdict.outcome, verdict.document, verdict.url].filter(Boolean).join(' ');
    case 'no-op': {
      const as = verdict.document ? `: ${verdict.document}` : '';
      return verdict.because === 'ALREADY_DONE'
        ? `already done${as}`
        : `nothing to do, ${verdict.because}${as}`;
    }
    case 'parked-again':
      return `parked again, ${verdict.code}`;
    case 'retrying':
      return `still retrying, ${verdict.code}`;
    case 'waiting':
      return 'no answer yet: it waits in its queue';
  }
};

/** Everything that is known of one message. */
export const rowWords = (
  row: ParkedRow,
  { language, nowMs, journey, queue }: About & { journey: Journey | undefined; queue: string | undefined },
): string[] => {
  const { reason, remedy } = parkedText(row, language);
  const verdict = row.result && verdictWords(verdictOf(row.result));
  const facts: (readonly [string, string | undefined])[] = [
    ['message', row.id],
    ['connection', row.connection],
    [
      'order',
      `${orderWords(row)}${row.source ? ` of ${row.source}` : ''}${row.orderId ? `, id ${row.orderId}` : ''}`,
    ],
    ['version', row.sourceVersion?.toString()],
    ['correlation', row.correlationId],
    ['code', row.code],
    ['what', reason],
    ['to do', remedy],
    ['peer said', row.detail],
    ['parked', `${timeWords(row.parkedAtMs)} (${ageWords(nowMs - row.parkedAtMs)} ago)`],
    ['tried', `received ${times(row.receives)}${row.attempts ? `, ${times(row.attempts)} at the peer` : ''}`],
    ['earlier', row.previousId && `${row.previousId} was redriven and led here`],
    ['where', whereWords(row, queue)],
    [
      'redrive',
      row.state === 'parked'
        ? 'safe, as often as you like: what was written is found by its reference'
        : undefined,
    ],
    ['result', verdict && row.result ? `${timeWords(row.result.atMs)}  ${verdict}` : undefined],
  ];
  const section = (title: string, lines: readonly string[]) =>
    lines.length > 0 ? [title, ...lines.map((line) => `  ${line}`)] : [];
  return [
    ...facts.flatMap(([name, value]) => (value ? [`${name.padEnd(11)} ${value}`] : [])),
    ...section(
      'what people did',
      row.actions.map(({ atMs, verb, by, why }) => `${timeWords(atMs)}  ${verb} by ${by}: ${why}`),
    ),
    ...section(
      `the order in the journal${journey ? `: ${journey.state}${journey.document ? `, ${journey.document.name ?? journey.document.id}` : ''}` : ''}`,
      (journey?.steps ?? []).map(({ atMs, code, text }) => `${timeWords(atMs)}  ${code}  ${text}`),
    ),
  ];
};

const whereWords = ({ state, result, connection }: ParkedRow, queue: string | undefined): string => {
  if (state === 'redriven') return `moved back to the queue of ${connection}`;
  if (state === 'discarded') return 'discarded: nobody waits for it';
  if (result)
    return `moved back to the queue of ${connection}; the command was interrupted, redrive again to close it`;
  return `in the parked queue of ${connection}${queue ? `: ${queue}` : ''}`;
};

const times = (n: number): string => (n === 1 ? 'once' : `${n} times`);

/** Columns as wide as their widest cell. */
export const aligned = (cells: readonly (readonly string[])[]): string[] => {
  const widths: number[] = [];
  for (const line of cells)
    line.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return cells.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};
