import { inject } from 'vitest';
import { erpStockSuite } from '../conformance/erp-stock.suite.ts';
import { realTestbed } from './testbed.ts';

erpStockSuite(realTestbed(inject('tryton')));
