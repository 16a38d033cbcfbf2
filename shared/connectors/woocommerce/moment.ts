import { utcMoment } from '../../core/utc.ts';

const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?(Z|[+-]\d{2}:?\d{2})?$/i;

/** `2026-01-05T02:04:05Z`; undefined when neither the UTC field nor one with a zone holds a moment. */
export const instant = (gmt: string, local: string): string | undefined => {
  const utc = ISO.exec(gmt.trim());
  if (utc) return utcMoment(`${utc[1]}T${utc[2]}${utc[3] ?? ':00'}${utc[4] ?? 'Z'}`);
  // Site-local time without zone would be a guess.
  const zoned = gmt.trim() === '' ? ISO.exec(local.trim()) : null;
  return zoned?.[4] ? utcMoment(`${zoned[1]}T${zoned[2]}${zoned[3] ?? ':00'}${zoned[4]}`) : undefined;
};
