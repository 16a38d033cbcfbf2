import { type Settings, settings } from '../settings.ts';

/** Two sandbox peers on this machine, at the addresses given: what `npm start` and the tests run against. */
export const sandbox = (peers: { woocommerce: string; odoo: string }): Settings =>
  settings({
    name: 'sandbox',
    region: 'eu-central-1',
    timeZone: 'Europe/Berlin',
    connections: {
      'sandbox-woo': { connector: 'woocommerce', url: peers.woocommerce },
      'sandbox-odoo': { connector: 'odoo', url: peers.odoo, database: 'sandbox' },
    },
    orders: [
      {
        from: 'sandbox-woo',
        to: 'sandbox-odoo',
        startAt: '2020-01-01T00:00:00Z',
        accept: { bankTransferPending: 'draft' },
      },
    ],
    // Ten minutes of waiting take one: somebody is watching.
    timeScale: 0.1,
  });

/** Nobody listens at these addresses; they let `cdk synth` and `cdk diff` run without arguments. */
export default sandbox({ woocommerce: 'http://127.0.0.1:8080', odoo: 'http://127.0.0.1:8069' });
