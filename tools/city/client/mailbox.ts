import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A webhook's delivery that came in. */
export interface ReceivedPost {
  readonly webhookId: string;
  /** Whether it was signed with the webhook's secret, lately. */
  readonly signed: boolean;
  /** The body as it came. */
  readonly body: string;
}

export interface WebhookKey {
  readonly webhookId: string;
  readonly secret: string;
  /** Refuses its first post, as a receiver does that was just restarted: it has to come again. */
  readonly startsLate: boolean;
}

/** Where the city's people have their webhooks posted to. */
export interface Mailbox {
  /** The address to be registered for a name. */
  urlFor(name: string): string;
  /** What the registration answered: posts to this name's address are told from forged ones by it. */
  expect(name: string, key: WebhookKey): void;
  close(): Promise<void>;
}

const MOST_BYTES = 1_000_000;

/** Opens a mailbox on a free port of this machine. A post that is taken is handed on before it is answered. */
export async function openMailbox(onPost: (post: ReceivedPost) => void): Promise<Mailbox> {
  const keys = new Map<string, WebhookKey>();
  const awake = new Set<string>();

  const statusFor = async (request: IncomingMessage): Promise<number> => {
    const name = decodeURIComponent(request.url?.slice(1) ?? '');
    const key = keys.get(name);
    const body = await textOf(request);
    // Registered, and the answer to the registration is still on its way: it comes again.
    if (key === undefined) return 503;
    const signed = isSigned(request.headers['hailway-signature'], body, key.secret, Date.now());
    const isLate = signed && key.startsLate && !awake.has(name);
    if (isLate) awake.add(name);
    else onPost({ webhookId: key.webhookId, signed, body });
    if (isLate) return 503;
    return signed ? 204 : 401;
  };

  const server = createServer((request, response) => {
    statusFor(request).then(
      (status) => void response.writeHead(status).end(),
      () => void response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    urlFor: (name) => `http://127.0.0.1:${port}/${encodeURIComponent(name)}`,
    expect: (name, key) => void keys.set(name, key),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error('too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A signature is good for so long: what is older may be a repeat by somebody who listened. */
const GOOD_FOR_MS = 5 * 60_000;

/**
 * Whether `hailway-signature` (`t=<seconds>,v1=<hex>`, one v1 for each secret that is good) fits the raw body, by the
 * docs alone: HMAC-SHA256 of `<t>.<body>`.
 */
export function isSigned(
  header: string | string[] | undefined,
  body: string,
  secret: string,
  nowMs: number,
): boolean {
  if (typeof header !== 'string') return false;
  const parts = header.split(',').map((part) => part.split('='));
  const t = Number(parts.find(([name]) => name === 't')?.[1]);
  if (!Number.isInteger(t) || Math.abs(nowMs - t * 1_000) > GOOD_FOR_MS) return false;
  const wanted = createHmac('sha256', secret).update(`${t}.${body}`).digest();
  return parts.some(([name, hex = '']) => {
    const given = Buffer.from(hex, 'hex');
    return name === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}
