/**
 * A moment in UTC without empty milliseconds; undefined when the text holds none.
 * @param iso with a zone, or it would be taken for this machine's own
 * @example utcMoment('2026-01-05T10:04:05+08:00') // '2026-01-05T02:04:05Z'
 */
export const utcMoment = (iso: string): string | undefined => {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z');
};
