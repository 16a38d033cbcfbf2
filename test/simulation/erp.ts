import type { ErpOrders, PeerDocument } from '../../shared/connectors/contract.ts';
import { PermanentError, RetryableError, UnknownOutcomeError } from '../../shared/core/errors.ts';
import type { Level } from '../../shared/core/order-changes.ts';
import type { TooLate } from '../../shared/core/reasons.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import type { Call, Faults } from './actor.ts';
import type { World } from './scheduler.ts';

/** After an unanswered write: how long until a look-up can be trusted. */
export const SETTLE_MS = 30_000;

export interface ErpDocument extends PeerDocument {
  readonly reference: string;
  readonly customer: string;
  /** When the peer's own search finds it. */
  readonly visibleAtMs: number;
  /** Lines and amounts; then address and note. */
  lines: string;
  header: string;
  level: Level | 'new' | 'cancelled';
  /** Delivered or invoiced: it stays as it is. */
  tooLate: TooLate | undefined;
  /** What it said when people changed it by hand. */
  editedFrom: string | undefined;
  /** Counts every change, so that a write which lands late sees that it comes too late. */
  changes: number;
}

export interface CreditNote extends PeerDocument {
  readonly reference: string;
  readonly document: string;
  readonly minor: number;
  readonly visibleAtMs: number;
  isPosted: boolean;
}

export interface Payment extends PeerDocument {
  readonly reference: string;
  readonly document: string;
  readonly direction: 'in' | 'out';
  readonly minor: number;
  readonly visibleAtMs: number;
  isPosted: boolean;
}

interface Customer extends PeerDocument {
  readonly buyer: string;
  readonly visibleAtMs: number;
}

interface OrderWire {
  readonly reference: string;
  readonly customer: string;
  readonly lines: string;
  readonly header: string;
  readonly total: OrderChangedV1['total'];
}

interface RefundWire {
  readonly reference: string;
  readonly document: string;
  readonly total: OrderChangedV1['total'];
}

export const saysOf = ({ lines, header }: Pick<ErpDocument, 'lines' | 'header'>): string =>
  `${lines} | ${header}`;

type PaymentWire = Pick<Payment, 'reference' | 'document' | 'direction' | 'minor'>;

/** How staff's own words are told from ours. */
export const BY_HAND = ', changed by hand';

const RANK: Readonly<Record<Level | 'new', number>> = { new: -1, draft: 0, reserve: 1, confirm: 2 };

/**
 * An ERP that does what the contract of connectors says, and what Odoo was seen to do where that leaves room: a search
 * lags behind writes, references are not unique, a draft is rewritten without its header, a confirmed order is
 * changed only by who knows how it was left.
 */
export const simulatedErp = (world: World, name: string) => {
  const documents: ErpDocument[] = [];
  const notes: CreditNote[] = [];
  const payments: Payment[] = [];
  const customers: Customer[] = [];
  let downUntilMs = 0;

  const by = (document: PeerDocument): ErpDocument | undefined =>
    documents.find(({ id }) => id === document.id);
  const isVisible = ({ visibleAtMs }: { visibleAtMs: number }) => visibleAtMs <= world.nowMs();
  const only = <T extends PeerDocument>(found: readonly T[], reference: string): T | undefined => {
    if (found.length > 1)
      throw new PermanentError('AMBIGUOUS_REFERENCE', { reference, count: found.length, destination: name });
    return found[0];
  };
  const gone = (document: PeerDocument) =>
    new PermanentError('ERP_DOCUMENT_GONE', { destination: name, document: document.id });
  const editedInErp = ({ id }: ErpDocument) =>
    new PermanentError('EDITED_IN_ERP', { document: id, destination: name, erp: 'something else' });
  const tooLate = ({ id }: ErpDocument, change: 'edited' | 'cancelled', because: TooLate) =>
    new PermanentError('TOO_LATE_IN_ERP', { change, document: id, destination: name, because });

  /** The connector at work in one worker. `about`: which order, so that faults are spread. */
  const connect = (call: Call, { fault }: Faults, worker: string): ErpOrders => {
    const refuse = (): void => {
      if (world.nowMs() < downUntilMs || fault('refused', 25)) throw new RetryableError('DOWN', '503');
    };
    const noAnswer = (label: string): UnknownOutcomeError => {
      world.tell(`${worker} gets no answer to ${label}`);
      return new UnknownOutcomeError('NO_ANSWER', 'connection reset');
    };
    const read = <T>(label: string, effect: () => T): Promise<T> =>
      call(label, async () => {
        refuse();
        return effect();
      });
    /** One write: `check` when it arrives, `land` now or within the settle time. */
    const write = <T>(label: string, check: () => T, land: (settledInMs: number) => void): Promise<T> =>
      call(label, async () => {
        refuse();
        if (fault('lost-before', 40)) throw noAnswer(label);
        const answer = check();
        const lateMs = fault('late-write', 16) ? 1 + world.choose(SETTLE_MS - 1) : 0;
        if (lateMs > 0) {
          world.later(lateMs, () => land(SETTLE_MS - lateMs));
          throw noAnswer(label);
        }
        land(SETTLE_MS);
        if (fault('lost-after', 16)) throw noAnswer(label);
        return answer;
      });
    const visible = (settledInMs: number) => world.nowMs() + world.choose(Math.max(1, settledInMs));
    /** A change of a document; late, it is dropped when another came before it, as a database would. */
    const change = <T>(
      label: string,
      document: PeerDocument,
      check: () => T,
      land: (d: ErpDocument) => void,
    ) => {
      let seen: number | undefined;
      return write(
        label,
        () => {
          seen = by(document)?.changes;
          return check();
        },
        () => {
          const held = by(document);
          if (!held || held.changes !== seen) return;
          const before = `${saysOf(held)} (${held.level})`;
          land(held);
          const after = `${saysOf(held)} (${held.level})`;
          if (after === before) return;
          held.changes += 1;
          world.tell(`${name}: ${held.id} is now ${after}`);
        },
      );
    };

    return {
      resolve: async (order, { once }) => {
        const buyer = order.buyer.id ?? '';
        if (!once) return { customer: buyer };
        const { id } = await once(`customer ${buyer}`, {
          find: () =>
            read('find customer', () =>
              only(
                customers.filter((c) => c.buyer === buyer && isVisible(c)),
                buyer,
              ),
            ),
          create: () => {
            made += 1;
            const id = `${name}-C${made}`;
            return write(
              'create customer',
              () => ({ id }),
              (settledInMs) => {
                customers.push({ id, buyer, visibleAtMs: visible(settledInMs) });
                world.tell(`${name}: ${id} is made for ${buyer}`);
              },
            );
          },
        });
        return { customer: id };
      },
      toWire: (order, refs, reference) => ({
        value: {
          reference,
          customer: (refs as { customer: string }).customer,
          lines: order.lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join(' + '),
          header: `${order.shipping?.line1 ?? ''} / ${order.buyerNote ?? ''}`,
          total: order.total,
        } satisfies OrderWire,
        warnings: [],
      }),
      find: (reference) =>
        read('find', () => {
          const found = only(
            documents.filter((d) => d.reference === reference && isVisible(d)),
            reference,
          );
          world.tell(`${worker} finds ${found?.id ?? 'nothing'}`);
          return found && { id: found.id };
        }),
      create: (wire) => {
        const { reference, customer, lines, header } = wire as OrderWire;
        let id = '';
        return write(
          'create',
          () => {
            made += 1;
            id = `${name}-${made}`;
            return { id };
          },
          (settledInMs) => {
            documents.push({
              id,
              reference,
              customer,
              visibleAtMs: visible(settledInMs),
              lines,
              header,
              level: 'new',
              tooLate: undefined,
              editedFrom: undefined,
              changes: 0,
            });
            world.tell(`${name}: ${id} is made for ${reference}: ${lines} | ${header}`);
          },
        );
      },
      complete: (document, wire, level, _call, asLeft) => {
        const { lines, header, total } = wire as OrderWire;
        const isChange = asLeft !== undefined;
        let isHalf = false;
        let says = '';
        return change(
          'complete',
          document,
          () => {
            const held = by(document);
            if (!held || held.level === 'cancelled') throw gone(document);
            const isSame = isChange ? saysOf(held) === saysOf({ lines, header }) : held.lines === lines;
            if (isChange && !isSame && saysOf(held) !== asLeft) throw editedInErp(held);
            const isOpen = RANK[held.level] < RANK.confirm;
            if (!isSame && isChange && held.tooLate) throw tooLate(held, 'edited', held.tooLate);
            if (!isSame && !isChange && !isOpen) {
              const amounts = { shop: lines, erp: held.lines, difference: '?', tolerance: '1' };
              throw new PermanentError('TOTAL_MISMATCH', amounts);
            }
            says = isChange ? saysOf({ lines, header }) : saysOf({ lines, header: held.header });
            // Several writes make one completion; a worker may be cut off between them.
            isHalf = fault('half-done', 60);
            return {
              id: held.id,
              total,
              rounding: { minor: 0, currency: total.currency },
              fingerprint: says,
              warnings: [],
            };
          },
          (held) => {
            held.lines = lines;
            if (isChange) held.header = header;
            if (!isHalf && held.level !== 'cancelled' && RANK[held.level] < RANK[level]) held.level = level;
          },
        ).then((completed) => {
          if (isHalf) throw noAnswer('complete, half done');
          return completed;
        });
      },
      payments: {
        resolve: async () => ({}),
        toWire: ({ payment: { direction, amount }, reference, document }) => ({
          value: { reference, document: document.id, direction, minor: amount.minor } satisfies PaymentWire,
          warnings: [],
        }),
        find: ({ reference }) =>
          read('find payment', () => {
            const found = only(
              payments.filter((p) => p.reference === reference && isVisible(p)),
              reference,
            );
            return found && { id: found.id };
          }),
        create: (wire) => {
          const payment = wire as PaymentWire;
          let id = '';
          return write(
            'create payment',
            () => {
              made += 1;
              id = `${name}-P${made}`;
              return { id };
            },
            (settledInMs) => {
              payments.push({ ...payment, id, visibleAtMs: visible(settledInMs), isPosted: false });
              world.tell(`${name}: ${id} is ${payment.minor} ${payment.direction} for ${payment.reference}`);
            },
          );
        },
        complete: (payment, wire) => {
          const { minor } = wire as PaymentWire;
          return write(
            'post payment',
            () => {
              if (!payments.some(({ id }) => id === payment.id)) throw gone(payment);
              return { id: payment.id, amount: { minor, currency: 'TWD' }, warnings: [] };
            },
            () => {
              const held = payments.find(({ id }) => id === payment.id);
              if (held) held.isPosted = true;
            },
          );
        },
      },
      changes: {
        cancel: (document, asLeft) =>
          change(
            'cancel',
            document,
            () => {
              const held = by(document);
              if (!held || held.level === 'cancelled') return;
              if (held.tooLate) throw tooLate(held, 'cancelled', held.tooLate);
              if (asLeft !== undefined && saysOf(held) !== asLeft) throw editedInErp(held);
            },
            (held) => {
              held.level = 'cancelled';
            },
          ),
        refunds: {
          toWire: ({ refund, reference, document }) => ({
            value: { reference, document: document.id, total: refund.total } satisfies RefundWire,
            warnings: [],
          }),
          find: ({ reference }) =>
            read('find credit note', () => {
              const found = only(
                notes.filter((n) => n.reference === reference && isVisible(n)),
                reference,
              );
              return found && { id: found.id };
            }),
          create: (wire) => {
            const { reference, document, total } = wire as RefundWire;
            let id = '';
            return write(
              'create credit note',
              () => {
                made += 1;
                id = `${name}-R${made}`;
                return { id };
              },
              (settledInMs) => {
                notes.push({
                  id,
                  reference,
                  document,
                  minor: total.minor,
                  visibleAtMs: visible(settledInMs),
                  isPosted: false,
                });
                world.tell(`${name}: ${id} credits ${total.minor} for ${reference}`);
              },
            );
          },
          complete: (note, wire) => {
            const { total } = wire as RefundWire;
            return write(
              'post credit note',
              () => {
                if (!notes.some(({ id }) => id === note.id)) throw gone(note);
                return { id: note.id, total, warnings: [] };
              },
              () => {
                const held = notes.find(({ id }) => id === note.id);
                if (held) held.isPosted = true;
              },
            );
          },
        },
      },
    };
  };
  let made = 0;

  return {
    name,
    documents,
    notes,
    payments,
    customers,
    connect,
    goDown: (ms: number) => {
      downUntilMs = world.nowMs() + ms;
    },
    /** @returns whether there was such a document, and people could do that to it */
    editByHand: (reference: string): boolean => {
      const held = documents.find((d) => d.reference === reference);
      if (!held || held.level === 'cancelled' || held.editedFrom !== undefined) return false;
      held.editedFrom = saysOf(held);
      held.header += BY_HAND;
      held.changes += 1;
      world.tell(`${name}: people change ${held.id} by hand`);
      return true;
    },
    handOver: (reference: string, because: TooLate): boolean => {
      const held = documents.find((d) => d.reference === reference);
      if (held?.level !== 'confirm') return false;
      held.tooLate = because;
      held.changes += 1;
      world.tell(`${name}: ${held.id} is ${because}`);
      return true;
    },
  };
};

export type SimulatedErp = ReturnType<typeof simulatedErp>;
