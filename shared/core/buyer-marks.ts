import { createHash } from 'node:crypto';

/** Who bought, as either side states it. */
export interface BuyerHints {
  readonly emails: readonly (string | undefined)[];
  readonly phones: readonly (string | undefined)[];
  readonly names: readonly (string | undefined)[];
}

/**
 * Hashes of mail addresses, phone numbers and names, in a form that is alike on both sides: case, spaces and the order of a
 * name's words aside, and the last eight digits of a number. They are compared and never shown.
 */
export const buyerMarks = ({ emails, phones, names }: BuyerHints): readonly string[] => [
  ...new Set([
    ...emails.flatMap((text) => mark('mail', fold(text))),
    ...phones.flatMap((text) => mark('phone', lastDigits(text))),
    ...names.flatMap((text) => mark('name', fold(text).split(' ').sort().join(' '))),
  ]),
];

const PHONE_DIGITS = 8;

/** "+886 2 5550 0000" and "02 5550 0000" are one; what is shorter says too little. */
const lastDigits = (text = ''): string => {
  const digits = text.replace(/\D/g, '');
  return digits.length < PHONE_DIGITS ? '' : digits.slice(-PHONE_DIGITS);
};

const fold = (text = ''): string => text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();

const mark = (kind: string, text: string): string[] =>
  text === '' ? [] : [createHash('sha256').update(`${kind}:${text}`).digest('hex').slice(0, 16)];
