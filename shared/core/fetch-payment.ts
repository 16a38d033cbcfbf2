import type { PaymentReads, ProviderPayment } from '../connectors/contract.ts';
import type { Publish } from '../events/catalogue.ts';
import type { Envelope } from '../events/envelope.ts';
import type { PaymentNotifiedV1 } from '../events/payment-notified.ts';
import { PermanentError, RetryableError } from './errors.ts';
import { givingUp, remember } from './give-up.ts';
import type { Journal } from './journal.ts';
import type { JournalReads, Timelines } from './journal-reads.ts';
import { moneyText } from './money.ts';
import type { PaidOrder, PaymentFactsStore } from './payment-facts.ts';
import type { Clock } from './ports.ts';
import type { WorkContext } from './sqs-batch.ts';

export interface FetchPaymentPorts {
  readonly reads: Pick<PaymentReads, 'payment'>;
  readonly facts: Pick<PaymentFactsStore, 'put' | 'ordersOf'>;
  readonly journal: Pick<JournalReads, 'snapshot'> & Pick<Journal, 'settled'>;
  readonly timeline: Pick<Timelines, 'note' | 'reopen'>;
  readonly publish: Publish;
  readonly nowMs: Clock;
  readonly newId: () => string;
  /** Multiplies waiting times; 1 in production. */
  readonly timeScale: number;
  /** When reading began, of the payments that this process read last. */
  readonly recent: Map<string, number>;
  /** An order was published again. */
  readonly onPublished?: (order: Pick<PaidOrder, 'source' | 'orderId'>) => void;
}

export type FetchPaymentOutcome =
  | {
      readonly kind: 'fetched';
      /** Orders that were published again. */
      readonly orders: readonly PaidOrder[];
      readonly disputes: number;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'skipped'; readonly reason: string; readonly why: string };

/**
 * Read one payment at its provider, keep what it says, and publish the order again that it belongs to, as it was when it
 * came: who writes orders knows the copy, and asks for the facts. An order that is not there yet will ask by itself.
 * Everything here can be repeated.
 * @throws PermanentError PAYMENT_UNREADABLE, RETRIES_EXHAUSTED: to be parked
 * @throws RetryableError provider, tables or bus did not answer, or the order is not recorded yet
 */
export const fetchPayment = async (
  ports: FetchPaymentPorts,
  { meta, data }: Envelope<PaymentNotifiedV1>,
  call: WorkContext,
): Promise<FetchPaymentOutcome> => {
  const { source, paymentId, why } = data;
  // One capture is told by several events at once. A dispute is always told of.
  if (why === 'push' && meta.receivedAtMs < (ports.recent.get(paymentId) ?? 0)) {
    return { kind: 'skipped', reason: 'FETCHED_SINCE', why: 'read since this push came' };
  }
  try {
    // Before the request leaves: whatever changes from here on leads to another push.
    const asOfMs = ports.nowMs();
    const fetched = await ports.reads.payment(paymentId, call);
    if (!fetched) {
      return {
        kind: 'skipped',
        reason: 'PAYMENT_GONE',
        why: `${source} knows no payment ${paymentId}, or not with this key`,
      };
    }
    if (fetched.kind === 'unreadable') {
      throw new PermanentError('PAYMENT_UNREADABLE', { source, paymentId, problem: fetched.reason });
    }
    const { disputes, ...facts } = fetched.payment;
    const kept = { ...facts, source, asOfMs };
    await ports.facts.put(kept);
    const orders = await ports.facts.ordersOf(kept);
    await announce(ports, orders, source, fetched.payment);
    remember(ports.recent, paymentId, asOfMs);
    return { kind: 'fetched', orders, disputes: disputes.length, warnings: fetched.warnings };
  } catch (error) {
    throw givingUp(error, { receive: call.receive, receivedAtMs: meta.receivedAtMs }, ports);
  }
};

/** Each order once, also when two ERPs have it. */
const announce = async (
  ports: FetchPaymentPorts,
  orders: readonly PaidOrder[],
  provider: string,
  payment: ProviderPayment,
): Promise<void> => {
  const published = new Set<string>();
  for (const { destination, source, orderId } of orders) {
    const at = [destination, source, orderId] as const;
    const settled = await ports.journal.settled(...at);
    const isOver = settled?.state === 'parked' || settled?.state === 'discarded';
    const step = { atMs: ports.nowMs(), ...wordsOf(provider, payment) };
    // Booking it is work that is not done yet: the sweep must know of it, should the queue forget.
    if (settled?.state === 'done') await ports.timeline.reopen(...at, step);
    else await ports.timeline.note(...at, step);
    if (payment.disputes.length > 0) {
      await ports.timeline.note(...at, { atMs: ports.nowMs(), ...disputeWords(provider, payment) });
    }
    // A parked order asks for the facts when it is redriven; of a discarded one a person has decided.
    if (isOver) continue;
    const event = await ports.journal.snapshot(...at);
    if (!event) throw new RetryableError('NOT_RECORDED', 'the order of this payment is not recorded yet');
    if (published.has(event.meta.id)) continue;
    await ports.publish('order.changed.v1', {
      // As it was when it came, so that it is recognised as the copy that it is.
      meta: { ...event.meta, id: ports.newId(), via: 'replay' },
      data: event.data,
    });
    published.add(event.meta.id);
    ports.onPublished?.({ source, orderId });
  }
};

const wordsOf = (provider: string, { paymentId, captured, refunds }: ProviderPayment) => ({
  code: 'PAYMENT_READ',
  text: [
    `${provider} ${paymentId}: ${captured.map(({ amount }) => moneyText(amount)).join(' + ') || 'nothing'} captured`,
    ...refunds.map(({ amount, state }) => `${moneyText(amount)} to be given back: ${state}`),
  ].join(', '),
});

const disputeWords = (provider: string, { paymentId, disputes }: ProviderPayment) => ({
  code: 'PAYMENT_DISPUTED',
  text: disputes
    .map(
      ({ amount, reason, status }) =>
        `The buyer disputes ${moneyText(amount)} of ${paymentId} (${reason}), ${status}: answer it at ${provider}. Nothing is booked.`,
    )
    .join(' '),
});
