import { storefrontSuite } from './storefront.suite.ts';
import { customStoreTestbed } from './testbeds/custom-store.ts';

storefrontSuite(customStoreTestbed);
