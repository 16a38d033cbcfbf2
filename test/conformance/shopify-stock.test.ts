import { storefrontStockSuite } from './storefront-stock.suite.ts';
import { shopifyStockTestbed } from './testbeds/shopify-stock.ts';

storefrontStockSuite(shopifyStockTestbed);
