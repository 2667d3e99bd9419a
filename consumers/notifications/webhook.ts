import { createHmac } from 'node:crypto';
import { request as httpRequest, type ClientRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { AddressRefused, isPublicAddress, literalAddress, publicLookup } from './address';

/** Errors are kept this far, for whoever looks for the reason. */
const MAX_ERROR_CHARACTERS = 300;

/**
 * The value of the header `hailway-signature`: `t=<seconds since 1970>,v1=<hex>`, where v1 is the HMAC-SHA256 of
 * `<t>.<body>`; after a rotation there are two, one of each secret. Who receives it computes the same over the raw
 * body, compares in constant time with each, refuses a `t` of more than a few minutes ago, and keeps the ids it has
 * seen: a webhook may come twice.
 */
export function signature(secrets: readonly string[], atMs: number, body: string): string {
  const t = Math.floor(atMs / 1_000);
  const signed = secrets.map((secret) => createHmac('sha256', secret).update(`${t}.${body}`).digest('hex'));
  return [`t=${t}`, ...signed.map((hex) => `v1=${hex}`)].join(',');
}

export interface Letter {
  readonly deliveryId: string;
  readonly url: string;
  /** The body is signed with each. */
  readonly secrets: readonly string[];
  readonly body: string;
  /** Whether the URL may lead into our own network: who set it up may anything. */
  readonly trusted: boolean;
}

/** What the receiver answered; `status` null and an `error` when it did not. Never throws. */
export type Post = (letter: Letter) => Promise<{ status: number | null; error: string | null }>;

export interface WebhookOptions {
  /** From the look-up of the name to the first line of the answer. */
  readonly timeoutMs: number;
  /** Whether any URL may lead into our own network: for development. */
  readonly privateAddresses: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Posts signed bodies. Only the status of the answer is read. A redirect counts as a refusal: a signed body goes
 * nowhere else.
 */
export function createWebhook({ timeoutMs, privateAddresses, now }: WebhookOptions): Post {
  return async ({ deliveryId, url: text, secrets, body, trusted }) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const url = new URL(text);
      const anywhere = trusted || privateAddresses;
      const address = literalAddress(url);
      if (!anywhere && address !== null && !isPublicAddress(address)) throw new AddressRefused();
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'hailway',
        'hailway-delivery': deliveryId,
        'hailway-signature': signature(secrets, now(), body),
      };
      const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const status = await answerTo(
        request(url, {
          ...{ method: 'POST', headers, agent: false, signal },
          ...(anywhere ? {} : { lookup: publicLookup }),
        }),
        body,
      );
      return { status, error: status >= 200 && status < 300 ? null : `answered ${status}` };
    } catch (error) {
      const reason = signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
      return { status: null, error: reason.slice(0, MAX_ERROR_CHARACTERS) };
    }
  };
}

/** The status of the answer; what follows it is not read, however long it is. */
function answerTo(request: ClientRequest, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.on('error', () => {});
      response.destroy();
    });
    request.on('error', reject);
    request.end(body);
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Where a name has several addresses, each has failed.
  const causes = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  return causes.map(({ message }) => message).join('; ');
}
