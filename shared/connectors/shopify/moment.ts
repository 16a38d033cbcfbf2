import { utcMoment } from '../../core/utc.ts';

/** A timestamp with its zone, or '': one without would be taken for this machine's own. */
export const zoned = (text: string): string => (/T.*(Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : '');

/** In UTC; undefined: no moment that is known. */
export const zonedMoment = (text: string): string | undefined => utcMoment(zoned(text));
