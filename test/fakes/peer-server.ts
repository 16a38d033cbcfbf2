import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

/**
 * A real HTTP server on 127.0.0.1 that plays a peer, and misbehaves on request.
 *
 * Faults are scripted, not random: each is used up after `times` matching requests, in the order in which
 * they were added. Chaos runs add a `rate` fault with a seeded generator instead.
 */
export interface Fault {
  /** Only requests for which this holds. Default: all. */
  readonly when?: (request: FastifyRequest) => boolean;
  /** How many matching requests it hits. Default 1; Infinity until removed. */
  readonly times?: number;
  /** Chance to hit a matching request, from `random`. Default: always. */
  readonly rate?: number;
  readonly random?: () => number;
  readonly effect: /** Answer this instead; the request has no effect. */
    | {
        readonly kind: 'answer';
        readonly status: number;
        readonly headers?: Record<string, string>;
        readonly body?: string;
      }
    /** Close the connection before anything happens. */
    | { readonly kind: 'drop-before' }
    /** Do it, then close the connection without an answer. */
    | { readonly kind: 'drop-after' }
    /** Close the connection at once; do it this much later. */
    | { readonly kind: 'late'; readonly delayMs: number }
    /** Do it, answer late. */
    | { readonly kind: 'slow'; readonly delayMs: number }
    /** Keep the connection open without an answer until the client is gone; do it first only with `after`. */
    | { readonly kind: 'hang'; readonly at: 'before' | 'after'; readonly hung: (client: Gone) => void };
}

/** The client of a request that hangs. */
export interface Gone {
  /** Its connection is closed. */
  isGone(): boolean;
}

export interface PeerServer {
  readonly app: FastifyInstance;
  readonly url: string;
  /** Requests seen, newest last: method and path, nothing personal. */
  readonly requests: readonly string[];
  /** Adds a fault; the returned function removes it. */
  fault(fault: Fault): () => void;
  /** How often each effect hit so far. */
  readonly hits: Readonly<Record<Fault['effect']['kind'], number>>;
  /**
   * Nobody listens any more: open connections are closed, new ones refused.
   * @returns listens again, at the same address
   */
  goDown(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** Bodies arrive as Buffers: the peer's own code decides how to read them. */
export const startPeerServer = async (
  routes: (app: FastifyInstance) => void,
  options: { port?: number } = {},
): Promise<PeerServer> => {
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 16 * 1024 * 1024 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const faults: { fault: Fault; left: number }[] = [];
  const hits = { answer: 0, 'drop-before': 0, 'drop-after': 0, late: 0, slow: 0, hang: 0 };
  const requests: string[] = [];
  const late = new Set<NodeJS.Timeout>();
  const replaying = new WeakSet<FastifyRequest>();

  const next = (request: FastifyRequest): Fault['effect'] | undefined => {
    const found = faults.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.when?.(request) ?? true) &&
        (fault.rate === undefined || (fault.random ?? Math.random)() < fault.rate),
    );
    if (!found) return undefined;
    found.left -= 1;
    hits[found.fault.effect.kind] += 1;
    return found.fault.effect;
  };

  const hang = async (
    { raw: { socket } }: FastifyRequest,
    { hung }: Extract<Fault['effect'], { kind: 'hang' }>,
  ): Promise<void> => {
    const closed = socket.destroyed || new Promise((resolve) => socket.once('close', resolve));
    hung({ isGone: () => socket.destroyed });
    await closed;
  };

  // preHandler, so that `when` may look at the body.
  app.addHook('preHandler', async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.headers['x-fake-replay']) {
      replaying.add(request);
      return;
    }
    requests.push(`${request.method} ${request.url}`);
    const effect = next(request);
    if (!effect) return;
    switch (effect.kind) {
      case 'answer':
        await reply
          .code(effect.status)
          .headers(effect.headers ?? {})
          .send(effect.body ?? '');
        return;
      case 'drop-before':
        request.raw.socket.destroy();
        return reply.hijack();
      case 'late': {
        const { method, url, headers, body } = request;
        const again = () =>
          void app.inject({
            method: method as 'POST',
            url,
            headers: { ...headers, 'x-fake-replay': '1' },
            payload: body as Buffer,
          });
        const timer = setTimeout(again, effect.delayMs);
        late.add(timer);
        request.raw.socket.destroy();
        return reply.hijack();
      }
      case 'hang':
        if (effect.at === 'before') {
          reply.hijack();
          await hang(request, effect);
          return;
        }
        (request as FastifyRequest & { effect?: Fault['effect'] }).effect = effect;
        return;
      case 'drop-after':
      case 'slow':
        (request as FastifyRequest & { effect?: Fault['effect'] }).effect = effect;
    }
  });
  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply, payload) => {
    const effect = (request as FastifyRequest & { effect?: Fault['effect'] }).effect;
    if (effect?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, effect.delayMs));
    if (effect?.kind === 'hang') await hang(request, effect);
    if (effect?.kind === 'drop-after' || effect?.kind === 'hang') {
      request.raw.socket.destroy();
      reply.hijack();
    }
    return payload;
  });

  routes(app);
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    requests,
    hits,
    fault: (fault) => {
      const entry = { fault, left: fault.times ?? 1 };
      faults.push(entry);
      return () => {
        entry.left = 0;
      };
    },
    goDown: async () => {
      const closed = new Promise<void>((resolve) => {
        app.server.close(() => resolve());
      });
      app.server.closeAllConnections();
      await closed;
      return () =>
        new Promise((resolve, reject) => {
          app.server.once('error', reject);
          app.server.listen(port, '127.0.0.1', () => {
            app.server.off('error', reject);
            resolve();
          });
        });
    },
    stop: () => {
      for (const timer of late) clearTimeout(timer);
      return app.close();
    },
  };
};
