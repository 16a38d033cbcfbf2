import type { Document } from './documents.ts';

/**
 * GraphQL documents of stock and prices; for costs see documents.ts. A mutation costs 10, and what it selects. Requests about
 * many things name each by an alias: the cost is then known, and no search index stands in between.
 */

/** Half of what one query may cost: others use the bucket, too. */
const PAGE_COST = 500;

const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const MUTATION_COST = 10;

/** What is the same for everything that the shop sells. */
export const SHOP: Document = {
  cost: 2,
  text: `query Shop {
  shop { currencyCode taxesIncluded }
  location { id }
}`,
};

const LEVEL = '{ isActive quantities(names: ["available"]) { quantity } }';

/** A page of variants, each with its stock at the locations `$l0`, `$l1`, ... */
export const variantsPage = (locations: number): Document & { readonly size: number } => {
  const each = 3 + 2 * locations;
  const size = Math.min(250, Math.floor((PAGE_COST - 1) / each));
  const names = indices(locations);
  return {
    size,
    cost: size * each + 1,
    text: `query Variants($query: String, $after: String${names.map((at) => `, $l${at}: ID!`).join('')}) {
  productVariants(first: ${size}, after: $after, query: $query, sortKey: ID) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id sku displayName price compareAtPrice
      product { id status }
      inventoryItem {
        id tracked
        ${names.map((at) => `l${at}: inventoryLevel(locationId: $l${at}, includeInactive: true) ${LEVEL}`).join('\n        ')}
      }
    }
  }
}`,
  };
};

/** Of so many stock items, `$i0` at location `$l0`, ...: what is available. */
export const levels = (count: number): Document => ({
  cost: 3 * count,
  text: `query Levels(${indices(count)
    .map((at) => `$i${at}: ID!, $l${at}: ID!`)
    .join(', ')}) {
${indices(count)
  .map(
    (at) =>
      `  i${at}: inventoryItem(id: $i${at}) { tracked inventoryLevel(locationId: $l${at}, includeInactive: true) ${LEVEL} }`,
  )
  .join('\n')}
}`,
});
/** So many at once. */
export const LEVELS_AT_ONCE = 100;

/** Up to 250 absolute quantities, each compared with what is expected there. */
export const SET_STOCK: Document = {
  cost: MUTATION_COST + 2,
  text: `mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { code field message }
  }
}`,
};

/** Stock items become sellable at a location; their quantities stay as they are (since 2026-04). */
export const activate = (count: number): Document => ({
  cost: count * (MUTATION_COST + 2),
  text: `mutation Activate(${indices(count)
    .map((at) => `$i${at}: ID!, $l${at}: ID!, $k${at}: String!`)
    .join(', ')}) {
${indices(count)
  .map(
    (at) =>
      `  a${at}: inventoryActivate(inventoryItemId: $i${at}, locationId: $l${at}) @idempotent(key: $k${at}) { inventoryLevel { id } userErrors { field message } }`,
  )
  .join('\n')}
}`,
});

/** Prices of so many products, each with its variants. */
export const setPrices = (count: number): Document => ({
  cost: count * (MUTATION_COST + 2),
  text: `mutation SetPrices(${indices(count)
    .map((at) => `$p${at}: ID!, $v${at}: [ProductVariantsBulkInput!]!`)
    .join(', ')}) {
${indices(count)
  .map(
    (at) =>
      `  p${at}: productVariantsBulkUpdate(productId: $p${at}, variants: $v${at}, allowPartialUpdates: true) { productVariants { id } userErrors { code field message } }`,
  )
  .join('\n')}
}`,
});

/** Of so many products: shown or hidden, and how many variants would be with it. */
export const productStates = (count: number): Document => ({
  cost: 2 * count,
  text: `query Products(${indices(count)
    .map((at) => `$p${at}: ID!`)
    .join(', ')}) {
${indices(count)
  .map((at) => `  p${at}: product(id: $p${at}) { status variantsCount { count } }`)
  .join('\n')}
}`,
});

export const setStates = (count: number): Document => ({
  cost: count * (MUTATION_COST + 2),
  text: `mutation SetStates(${indices(count)
    .map((at) => `$p${at}: ProductUpdateInput!`)
    .join(', ')}) {
${indices(count)
  .map((at) => `  p${at}: productUpdate(product: $p${at}) { product { id } userErrors { field message } }`)
  .join('\n')}
}`,
});
/** Things that one mutation changes by aliases. */
export const CHANGES_AT_ONCE = 20;

/**
 * A product with one variant, hidden. By its handle it is made once, however often it is asked for
 * (`identifier`: upsert).
 */
export const CREATE_DRAFT: Document = {
  cost: MUTATION_COST + 5,
  text: `mutation CreateDraft($identifier: ProductSetIdentifiers!, $input: ProductSetInput!) {
  productSet(identifier: $identifier, input: $input, synchronous: true) {
    product { variants(first: 1) { nodes { id product { id } inventoryItem { id } } } }
    userErrors { code field message }
  }
}`,
};

export const STOCK_DOCUMENTS = {
  SHOP,
  VARIANTS: variantsPage(1),
  VARIANTS_AT_THREE: variantsPage(3),
  LEVELS: levels(LEVELS_AT_ONCE),
  SET_STOCK,
  ACTIVATE: activate(CHANGES_AT_ONCE),
  SET_PRICES: setPrices(CHANGES_AT_ONCE),
  STATES: productStates(CHANGES_AT_ONCE),
  SET_STATES: setStates(CHANGES_AT_ONCE),
  CREATE_DRAFT,
};
