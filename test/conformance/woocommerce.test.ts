import { storefrontSuite } from './storefront.suite.ts';
import { woocommerceTestbed } from './testbeds/woocommerce.ts';

storefrontSuite(woocommerceTestbed);
