/** What the sandbox sells: every shop in its own currency, every ERP under the same SKU. */
export const PRODUCTS = [
  { sku: 'TEA-OOL-150', name: '高山烏龍茶 Oolong 150g', TWD: 420, USD: 13.9, EUR: 12.9, hsCode: '0902.10' },
  { sku: 'MUG-TH-01', name: 'แก้วเซรามิก “Siam”', TWD: 149.5, USD: 4.95, EUR: 11.9, hsCode: undefined },
  { sku: 'CUP-JP-02', name: '湯呑み', TWD: 500, USD: 16.5, EUR: 14.9, hsCode: undefined },
  { sku: 'TEE-M-NAVY', name: 'T-Shirt M navy', TWD: 1180, USD: 39, EUR: 35, hsCode: '6109.10' },
] as const;

/** Orders never use it up. */
export const STOCK = 500;
