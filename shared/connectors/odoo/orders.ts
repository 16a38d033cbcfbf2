import * as z from 'zod';
import { PermanentError, RetryableError } from '../../core/errors.ts';
import type { ErpOrders } from '../contract.ts';
import { odooAdoption } from './adopt.ts';
import { cancelOrder } from './cancel-order.ts';
import { completeOrder } from './complete-order.ts';
import { callOf, documentOf, inCompany, type OdooOrdersOptions } from './connection.ts';
import { toWire } from './orders.mapper.ts';
import { odooPayments } from './payments.ts';
import type { OdooRefs } from './refs.ts';
import { odooRefunds } from './refunds.ts';
import { resolveOrder } from './resolve.ts';
import type { OdooOrderWire } from './wire.ts';

/** Orders as `sale.order`. The same for every dialect: only verbs of `OdooClient` are used. */
export const odooOrders = (options: OdooOrdersOptions): ErpOrders<OdooRefs, OdooOrderWire> => {
  const { destination, url, client, master, cache } = options;

  /** What somebody must mend in Odoo may be what we remember: forget it, the next attempt asks again. */
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
      const companyId =
        route.company === undefined ? undefined : (await master.company(route.company, { signal })).id;
      const found = await client.searchRead(
        'sale.order',
        {
          domain: [
            ['client_order_ref', '=', reference],
            ...(companyId === undefined ? [] : [['company_id', '=', companyId] as const]),
          ],
          fields: ['name', 'state'],
          order: 'id asc',
        },
        Found,
        inCompany(signal, companyId),
      );
      if (found.length > 1) {
        throw new PermanentError('AMBIGUOUS_REFERENCE', { reference, count: found.length, destination });
      }
      return found[0] && documentOf(url, 'sale.order', found[0].id, found[0].name);
    },

    create: (wire, { signal }) =>
      forgetting(async () => {
        if (wire.vals.partner_id === undefined) {
          throw new RetryableError('CUSTOMER_UNRESOLVED', 'the order was mapped without a customer');
        }
        const call = callOf(wire, signal);
        const quiet = { ...call, context: { ...call.context, mail_create_nosubscribe: true } };
        const id = await client.create('sale.order', wire.vals, { what: 'create-order' }, quiet);
        // Written: a name that cannot be read now must not look like a failed write.
        const [named] = await client
          .read('sale.order', [id], ['name'], Named, call)
          .catch((): z.infer<typeof Named>[] => []);
        return documentOf(url, 'sale.order', id, named?.name);
      }),

    complete: (doc, wire, level, { signal }, asLeft) =>
      forgetting(() => completeOrder(options, doc, wire, level, asLeft, { signal })),

    changes: {
      cancel: (doc, asLeft, route, { signal }) =>
        forgetting(() => cancelOrder(options, doc, asLeft, route, { signal })),
      refunds: odooRefunds(options, forgetting),
    },
    payments: odooPayments(options, forgetting),
    adoption: odooAdoption(options, forgetting),
  };
};

const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const Named = z.looseObject({ id: z.int(), name: text });
const Found = z.looseObject({ id: z.int(), name: text, state: z.string() });
