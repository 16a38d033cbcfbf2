import type { OrderRoute } from '../../shared/settings/order-route.ts';

/** The one that the ends name. @throws Error none, or several, and which there are */
export const routeOf = (
  routes: readonly OrderRoute[],
  { from, to }: { readonly from?: string; readonly to?: string },
): OrderRoute => {
  const fitting = routes.filter((route) => (!from || route.from === from) && (!to || route.to === to));
  const [route] = fitting;
  if (route && fitting.length === 1) return route;
  const known = routes.map((each) => `--from ${each.from} --to ${each.to}`).join(', or ');
  throw new Error(`${route ? 'there are several routes' : 'there is no such route'}: ${known}`);
};
