import type { Manifest } from './manifest.ts';
import { manifest as odoo } from './odoo/manifest.ts';
import { manifest as woocommerce } from './woocommerce/manifest.ts';

/** Every connector there is, by name. Adding one starts here. */
export const MANIFESTS: Readonly<Record<string, Manifest>> = { odoo, woocommerce };
