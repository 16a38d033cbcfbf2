import { createHash } from 'node:crypto';
import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import type { OrderAddress, OrderChangedV1 } from '../../events/order-changed.ts';
import type { Once, OrderContext, PeerDocument } from '../contract.ts';
import type { Domain, TrytonCall, TrytonClient } from './client.ts';
import { Id, Text } from './json.ts';
import type { MasterData } from './master-data.ts';
import type { CustomerRefs } from './refs.ts';

export interface CustomerResult extends CustomerRefs {
  readonly warnings: readonly string[];
}

interface CustomerRequest {
  readonly order: OrderChangedV1;
  readonly context: OrderContext;
  readonly call: TrytonCall;
}

type Party = z.infer<typeof Party>;
type PartyAddress = Party['addresses.'][number];

/** An address of the order in Tryton's fields, and the company that the goods or the invoice go to. */
interface Address {
  readonly values: AddressValues;
  readonly company: string;
}

/** Empty where the order says nothing. */
interface AddressValues {
  /** Who it goes to, where that is not the party. */
  readonly party_name: string;
  readonly street: string;
  readonly city: string;
  readonly postal_code: string;
  readonly country: number | null;
  readonly subdivision: number | null;
}

/**
 * The customer of an order: found by our key among the identifiers of parties, then by mail, else created, each once
 * however many orders come at the same time. A party that exists is never edited, other addresses are added to it.
 */
export const customers = (client: TrytonClient, master: MasterData, destination: string) => {
  const search = (domain: Domain, call: TrytonCall): Promise<Party[]> =>
    client.searchRead('party.party', { domain, fields: PARTY_FIELDS }, Party, call);

  /** Creates through `once` and reads what came of it; what was deleted or archived since is replaced. */
  const ensure = async <T extends { readonly id: number }>(
    once: Once,
    subject: string,
    steps: {
      read(id: number): Promise<T | undefined>;
      find(): Promise<T | undefined>;
      create(): Promise<number>;
    },
  ): Promise<T> => {
    const document = await once(subject, {
      find: async () => {
        const found = await steps.find();
        return found && asDocument(found.id);
      },
      create: async () => asDocument(await steps.create()),
    });
    const id = Number(document.id);
    return (await steps.read(id)) ?? ensure(once, `${subject}:after-${id}`, steps);
  };

  const partyById = async (id: number, call: TrytonCall): Promise<Party | undefined> =>
    (await search([['id', '=', id]], call))[0];

  const addressValues = async (
    address: OrderAddress,
    call: TrytonCall,
    warnings: string[],
  ): Promise<Address> => {
    const country = address.country?.trim();
    const countryId = country ? await master.country(country, call) : undefined;
    const region = address.region?.trim();
    const subdivision =
      country && countryId !== undefined && region
        ? await master.subdivision(countryId, country, region, call)
        : undefined;
    if (region && subdivision === undefined) {
      warnings.push(
        `${destination} knows no subdivision "${region}" of ${country ?? 'no country'}: left empty.`,
      );
    }
    const company = clean(address.company);
    const values = {
      party_name: clean(address.name) || company,
      street: [clean(address.line1), clean(address.line2)].filter(Boolean).join('\n'),
      city: clean(address.city),
      postal_code: clean(address.postcode),
      country: countryId ?? null,
      subdivision: subdivision ?? null,
    };
    return { values, company };
  };

  /** The party's address that is this one, found or added. */
  const addressOf = async (
    party: Party,
    address: Address,
    what: 'create-invoice-address' | 'create-delivery-address',
    { context, call }: CustomerRequest,
  ): Promise<number | undefined> => {
    const wanted = namedFor(party, address);
    const found = party['addresses.'].find((own) => sameAddress(party, own, wanted));
    if (found) return found.id;
    if (!context.once) return undefined;
    const again = async () => (await partyById(party.id, call))?.['addresses.'] ?? [];
    const added = await ensure(
      context.once,
      `address:${party.id}:${sha256(JSON.stringify(Object.values(wanted).map(fold)))}`,
      {
        read: async (id) => (await again()).find((own) => own.id === id),
        find: async () => (await again()).find((own) => sameAddress(party, own, wanted)),
        create: () =>
          client.create('party.address', { party: party.id, ...filled(party, wanted) }, { what }, call),
      },
    );
    return added.id;
  };

  const collective = async (code: string, { call }: CustomerRequest): Promise<Party> => {
    const found = await search([['code', '=', code]], call);
    const [party] = found;
    if (party && found.length === 1) return party;
    throw new PermanentError('ERP_REFUSED', {
      destination,
      operation: { what: 'use-collective-customer', reference: code },
      error: party ? { why: 'reference-shared', count: found.length } : { why: 'reference-unknown' },
    });
  };

  const perBuyer = async (
    own: Address,
    request: CustomerRequest,
    warnings: string[],
  ): Promise<Party | undefined> => {
    const { order, context, call } = request;
    const { buyer } = order;
    const email = clean(buyer.email).toLowerCase();
    const key = buyer.id
      ? `${order.source}:${buyer.id}`
      : email
        ? undefined
        : `${order.source}:order:${order.orderId}`;
    const vat = taxNumber(buyer.taxNumber);

    /** Parties of the buyer; those of another company that uses the same mail are kept apart by tax number. */
    const candidates = async (): Promise<{ usable: Party[]; others: Party[] }> => {
      const byKey = key ? await search([['identifiers.code', '=', key]], call) : [];
      const fits = (party: Party) => !vat || taxNumbers(party).length === 0 || hasTaxNumber(party, vat);
      const usable = byKey.filter(fits);
      if (usable.length > 0 || !email) return { usable, others: byKey };
      const mailed: Domain = [['contact_mechanisms.value', 'ilike', escapeLike(email)]];
      const byMail = (await search(mailed, call)).filter((party) => mails(party).includes(email));
      return { usable: byMail.filter(fits), others: [...byKey, ...byMail] };
    };
    const pick = (usable: readonly Party[]): Party | undefined =>
      (vat && usable.find((party) => hasTaxNumber(party, vat))) || usable[0];

    const { usable, others } = await candidates();
    const known = pick(usable);
    if (known) {
      if (usable.length > 1) {
        warnings.push(
          `${usable.length} customers fit the buyer: the order is booked on party ${known.code}.`,
        );
      }
      if (vat && taxNumbers(known).length === 0) {
        warnings.push(`The order carries a tax number, party ${known.code} has none: add it by hand.`);
      }
      return known;
    }
    if (!context.once) return undefined;

    const name =
      clean(buyer.company) ||
      own.company ||
      clean(buyer.name) ||
      own.values.party_name ||
      `${order.source} #${order.orderNumber}`;
    const isKeyTaken = others.some((party) => party['identifiers.'].some(({ code }) => code === key));
    const identifiers = [
      ...(key && !isKeyTaken ? [{ type: null, code: key }] : []),
      ...(vat ? [await taxIdentifier(order, call)] : []),
    ];
    const phone = clean(order.billing?.phone) || clean(buyer.phone);
    const values = (phoneType: 'phone' | 'other') => ({
      name,
      addresses: [['create', [filled({ name }, namedFor({ name }, own))]]],
      contact_mechanisms: [
        [
          'create',
          [
            ...(email ? [{ type: 'email', value: clean(buyer.email) }] : []),
            ...(phone ? [{ type: phoneType, value: phone }] : []),
          ],
        ],
      ],
      identifiers: [['create', identifiers]],
    });
    const create = async (): Promise<number> => {
      const write = (phoneType: 'phone' | 'other') =>
        client.create('party.party', values(phoneType), { what: 'create-customer' }, call);
      try {
        return await write('phone').catch((error: unknown) => {
          // Tryton refuses numbers that cannot be dialled; nothing was written, and the order must not wait for one.
          if (!quotes(error, phone)) throw error;
          return write('other');
        });
      } catch (error) {
        throw refusedTaxNumber(error, vat, destination);
      }
    };
    const subject = `customer:${sha256(email || (key ?? ''))}${others.length > 0 && vat ? `:${sha256(vat)}` : ''}`;
    const party = await ensure(context.once, subject, {
      read: (id) => partyById(id, call),
      find: async () => pick((await candidates()).usable),
      create,
    });
    // Somebody else created it meanwhile, for another company with the same mail: now it is known as such.
    if (vat && taxNumbers(party).length > 0 && !hasTaxNumber(party, vat)) {
      return perBuyer(own, request, warnings);
    }
    return party;
  };

  /** With the type that Tryton has for business numbers of that country, so that invoices show it. */
  const taxIdentifier = async (order: OrderChangedV1, call: TrytonCall) => {
    const code = clean(order.buyer.taxNumber);
    const country = (order.billing?.country ?? order.shipping?.country ?? '').toUpperCase();
    const types = await master.identifierTypes(call);
    const type = identifierTypes(country, taxNumber(code)).find((wanted) => types.includes(wanted));
    return { type: type ?? null, code };
  };

  return {
    /**
     * @throws PermanentError UNKNOWN_COUNTRY, ERP_REFUSED (tax number, collective customer)
     * @throws BusyError another order of this buyer is creating the customer right now
     */
    resolve: async (request: CustomerRequest): Promise<CustomerResult> => {
      const { order, context, call } = request;
      const warnings: string[] = [];
      const billing = nonEmpty(order.billing) ?? nonEmpty(order.shipping);
      const shipping = nonEmpty(order.shipping) ?? nonEmpty(order.billing);
      const named = (address: OrderAddress | undefined): OrderAddress => ({
        ...address,
        name: address?.name ?? order.buyer.name,
      });
      const own = await addressValues(named(billing), call, warnings);
      const goesTo = shipping === billing ? own : await addressValues(named(shipping), call, warnings);

      const { customers: policy } = context.route;
      const isCollective = policy !== 'per-buyer';
      const party = isCollective
        ? await collective(policy.collective, request)
        : await perBuyer(own, request, warnings);
      if (!party) return { warnings };
      const [first] = party['addresses.'];
      // A collective customer gets the invoice itself; goods still go to the buyer. Without any address Tryton
      // quotes nothing.
      const invoiceAddressId =
        (isCollective || !billing) && first
          ? first.id
          : await addressOf(party, own, 'create-invoice-address', request);
      const shipmentAddressId = shipping
        ? await addressOf(party, goesTo, 'create-delivery-address', request)
        : invoiceAddressId;
      return { partyId: party.id, invoiceAddressId, shipmentAddressId, warnings };
    },
  };
};

const PARTY_FIELDS = [
  'name',
  'code',
  'addresses.party_name',
  'addresses.street',
  'addresses.city',
  'addresses.postal_code',
  'addresses.country',
  'addresses.subdivision',
  'contact_mechanisms.type',
  'contact_mechanisms.value',
  'identifiers.type',
  'identifiers.code',
] as const;

const Party = z.looseObject({
  id: Id,
  name: Text,
  code: Text,
  // Active ones only.
  'addresses.': z.array(
    z.looseObject({
      id: Id,
      party_name: Text,
      street: Text,
      city: Text,
      postal_code: Text,
      country: Id.nullable(),
      subdivision: Id.nullable(),
    }),
  ),
  'contact_mechanisms.': z.array(z.looseObject({ type: Text, value: Text })),
  'identifiers.': z.array(z.looseObject({ type: Text, code: Text })),
});

const asDocument = (id: number): PeerDocument => ({ id: String(id) });

/** 32 hexadecimal digits: subjects name what is created without saying who. */
const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 32);

const clean = (value: string | undefined): string => value?.replace(/\s+/g, ' ').trim() ?? '';

const fold = (value: unknown): string => clean(String(value ?? '')).toLowerCase();

const nonEmpty = (address: OrderAddress | undefined): OrderAddress | undefined =>
  address && [address.line1, address.line2, address.city, address.postcode, address.country].some(clean)
    ? address
    : undefined;

/** Who it goes to: the company too, unless the party is that company and Tryton shows it anyway. */
const namedFor = (party: { readonly name: string }, { values, company }: Address): AddressValues =>
  !company || fold(party.name) === fold(company) || fold(values.party_name) === fold(company)
    ? values
    : { ...values, party_name: [company, values.party_name].filter(Boolean).join(', ') };

/** Absent where there is nothing to say; Tryton shows the party's name where the address has none. */
const filled = (party: { readonly name: string }, values: AddressValues): Partial<AddressValues> =>
  Object.fromEntries(
    Object.entries(values).filter(
      ([field, value]) => value && !(field === 'party_name' && fold(value) === fold(party.name)),
    ),
  );

/** White space and case aside; the name only where the order has one. */
const sameAddress = (party: Party, own: PartyAddress, wanted: AddressValues): boolean =>
  (['street', 'city', 'postal_code'] as const).every((field) => fold(own[field]) === fold(wanted[field])) &&
  (!wanted.party_name || fold(own.party_name || party.name) === fold(wanted.party_name)) &&
  own.country === wanted.country &&
  own.subdivision === wanted.subdivision;

const mails = (party: Party): string[] =>
  party['contact_mechanisms.'].filter(({ type }) => type === 'email').map(({ value }) => fold(value));

/** Comparable form. */
const taxNumber = (value: string | undefined): string =>
  value?.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase() ?? '';

/** Identifiers that are no key of a shop; those have a colon, tax numbers do not. */
const taxNumbers = (party: Party): string[] =>
  party['identifiers.'].filter(({ code }) => !code.includes(':')).map(({ code }) => taxNumber(code));

/** With or without the prefix of the country. */
const hasTaxNumber = (party: Party, vat: string): boolean => {
  const bare = (value: string) => value.replace(/^[A-Z]{2}(?=.{6,}$)/, '');
  return taxNumbers(party).some((known) => bare(known) === bare(vat));
};

const EU = new Set(
  'AT BE BG CY CZ DE DK EE EL ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
);
/** Of businesses, by country, where it is not `<country>_vat` (party module, IDENTIFIER_TYPES). */
const BUSINESS_NUMBERS: Readonly<Record<string, string>> = {
  AU: 'au_abn',
  BR: 'br_cnpj',
  CN: 'cn_uscc',
  JP: 'jp_cn',
  KR: 'kr_brn',
  NO: 'no_mva',
  NZ: 'nz_ird',
  SG: 'sg_uen',
  TH: 'th_tin',
  TW: 'tw_ban',
};

/** The best first; which of them there are depends on Tryton's version. */
const identifierTypes = (country: string, code: string): readonly string[] => [
  ...(EU.has(code.slice(0, 2)) ? ['eu_vat'] : []),
  ...(BUSINESS_NUMBERS[country] ? [BUSINESS_NUMBERS[country]] : []),
  `${country.toLowerCase()}_vat`,
];

/** `ilike` takes a pattern: without escaping, "a_b@" would also find "axb@". */
const escapeLike = (value: string): string => value.replace(/[\\%_]/g, (c) => `\\${c}`);

/** A refusal whose words contain what we sent. */
const quotes = (error: unknown, value: string): error is PermanentError =>
  error instanceof PermanentError &&
  error.code === 'ERP_REFUSED' &&
  value !== '' &&
  taxNumber(error.detail).includes(taxNumber(value));

/** Tryton quotes the number that it refuses. Said in plain words, and without the number: the reason is logged. */
const refusedTaxNumber = (error: unknown, vat: string, destination: string): unknown =>
  quotes(error, vat)
    ? new PermanentError(
        'ERP_REFUSED',
        { destination, operation: { what: 'create-customer' }, error: { why: 'tax-number-invalid' } },
        { cause: error, ...(error.detail && { detail: error.detail }) },
      )
    : error;
