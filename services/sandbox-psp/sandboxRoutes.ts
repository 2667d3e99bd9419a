import { json, Router } from 'express';
import type { Sandbox } from './endpoint';
import { faultSchema } from './faults';
import { invalidRequest } from './stripeErrors';

/** What Stripe does not have: the ledger as an oracle, and faults on demand. No key is asked for. */
export function sandboxRoutes({ books, journal, faults }: Sandbox): Router {
  const router = Router();

  router.get('/ledger', async (_req, res) => {
    const ledger = books.ledger();
    await journal.settled();
    res.json(ledger);
  });
  router.get('/open-authorizations', async (_req, res) => {
    const data = books.openAuthorizations();
    await journal.settled();
    res.json({ data });
  });

  router.get('/faults', (_req, res) => {
    res.json({ data: faults.list() });
  });
  router.post('/faults', json(), (req, res) => {
    const fault = faultSchema.safeParse(req.body);
    if (!fault.success) {
      const issue = fault.error.issues[0];
      throw invalidRequest(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
    }
    faults.add(fault.data);
    res.status(201).json(fault.data);
  });
  router.delete('/faults', (_req, res) => {
    faults.clear();
    res.status(204).end();
  });
  return router;
}
