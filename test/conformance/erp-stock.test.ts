import { erpStockSuite } from './erp-stock.suite.ts';
import { odooTestbed } from './testbeds/odoo.ts';
import { trytonTestbed } from './testbeds/tryton.ts';

// One of each wire; what differs between versions is in test/unit/odoo.
erpStockSuite(odooTestbed(16), { failures: false });
erpStockSuite(odooTestbed(19));
erpStockSuite(trytonTestbed);
