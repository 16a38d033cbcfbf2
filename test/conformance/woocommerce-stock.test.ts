import { storefrontStockSuite } from './storefront-stock.suite.ts';
import { woocommerceStockTestbed } from './testbeds/woocommerce-stock.ts';

storefrontStockSuite(woocommerceStockTestbed);
