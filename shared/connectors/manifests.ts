import { manifest as customStore } from './custom-store/manifest.ts';
import type { Manifest } from './manifest.ts';
import { manifest as odoo } from './odoo/manifest.ts';
import { manifest as shopify } from './shopify/manifest.ts';
import { manifest as stripe } from './stripe/manifest.ts';
import { manifest as tryton } from './tryton/manifest.ts';
import { manifest as woocommerce } from './woocommerce/manifest.ts';

const manifests = { 'custom-store': customStore, odoo, shopify, stripe, tryton, woocommerce };

/** Every connector there is, by name. Adding one starts here. */
export const MANIFESTS: Readonly<Record<string, Manifest>> = manifests;

/** With the types of their schemas: stage files are checked against them while they are typed. */
export type Manifests = typeof manifests;
