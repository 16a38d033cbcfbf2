/** Named entities that WordPress and WooCommerce put into titles and labels (wptexturize, esc_html, &times;). */
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
  times: '\u00D7',
  ndash: '\u2013',
  mdash: '\u2014',
  hellip: '\u2026',
  lsquo: '\u2018',
  rsquo: '\u2019',
  ldquo: '\u201C',
  rdquo: '\u201D',
  laquo: '\u00AB',
  raquo: '\u00BB',
  bull: '\u2022',
  middot: '\u00B7',
  deg: '\u00B0',
  copy: '\u00A9',
  reg: '\u00AE',
  trade: '\u2122',
  euro: '\u20AC',
  pound: '\u00A3',
  yen: '\u00A5',
  cent: '\u00A2',
  frac12: '\u00BD',
  frac14: '\u00BC',
  frac34: '\u00BE',
};

/** Text as a browser shows it: one pass, so `&amp;lt;` becomes `&lt;`. Unknown entities stay as they are. */
export const decodeHtml = (text: string): string =>
  text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z][a-zA-Z0-9]{1,7}));/g,
    (entity, dec, hex, name) =>
      name === undefined
        ? (character(dec ? Number(dec) : Number.parseInt(hex, 16)) ?? entity)
        : (NAMED[name] ?? entity),
  );

const character = (codePoint: number): string | undefined =>
  codePoint > 0 && codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff)
    ? String.fromCodePoint(codePoint)
    : undefined;

const SPECIAL: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '38': '&',
  '60': '<',
  '62': '>',
  '34': '"',
  '39': "'",
  x26: '&',
  x22: '"',
  x27: "'",
};

/**
 * What WordPress's `wp_specialchars_decode($text, ENT_QUOTES)` makes of a text: these entities and no other
 * (`&#x3c;` and `&apos;` stay), leading zeros allowed, names in lower case only, one pass.
 */
export const decodeSpecialChars = (text: string): string =>
  text.replace(
    /&(amp|lt|gt|quot|#0*(38|60|62|34|39)|#[xX]0*(26|22|27));/g,
    (entity, name: string, dec?: string, hex?: string) => SPECIAL[dec ?? (hex ? `x${hex}` : name)] ?? entity,
  );
