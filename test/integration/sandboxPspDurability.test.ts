import { appendFile, readFile, stat } from 'node:fs/promises';
import type Stripe from 'stripe';
import { refusal, startPsp, stripeFor, temporaryFolder, type RunningPsp } from '../support/sandboxPsp';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let psp: RunningPsp;

beforeEach(async () => {
  folder = await temporaryFolder();
  psp = await startPsp({ dataDir: folder.path });
});
afterEach(async () => {
  await psp.stop();
  await folder.remove();
});

const holdOf = (amount: number): Stripe.PaymentIntentCreateParams => ({
  amount,
  currency: 'usd',
  capture_method: 'manual',
  confirm: true,
  payment_method: 'pm_card_visa',
  metadata: { rideId: 'ride-1' },
});
const hold = (idempotencyKey: string, { amount = 2500, stripe = psp.stripe } = {}) =>
  stripe.paymentIntents.create(holdOf(amount), { idempotencyKey });
const intents = async () => (await psp.stripe.paymentIntents.list()).data;
const restart = async () => void (psp = await psp.restart());
/** `Idempotent-Replayed` of an answer. */
const replayed = (answer: Stripe.Response<unknown>) => answer.lastResponse.headers['idempotent-replayed'];

describe('the same key again', () => {
  test('gets the first answer, also of a decline and after a restart', async () => {
    const first = await hold('ride-1/authorize/1');
    expect(replayed(first)).toBeUndefined();
    await psp.stripe.paymentIntents.cancel(first.id);
    const declined = () =>
      refusal(
        psp.stripe.paymentIntents.create(
          { ...holdOf(2500), payment_method: 'pm_card_visa_chargeDeclined' },
          { idempotencyKey: 'ride-2/authorize/1' },
        ),
      );
    const no = await declined();

    for (const again of [() => Promise.resolve(), restart]) {
      await again();
      const repeat = await hold('ride-1/authorize/1');
      expect(replayed(repeat)).toBe('true');
      expect(repeat.lastResponse.headers['original-request']).toBe(first.lastResponse.requestId);
      expect({ ...repeat, lastResponse: null }).toEqual({ ...first, lastResponse: null });
      expect(await declined()).toMatchObject({
        statusCode: 402,
        payment_intent: { id: no.payment_intent?.id },
        headers: { 'idempotent-replayed': 'true' },
      });
      expect(await intents()).toHaveLength(2);
    }
  });

  test('with other parameters or at another endpoint is refused', async () => {
    const { id } = await hold('key');
    const others = [
      hold('key', { amount: 2501 }),
      psp.stripe.paymentIntents.capture(id, {}, { idempotencyKey: 'key' }),
    ];
    for (const other of others) {
      expect(await refusal(other)).toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 });
    }
    expect(await intents()).toMatchObject([{ id, status: 'requires_capture' }]);

    await psp.stripe.paymentIntents.capture(id, {}, { idempotencyKey: 'end' });
    expect(await refusal(psp.stripe.paymentIntents.cancel(id, {}, { idempotencyKey: 'end' }))).toMatchObject({
      type: 'StripeIdempotencyError',
      message: expect.stringContaining(`('/v1/payment_intents/${id}/capture' vs`) as string,
    });
  });

  test('after a refused parameter it runs: nothing was stored', async () => {
    expect(await refusal(hold('key', { amount: 0 }))).toMatchObject({ statusCode: 400 });
    expect(await hold('key')).toMatchObject({ amount: 2500 });
  });

  test('after 24 hours it is a new request', async () => {
    const first = await hold('key');
    psp.pass(24 * 3_600_000 - 1);
    expect((await hold('key')).id).toBe(first.id);
    psp.pass(1);
    expect((await hold('key')).id).not.toBe(first.id);
  });

  test('at the same time runs once; the second gets 409 until the first is answered', async () => {
    await psp.fault({ kind: 'delay', delayMs: 300 });
    const first = hold('key');
    await psp.faultsMet();
    expect(await refusal(hold('key'))).toMatchObject({
      // What the client makes of any 409; Stripe's own type is beneath.
      type: 'StripeAPIError',
      rawType: 'idempotency_error',
      statusCode: 409,
      code: 'idempotency_key_in_use',
    });
    const patient = hold('key', { stripe: stripeFor(psp.url, { retries: 3 }) });
    expect((await patient).id).toBe((await first).id);
    expect(await intents()).toHaveLength(1);
  });

  test('twenty at once leave one hold', async () => {
    const stripe = stripeFor(psp.url, { retries: 5 });
    const all = await Promise.all(Array.from({ length: 20 }, () => hold('key', { stripe })));
    expect(new Set(all.map((intent) => intent.id)).size).toBe(1);
    expect(await intents()).toHaveLength(1);
  });

  test('and the same step under twenty keys at once takes the money once', async () => {
    const { id } = await hold('key');
    const steps = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        psp.stripe.paymentIntents.capture(id, {}, { idempotencyKey: `c${n}` }),
      ),
    );
    expect(steps.filter((step) => step.status === 'fulfilled')).toHaveLength(1);
    expect(await psp.ledger()).toMatchObject({
      currencies: { USD: { capturedMinor: 2500 } },
      consistent: true,
    });
  });
});

describe('the journal', () => {
  test('brings everything back after a kill in mid-write, without the torn line', async () => {
    const held = await hold('a');
    const paid = await psp.stripe.paymentIntents.capture((await hold('b')).id, { amount_to_capture: 2000 });
    const refund = await psp.stripe.refunds.create({ payment_intent: paid.id, amount: 500 });
    const before = await psp.ledger();
    await psp.stop();
    const whole = (await stat(psp.journalPath)).size;
    await appendFile(psp.journalPath, '{"v":1,"at":"2026-03-01T12:00:00.000Z","intent":{"id":"pi_to');

    psp = await startPsp({ dataDir: folder.path });
    expect((await stat(psp.journalPath)).size).toBe(whole);
    expect(await psp.ledger()).toEqual(before);
    expect(await psp.openHolds()).toMatchObject([{ paymentIntent: held.id }]);
    expect((await psp.stripe.refunds.retrieve(refund.id)).amount).toBe(500);

    const later = await hold('c');
    await restart();
    expect((await intents()).map((intent) => intent.id)).toContain(later.id);
  });

  test('every acknowledged step is in the file when its answer arrives', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, n) => hold(`k${n}`)));
    const written = await readFile(psp.journalPath, 'utf8');
    expect(written.endsWith('\n')).toBe(true);
    const ids = written
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { intent: { id: string } }).intent.id);
    expect(ids.sort()).toEqual(all.map((intent) => intent.id).sort());
  });

  test('a whole line that is no record stops the start, with its number', async () => {
    await hold('a');
    await psp.stop();
    await appendFile(psp.journalPath, 'not a record\n');
    await expect(startPsp({ dataDir: folder.path })).rejects.toThrow(/journal\.jsonl line 2 /);
    psp = await startPsp({ dataDir: `${folder.path}/another` });
  });
});
