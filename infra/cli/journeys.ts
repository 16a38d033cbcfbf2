import pc from 'picocolors';

/** The fields of the functions' log lines that tell an order's story (shared/observability/wide-event.ts). */
interface LogLine {
  readonly at: string;
  readonly what: string;
  readonly connection: string;
  readonly outcome?: string;
  readonly source?: string;
  readonly correlationId?: string;
  readonly orderId?: string;
  readonly orderNumber?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly remedy?: string;
  readonly documentId?: string;
  readonly documentName?: string;
  readonly documentUrl?: string;
  readonly level?: string;
  readonly attempt?: number;
  readonly retryInMs?: number;
  readonly totalMs?: number;
  readonly ageMs?: number;
  readonly warnings?: readonly string[];
}

export interface JourneyEvent {
  readonly atMs: number;
  /** received, published, written, already there, parked, ... */
  readonly what: string;
  readonly text: string;
}

/** One order on its way to one ERP. */
export interface Journey {
  readonly storefront: string;
  readonly orderId: string;
  readonly erp: string;
  readonly events: readonly JourneyEvent[];
  readonly erpOrderId?: string;
  readonly webhookToErpMs?: number;
  readonly parked?: string;
}

/** After these nothing more comes for one event at one ERP. */
const SETTLED = ['written', 'recovered', 'continued', 'confirmed', 'skipped', 'shadow', 'parked'];
const WRITTEN = ['written', 'recovered', 'continued'];

/** Collects what the functions log, order by order, and tells it in plain words as it happens. */
export class Journeys {
  readonly #tell: (line: string) => void;
  readonly #received = new Map<string, JourneyEvent[]>();
  readonly #journeys = new Map<
    string,
    { -readonly [K in keyof Journey]: Journey[K] } & { events: JourneyEvent[] }
  >();
  readonly #waiting = new Set<() => void>();
  #accepted = 0;
  #settled = 0;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** Takes one line of a function's output; anything that is not one of ours is passed on as it is. */
  take(text: string): void {
    const line = parse(text);
    if (!line) {
      if (text.trim() && !text.startsWith('{"_aws"')) this.#tell(pc.dim(text));
      return;
    }
    const event = { atMs: Date.parse(line.at), ...wordsOf(line) };
    this.#narrate(line, event);
    this.#keep(line, event);
    for (const wake of this.#waiting) wake();
  }

  all(): readonly Journey[] {
    return [...this.#journeys.values()].map((journey) => {
      const received = this.#received.get(`${journey.storefront}:${journey.orderId}`) ?? [];
      return { ...journey, events: [...received, ...journey.events].sort((a, b) => a.atMs - b.atMs) };
    });
  }

  /** Events that were accepted and have not come to an end; each storefront routed to one ERP. */
  inFlight(): number {
    return this.#accepted - this.#settled;
  }

  /** True when the condition holds; false after `timeoutMs`. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    if (condition()) return true;
    return new Promise((resolve) => {
      const finish = (held: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(held);
      };
      const check = () => {
        if (condition()) finish(true);
      };
      const timer = setTimeout(() => finish(false), timeoutMs);
      this.#waiting.add(check);
    });
  }

  #keep(line: LogLine, event: JourneyEvent): void {
    if (!line.correlationId || !line.orderId) return;
    if (line.what === 'ingest-webhook') {
      this.#accepted += 1;
      const received = this.#received.get(line.correlationId) ?? [];
      received.push(event);
      this.#received.set(line.correlationId, received);
      return;
    }
    if (line.what === 'fetch-orders') {
      // What was fetched goes on to the ERP, and ends there.
      if (['skipped', 'parked'].includes(line.outcome ?? '')) this.#settled += 1;
      return;
    }
    if (line.what !== 'consume-orders' || line.code === 'FETCHING_AGAIN') return;
    if (SETTLED.includes(line.outcome ?? '')) this.#settled += 1;
    const key = `${line.connection} ${line.correlationId}`;
    const journey = this.#journeys.get(key) ?? {
      storefront: line.source ?? '',
      orderId: line.orderId,
      erp: line.connection,
      events: [],
    };
    this.#journeys.set(key, journey);
    journey.events.push(event);
    if (line.documentId) journey.erpOrderId = line.documentId;
    if (line.outcome === 'parked') journey.parked = line.code ?? 'unknown';
    if (WRITTEN.includes(line.outcome ?? '')) {
      delete journey.parked;
      journey.webhookToErpMs ??= (line.ageMs ?? 0) + (line.totalMs ?? 0);
    }
  }

  #narrate(line: LogLine, event: JourneyEvent): void {
    if (line.what === 'record-orders' && line.outcome === 'recorded') return;
    const order = line.orderNumber ? `order ${line.orderNumber}` : '';
    const where =
      line.what === 'consume-orders' ? `${line.source ?? '?'} → ${line.connection}` : line.connection;
    const colour = COLOURS[line.outcome ?? ''] ?? ((text: string) => text);
    this.#tell(
      [pc.dim(line.at.slice(11, 23)), order.padEnd(14), where.padEnd(28), colour(event.text)].join('  '),
    );
    if (line.remedy) this.#tell(`${' '.repeat(14)}${pc.yellow(`what to do: ${line.remedy}`)}`);
    for (const warning of line.warnings ?? []) this.#tell(`${' '.repeat(14)}${pc.dim(`note: ${warning}`)}`);
  }
}

const COLOURS: Readonly<Record<string, (text: string) => string>> = {
  written: pc.green,
  recovered: pc.green,
  continued: pc.green,
  confirmed: pc.green,
  parked: pc.yellow,
  rejected: pc.red,
  unavailable: pc.red,
  quarantined: pc.yellow,
  retry: pc.yellow,
  skipped: pc.dim,
  ignored: pc.dim,
};

const wordsOf = (line: LogLine): { what: string; text: string } => {
  const document = line.documentName ?? line.documentId ?? '';
  const because = line.reason ? `: ${line.reason}` : '';
  const took = line.ageMs === undefined ? '' : ` (${line.ageMs + (line.totalMs ?? 0)} ms after the webhook)`;
  switch (line.outcome) {
    case 'accepted':
      return { what: 'received', text: `webhook verified, normalised, on the bus (${line.totalMs} ms)` };
    case 'notified':
      return { what: 'notified', text: 'webhook verified, names an order: it is fetched' };
    case 'fetched':
      return { what: 'fetched', text: `read at the shop, on the bus (${line.totalMs} ms)` };
    case 'rejected':
      return { what: 'rejected', text: `webhook refused, ${line.code}${because}` };
    case 'pong':
      return { what: 'ping', text: 'the shop asked whether anybody is here: yes' };
    case 'ignored':
      return { what: 'ignored', text: `webhook acknowledged, nothing to do${because}` };
    case 'quarantined':
      return { what: 'quarantined', text: `webhook kept raw in quarantine${because}` };
    case 'unavailable':
      return { what: 'not stored', text: `webhook answered 503${because}` };
    case 'written':
      return { what: 'written', text: `written as ${document}, ${levelWord(line.level)}${took}` };
    case 'recovered':
      return {
        what: 'recovered',
        text: `found as ${document}, written by an attempt that got no answer${took}`,
      };
    case 'continued':
      return { what: 'continued', text: `${document} completed where an earlier attempt stopped${took}` };
    case 'confirmed':
      return { what: 'confirmed', text: `${document} ${levelWord(line.level)}${took}` };
    case 'skipped':
      return {
        what: line.code === 'ALREADY_DONE' ? 'duplicate' : 'skipped',
        text: `nothing to do${because}`,
      };
    case 'shadow':
      return { what: 'shadow', text: 'nothing written (shadow): what would have been is recorded' };
    case 'parked':
      return { what: 'parked', text: `parked, ${line.code}${because}` };
    case 'busy':
      return {
        what: 'waiting',
        text: `another copy is being worked on; again in ${seconds(line.retryInMs)}`,
      };
    case 'retry':
      return {
        what: 'retry',
        text: `attempt ${line.attempt ?? '?'} failed, ${line.code}${because}; again in ${seconds(line.retryInMs)}`,
      };
    default:
      return { what: line.outcome ?? line.what, text: `${line.outcome ?? line.what}${because}` };
  }
};

const levelWord = (level: string | undefined): string =>
  level === 'draft' ? 'as a draft' : level === 'reserve' ? 'stock reserved' : 'confirmed';

const seconds = (ms = 0): string => `${(ms / 1000).toFixed(1)} s`;

const parse = (text: string): LogLine | undefined => {
  if (!text.startsWith('{"at"')) return undefined;
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
};
