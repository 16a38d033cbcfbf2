import * as z from 'zod';
import { PermanentError, RetryableError } from '../../core/errors.ts';
import type { ErpOrders } from '../contract.ts';
import { trytonAdoption } from './adopt.ts';
import { cancelOrder } from './cancel-order.ts';
import { completeOrder } from './complete-order.ts';
import { documentOf, inCompany, type TrytonOrdersOptions } from './connection.ts';
import { Id, Text } from './json.ts';
import { toWire } from './orders.mapper.ts';
import { trytonPayments } from './payments.ts';
import type { TrytonRefs } from './refs.ts';
import { trytonRefunds } from './refunds.ts';
import { resolveOrder } from './resolve.ts';
import type { TrytonOrderWire } from './wire.ts';

/** Orders as `sale.sale`. */
export const trytonOrders = (options: TrytonOrdersOptions): ErpOrders<TrytonRefs, TrytonOrderWire> => {
  const { destination, client, master, cache } = options;

  /** What somebody must mend in Tryton may be what we remember: forget it, the next attempt asks again. */
  const forgetting = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof PermanentError) cache.clear();
      throw error;
    }
  };

  return {
    resolve: (order, context) => forgetting(() => resolveOrder(options.resolve, order, context)),

    toWire,

    find: async (reference, route, { signal }) => {
      const company = await master.company(route.company, { signal });
      const domain = [
        ['reference', '=', reference],
        // A return that staff make of the sale has the same reference (observed on 6.0).
        ['origin', '=', null],
        ['company', '=', company.id],
      ] as const;
      const query = { domain, fields: ['number'] };
      const found = await client.searchRead('sale.sale', query, Found, inCompany(signal, company.id));
      if (found.length > 1) {
        throw new PermanentError('AMBIGUOUS_REFERENCE', { reference, count: found.length, destination });
      }
      return found[0] && documentOf(options, found[0].id, found[0].number);
    },

    create: (wire, { signal }) =>
      forgetting(async () => {
        if (wire.values.party === undefined) {
          throw new RetryableError('CUSTOMER_UNRESOLVED', 'the order was mapped without a customer');
        }
        const call = inCompany(signal, wire.companyId);
        const id = await client.create('sale.sale', wire.values, { what: 'create-order' }, call);
        // It has no number before it is quoted.
        return documentOf(options, id, undefined);
      }),

    complete: (doc, wire, level, { signal }, asLeft) =>
      forgetting(() => completeOrder(options, doc, wire, level, asLeft, { signal })),

    changes: {
      cancel: (doc, asLeft, route, { signal }) =>
        forgetting(() => cancelOrder(options, doc, asLeft, route, { signal })),
      refunds: trytonRefunds(options, forgetting),
    },

    payments: trytonPayments(options, forgetting),

    adoption: trytonAdoption(options, forgetting),
  };
};

const Found = z.looseObject({ id: Id, number: Text });
