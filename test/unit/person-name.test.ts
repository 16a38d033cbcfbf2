import { expect, it } from 'vitest';
import { personName } from '../../shared/core/person-name.ts';

it.each([
  ['小明', '王', '王小明'],
  ['太郎', '試験', '試験太郎'],
  ['さくら', '佐々木', '佐々木さくら'],
  ['ジョージ', 'スミス', 'スミスジョージ'],
  ['길동', '홍', '홍길동'],
  ['สมชาย', 'ใจดี', 'สมชาย ใจดี'],
  ['Ada', 'Lovelace', 'Ada Lovelace'],
  ['David', '王', 'David 王'],
  ['小明', 'Wang', '小明 Wang'],
  [' Mary  Ann ', ' Smith ', 'Mary Ann Smith'],
  ['王小明', '', '王小明'],
  ['', '王', '王'],
  ['Cher', undefined, 'Cher'],
  ['', '', undefined],
  [undefined, '  ', undefined],
])('%s + %s = %s', (first, last, name) => expect(personName(first, last)).toBe(name));
