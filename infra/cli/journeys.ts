import pc from 'picocolors';
import type { Settings } from '../settings.ts';

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
  readonly done?: readonly string[];
  readonly attempt?: number;
  readonly retryInMs?: number;
  readonly switched?: string;
  readonly totalMs?: number;
  readonly ageMs?: number;
  readonly warnings?: readonly string[];
  readonly written?: number;
  readonly looked?: number;
}

export interface JourneyEvent {
  readonly atMs: number;
  /** received, published, written, already there, parked, ... */
  readonly what: string;
  readonly text: string;
}

/** One order on its way to one ERP. A storefront that is routed to two ERPs makes two of every order. */
export interface Journey {
  readonly storefront: string;
  readonly orderId: string;
  readonly orderNumber?: string;
  readonly erp: string;
  readonly events: readonly JourneyEvent[];
  readonly erpOrderId?: string;
  /** What staff call it. */
  readonly documentName?: string;
  readonly webhookToErpMs?: number;
  /** Code, while the order is parked. */
  readonly parked?: string;
  /** Code of the reason why the ERP has nothing of it, while that is so. */
  readonly ignored?: string;
}

/** After these the same event comes again; after every other outcome it has ended. */
const UNFINISHED = ['busy', 'retry'];
/** The last two: by an attempt that was cut off between the order and what belongs to it. */
const WRITTEN = ['written', 'recovered', 'continued', 'confirmed', 'changed'];
/** The storefront is asked instead: what it says comes back as an event of its own. */
const ASKING = 'FETCHING_AGAIN';

type MutableJourney = { -readonly [K in keyof Journey]: Journey[K] } & { events: JourneyEvent[] };

/** Collects what the functions log, order by order, and tells it in plain words as it happens. */
export class Journeys {
  readonly #tell: (line: string) => void;
  /** ERPs by storefront: an event that is accepted ends once at each. */
  readonly #erps: ReadonlyMap<string, readonly string[]>;
  readonly #received = new Map<string, JourneyEvent[]>();
  readonly #journeys = new Map<string, MutableJourney>();
  readonly #waiting = new Set<() => void>();
  /** Events begun and not ended, by ERP and order; below zero while a line overtakes another one. */
  readonly #underWay = new Map<string, number>();
  readonly #noted = new Set<string>();
  #deliveries = 0;
  #isRepeating = false;

  constructor(tell: (line: string) => void, { orders }: Pick<Settings, 'orders'>) {
    this.#tell = tell;
    const live = orders.filter(({ mode }) => mode !== 'off');
    this.#erps = new Map(
      live.map(({ from }) => [from, live.filter((route) => route.from === from).map(({ to }) => to)]),
    );
  }

  /** Takes one line of a function's output; anything that is not one of ours is passed on as it is. */
  take(text: string): void {
    const line = parse(text);
    if (!line) {
      if (text.trim() && !text.startsWith('{"_aws"')) this.#tell(pc.dim(text));
      return;
    }
    // Stock has no journey: it is told, and whoever waits looks again.
    if (line.what.endsWith('-stock')) this.#narrateStock(line);
    else {
      const event = { atMs: Date.parse(line.at), ...wordsOf(line) };
      this.#narrate(line, event);
      this.#count(line);
      this.#keep(line, event);
    }
    for (const wake of this.#waiting) wake();
  }

  #narrateStock({ at, what, connection, outcome, written = 0, looked = 0, code, reason }: LogLine): void {
    const tell = (text: string) =>
      this.#tell(`${pc.dim(at.slice(11, 23))}  ${connection.padEnd(18)} ${text}`);
    if (outcome === 'failed' || outcome === 'retry' || outcome === 'held' || outcome === 'parked') {
      tell(pc.yellow(`stock: ${outcome}, ${code ?? ''} ${reason ?? ''}`.trimEnd()));
    } else if (what === 'write-stock' && written > 0) tell(pc.dim(`shows ${written} values anew`));
    else if (what === 'list-stock' && outcome === 'listed') tell(pc.dim(`sells ${looked} SKUs`));
    else if (what === 'poll-stock' && outcome === 'done' && looked > 0)
      tell(pc.dim(`has stock of ${looked} SKUs`));
  }

  all(): readonly Journey[] {
    return [...this.#journeys.values()].map((journey) => {
      const received = this.#received.get(`${journey.storefront}:${journey.orderId}`) ?? [];
      return { ...journey, events: [...received, ...journey.events].sort((a, b) => a.atMs - b.atMs) };
    });
  }

  /** Written or parked: whatever comes after, this order has come to an ERP or to a person. */
  isSettled(order: Pick<Journey, 'storefront' | 'orderId' | 'erp'>): boolean {
    const journey = this.#journeys.get(keyOf(order.erp, `${order.storefront}:${order.orderId}`));
    return journey?.webhookToErpMs !== undefined || journey?.parked !== undefined;
  }

  /** Orders that are settled at every ERP that their storefront is routed to. */
  settledOrders(): number {
    const orders = new Map(
      [...this.#journeys.values()].map((journey) => [`${journey.storefront}:${journey.orderId}`, journey]),
    );
    return [...orders.values()].filter(({ storefront, orderId }) =>
      this.#erps.get(storefront)?.every((erp) => this.isSettled({ storefront, orderId, erp })),
    ).length;
  }

  /** Events that were accepted and have not come to an end, one for each ERP; reads that are due count, too. */
  inFlight(): number {
    return [...this.#underWay.values()].reduce((sum, count) => sum + Math.max(0, count), 0);
  }

  /** Webhooks that were answered, whatever the answer. */
  deliveries(): number {
    return this.#deliveries;
  }

  /** From now on everything is sent once more: what is received and found done already is not told again. */
  expectRepeats(): void {
    this.#isRepeating = true;
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

  /** Lines of several processes may overtake each other, so beginnings and ends are only ever added up. */
  #count({ what, outcome = '', connection, source = connection, correlationId, code }: LogLine): void {
    if (what === 'ingest-webhook') this.#deliveries += 1;
    if (!correlationId) return;
    const add = (where: string, count: number) => {
      const key = keyOf(where, correlationId);
      this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + count);
    };
    const published = () => {
      for (const erp of this.#erps.get(source) ?? []) add(erp, 1);
    };
    switch (what) {
      case 'ingest-webhook':
        if (outcome === 'accepted') published();
        if (outcome === 'notified') add(READS, 1);
        return;
      case 'fetch-orders':
        if (!UNFINISHED.includes(outcome)) add(READS, -1);
        if (outcome === 'fetched') published();
        return;
      case 'fetch-payments':
        if (outcome === 'told') published();
        else if (!UNFINISHED.includes(outcome)) add(READS, -1);
        return;
      case 'reconcile-orders':
        if (outcome !== 'found') return;
        if (code === 'LISTED') add(READS, 1);
        else published();
        return;
      case 'consume-orders':
        if (!UNFINISHED.includes(outcome)) add(connection, -1);
        if (code === ASKING) add(READS, 1);
    }
  }

  #keep(line: LogLine, event: JourneyEvent): void {
    if (!line.correlationId || !line.orderId) return;
    if (line.what === 'ingest-webhook') {
      const received = this.#received.get(line.correlationId) ?? [];
      received.push(event);
      this.#received.set(line.correlationId, received);
      return;
    }
    if (line.what !== 'consume-orders') return;
    const key = keyOf(line.connection, line.correlationId);
    const journey: MutableJourney = this.#journeys.get(key) ?? {
      storefront: line.source ?? '',
      orderId: line.orderId,
      erp: line.connection,
      events: [],
    };
    this.#journeys.set(key, journey);
    journey.events.push(event);
    if (line.orderNumber) journey.orderNumber = line.orderNumber;
    if (line.documentId) journey.erpOrderId = line.documentId;
    if (line.documentName) journey.documentName = line.documentName;
    if (line.outcome === 'parked') journey.parked = line.code ?? 'unknown';
    if (WRITTEN.includes(line.outcome ?? '')) {
      delete journey.parked;
      journey.webhookToErpMs ??= (line.ageMs ?? 0) + (line.totalMs ?? 0);
    }
    const isNothing = line.outcome === 'skipped' && line.code !== ASKING;
    if (journey.erpOrderId) delete journey.ignored;
    else if (isNothing) journey.ignored = line.code ?? 'unknown';
  }

  #narrate(line: LogLine, event: JourneyEvent): void {
    if (line.what === 'record-orders' && line.outcome === 'recorded') return;
    // What runs on a schedule finds nothing to do, mostly.
    if (QUIET_RUNS.includes(line.what) && !line.orderId && line.outcome !== 'failed') return;
    if (line.what === 'control-connection' && QUIET_CHECKS.includes(line.outcome ?? '') && !line.switched)
      return;
    if (this.#isRepeating && REPEATED.includes(event.what)) return;
    const where =
      line.what === 'consume-orders' ? `${line.source ?? '?'} → ${line.connection}` : line.connection;
    const colour = COLOURS[line.outcome ?? ''] ?? ((text: string) => text);
    const cells = [pc.dim(line.at.slice(11, 23)), where.padEnd(33), (line.orderNumber ?? '').padEnd(5)];
    this.#tell([...cells, colour(event.text)].join('  '));
    if (line.remedy) this.#tell(`${' '.repeat(14)}${pc.yellow(`what to do: ${line.remedy}`)}`);
    for (const warning of line.warnings ?? []) {
      // Every copy of an order carries it.
      const note = `${line.connection} ${line.correlationId} ${warning}`;
      if (this.#noted.has(note)) continue;
      this.#noted.add(note);
      this.#tell(`${' '.repeat(14)}${pc.dim(`note: ${warning}`)}`);
    }
  }
}

const QUIET_RUNS = ['reconcile-orders', 'sweep-orders', 'check-orders'];
/** Of a controller that changed nothing. */
const QUIET_CHECKS = ['unchanged', 'passed', 'unclear'];

/** Stands for the reads of an order, beside its ERPs. No connection can be called so. */
const READS = '?';
const keyOf = (where: string, correlationId: string): string => `${where} ${correlationId}`;

/** What a delivery that was taken before leads to. */
const REPEATED = [
  'received',
  'notified',
  'told',
  'ping',
  'ignored',
  'duplicate',
  'skipped',
  'asking',
  'fetched',
  'waiting',
];

const COLOURS: Readonly<Record<string, (text: string) => string>> = {
  written: pc.green,
  recovered: pc.green,
  continued: pc.green,
  confirmed: pc.green,
  changed: pc.green,
  parked: pc.yellow,
  paused: pc.yellow,
  probed: pc.yellow,
  resumed: pc.green,
  rejected: pc.red,
  unavailable: pc.red,
  quarantined: pc.yellow,
  retry: pc.yellow,
  skipped: pc.dim,
  ignored: pc.dim,
};

/** What the controller of a connection did. */
const controlWords = ({ outcome, reason, switched }: LogLine): string => {
  switch (outcome) {
    case 'paused':
      return `paused, its orders wait: ${reason}`;
    case 'probed':
      return `still paused: ${reason}`;
    case 'resumed':
      return `answers again (${reason}): its orders go on`;
    default:
      return switched ? `orders to it are switched ${switched}` : `${outcome}: ${reason}`;
  }
};

const wordsOf = (line: LogLine): { what: string; text: string } => {
  if (line.what === 'control-connection') return { what: 'control', text: controlWords(line) };
  const document = line.documentName ?? line.documentId ?? '';
  const because = line.reason ? `: ${line.reason}` : '';
  const took =
    line.ageMs === undefined
      ? ''
      : `, after ${(((line.ageMs ?? 0) + (line.totalMs ?? 0)) / 1000).toFixed(2)} s`;
  switch (line.outcome) {
    case 'accepted':
      return { what: 'received', text: `verified, normalised, on the bus (${line.totalMs} ms)` };
    case 'notified':
      return {
        what: 'notified',
        text: `verified, names ${line.orderId === undefined ? 'a payment' : 'an order'}: it is read`,
      };
    case 'told':
      return { what: 'told', text: `paid there: order ${line.orderId} is looked at again` };
    case 'found':
      return { what: 'found', text: 'in the shop, and no webhook had brought it: on its way now' };
    case 'fetched':
      return line.what === 'fetch-payments'
        ? { what: 'fetched', text: `payment read (${line.totalMs} ms)` }
        : { what: 'fetched', text: `read at the shop, on the bus (${line.totalMs} ms)` };
    case 'rejected':
      return { what: 'rejected', text: `webhook refused, ${line.code}${because}` };
    case 'pong':
      return { what: 'ping', text: 'the shop asked whether anybody is here: yes' };
    case 'ignored':
      return { what: 'ignored', text: `acknowledged, nothing to do${because}` };
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
    case 'changed':
      return { what: 'changed', text: `${document} changed: ${line.done?.join(', ') ?? '?'}${took}` };
    case 'skipped':
      if (line.code === ASKING)
        return { what: 'asking', text: 'two copies of one version differ: the shop is asked' };
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
        text: `another copy is being written; waits ${seconds(line.retryInMs)}`,
      };
    case 'retry':
      return {
        what: 'retry',
        text: `${line.attempt === undefined ? '' : `attempt ${line.attempt} `}failed, ${line.code}${because}; again in ${seconds(line.retryInMs)}`,
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
