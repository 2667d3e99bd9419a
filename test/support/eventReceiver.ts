import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import Stripe from 'stripe';
import { eventually } from './backbone';

export const webhookSecret = 'whsec_a secret of the tests';

/** An endpoint that Stripe's own client checks the events of, and that answers what the test wants. */
export interface EventReceiver {
  readonly url: string;
  /** Those that were taken, in the order of their arrival. */
  readonly events: Stripe.Event[];
  /** Posts that were refused. */
  refused(): number;
  /** What it answers from now on; 200 at first. */
  answer(status: number): void;
  types(): string[];
  /** Resolves when so many were taken. */
  untilTaken(count: number): Promise<Stripe.Event[]>;
  stop(): Promise<void>;
}

export async function startEventReceiver(): Promise<EventReceiver> {
  const { webhooks } = new Stripe('sk_test_receiver');
  const events: Stripe.Event[] = [];
  let status = 200;
  let refused = 0;
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      const event = webhooks.constructEvent(body, req.headers['stripe-signature'] ?? '', webhookSecret);
      if (status === 200) events.push(event);
      else refused += 1;
      res.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/providers/stripe/events`,
    events,
    refused: () => refused,
    answer: (next) => void (status = next),
    types: () => events.map(({ type }) => type),
    untilTaken: (count) =>
      eventually(
        () => events,
        (taken) => taken.length >= count,
      ),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
