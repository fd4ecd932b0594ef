import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/** Sets the headers that tell a browser what a page of ours may do: nothing from elsewhere, nothing inline. */
export async function registerHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: policy([]),
    strictTransportSecurity: false, // for the proxy that speaks TLS to say
    // `no-referrer` would make browsers send `Origin: null` with our own forms (Fetch standard, "append a request Origin").
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  });
}

/**
 * Bull Board 9.10 writes style attributes and a style element, and names a font of another site, which stays blocked.
 * Its inline script is a block of JSON and runs nothing.
 */
export const BOARD_POLICY = policy(["'unsafe-inline'"]);

function policy(styles: readonly string[]) {
  return {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", ...styles],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      baseUri: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  } satisfies FastifyHelmetOptions['contentSecurityPolicy'];
}
