import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildApp } from '../../infra/build.ts';
import { type Settings, settings } from '../../infra/settings.ts';
import { sandbox } from '../../infra/stages/sandbox.ts';

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation, read by path; a wrong path fails the test that reads it.
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface SynthesisedStack {
  readonly name: string;
  readonly template: {
    readonly Resources: Readonly<Record<string, Resource>>;
    readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
  };
  /** Logical id and resource, of one type or all. */
  all(type?: string): (readonly [string, Resource])[];
  /** The only one whose logical id starts like this. */
  one(type: string, prefix?: string): Resource;
}

/** Synthesise a stage as deploying would, in memory as far as the caller is concerned. */
export const synthesise = (stage: Settings): readonly SynthesisedStack[] => {
  const outdir = mkdtempSync(path.join(tmpdir(), 'waybill-test-'));
  try {
    const assembly = buildApp(stage, { outdir }).synth();
    return assembly.stacks.map(({ stackName, template }) => {
      const entries = Object.entries(template.Resources as Record<string, Resource>);
      const all = (type?: string) => entries.filter(([, r]) => type === undefined || r.Type === type);
      return {
        name: stackName,
        template,
        all,
        one: (type, prefix = '') => {
          const found = all(type).filter(([id]) => id.startsWith(prefix));
          const [only] = found;
          if (only === undefined || found.length > 1) {
            throw new Error(`${stackName} has ${found.length} ${type} ${prefix}*`);
          }
          return only[1];
        },
      };
    });
  } finally {
    rmSync(outdir, { recursive: true });
  }
};

const SANDBOX_STAGE = sandbox({
  woocommerce: 'http://127.0.0.1:8080',
  odoo: 'http://127.0.0.1:8069',
  stripe: 'http://127.0.0.1:8083',
});
/** With everything that a route may ask for. */
export const SANDBOX: Settings = {
  ...SANDBOX_STAGE,
  orders: SANDBOX_STAGE.orders.map((route) => ({ ...route, payments: 'book' })),
};

const PROVIDER = 'payment-provider-with-32-letters';
const numbers = Array.from({ length: 10 }, (_, i) => i + 1);

/**
 * Ten shops, ten ERPs and a payment provider for all shops, every shop routed to two ERPs, names as long as they may be,
 * nothing left to a default.
 */
export const TWENTY = settings({
  name: 'twenty-connections',
  region: 'ap-southeast-1',
  timeZone: 'Asia/Taipei',
  connections: Object.fromEntries([
    ...numbers.map((n) => [
      `storefront-with-a-name-of-32-${String(n).padStart(3, 'a')}`,
      {
        connector: 'woocommerce' as const,
        url: `https://shop-${n}.acme.example`,
        taxNumberKeys: ['_billing_vat_number', '_billing_uniform_invoice_number'],
        statuses: { 'ready-to-ship': 'open' as const, 'awaiting-pickup': 'open' as const },
      },
    ]),
    ...numbers.map((n) => [
      `enterprise-resources-of-32-${String(n).padStart(5, 'a')}`,
      { connector: 'odoo' as const, url: `https://erp-${n}.acme.example`, database: `acme-${n}` },
    ]),
    [PROVIDER, { connector: 'stripe' as const, account: 'acct_1234567890abcdef' }],
  ]),
  orders: numbers.flatMap((n) =>
    [n, (n % 10) + 1].map((to) => ({
      from: `storefront-with-a-name-of-32-${String(n).padStart(3, 'a')}`,
      to: `enterprise-resources-of-32-${String(to).padStart(5, 'a')}`,
      startAt: '2026-12-01T00:00:00+08:00',
      mode: 'shadow' as const,
      accept: { bankTransferPending: 'draft' as const, onHold: 'reserve' as const },
      company: 'Acme Trading Company Limited',
      warehouse: 'WH-01',
      customers: { collective: 'WEB-CUSTOMER' },
      roundingTolerance: 2,
      payments: 'book' as const,
    })),
  ),
  stock: numbers.map((n) => ({
    from: `enterprise-resources-of-32-${String(n).padStart(5, 'a')}`,
    to: [`storefront-with-a-name-of-32-${String(n).padStart(3, 'a')}`],
    every: '1 minute' as const,
    company: 'Acme Trading Company Limited',
    warehouses: { 'WH-01': { [`storefront-with-a-name-of-32-${String(n).padStart(3, 'a')}`]: 'default' } },
    safetyStock: 2,
    policy: 'partitioned' as const,
    rules: [{ skus: ['TEA-*'], safetyStock: 5, backorder: 3, lowStock: 10 }],
    prices: {
      pricelist: 'Public Pricelist (EUR)',
      unknownSkus: 'create' as const,
      status: 'follow' as const,
    },
    testSkus: ['WAYBILL-TEST'],
  })),
  payments: [
    {
      from: PROVIDER,
      orders: numbers.map((n) => `storefront-with-a-name-of-32-${String(n).padStart(3, 'a')}`),
      hint: 'none',
    },
  ],
  alarms: { email: 'oncall@acme.example' },
});
