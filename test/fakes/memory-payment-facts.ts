import type { PaidOrder, PaymentFacts, PaymentFactsStore } from '../../shared/core/payment-facts.ts';

/** Facts of payments in memory; names that payments and orders share are compared when they are asked for. */
export const memoryPaymentFacts = (): PaymentFactsStore => {
  const held = new Map<string, PaymentFacts>();
  /** Every payment that was ever known under a name, and every order that asked for it. */
  const payments = new Map<string, Set<string>>();
  const orders = new Map<string, PaidOrder>();
  const askers = new Map<string, Set<string>>();
  const add = (to: Map<string, Set<string>>, name: string, id: string) =>
    to.set(name, (to.get(name) ?? new Set()).add(id));
  return {
    put: async (facts) => {
      const key = `${facts.source} ${facts.paymentId}`;
      if ((held.get(key)?.asOfMs ?? Number.NEGATIVE_INFINITY) >= facts.asOfMs) return 'older';
      held.set(key, facts);
      return 'kept';
    },
    ordersOf: async ({ source, paymentId, references, orderHint }) => {
      const names = [...references.map((r) => `${source} ref ${r}`), `${source} order ${orderHint}`];
      for (const name of names) add(payments, name, `${source} ${paymentId}`);
      const found = new Set(names.flatMap((name) => [...(askers.get(name) ?? [])]));
      return [...found].flatMap((key) => orders.get(key) ?? []);
    },
    of: async (providers, destination, order) => {
      const { source, orderId, orderNumber, payment, payments: captures = [] } = order;
      const key = `${destination} ${source} ${orderId}`;
      orders.set(key, { destination, source, orderId });
      const names = providers.flatMap(({ source: provider, hint }) => [
        ...[payment.reference, ...captures.flatMap(({ id, reference }) => [id, reference])]
          .filter((reference) => reference !== undefined)
          .map((reference) => `${provider} ref ${reference}`),
        ...(hint === 'id' || hint === 'either' ? [`${provider} order ${orderId}`] : []),
        ...(hint === 'number' || hint === 'either' ? [`${provider} order ${orderNumber}`] : []),
      ]);
      for (const name of names) add(askers, name, key);
      const found = new Set(names.flatMap((name) => [...(payments.get(name) ?? [])]));
      return [...found]
        .flatMap((one) => held.get(one) ?? [])
        .sort((a, b) => (a.paymentId < b.paymentId ? -1 : 1));
    },
  };
};
