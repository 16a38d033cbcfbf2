import * as z from 'zod';
import { type AcceptWebhookPorts, acceptWebhook } from './accept-webhook.ts';

/** A quarantined delivery as its queue holds it. What was kept before releases knew method and address was posted. */
const Quarantined = z.object({
  connection: z.string(),
  receivedAtMs: z.int(),
  method: z.string().default('POST'),
  url: z.string().optional(),
  headers: z.record(z.string(), z.string()),
  body: z.base64(),
});

/**
 * What somebody who may call the function directly asks of it. API Gateway cannot be made to say this: what a stranger
 * sends stands further inside its events.
 */
export const ReplayRequest = z.object({
  replay: z.object({ delivery: Quarantined, by: z.string().min(1), why: z.string().min(1) }),
});
export type ReplayRequest = z.infer<typeof ReplayRequest>;

/** What became of it. The message may be deleted unless it says `quarantined`, `rejected` or `unavailable`. */
export const ReplayAnswer = z.object({ status: z.string(), reason: z.string().optional() });
export type ReplayAnswer = z.infer<typeof ReplayAnswer>;

/** After these the delivery is dealt with, and its copy in quarantine is of no use. */
export const DEALT_WITH = ['accepted', 'notified', 'ignored', 'pong'];

/**
 * Take a quarantined delivery once more, with the release and the secrets of today, as if it came now, but for one thing:
 * the clock shows when it came. A signature over the time was right then, and what is said of the order's age stays true.
 * What is still not understood is not quarantined a second time.
 */
export const replayDelivery = async <S, C>(
  ports: AcceptWebhookPorts<S, C>,
  { replay }: ReplayRequest,
): Promise<ReplayAnswer> => {
  const { delivery, by, why } = replay;
  const { connection, receivedAtMs, method, url, headers } = delivery;
  if (connection !== ports.connection) {
    throw new Error(`this is the function of ${ports.connection}, the delivery is for ${connection}`);
  }
  const startedMs = ports.nowMs();
  const nowMs = () => receivedAtMs;
  let answer: ReplayAnswer = { status: 'unavailable' };
  await acceptWebhook(
    {
      ...ports,
      via: 'replay',
      nowMs,
      context: async () => ({ ...(await ports.context()), nowMs }),
      quarantine: async () => undefined,
      line: (line) => {
        answer = { status: line.outcome ?? 'unavailable', reason: line.reason };
        const reason = `replayed by ${by}: ${why}${line.reason ? ` (${line.reason})` : ''}`;
        // Counted when it came.
        ports.line({ ...line, what: 'replay-delivery', reason, totalMs: ports.nowMs() - startedMs });
      },
    },
    { method, url, headers, body: Buffer.from(delivery.body, 'base64') },
  );
  return answer;
};
