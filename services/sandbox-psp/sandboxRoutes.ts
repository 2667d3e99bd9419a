import { json, Router, type Response } from 'express';
import { z } from 'zod';
import { authenticationRoutes } from './authenticationRoutes';
import { commit, type Happening, type Sandbox } from './commit';
import { closeDispute, escalateInquiry, openDispute, type Dispute } from './disputes/dispute';
import { faultSchema } from './faults';
import { disputeOf, intentOf } from './find';
import { disputeHappening, disputeOpened } from './happenings';
import { topupMovement } from './movements';
import { readJson } from './params';
import { asStripe } from './shape';
import { catchUp } from './time';

const disputeSchema = z.strictObject({
  paymentIntent: z.string(),
  reason: z.enum(['fraudulent', 'product_not_received', 'duplicate', 'general']).optional(),
  amount: z.int().positive().optional(),
  inquiry: z.boolean().optional(),
});
const fundsSchema = z.strictObject({
  amount: z.int().positive(),
  currency: z.string().regex(/^[A-Za-z]{3}$/),
});
const clockSchema = z.strictObject({ advanceMs: z.int().positive() });

/**
 * What Stripe does not have: the ledger as an oracle, and what banks, riders and time do, on demand. No key is asked
 * for.
 */
export function sandboxRoutes(sandbox: Sandbox): Router {
  const router = Router();
  router.use((_req, _res, next) => {
    catchUp(sandbox);
    next();
  });
  oracleRoutes(router, sandbox);
  faultRoutes(router, sandbox);
  bankRoutes(router, sandbox);
  authenticationRoutes(router, sandbox);
  return router;
}

function oracleRoutes(router: Router, { books, journal }: Sandbox): void {
  const answer = async (res: Response, body: unknown): Promise<void> => {
    await journal.settled();
    res.json(body);
  };
  router.get('/ledger', (_req, res) => answer(res, books.ledger()));
  router.get('/open-authorizations', (_req, res) => answer(res, { data: books.openAuthorizations() }));
}

function faultRoutes(router: Router, { faults }: Sandbox): void {
  router.get('/faults', (_req, res) => {
    res.json({ data: faults.list() });
  });
  router.post('/faults', json(), (req, res) => {
    const fault = readJson(faultSchema, req.body);
    faults.add(fault);
    res.status(201).json(fault);
  });
  router.delete('/faults', (_req, res) => {
    faults.clear();
    res.status(204).end();
  });
}

/** The clock, money paid in, and what riders' banks do of their own accord. */
function bankRoutes(router: Router, sandbox: Sandbox): void {
  const { books, clock } = sandbox;
  const done = async (res: Response, at: Date, happening: Happening, body: unknown): Promise<void> => {
    await commit(sandbox, at, happening, null);
    res.json(body);
  };

  router.post('/clock', json(), (req, res) => {
    const { advanceMs } = readJson(clockSchema, req.body);
    const now = new Date(clock().getTime() + advanceMs).toISOString();
    return done(res, clock(), { clockAheadMs: books.clockAheadMs + advanceMs }, { now });
  });
  router.post('/funds', json(), (req, res) => {
    const { amount, currency } = readJson(fundsSchema, req.body);
    const movement = topupMovement(amount, currency, clock());
    return done(res, clock(), { movements: [movement] }, movement);
  });
  router.post('/disputes', json(), (req, res) => {
    const { paymentIntent, ...order } = readJson(disputeSchema, req.body);
    const at = clock();
    const intent = intentOf(books, paymentIntent);
    const dispute = openDispute(intent, { ...order, left: books.disputableMinor(intent) }, at);
    return done(res, at, disputeOpened(dispute, intent, at), asStripe(dispute));
  });
  const does = (what: (dispute: Dispute, at: Date) => Dispute) => (id: string, res: Response) => {
    const at = clock();
    const before = disputeOf(books, id);
    const after = what(before, at);
    const intent = intentOf(books, before.payment_intent);
    return done(res, at, disputeHappening(before, after, intent, at), asStripe(after));
  };
  const win = does((dispute, at) => closeDispute(dispute, 'won', at));
  const lose = does((dispute, at) => closeDispute(dispute, 'lost', at));
  const escalate = does(escalateInquiry);
  router.post('/disputes/:id/win', (req, res) => win(req.params.id, res));
  router.post('/disputes/:id/lose', (req, res) => lose(req.params.id, res));
  router.post('/disputes/:id/escalate', (req, res) => escalate(req.params.id, res));
}
