import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runDelivery, type DeliveryOptions } from '../../consumers/notifications/delivery';
import { createEndpoint, listDeliveries } from '../../consumers/notifications/endpoints';
import { createWebhook } from '../../consumers/notifications/webhook';
import type { Pool } from '../../platform/postgres';
import { quiet, running, type Running } from './backbone';

/** What tests of webhooks share: a receiver that trusts only what is signed, and a sender in a hurry. */

export interface Received {
  readonly id: string;
  readonly factId: string;
  readonly rideId: string;
  readonly type: string;
  readonly version: number;
  readonly data: Record<string, unknown>;
}

/** Somebody who receives webhooks and checks them as the docstring of `signature` says. */
export class Receiver {
  /** What to answer; null never answers. */
  answer: number | null = 204;
  readonly received: Received[] = [];
  readonly refused: string[] = [];
  private server: Server | undefined;
  port = 0;

  constructor(public secret: string) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  get ids(): string[] {
    return this.received.map(({ id }) => id);
  }

  async open(): Promise<this> {
    this.server = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const problem = this.check(String(req.headers['hailway-signature']), body);
        const letter = JSON.parse(body) as Received;
        if (problem !== null) this.refused.push(problem);
        else if (letter.id !== req.headers['hailway-delivery']) this.refused.push('another id in the header');
        else this.received.push(letter);
        if (this.answer === null) return;
        res.writeHead(problem === null ? this.answer : 401, { location: this.url }).end('so it is');
      });
    });
    await new Promise<void>((resolve) => this.server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private check(header: string, body: string): string | null {
    const t = /^t=(\d+)/.exec(header)?.[1];
    const signatures = [...header.matchAll(/,v1=([0-9a-f]{64})(?=,|$)/g)].map(([, hex]) =>
      Buffer.from(hex!, 'hex'),
    );
    if (t === undefined || signatures.length === 0) return `no signature: ${header}`;
    if (Math.abs(Date.now() / 1_000 - Number(t)) > 300) return 'too old';
    const expected = createHmac('sha256', this.secret).update(`${t}.${body}`).digest();
    return signatures.some((one) => timingSafeEqual(expected, one)) ? null : 'wrong signature';
  }
}

export interface Owner {
  readonly role: 'rider' | 'operator';
  readonly id: string;
}

/** The receivers of a test file. */
export class Receivers {
  private all: Receiver[] = [];

  async open(secret = 'a secret that both know'): Promise<Receiver> {
    const one = await new Receiver(secret).open();
    this.all.push(one);
    return one;
  }

  /** A receiver that its owner has registered in the notifications database. */
  async registered(pool: Pool, owner: Owner) {
    const receiver = await this.open();
    const registration = { url: receiver.url, description: '' };
    const { webhookId, secret } = await createEndpoint(pool, owner, registration);
    receiver.secret = secret;
    const listed = async () => (await listDeliveries(pool, owner, webhookId, { limit: 100 })).deliveries;
    return { receiver, webhookId, listed };
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.all.map((one) => one.close()));
    this.all = [];
  }
}

/** Delivers with pauses of milliseconds; `timeoutMs` is what a receiver has to answer. */
export function delivering(
  pool: Pool,
  { timeoutMs = 1_000, ...options }: Partial<DeliveryOptions> & { timeoutMs?: number } = {},
): Running {
  const post = createWebhook({ timeoutMs, privateAddresses: true, now: Date.now });
  return running((signal) =>
    runDelivery({
      ...{ pool, post, signal, log: quiet, now: Date.now, pollMs: 20 },
      ...{ pause: ({ attempt }) => Math.min(100, 20 * attempt), ...options },
    }),
  );
}
