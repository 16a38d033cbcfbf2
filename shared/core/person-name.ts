/** Chinese, Japanese or Korean script throughout (々 and the long vowel mark belong to it; dots part names). */
const FAMILY_NAME_FIRST =
  /^(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3005\u30FC\u30FB\u00B7]|\s)+$/u;

/**
 * A person's name as people write it: family name first and without a blank in Chinese, Japanese and Korean
 * script, otherwise first name, blank, last name. One part alone is the name; none: undefined.
 * @example personName('小明', '王') // '王小明'
 * @example personName('Ada', 'Lovelace') // 'Ada Lovelace'
 */
export const personName = (first: string | undefined, last: string | undefined): string | undefined => {
  const [given, family] = [first, last].map((part) => (part ?? '').trim().replace(/\s+/g, ' '));
  if (!given || !family) return given || family || undefined;
  return FAMILY_NAME_FIRST.test(given) && FAMILY_NAME_FIRST.test(family)
    ? `${family}${given}`
    : `${given} ${family}`;
};
