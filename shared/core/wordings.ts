import type { Language, Wording } from './reasons.ts';
import { english } from './reasons-en.ts';
import { traditionalChinese } from './reasons-zh-hant.ts';

/**
 * Every language that people read. Apart from `reasons.ts`, because what runs in AWS writes English only, and would carry
 * ten kilobytes of each other language in every bundle.
 */
export const WORDINGS: Readonly<Record<Language, Wording>> = { en: english, 'zh-Hant': traditionalChinese };
