import { storefrontSuite } from './storefront.suite.ts';
import { marketplaceTestbed } from './testbeds/marketplace.ts';

storefrontSuite(marketplaceTestbed);
