import { inject } from 'vitest';
import { erpSuite } from '../conformance/erp.suite.ts';
import { realTestbed } from './testbed.ts';

erpSuite(realTestbed(inject('tryton')));
