import Stripe from 'stripe';
import type * as z from 'zod';
import { RetryableError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import { firstProblem } from '../../http/json.ts';
import type { FetchedPayment, OpenOptions, PaymentReads } from '../contract.ts';
import { failureOf, isMissing } from './errors.ts';
import type { StripeCredentials, StripeSettings } from './manifest.ts';
import { toPayment } from './payment.mapper.ts';
import { StDispute, StPaymentIntent, StRefund, StSession } from './wire.ts';

/** The package's own limit is 80 s; a function has 60. */
const TIMEOUT_MS = 10_000;
/** Reads change nothing: the package repeats what was not answered, after half a second and a second. */
const RETRIES = 2;
/** The most that a list of Stripe's holds. */
const PAGE = 100;

/** At most four levels deep (docs.stripe.com/expand). */
const EXPANDED = ['latest_charge.balance_transaction', 'latest_charge.refunds'];

/** Payments as Stripe has them now. */
export const open = (options: OpenOptions<StripeSettings, StripeCredentials>): PaymentReads => {
  const { settings, nowMs } = options;
  const ask = <T>(call: CallContext, work: (stripe: Stripe) => Promise<T>): Promise<T> =>
    withFreshCredentials(options.credentials, async ({ apiKey }) => {
      try {
        return await work(clientOf(settings, apiKey, call));
      } catch (error) {
        throw failureOf(error, call, nowMs());
      }
    });
  return {
    // The expansions, too: a restricted key may be allowed to read payments and not what belongs to them.
    test: (call) =>
      ask(call, async (stripe) => {
        await stripe.paymentIntents.list({ limit: 1, expand: EXPANDED.map((path) => `data.${path}`) });
      }),
    payment: (id, call) => ask(call, (stripe) => paymentOf(stripe, id, settings)),
  };
};

const paymentOf = async (
  stripe: Stripe,
  id: string,
  settings: StripeSettings,
): Promise<FetchedPayment | undefined> => {
  const answer = await stripe.paymentIntents.retrieve(id, { expand: EXPANDED }).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (answer === undefined) return undefined;
  const parsed = StPaymentIntent.safeParse(answer);
  if (!parsed.success) return unreadable(firstProblem(parsed.error));
  const intent = parsed.data;
  const charge = intent.latest_charge;
  const all = { payment_intent: id, limit: PAGE };
  try {
    const refunds = charge?.refunds.has_more
      ? await every(StRefund, stripe.refunds.list(all))
      : (charge?.refunds.data ?? []);
    const disputes = charge?.disputed ? await every(StDispute, stripe.disputes.list(all)) : [];
    const sessions = settings.checkout ? await every(StSession, stripe.checkout.sessions.list(all)) : [];
    const { value: payment, warnings } = toPayment({ intent, refunds, disputes, sessions }, settings);
    return { kind: 'payment', payment, warnings };
  } catch (error) {
    if (error instanceof Unreadable || error instanceof RangeError) return unreadable(error.message);
    throw error;
  }
};

const unreadable = (reason: string): FetchedPayment => ({ kind: 'unreadable', reason });

class Unreadable extends Error {}

/** The package asks for the next page when it is wanted. */
const every = async <S extends z.ZodType>(
  schema: S,
  list: AsyncIterable<unknown>,
): Promise<z.output<S>[]> => {
  const found: z.output<S>[] = [];
  for await (const one of list) {
    const parsed = schema.safeParse(one);
    if (!parsed.success) throw new Unreadable(firstProblem(parsed.error));
    found.push(parsed.data);
  }
  return found;
};

/** One for each call: its requests end when the call does. Connections are Node's, and kept. */
const clientOf = ({ url, account }: StripeSettings, apiKey: string, { signal }: CallContext): Stripe => {
  if (signal.aborted) throw new RetryableError('PEER_TIMEOUT', 'no time was left to call Stripe');
  const { protocol, hostname, port } = new URL(url ?? 'https://api.stripe.com');
  return new Stripe(apiKey, {
    timeout: TIMEOUT_MS,
    maxNetworkRetries: RETRIES,
    telemetry: false,
    protocol: protocol === 'http:' ? 'http' : 'https',
    host: hostname,
    ...(port !== '' && { port }),
    ...(account !== undefined && { stripeAccount: account }),
    httpClient: Stripe.createFetchHttpClient((input: string | URL | Request, init: RequestInit = {}) =>
      fetch(input, { ...init, signal: AbortSignal.any([signal, ...(init.signal ? [init.signal] : [])]) }),
    ),
  });
};
