import { expect, it } from 'vitest';
import { type Precedence, precedence, type Revision } from '../../../shared/core/revision.ts';

const pushed = (seenAtMs: number, contentHash: string | undefined = 'a', sourceVersion = 10): Revision => ({
  sourceVersion,
  contentHash,
  seenAtMs,
  fetched: false,
});
const fetched = (seenAtMs: number, contentHash = 'a', sourceVersion = 10): Revision => ({
  ...pushed(seenAtMs, contentHash, sourceVersion),
  fetched: true,
});
const unknown = { ...pushed(1), contentHash: undefined };

it.each<[string, Revision, Revision, Precedence]>([
  ['larger version', pushed(1, 'a', 11), pushed(5, 'b', 10), 'newer'],
  ['larger version, though the other was fetched later', pushed(1, 'a', 11), fetched(9, 'b', 10), 'newer'],
  ['smaller version, though fetched later', fetched(9, 'a', 9), pushed(5, 'b', 10), 'older'],
  ['the same twice', pushed(1), pushed(2), 'same'],
  ['fetched twice, delivered twice', fetched(5), fetched(5), 'same'],
  ['pushed twice, other content', pushed(2), pushed(1, 'b'), 'unclear'],
  ['not comparable', unknown, pushed(1, 'b'), 'same'],
  ['nothing to compare with', pushed(1, 'b'), unknown, 'same'],
  ['fetched after the push', fetched(5), pushed(4, 'b'), 'newer'],
  ['fetched in the very millisecond', fetched(5), pushed(5, 'b'), 'newer'],
  ['pushed after the reading began', fetched(5), pushed(6, 'b'), 'unclear'],
  ['late copy of what came before the reading', pushed(4), fetched(5, 'b'), 'older'],
  ['came after the reading began', pushed(6), fetched(5, 'b'), 'unclear'],
  ['came after the reading, says the same', pushed(6), fetched(5), 'same'],
  ['read later', fetched(6), fetched(5, 'b'), 'newer'],
  ['read earlier', fetched(5), fetched(6, 'b'), 'older'],
  ['confirmed by reading', fetched(6), pushed(5), 'newer'],
])('%s', (_case, copy, held, expected) => {
  expect(precedence(copy, held)).toBe(expected);
});
