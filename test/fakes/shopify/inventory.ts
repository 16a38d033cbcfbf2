import Big from 'big.js';
import { GraphQLError, type GraphQLResolveInfo, Kind, valueFromASTUntyped } from 'graphql';
import type { FakeProduct, Shop } from './shop.ts';

/**
 * What the shop sells, and its stock by location. Sources:
 * [G]  descriptions in the published GraphQL schema, 2026-10
 * [L]  shopify.dev, API limits: at most 250 entries in an input array
 * [I]  shopify.dev, Idempotent requests; changelog 2025-12-12 (mandatory as of 2026-04)
 * [R]  changelog, "Removal of ITEM_NOT_STOCKED_AT_LOCATION error" (2026-10): quantities can be adjusted at any location
 * That a request with one error changes nothing follows from the payload: no adjustment group.
 */

interface Level {
  available: number;
  isActive: boolean;
}

export interface Variant {
  readonly id: string;
  readonly item: string;
  readonly product: SoldProduct;
  readonly sku: string;
  readonly title: string;
  tracked: boolean;
  /** A bundle: Shopify computes its stock. */
  readonly mutable: boolean;
  price: string;
  compareAtPrice: string | null;
  readonly levels: Map<string, Level>;
}

interface SoldProduct {
  readonly id: string;
  readonly title: string;
  readonly handle: string;
  status: 'ACTIVE' | 'ARCHIVED' | 'DRAFT' | 'UNLISTED';
  readonly variants: Variant[];
}

interface UserError {
  readonly code?: string;
  readonly field: readonly string[];
  readonly message: string;
}

/** Code, message, and where below the entry. */
type Problem = readonly [string, string, ...string[]];

const PAIR_TWICE: Problem = [
  'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR',
  'The combination of inventoryItemId and locationId must be unique.',
];
const MAX_INPUT = 250;
const FIRST_PRODUCT = 788032119674292922n;
const FIRST_VARIANT = 39732921204865;

export class Inventory {
  readonly shop: Shop;
  readonly locations: readonly string[];
  /** By id, ascending. */
  readonly variants: Variant[] = [];
  readonly products = new Map<string, SoldProduct>();
  /** Requests that set stock, activated, or set prices, as they arrived; refused ones, too. */
  readonly writes: { readonly kind: string; readonly entries: number }[] = [];
  readonly #byItem = new Map<string, Variant>();
  #added = 0;
  readonly #keys = new Map<
    string,
    { readonly input: string; readonly answer: unknown; readonly ok: boolean }
  >();

  constructor(shop: Shop, locations: readonly string[]) {
    this.shop = shop;
    this.locations = locations.map((id) => `gid://shopify/Location/${id}`);
    for (const product of shop.options.products ?? []) this.add(product);
  }

  add(product: FakeProduct): Variant {
    const index = this.#added++;
    const owner = product.variantOf
      ? this.variants.find(({ sku }) => sku === product.variantOf)?.product
      : undefined;
    const sold: SoldProduct = owner ?? {
      id: `gid://shopify/Product/${FIRST_PRODUCT + BigInt(index)}`,
      title: product.title,
      handle: product.title.toLowerCase(),
      status: product.status ?? 'ACTIVE',
      variants: [],
    };
    const id = FIRST_VARIANT + index;
    const variant: Variant = {
      id: `gid://shopify/ProductVariant/${id}`,
      item: `gid://shopify/InventoryItem/${id}`,
      product: sold,
      sku: product.sku,
      title: [product.title, product.variantTitle].filter(Boolean).join(' - '),
      tracked: product.stock !== undefined,
      mutable: !product.bundle,
      price: product.price,
      compareAtPrice: product.compareAtPrice ?? null,
      levels: new Map(),
    };
    const [first] = this.locations;
    if (first) variant.levels.set(first, { available: product.stock ?? 0, isActive: true });
    sold.variants.push(variant);
    this.products.set(sold.id, sold);
    this.variants.push(variant);
    this.#byItem.set(variant.item, variant);
    return variant;
  }

  /** Of the first variant with that SKU. */
  find(sku: string): Variant {
    const variant = this.variants.find((each) => each.sku === sku);
    if (!variant) throw new Error(`the shop has no variant "${sku}"`);
    return variant;
  }

  level(variant: Variant, location = this.locations[0] ?? ''): Level {
    const id = location.startsWith('gid:') ? location : `gid://shopify/Location/${location}`;
    const level = variant.levels.get(id) ?? { available: 0, isActive: false };
    variant.levels.set(id, level);
    return level;
  }

  /** Where orders are taken from: the shop's main location. */
  take(sku: string, pieces: number): void {
    const variant = this.variants.find((each) => each.sku === sku);
    if (variant?.tracked) this.level(variant).available -= pieces;
  }

  remove(sku: string): void {
    const variant = this.find(sku);
    this.variants.splice(this.variants.indexOf(variant), 1);
    variant.product.variants.splice(variant.product.variants.indexOf(variant), 1);
    this.#byItem.delete(variant.item);
  }

  // --- queries ---------------------------------------------------------------------------------------------

  /** `id:>1`, or `sku:'A' OR sku:'B'`: SKUs whatever their case. */
  search(query: string | null | undefined): readonly Variant[] {
    if (!query) return this.variants;
    const after = /^id:>(\d+)$/.exec(query)?.[1];
    if (after) return this.variants.filter(({ id }) => idOf(id) > Number(after));
    const terms = query.split(' OR ').map((term) => /^sku:'((?:[^'\\]|\\.)*)'$/.exec(term)?.[1]);
    if (terms.includes(undefined)) throw new GraphQLError('the fake shop knows no such search');
    const skus = new Set(terms.map((term) => term?.replace(/\\(.)/g, '$1').toLowerCase()));
    return this.variants.filter(({ sku }) => skus.has(sku.toLowerCase()));
  }

  variantNode(variant: Variant): object {
    return {
      id: variant.id,
      sku: variant.sku || null,
      displayName: variant.title,
      price: variant.price,
      compareAtPrice: variant.compareAtPrice,
      product: () => this.productNode(variant.product),
      inventoryItem: () => this.itemNode(variant),
    };
  }

  productNode(product: SoldProduct): object {
    return {
      id: product.id,
      title: product.title,
      status: product.status,
      variantsCount: { count: product.variants.length },
      variants: ({ first = 50 }: { first?: number }) => ({
        nodes: product.variants.slice(0, first).map((variant) => this.variantNode(variant)),
        pageInfo: { hasNextPage: product.variants.length > first, endCursor: null },
      }),
    };
  }

  itemNode(variant: Variant): object {
    return {
      id: variant.item,
      sku: variant.sku,
      tracked: variant.tracked,
      inventoryLevel: (args: { locationId: string; includeInactive: boolean }) => {
        const level = variant.levels.get(args.locationId);
        if (!level || !(level.isActive || args.includeInactive)) return null;
        return {
          id: `${variant.item.replace('Item', 'Level')}?${args.locationId}`,
          isActive: level.isActive,
          quantities: ({ names }: { names: string[] }) =>
            names.map((name) => ({ name, quantity: level.available })),
        };
      },
    };
  }

  queries() {
    return {
      shop: () => ({
        currencyCode: this.shop.options.currency,
        taxesIncluded: this.shop.options.taxesIncluded ?? false,
      }),
      location: ({ id }: { id?: string }) => {
        const found = this.locations.find((each) => id === undefined || each === id);
        return found ? { id: found } : null;
      },
      inventoryItem: ({ id }: { id: string }) => {
        const variant = this.#byItem.get(id);
        return variant ? this.itemNode(variant) : null;
      },
      product: ({ id }: { id: string }) => {
        const product = this.products.get(id);
        return product && product.variants.length > 0 ? this.productNode(product) : null;
      },
    };
  }

  // --- mutations -------------------------------------------------------------------------------------------

  mutations() {
    return {
      inventorySetQuantities: (
        args: { input: SetQuantities },
        _context: unknown,
        info: GraphQLResolveInfo,
      ) => {
        const { quantities } = args.input;
        this.writes.push({ kind: 'stock', entries: quantities.length });
        if (quantities.length > MAX_INPUT) throw tooLarge(quantities.length);
        if (quantities.some((each) => !('changeFromQuantity' in each))) {
          throw new GraphQLError(
            'InventoryQuantityInput must include the following argument: changeFromQuantity.',
            {
              extensions: { code: 'INVALID_FIELD_ARGUMENTS' },
            },
          );
        }
        return this.#once(info, args, () => this.#set(quantities));
      },
      inventoryActivate: (
        args: { inventoryItemId: string; locationId: string; available?: number },
        _context: unknown,
        info: GraphQLResolveInfo,
      ) => {
        this.writes.push({ kind: 'activate', entries: 1 });
        return this.#once(info, args, () => {
          const variant = this.#byItem.get(args.inventoryItemId);
          if (!variant || !this.locations.includes(args.locationId)) {
            const field = [variant ? 'locationId' : 'inventoryItemId'];
            return {
              inventoryLevel: null,
              userErrors: [{ field, message: 'The location could not be found.' }],
            };
          }
          this.level(variant, args.locationId).isActive = true;
          return { inventoryLevel: { id: `${variant.item}?${args.locationId}` }, userErrors: [] };
        });
      },
      productVariantsBulkUpdate: (args: { productId: string; variants: VariantInput[] }) =>
        this.#setPrices(args),
      productUpdate: ({ product: input }: { product: { id: string; status?: SoldProduct['status'] } }) => {
        const product = this.products.get(input.id);
        if (!product) {
          return { product: null, userErrors: [{ field: ['id'], message: 'Product does not exist' }] };
        }
        this.writes.push({ kind: 'status', entries: 1 });
        product.status = input.status ?? product.status;
        return { product: this.productNode(product), userErrors: [] };
      },
      productSet: ({ identifier, input }: { identifier?: { handle?: string }; input: ProductSet }) => {
        const known = [...this.products.values()].find(({ handle }) => handle === identifier?.handle);
        const [spec] = input.variants ?? [];
        if (known) return { product: this.productNode(known), userErrors: [] };
        const { product } = this.add({
          sku: spec?.sku ?? '',
          title: input.title ?? '',
          price: spec?.price ?? '0.00',
          ...(spec?.inventoryItem?.tracked && { stock: 0 }),
          ...(input.status && { status: input.status }),
        });
        Object.assign(product, { handle: identifier?.handle ?? product.handle });
        return { product: this.productNode(product), userErrors: [] };
      },
    };
  }

  #set(quantities: readonly QuantityInput[]): object {
    const seen = new Set<string>();
    const errors = quantities.flatMap((entry, index): UserError[] => {
      const pair = `${entry.inventoryItemId} ${entry.locationId}`;
      const problem = seen.has(pair) ? PAIR_TWICE : this.#problemOf(entry);
      seen.add(pair);
      if (!problem) return [];
      const [code, message, ...where] = problem;
      return [{ code, message, field: ['input', 'quantities', String(index), ...where] }];
    });
    if (errors.length > 0) return { inventoryAdjustmentGroup: null, userErrors: errors };
    for (const { inventoryItemId, locationId, quantity } of quantities) {
      const variant = this.#byItem.get(inventoryItemId);
      if (variant) this.level(variant, locationId).available = quantity;
    }
    return {
      inventoryAdjustmentGroup: { id: `gid://shopify/InventoryAdjustmentGroup/${this.writes.length}` },
      userErrors: [],
    };
  }

  #problemOf(entry: QuantityInput): Problem | undefined {
    const { inventoryItemId, locationId, quantity, changeFromQuantity } = entry;
    const variant = this.#byItem.get(inventoryItemId);
    if (!variant) {
      const message = 'The specified inventory item could not be found.';
      return ['INVALID_INVENTORY_ITEM', message, 'inventoryItemId'];
    }
    if (!this.locations.includes(locationId)) {
      return ['INVALID_LOCATION', 'The specified location could not be found.', 'locationId'];
    }
    if (!variant.mutable) {
      const message = 'The specified inventory item is not allowed to be adjusted via API.';
      return ['NON_MUTABLE_INVENTORY_ITEM', message, 'inventoryItemId'];
    }
    if (quantity < 0) {
      return ['INVALID_QUANTITY_NEGATIVE', "The quantity can't be negative.", 'quantity'];
    }
    if (quantity > 1_000_000_000) {
      const message = "The total quantity can't be higher than 1,000,000,000.";
      return ['INVALID_QUANTITY_TOO_HIGH', message, 'quantity'];
    }
    const now = variant.levels.get(locationId)?.available ?? 0;
    if (changeFromQuantity !== null && changeFromQuantity !== now) {
      const message = 'The changeFromQuantity value does not match persisted value.';
      return ['CHANGE_FROM_QUANTITY_STALE', message, 'changeFromQuantity'];
    }
    return undefined;
  }

  #setPrices({ productId, variants }: { productId: string; variants: VariantInput[] }): object {
    this.writes.push({ kind: 'prices', entries: variants.length });
    if (variants.length > MAX_INPUT) throw tooLarge(variants.length);
    const product = this.products.get(productId);
    if (!product) {
      const error = {
        code: 'PRODUCT_DOES_NOT_EXIST',
        field: ['productId'],
        message: 'Product does not exist',
      };
      return { productVariants: null, userErrors: [error] };
    }
    const errors: UserError[] = [];
    const changed: Variant[] = [];
    variants.forEach(({ id, price, compareAtPrice }, index) => {
      const variant = product.variants.find((each) => each.id === id);
      const field = ['variants', String(index), variant ? 'price' : 'id'];
      if (!variant) {
        errors.push({
          code: 'PRODUCT_VARIANT_DOES_NOT_EXIST',
          field,
          message: 'Product variant does not exist',
        });
      } else if (price !== undefined && new Big(price).lt(0)) {
        errors.push({ code: 'NEGATIVE_PRICE_VALUE', field, message: 'Price cannot be negative' });
      } else {
        if (price !== undefined) variant.price = price;
        if (compareAtPrice !== undefined) variant.compareAtPrice = compareAtPrice;
        changed.push(variant);
      }
    });
    // allowPartialUpdates: those without an error are changed [G].
    return { productVariants: changed.map((variant) => this.variantNode(variant)), userErrors: errors };
  }

  /** A key that was used answers as it did; it belongs to one input, and is used up by a failure [I]. */
  #once(info: GraphQLResolveInfo, args: object, work: () => object): object {
    const directive = info.fieldNodes[0]?.directives?.find(({ name }) => name.value === 'idempotent');
    const value = directive?.arguments?.find(({ name }) => name.value === 'key')?.value;
    const key =
      value?.kind === Kind.VARIABLE
        ? info.variableValues[value.name.value]
        : value && valueFromASTUntyped(value);
    if (typeof key !== 'string' || key === '') {
      throw new GraphQLError(
        'The @idempotent directive is required for this mutation but was not provided.',
        {
          extensions: { code: 'BAD_REQUEST' },
        },
      );
    }
    const refuse = (code: string, message: string) => ({
      inventoryAdjustmentGroup: null,
      inventoryLevel: null,
      userErrors: [{ code, field: null, message }],
    });
    const input = JSON.stringify(args);
    const known = this.#keys.get(key);
    if (known && known.input !== input) {
      const message = 'The same idempotency key cannot be used with different operation parameters.';
      return refuse('IDEMPOTENCY_KEY_PARAMETER_MISMATCH', message);
    }
    if (known?.ok) return known.answer as object;
    if (known) {
      return refuse(
        'IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED',
        'A previous request with this idempotency key failed.',
      );
    }
    const answer = work() as { readonly userErrors: readonly unknown[] };
    this.#keys.set(key, { input, answer, ok: answer.userErrors.length === 0 });
    return answer;
  }
}

interface QuantityInput {
  readonly inventoryItemId: string;
  readonly locationId: string;
  readonly quantity: number;
  readonly changeFromQuantity: number | null;
}
interface SetQuantities {
  readonly quantities: readonly QuantityInput[];
}
interface VariantInput {
  readonly id: string;
  readonly price?: string;
  readonly compareAtPrice?: string | null;
}
interface ProductSet {
  readonly title?: string;
  readonly status?: SoldProduct['status'];
  readonly variants?: readonly {
    readonly sku?: string;
    readonly price?: string;
    readonly inventoryItem?: { readonly tracked?: boolean };
  }[];
}

const idOf = (gid: string): number => Number(gid.split('/').at(-1));

const tooLarge = (count: number) =>
  new GraphQLError(`The input array size of ${count} is greater than the maximum allowed of ${MAX_INPUT}.`, {
    extensions: { code: 'MAX_INPUT_SIZE_EXCEEDED' },
  });
