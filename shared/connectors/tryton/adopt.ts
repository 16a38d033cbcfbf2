import * as z from 'zod';
import { buyerMarks } from '../../core/buyer-marks.ts';
import { PermanentError } from '../../core/errors.ts';
import { moneyRounded } from '../../core/money.ts';
import type {
  ChangeWindow,
  DocumentDifference,
  ErpAdoption,
  ErpCandidate,
  PeerDocument,
} from '../contract.ts';
import { differencesOf } from './adopt-compare.ts';
import type { Domain, TrytonCall } from './client.ts';
import { documentOf, inCompany, type TrytonOrdersOptions } from './connection.ts';
import { Day, Decimal, Id, Text, trytonDate } from './json.ts';
import { dayIn } from './orders.mapper.ts';
import { fingerprintOf, isCancelled, isOpen, nameOf, readSale } from './sale.ts';
import type { TrytonOrderWire } from './wire.ts';

const PAGE = 200;
const NOON = 'T12:00:00Z';

/**
 * `sale.sale` that people entered. They note the shop's number under "Reference" or "Description". A sale has a date and no
 * time: noon UTC of it stands for it, and for a draft without date the moment in which it was made.
 */
export const trytonAdoption = (
  options: TrytonOrdersOptions,
  forgetting: <T>(work: () => Promise<T>) => Promise<T>,
): ErpAdoption => {
  const { client, master, destination } = options;

  const described = async (sales: readonly Entered[], call: TrytonCall): Promise<readonly ErpCandidate[]> => {
    const ids = [...new Set(sales.map(({ party }) => party))];
    const parties = new Map(
      (
        await client.searchRead(
          'party.party',
          { domain: [['id', 'in', ids]], fields: PARTY_FIELDS },
          Party,
          // Archived ones too: their sales are still theirs.
          { ...call, context: { ...call.context, active_test: false } },
        )
      ).map((party) => [party.id, party]),
    );
    return sales.map((sale) => {
      const { code, rounding } = sale['currency.'];
      const party = parties.get(sale.party);
      const contacts = party?.['contact_mechanisms.'] ?? [];
      return {
        document: documentOf(options, sale.id, sale.number),
        datedAtMs: dateOf(sale),
        total: moneyRounded(sale.total_amount, code),
        stepMinor: moneyRounded(rounding, code).minor,
        state: stateOf(sale),
        reference: sale.reference,
        mentions: [sale.reference, sale.description].filter(Boolean),
        buyer: buyerMarks({
          emails: contacts.filter(({ type }) => type === 'email').map(({ value }) => value),
          phones: contacts.filter(({ type }) => type !== 'email').map(({ value }) => value),
          names: [party?.name, sale['shipment_address.']?.party_name, sale['invoice_address.']?.party_name],
        }),
      };
    });
  };

  /** Taxes as people know them. */
  const inNames = async (
    differences: readonly DocumentDifference[],
    call: TrytonCall,
  ): Promise<readonly DocumentDifference[]> => {
    const idsIn = (text: string) => text.split(' ').filter(Boolean).map(Number);
    const taxes = differences.filter(({ what }) => what === 'taxes');
    if (taxes.length === 0) return differences;
    const ids = taxes.flatMap(({ ours, theirs }) => [...idsIn(ours), ...idsIn(theirs)]);
    const query = { domain: [['id', 'in', [...new Set(ids)]]], fields: ['name'] } as const;
    const found = await client.searchRead('account.tax', query, Tax, call);
    const names = new Map(found.map(({ id, name }) => [id, name]));
    const named = (text: string) =>
      idsIn(text)
        .map((id) => names.get(id) ?? `id:${id}`)
        .join(' + ');
    return differences.map((each) =>
      each.what === 'taxes' ? { ...each, ours: named(each.ours), theirs: named(each.theirs) } : each,
    );
  };

  const gone = (document: PeerDocument) =>
    new PermanentError('ERP_DOCUMENT_GONE', {
      destination,
      document: document.name ?? `sale.sale ${document.id}`,
    });

  return {
    compare: (document, wire, route, { signal }) =>
      forgetting(async () => {
        const company = await master.company(route.company, { signal });
        const call = inCompany(signal, company.id);
        const sale = await readSale(client, Number(document.id), call);
        if (!sale) throw gone(document);
        return inNames(differencesOf(sale, wire as TrytonOrderWire), call);
      }),

    candidates: async function* ({ fromMs, untilMs }: ChangeWindow, route, { signal }) {
      const company = await master.company(route.company, { signal });
      const call = inCompany(signal, company.id);
      const day = (ms: number) => trytonDate(dayIn(company.timeZone, new Date(ms).toISOString()));
      for (let after = 0; ; ) {
        const domain: Domain = [
          ['id', '>', after],
          ['company', '=', company.id],
          // Returns are no orders.
          ['origin', '=', null],
          ['OR', ['sale_date', '=', null], ['sale_date', '>=', day(fromMs)]],
          ['OR', ['sale_date', '=', null], ['sale_date', '<=', day(untilMs)]],
        ];
        const query = { domain, fields: SALE_FIELDS, limit: PAGE };
        const sales = await client.searchRead('sale.sale', query, Entered, call);
        const last = sales.at(-1);
        if (!last) return;
        const dated = sales.filter((sale) => dateOf(sale) >= fromMs && dateOf(sale) < untilMs);
        if (dated.length > 0) yield await described(dated, call);
        if (sales.length < PAGE) return;
        after = last.id;
      }
    },

    adopt: (document, reference, route, { signal }) =>
      forgetting(async () => {
        const company = await master.company(route.company, { signal });
        const call = inCompany(signal, company.id);
        const id = Number(document.id);
        const query = { domain: [['id', '=', id]], fields: ['reference', 'description'] } as const;
        const [noted] = await client.searchRead('sale.sale', query, Noted, call);
        const sale = noted && (await readSale(client, id, call));
        if (!sale) throw gone(document);
        const { reference: old, description } = noted;
        if (reference !== undefined && old !== reference) {
          const kept = [description, old].filter(Boolean).join(', ');
          await client.write(
            'sale.sale',
            [id],
            { reference, ...(kept !== description && { description: kept }) },
            { what: 'change-order', document: nameOf(sale) },
            call,
          );
        }
        const state = isCancelled(sale) ? 'cancelled' : isOpen(sale) ? 'draft' : 'confirmed';
        return { ...documentOf(options, id, sale.number), state, fingerprint: fingerprintOf(sale) };
      }),
  };
};

const dateOf = ({ sale_date, create_date }: Entered): number =>
  Date.parse(`${sale_date ?? create_date}${NOON}`);

const stateOf = (sale: Entered): ErpCandidate['state'] => {
  const documents = [...sale['shipments.'], ...sale['invoices.']];
  if (sale.state === 'cancelled') return 'cancelled';
  // See `isCancelled`: a processed sale ends as done.
  if (
    sale.state === 'done' &&
    documents.length > 0 &&
    documents.every(({ state }) => state === 'cancelled')
  ) {
    return 'cancelled';
  }
  return sale.state === 'draft' || sale.state === 'quotation' ? 'draft' : 'confirmed';
};

const SALE_FIELDS = [
  'number',
  'reference',
  'description',
  'state',
  'sale_date',
  'create_date',
  'total_amount',
  'currency.code',
  'currency.rounding',
  'party',
  'invoice_address.party_name',
  'shipment_address.party_name',
  'shipments.state',
  'invoices.state',
] as const;
const PARTY_FIELDS = ['name', 'contact_mechanisms.type', 'contact_mechanisms.value'] as const;

const Noted = z.looseObject({ id: Id, reference: Text, description: Text });
const Tax = z.looseObject({ id: Id, name: Text });
const States = z.array(z.looseObject({ state: z.string() }));
const AddressName = z.looseObject({ party_name: Text }).nullish();
/** A date and a time; only its day is of use. */
const CreatedDay = z
  .looseObject({ year: z.int(), month: z.int(), day: z.int() })
  .transform(({ year, month, day }) => new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10));
const Entered = Noted.extend({
  number: Text,
  state: z.string(),
  sale_date: Day.nullable(),
  create_date: CreatedDay,
  total_amount: Decimal,
  'currency.': z.looseObject({ code: z.string(), rounding: Decimal }),
  party: Id,
  'invoice_address.': AddressName,
  'shipment_address.': AddressName,
  'shipments.': States,
  'invoices.': States,
});
type Entered = z.infer<typeof Entered>;
const Party = z.looseObject({
  id: Id,
  name: Text,
  'contact_mechanisms.': z.array(z.looseObject({ type: Text, value: Text })),
});
