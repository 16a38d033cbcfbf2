import { erpSuite } from './erp.suite.ts';
import { odooTestbed } from './testbeds/odoo.ts';

for (const version of [16, 17, 18, 19] as const) erpSuite(odooTestbed(version));
