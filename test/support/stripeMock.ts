import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fromSetup } from './fromSetup';
import type { RecordedCall } from './recordedCalls';

/** Stripe's own mock of its API (github.com/stripe/stripe-mock): it refuses requests that Stripe would not understand. */
export interface StripeMock {
  /** What it answers to the same request; always of an object that has nothing to do with it. */
  answerTo(call: Pick<RecordedCall, 'method' | 'path' | 'body'>): Promise<MockAnswer>;
  stop(): Promise<void>;
}

export interface MockAnswer {
  readonly status: number;
  readonly answer: object & { readonly error?: { readonly message: string } };
}

/** The folder that globalSetup has found. */
export const stripeMockFolder = (): string => fromSetup('HAILWAY_STRIPE_MOCK');

/** It ends when its stdin does: also when the test is killed. */
const untilStdinEnds = '"$0" "$@" & pid=$!; cat > /dev/null; kill $pid';

export async function startStripeMock(): Promise<StripeMock> {
  const anyPort = '127.0.0.1:';
  const args = ['-http-addr', anyPort, '-https-addr', anyPort];
  const child = spawn('sh', ['-c', untilStdinEnds, join(stripeMockFolder(), 'stripe-mock'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let url: string | null = null;
  for await (const line of createInterface(child.stdout)) {
    const address = /Listening for HTTP at address: (\S+)/.exec(line)?.[1];
    if (address === undefined) continue;
    url = `http://${address}`;
    break;
  }
  if (url === null) throw new Error('stripe-mock ended before it listened');
  child.stdout.resume();
  const base = url;
  return {
    async answerTo({ method, path, body }) {
      const response = await fetch(new URL(path, base), {
        method,
        headers: {
          authorization: 'Bearer sk_test_hailway',
          'content-type': 'application/x-www-form-urlencoded',
        },
        ...(method === 'GET' ? {} : { body }),
      });
      return { status: response.status, answer: (await response.json()) as MockAnswer['answer'] };
    },
    async stop() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
