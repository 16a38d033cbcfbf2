import { type AcceptWebhookPorts, acceptWebhook, type QuarantinedDelivery } from './accept-webhook.ts';

/**
 * What somebody who may call the function directly asks of it: one of our own commands. API Gateway cannot be made to say
 * this: what a stranger sends stands further inside its events.
 */
export interface ReplayRequest {
  readonly replay: {
    /** What was kept before releases knew method and address was posted. */
    readonly delivery: Omit<QuarantinedDelivery, 'method'> & { readonly method?: string };
    readonly by: string;
    readonly why: string;
  };
}

export interface ReplayAnswer {
  /** accepted, notified, ignored, pong; or quarantined, rejected, unavailable: then the message must stay. */
  readonly status: string;
  readonly reason?: string | undefined;
}

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
  const { connection, receivedAtMs, method = 'POST', url, headers } = delivery;
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
