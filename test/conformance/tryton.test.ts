import { erpSuite } from './erp.suite.ts';
import { trytonTestbed } from './testbeds/tryton.ts';

erpSuite(trytonTestbed);
