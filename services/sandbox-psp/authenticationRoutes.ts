import { json, urlencoded, type Router } from 'express';
import { z } from 'zod';
import { authenticationPage, returnAddress } from './authentication';
import { commit, type Sandbox } from './commit';
import { intentOf } from './find';
import { stepEffect } from './happenings';
import { readJson } from './params';
import type { PaymentIntent } from './paymentIntent';
import { authenticateIntent } from './paymentIntents';
import { asStripe } from './shape';
import { noSuch } from './stripeErrors';

const outcome = z.enum(['succeeded', 'failed']);
const answerSchema = z.strictObject({ outcome });
const pageAnswerSchema = z.strictObject({ outcome, payment_intent_client_secret: z.string() });

/** 3-D Secure: the page that stands for the bank's, and the same answer as JSON. */
export function authenticationRoutes(router: Router, sandbox: Sandbox): void {
  const { books, journal, clock } = sandbox;

  const authenticate = async (
    intent: PaymentIntent,
    said: 'succeeded' | 'failed',
  ): Promise<PaymentIntent> => {
    const at = clock();
    const step = authenticateIntent(intent, said);
    const { status: _status, body: _body, ...happening } = stepEffect(intent, step, at);
    await commit(sandbox, at, happening, null);
    return step.intent;
  };
  /** Whoever does not know the intent's secret has no page. */
  const pageOf = (id: string, secret: unknown): PaymentIntent => {
    const intent = intentOf(books, id);
    if (intent.client_secret !== secret) throw noSuch('payment_intent', id, 'intent');
    return intent;
  };

  router.post('/payment_intents/:id/authenticate', json(), async (req, res) => {
    const { outcome: said } = readJson(answerSchema, req.body);
    res.json(asStripe(await authenticate(intentOf(books, req.params.id), said)));
  });
  router.get('/authenticate/:id', async (req, res) => {
    const intent = pageOf(req.params.id, req.query['payment_intent_client_secret']);
    await journal.settled();
    if (intent.status === 'requires_action') res.type('html').send(authenticationPage(intent));
    else res.type('text').send('There is nothing to answer here any more.');
  });
  router.post('/authenticate/:id', urlencoded({ extended: false }), async (req, res) => {
    const { outcome: said, payment_intent_client_secret: secret } = readJson(pageAnswerSchema, req.body);
    const intent = pageOf(req.params.id, secret);
    const address = returnAddress(intent, said);
    await authenticate(intent, said);
    if (address === null) res.type('text').send('Thank you.');
    else res.redirect(303, address);
  });
}
