import { storefrontStockSuite } from './storefront-stock.suite.ts';
import { customStoreStockTestbed } from './testbeds/custom-store-stock.ts';

storefrontStockSuite(customStoreStockTestbed);
