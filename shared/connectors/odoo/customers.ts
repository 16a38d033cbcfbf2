import { createHash } from 'node:crypto';
import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import type { OrderAddress, OrderChangedV1 } from '../../events/order-changed.ts';
import type { Once, OrderContext, PeerDocument } from '../contract.ts';
import type { Domain, OdooCall, OdooClient } from './client.ts';
import { Many2one, type MasterData, type OdooCompany } from './master-data.ts';
import type { CustomerRefs } from './refs.ts';

export interface CustomerResult extends CustomerRefs {
  readonly warnings: readonly string[];
}

interface CustomerRequest {
  readonly order: OrderChangedV1;
  readonly company: OdooCompany;
  readonly context: OrderContext;
  readonly call: OdooCall;
}

type Partner = z.infer<typeof Partner>;
type AddressType = 'invoice' | 'delivery';

/** An address of the order: Odoo's fields, and the company that Odoo has no field for on an address. */
interface Address {
  readonly vals: AddressVals;
  readonly company: string;
}

/** False where the order says nothing. */
interface AddressVals {
  readonly name: string | false;
  readonly street: string | false;
  readonly street2: string | false;
  readonly city: string | false;
  readonly zip: string | false;
  readonly state_id: number | false;
  readonly country_id: number | false;
  readonly phone: string | false;
}

/**
 * The customer of an order: found by our key, then by mail, else created, each once however many orders come at
 * the same time. A partner that exists is never edited: a changed address would change on old documents too, so
 * other addresses become child contacts.
 */
export const customers = (client: OdooClient, master: MasterData, destination: string) => {
  const search = async (domain: Domain, call: OdooCall): Promise<Partner[]> => {
    // 19 has no mobile number any more.
    const { mobile } = await master.fields('res.partner', ['mobile'], call);
    const fields = mobile ? [...PARTNER_FIELDS, 'mobile'] : PARTNER_FIELDS;
    return client.searchRead('res.partner', { domain, fields, order: 'id asc' }, Partner, call);
  };

  /** Creates through `once` and reads the partner; one that was deleted or archived since is replaced. */
  const ensure = async (
    once: Once,
    subject: string,
    find: () => Promise<Partner | undefined>,
    create: () => Promise<number>,
    call: OdooCall,
  ): Promise<Partner> => {
    const document = await once(subject, {
      find: async () => {
        const found = await find();
        return found && asDocument(found.id);
      },
      create: async () => asDocument(await create()),
    });
    const id = Number(document.id);
    const [partner] = await search([['id', '=', id]], call);
    return partner ?? ensure(once, `${subject}:after-${id}`, find, create, call);
  };

  const addressVals = async (address: OrderAddress, call: OdooCall, warnings: string[]): Promise<Address> => {
    const country = address.country?.trim();
    const countryId = country ? await master.country(country, call) : undefined;
    const region = address.region?.trim();
    const stateId =
      country && countryId !== undefined && region
        ? await master.state(countryId, country, region, call)
        : undefined;
    if (region && stateId === undefined) {
      warnings.push(`${destination} knows no state "${region}" of ${country ?? 'no country'}: left empty.`);
    }
    const company = clean(address.company);
    const vals = {
      name: clean(address.name) || company || false,
      street: clean(address.line1) || false,
      street2: clean(address.line2) || false,
      city: clean(address.city) || false,
      zip: clean(address.postcode) || false,
      state_id: stateId ?? false,
      country_id: countryId ?? false,
      phone: clean(address.phone) || false,
    } as const;
    return { vals, company };
  };

  /** The partner itself where its address is this one, else its child contact of that type, found or created. */
  const addressOf = async (
    partner: Partner,
    type: AddressType,
    address: Address,
    extra: object,
    { context, call }: CustomerRequest,
  ): Promise<number | undefined> => {
    const wanted = namedFor(partner, address);
    const same = (other: Partner) =>
      sameAddress(other, wanted) && (type === 'invoice' || samePhone(other, wanted));
    if (same(partner)) return partner.id;
    const find = async () => {
      const children = await search(
        [
          ['parent_id', '=', partner.id],
          ['type', '=', type],
        ],
        call,
      );
      return children.find(same);
    };
    const found = await find();
    if (found) return found.id;
    if (!context.once) return undefined;
    const subject = `address:${type}:${partner.id}:${sha256(JSON.stringify(Object.values(wanted).map(fold)))}`;
    const vals = { parent_id: partner.id, type, ...filled(wanted), ...extra };
    const what = type === 'delivery' ? 'create-delivery-address' : 'create-invoice-address';
    const create = () => client.create('res.partner', vals, { what }, quiet(call));
    return (await ensure(context.once, subject, find, create, call)).id;
  };

  const collective = async (ref: string, request: CustomerRequest): Promise<Partner> => {
    const { company, call } = request;
    const found = await search([['ref', '=', ref], inCompany(company)], call);
    const [partner] = found;
    if (partner && found.length === 1) return partner;
    throw new PermanentError('ERP_REFUSED', {
      destination,
      operation: { what: 'use-collective-customer', reference: ref },
      error: partner ? { why: 'reference-shared', count: found.length } : { why: 'reference-unknown' },
    });
  };

  const perBuyer = async (
    { vals: own, company: billedCompany }: Address,
    request: CustomerRequest,
    warnings: string[],
  ): Promise<Partner | undefined> => {
    const { order, company, context, call } = request;
    const { buyer } = order;
    const email = clean(buyer.email).toLowerCase();
    const ref = buyer.id
      ? `${order.source}:${buyer.id}`
      : email
        ? undefined
        : `${order.source}:order:${order.orderId}`;
    const vat = taxNumber(buyer.taxNumber);

    /** Partners of the buyer; those of another company that uses the same mail are kept apart by tax number. */
    const candidates = async (): Promise<{ usable: Partner[]; others: Partner[] }> => {
      const byRef = ref ? await search([['ref', '=', ref], inCompany(company)], call) : [];
      const fits = (partner: Partner) => !vat || !taxNumber(partner.vat) || sameTaxNumber(partner, vat);
      const usable = byRef.filter(fits);
      if (usable.length > 0 || !email) return { usable, others: byRef };
      const byMail = (
        await search(
          [['email', '=ilike', escapeLike(email)], ['parent_id', '=', false], inCompany(company)],
          call,
        )
      ).filter((partner) => partner.email.trim().toLowerCase() === email);
      return { usable: byMail.filter(fits), others: [...byRef, ...byMail] };
    };
    const pick = (usable: readonly Partner[]): Partner | undefined => {
      const chosen = (vat && usable.find((partner) => sameTaxNumber(partner, vat))) || usable[0];
      if (chosen && usable.length > 1) {
        warnings.push(
          `${usable.length} customers fit the buyer: the order is booked on number ${chosen.id}.`,
        );
      }
      return chosen;
    };

    const { usable, others } = await candidates();
    const known = pick(usable);
    if (known) {
      if (vat && !taxNumber(known.vat)) {
        warnings.push(
          `The order carries a tax number, customer number ${known.id} has none: add it by hand.`,
        );
      }
      return known;
    }
    if (!context.once) return undefined;

    const companyName = clean(buyer.company) || billedCompany;
    const name = companyName || clean(buyer.name) || own.name || `${order.source} #${order.orderNumber}`;
    const vals = {
      ...filled(own),
      name,
      ...(email && { email: clean(buyer.email) }),
      ...(!own.phone && clean(buyer.phone) && { phone: clean(buyer.phone) }),
      ...(ref && !others.some((partner) => partner.ref === ref) && { ref }),
      ...(clean(buyer.taxNumber) && { vat: clean(buyer.taxNumber) }),
      is_company: companyName !== '',
    };
    const subject = `customer:${sha256(email || (ref ?? ''))}${others.length > 0 && vat ? `:${sha256(vat)}` : ''}`;
    const find = async () => {
      const found = (await candidates()).usable;
      return (vat && found.find((partner) => sameTaxNumber(partner, vat))) || found[0];
    };
    const create = async () => {
      try {
        return await client.create('res.partner', vals, { what: 'create-customer' }, quiet(call));
      } catch (error) {
        throw refusedTaxNumber(error, vals.vat, destination);
      }
    };
    const partner = await ensure(context.once, subject, find, create, call);
    // Somebody else created it meanwhile, for another company with the same mail: now it is known as such.
    if (vat && taxNumber(partner.vat) && !sameTaxNumber(partner, vat))
      return perBuyer({ vals: own, company: billedCompany }, request, warnings);
    return partner;
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
      const buyerName = order.buyer.name;
      const named = (address: OrderAddress | undefined): OrderAddress => ({
        ...address,
        name: address?.name ?? buyerName,
      });
      const own = await addressVals(named(billing), call, warnings);
      const goesTo = shipping === billing ? own : await addressVals(named(shipping), call, warnings);

      const { customers: policy } = context.route;
      const isCollective = policy !== 'per-buyer';
      const partner = isCollective
        ? await collective(policy.collective, request)
        : await perBuyer(own, request, warnings);
      if (!partner) return { warnings };
      const email = clean(order.buyer.email);
      // A collective customer gets the invoice itself; goods still go to the buyer.
      const invoiceId =
        isCollective || !billing
          ? partner.id
          : await addressOf(partner, 'invoice', own, email ? { email } : {}, request);
      const seen = (address: Address) => JSON.stringify(namedFor(partner, address));
      const sameAsInvoice = !isCollective && seen(goesTo) === seen(own);
      const shippingId =
        !shipping || sameAsInvoice ? invoiceId : await addressOf(partner, 'delivery', goesTo, {}, request);
      return { partnerId: partner.id, invoiceId, shippingId, warnings };
    },
  };
};

const PARTNER_FIELDS = [
  'name',
  'email',
  'phone',
  'street',
  'street2',
  'city',
  'zip',
  'state_id',
  'country_id',
  'vat',
  'ref',
] as const;

const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const Partner = z.looseObject({
  id: z.int(),
  name: text,
  email: text,
  phone: text,
  mobile: text.default(''),
  street: text,
  street2: text,
  city: text,
  zip: text,
  state_id: Many2one,
  country_id: Many2one,
  vat: text,
  ref: text,
});

const asDocument = (id: number): PeerDocument => ({ id: String(id) });

/** Our own user need not follow what it creates. */
const quiet = (call: OdooCall): OdooCall => ({
  ...call,
  context: { ...call.context, mail_create_nosubscribe: true },
});

const inCompany = ({ scope }: OdooCompany): Domain[number] => ['company_id', 'in', [false, ...scope]];

/** 32 hexadecimal digits: subjects name what is created without saying who. */
const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 32);

const clean = (value: string | undefined): string => value?.replace(/\s+/g, ' ').trim() ?? '';

const filled = (vals: AddressVals): Partial<AddressVals> =>
  Object.fromEntries(Object.entries(vals).filter(([, value]) => value !== false));

const nonEmpty = (address: OrderAddress | undefined): OrderAddress | undefined =>
  address && [address.line1, address.line2, address.city, address.postcode, address.country].some(clean)
    ? address
    : undefined;

const fold = (value: unknown): string => clean(String(value || '')).toLowerCase();

/** Who it goes to: the company too, unless the customer is that company and Odoo shows it anyway. */
const namedFor = (partner: Partner, { vals, company }: Address): AddressVals =>
  !company || fold(partner.name) === fold(company) || fold(vals.name) === fold(company)
    ? vals
    : { ...vals, name: [company, vals.name].filter(Boolean).join(', ') };

/** White space and case aside; the name only where the order has one. */
const sameAddress = (partner: Partner, wanted: AddressVals): boolean =>
  (['street', 'street2', 'city', 'zip'] as const).every(
    (field) => fold(partner[field]) === fold(wanted[field]),
  ) &&
  (!wanted.name || fold(partner.name) === fold(wanted.name)) &&
  (partner.state_id ? partner.state_id[0] : false) === wanted.state_id &&
  (partner.country_id ? partner.country_id[0] : false) === wanted.country_id;

/** Carriers call the number; "+886 2 5550 0000" and "02 5550 0000" are one. */
const samePhone = (partner: Partner, { phone }: AddressVals): boolean => {
  if (!phone) return true;
  const digits = (value: string) => value.replace(/\D/g, '').replace(/^0+/, '');
  const wanted = digits(phone);
  return [partner.phone, partner.mobile].map(digits).some((known) => {
    const [short, long] = known.length < wanted.length ? [known, wanted] : [wanted, known];
    return short === long || (short.length >= 6 && long.endsWith(short));
  });
};

/** Comparable form; "/" is how Odoo writes "has none on purpose". */
const taxNumber = (value: string | undefined): string =>
  value?.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase() ?? '';

/** Odoo may add or drop the country prefix. */
const sameTaxNumber = (partner: Partner, vat: string): boolean => {
  const bare = (value: string) => value.replace(/^[A-Z]{2}(?=.{6,}$)/, '');
  return bare(taxNumber(partner.vat)) === bare(vat);
};

/** `=ilike` takes a pattern: without escaping, "a_b@" would also find "axb@". */
const escapeLike = (value: string): string => value.replace(/[\\%_]/g, (c) => `\\${c}`);

/**
 * Odoo checks tax numbers by country and quotes the number it refuses, in the API user's language. Said in plain
 * words, and without the number: the reason is logged.
 */
const refusedTaxNumber = (error: unknown, vat: string | undefined, destination: string): unknown => {
  if (!(error instanceof PermanentError) || error.code !== 'ERP_REFUSED' || !vat) return error;
  if (!taxNumber(error.detail).includes(taxNumber(vat))) return error;
  return new PermanentError(
    'ERP_REFUSED',
    {
      destination,
      operation: { what: 'create-customer' },
      error: { why: 'tax-number-invalid' },
    },
    { cause: error, ...(error.detail && { detail: error.detail }) },
  );
};
