import { storefrontSuite } from './storefront.suite.ts';
import { shopifyTestbed } from './testbeds/shopify.ts';

storefrontSuite(shopifyTestbed);
