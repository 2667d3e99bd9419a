import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { createProviderGate, notAskedForMs, type GateOptions } from '../../services/payments/provider/gate';
import { createProviderClient, retryAfterMs } from '../../services/payments/provider/client';

let server: Server;
let url: string;
/** What the provider answers with, and how many are with it now and were at most. */
let [status, now, most, asked] = [200, 0, 0, 0];
let letGo: () => void = () => undefined;
let holding: Promise<void> | undefined;

beforeAll(async () => {
  server = createServer((_request, response) => {
    asked += 1;
    now += 1;
    most = Math.max(most, now);
    void (holding ?? Promise.resolve()).then(() => {
      now -= 1;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 200 ? { id: 'pi_1' } : { error: { message: 'no' } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  [status, now, most, asked] = [200, 0, 0, 0];
  holding = undefined;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

function gated(options: GateOptions = {}) {
  const gate = createProviderGate({ breakAfter: 3, retryAfterMs: 50, mostRetryAfterMs: 200, ...options });
  const httpClient = gate.wrap(Stripe.createNodeHttpClient());
  const client = createProviderClient({ apiKey: 'sk_test_gate', apiBase: url, httpClient });
  return { gate, ask: () => client.paymentIntents.retrieve('pi_1') };
}

const failed = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Looks until it is so; the gate's pauses are short here. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('not so within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('opens on answers that say nothing, and lets nothing through while it is open', async () => {
  const { gate, ask } = gated({
    retryAfterMs: 60_000,
    mostRetryAfterMs: 60_000,
    leastPauseMs: 120_000,
    mostPauseMs: 120_000,
    random: () => 0.5,
  });
  status = 503;
  for (let i = 0; i < 3; i += 1) await failed(ask());
  expect(gate.reading()).toMatchObject({ state: 'open', opened: 1, refused: 0 });
  const errors = await Promise.all(Array.from({ length: 20 }, () => failed(ask())));
  expect(asked).toBe(3);
  expect(gate.reading()).toMatchObject({ refused: 20, inFlight: 0, waiting: 0 });
  for (const error of errors) {
    expect(notAskedForMs(error)).toBe(120_000);
    expect(retryAfterMs(error)).toBe(120_000);
  }
});

test('stays closed on refusals: who refuses is there', async () => {
  const { gate, ask } = gated();
  status = 402;
  for (let i = 0; i < 10; i += 1) await failed(ask());
  expect(gate.reading()).toMatchObject({ state: 'closed', opened: 0 });
  expect(asked).toBe(10);
});

test('lets one try whether the provider is back, and all when it is', async () => {
  const { gate, ask } = gated();
  status = 500;
  for (let i = 0; i < 3; i += 1) await failed(ask());
  await until(async () => notAskedForMs(await failed(ask())) === undefined);
  expect(asked).toBe(4);
  expect(gate.reading()).toMatchObject({ state: 'open', opened: 2 });
  status = 200;
  await until(async () => (await failed(ask())) === undefined);
  expect(gate.reading().state).toBe('closed');
  expect(await Promise.all(Array.from({ length: 5 }, ask))).toHaveLength(5);
});

test('those who were turned away come back spread out, over as long as a quarter of the outage', async () => {
  const tries = [0, 0.25, 0.5, 0.75, 1];
  const { ask } = gated({ retryAfterMs: 10_000, leastPauseMs: 20_000, random: () => tries.shift()! });
  status = 500;
  for (let i = 0; i < 3; i += 1) await failed(ask());
  const pauses = [];
  for (let i = 0; i < 5; i += 1) pauses.push(notAskedForMs(await failed(ask())));
  expect(pauses).toEqual([10_000, 15_000, 20_000, 25_000, 30_000]);
});

test('no more than a few are with the provider at once; more wait, and more than those are told to come later', async () => {
  const { gate, ask } = gated({ mostAtOnce: 3, mostWaiting: 5 });
  holding = new Promise((resolve) => (letGo = resolve));
  const calls = Array.from({ length: 10 }, () => failed(ask()));
  await until(() => now === 3 && gate.reading().waiting === 5);
  expect(gate.reading()).toMatchObject({ inFlight: 3, waiting: 5, refused: 2, state: 'closed' });
  letGo();
  const errors = (await Promise.all(calls)).filter((error) => error !== undefined);
  expect(errors).toHaveLength(2);
  expect(most).toBe(3);
});
