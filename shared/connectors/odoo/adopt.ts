import * as z from 'zod';
import { buyerMarks } from '../../core/buyer-marks.ts';
import { PermanentError } from '../../core/errors.ts';
import { moneyRounded } from '../../core/money.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type {
  ChangeWindow,
  DocumentDifference,
  ErpAdoption,
  ErpCandidate,
  PeerDocument,
} from '../contract.ts';
import { differencesOf } from './adopt-compare.ts';
import type { OdooCall } from './client.ts';
import { documentOf, inCompany, type OdooOrdersOptions } from './connection.ts';
import { Many2one } from './master-data.ts';
import { odooDatetime } from './orders.mapper.ts';
import { CONFIRMED, fingerprintOf, idOf, readHeld } from './sale-order.ts';
import type { OdooOrderWire } from './wire.ts';

const PAGE = 200;

/**
 * `sale.order` that people entered. They note the shop's number under "Customer Reference" or "Source Document"; the date is
 * the order date, which Odoo sets to the moment of confirmation (observed on 16 to 19).
 */
export const odooAdoption = (
  { client, master, destination, url }: OdooOrdersOptions,
  forgetting: <T>(work: () => Promise<T>) => Promise<T>,
): ErpAdoption => {
  const callFor = async (
    route: OrderRoute,
    signal: AbortSignal,
  ): Promise<OdooCall & { companyId?: number }> => {
    if (route.company === undefined) return inCompany(signal, undefined);
    const { id } = await master.company(route.company, { signal });
    return { ...inCompany(signal, id), companyId: id };
  };

  async function* candidates(
    { fromMs, untilMs }: ChangeWindow,
    route: OrderRoute,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<readonly ErpCandidate[], void, undefined> {
    const { companyId, ...call } = await callFor(route, signal);
    const at = (ms: number) => odooDatetime(new Date(ms).toISOString());
    for (let after = 0; ; ) {
      const orders = await client.searchRead(
        'sale.order',
        {
          domain: [
            ['id', '>', after],
            ['date_order', '>=', at(fromMs)],
            ['date_order', '<', at(untilMs)],
            ...(companyId === undefined ? [] : [['company_id', '=', companyId] as const]),
          ],
          fields: ORDER_FIELDS,
          order: 'id asc',
          limit: PAGE,
        },
        Entered,
        call,
      );
      const last = orders.at(-1);
      if (!last) return;
      yield await described(orders, call);
      if (orders.length < PAGE) return;
      after = last.id;
    }
  }

  const described = async (orders: readonly Entered[], call: OdooCall): Promise<readonly ErpCandidate[]> => {
    const partners = await partnersOf(orders, call);
    const steps = await stepsOf(orders, call);
    return orders.flatMap((order): ErpCandidate[] => {
      const currency = steps.get(idOf(order.currency_id) ?? 0);
      const datedAtMs = Date.parse(`${order.date_order.replace(' ', 'T')}Z`);
      if (!currency || Number.isNaN(datedAtMs)) return [];
      const named = partnerIds(order).flatMap((id) => partners.get(id) ?? []);
      return [
        {
          document: documentOf(url, 'sale.order', order.id, order.name),
          datedAtMs,
          total: moneyRounded(String(order.amount_total), currency.name),
          stepMinor: moneyRounded(String(currency.rounding), currency.name).minor,
          state: stateOf(order.state),
          reference: order.client_order_ref,
          mentions: [order.client_order_ref, order.origin].filter(Boolean),
          buyer: buyerMarks({
            emails: named.map(({ email }) => email),
            phones: named.flatMap(({ phone, mobile }) => [phone, mobile]),
            names: named.map(({ name }) => name),
          }),
        },
      ];
    });
  };

  const partnersOf = async (orders: readonly Entered[], call: OdooCall) => {
    const { mobile } = await master.fields('res.partner', ['mobile'], call);
    const ids = [...new Set(orders.flatMap(partnerIds))];
    const fields = ['name', 'email', 'phone', ...(mobile ? ['mobile'] : [])];
    const partners = await client.read('res.partner', ids, fields, Partner, call);
    return new Map(partners.map((partner) => [partner.id, partner]));
  };

  const stepsOf = async (orders: readonly Entered[], call: OdooCall) => {
    const ids = [...new Set(orders.flatMap(({ currency_id }) => idOf(currency_id) ?? []))];
    const currencies = await client.read('res.currency', ids, ['name', 'rounding'], Currency, call);
    return new Map(currencies.map((currency) => [currency.id, currency]));
  };

  /** Taxes as people know them. */
  const inNames = async (differences: readonly DocumentDifference[], call: OdooCall) => {
    const idsIn = (text: string) => text.split(' ').filter(Boolean).map(Number);
    const ids = differences.flatMap(({ what, ours, theirs }) =>
      what === 'taxes' ? [...idsIn(ours), ...idsIn(theirs)] : [],
    );
    const taxes = await client.read('account.tax', [...new Set(ids)], ['name'], Tax, call);
    const names = new Map(taxes.map(({ id, name }) => [id, name]));
    const named = (text: string) =>
      idsIn(text)
        .map((id) => names.get(id) ?? `id:${id}`)
        .join(' + ');
    return differences.map((difference) =>
      difference.what === 'taxes'
        ? { ...difference, ours: named(difference.ours), theirs: named(difference.theirs) }
        : difference,
    );
  };

  const gone = (document: PeerDocument) =>
    new PermanentError('ERP_DOCUMENT_GONE', {
      destination,
      document: document.name ?? `sale.order ${document.id}`,
    });

  return {
    candidates,

    compare: (document, wire, route, { signal }) =>
      forgetting(async () => {
        const { companyId: _, ...call } = await callFor(route, signal);
        const held = await readHeld(client, master, Number(document.id), call);
        if (!held) throw gone(document);
        const differences = differencesOf(held, wire as OdooOrderWire);
        return differences.some(({ what }) => what === 'taxes') ? inNames(differences, call) : differences;
      }),

    adopt: (document, reference, route, { signal }) =>
      forgetting(async () => {
        const { companyId: _, ...call } = await callFor(route, signal);
        const id = Number(document.id);
        const [noted] = await client.read('sale.order', [id], ['client_order_ref', 'origin'], Noted, call);
        const held = noted && (await readHeld(client, master, id, call));
        if (!held) throw gone(document);
        const { client_order_ref: old, origin } = noted;
        if (reference !== undefined && old !== reference) {
          const kept = [origin, old].filter(Boolean).join(', ');
          await client.write(
            'sale.order',
            [id],
            { client_order_ref: reference, ...(kept !== origin && { origin: kept }) },
            { what: 'change-order', document: held.order.name },
            call,
          );
        }
        return {
          ...documentOf(url, 'sale.order', id, held.order.name),
          state: stateOf(held.order.state),
          fingerprint: fingerprintOf(held),
        };
      }),
  };
};

/** Quotations are drafts, also those that approval modules hold. */
const stateOf = (state: string): ErpCandidate['state'] => {
  if (state === 'cancel') return 'cancelled';
  return CONFIRMED.has(state) ? 'confirmed' : 'draft';
};

const partnerIds = (order: Entered): number[] =>
  [order.partner_id, order.partner_invoice_id, order.partner_shipping_id].flatMap(
    (field) => idOf(field) ?? [],
  );

const ORDER_FIELDS = [
  'name',
  'state',
  'date_order',
  'amount_total',
  'currency_id',
  'client_order_ref',
  'origin',
  'partner_id',
  'partner_invoice_id',
  'partner_shipping_id',
] as const;
const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const Noted = z.looseObject({ id: z.int(), client_order_ref: text, origin: text });
const Entered = Noted.extend({
  name: text,
  state: z.string(),
  date_order: text,
  amount_total: z.number(),
  currency_id: Many2one,
  partner_id: Many2one,
  partner_invoice_id: Many2one,
  partner_shipping_id: Many2one,
});
type Entered = z.infer<typeof Entered>;
const Partner = z.looseObject({
  id: z.int(),
  name: text,
  email: text,
  phone: text,
  mobile: text.default(''),
});
const Tax = z.looseObject({ id: z.int(), name: text });
const Currency = z.looseObject({ id: z.int(), name: z.string(), rounding: z.number() });
