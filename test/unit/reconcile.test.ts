import {
  isClean,
  reconcile,
  type Compared,
  type Look,
  type ReconciliationSteps,
} from '../../domain/reconcile';
import { checkNames, driftLine, type CheckName, type Drift } from '../../domain/reconciliation';

const order = { runId: 'run', since: '2026-01-01T00:00:00.000Z', repairs: true, settleMs: 10, resumes: true };
const drift = (rideId: string, more: Partial<Drift> = {}): Drift => ({
  ...{ kind: 'hold_gone', ids: { rideId }, says: 'it is gone', action: 'look' },
  ...more,
});
const missing = drift('ride-1', { kind: 'fact_missing_on_log' });
const safe = (rideId: string): Drift => drift(rideId, { repair: { does: 'start_payment', rideId } });

/** A house of which the checks say these things, one look after another; the last one from then on. */
function house(says: Partial<Record<CheckName, Look[]>>) {
  const done: string[] = [];
  const kept: (Compared | undefined)[] = [];
  const steps: ReconciliationSteps = {
    look: (check) => {
      done.push(`look at ${check}`);
      const looks = says[check] ?? [{ drifts: [] }];
      return Promise.resolve(looks.length > 1 ? looks.shift()! : looks[0]!);
    },
    wait: () => Promise.resolve(void done.push('wait')),
    repair: (repair) => Promise.resolve(`${done.push(`repair ${repair.does}`)} steps`),
    recordFound: (_order, { drifts }) => Promise.resolve(void done.push(`found ${drifts.length}`)),
    recordFinished: ({ findings }, compared) => {
      done.push(`left ${findings.filter(({ repaired }) => !repaired).length}`);
      kept.push(compared);
      return Promise.resolve();
    },
  };
  return { steps, done, kept };
}

const again = (check: CheckName): string[] => ['wait', `look at ${check}`];
const allLooks = checkNames.map((check) => `look at ${check}`);

test('a clean house is looked at once', async () => {
  const { steps, done } = house({});
  const report = await reconcile(order, steps);
  expect(done).toEqual([...allLooks, 'found 0', 'left 0']);
  expect(isClean(report)).toBe(true);
});

test('what was only on its way is no drift', async () => {
  const { steps, done } = house({
    provider: [
      { drifts: [drift('moving'), drift('slow'), drift('lasting')] },
      { drifts: [drift('lasting'), drift('slow'), drift('new')] },
      { drifts: [drift('lasting'), drift('new')] },
    ],
  });
  const { findings } = await reconcile({ ...order, repairs: false }, steps);
  expect(findings.map(({ drift: { ids } }) => ids['rideId'])).toEqual(['lasting']);
  expect(done).toEqual([...allLooks, ...again('provider'), ...again('provider'), 'found 1', 'left 1']);
});

test('what is safe is repaired after it was recorded, and counts as repaired when a look says so', async () => {
  const { steps, done } = house({
    workflows: [
      ...[1, 2, 3, 4].map(() => ({ drifts: [safe('helped'), drift('unsafe')] })),
      { drifts: [drift('unsafe')] },
    ],
  });
  const report = await reconcile(order, steps);
  expect(done.slice(allLooks.length)).toEqual([
    ...[...again('workflows'), ...again('workflows'), 'found 2', 'repair start_payment'],
    ...[...again('workflows'), ...again('workflows'), 'left 1'],
  ]);
  expect(report.findings.map(({ repaired }) => repaired)).toEqual([true, false]);
  expect(isClean(report)).toBe(false);
});

test('a repair that does not help is not waited for without end', async () => {
  const { steps, done } = house({ workflows: [{ drifts: [safe('stubborn')] }] });
  const { findings } = await reconcile(order, steps);
  expect(findings).toMatchObject([{ repaired: false }]);
  expect(done.filter((step) => step === 'wait')).toHaveLength(8);
});

test('a check that cannot look makes no house clean, and takes back nothing that was seen', async () => {
  const { steps } = house({
    books: [{ unseen: 'the database is away' }],
    provider: [{ drifts: [drift('seen')] }, { unseen: 'no answer' }],
  });
  const report = await reconcile({ ...order, repairs: false }, steps);
  expect(report.findings).toMatchObject([{ drift: { ids: { rideId: 'seen' } }, repaired: false }]);
  expect(report.unseen).toEqual([
    { check: 'books', reason: 'the database is away' },
    { check: 'provider', reason: 'no answer' },
  ]);
  expect(isClean(report)).toBe(false);
});

test.each([
  ['is there still', [missing], true],
  ['has come meanwhile, perhaps out of order', [], false],
])('the log counts as compared where what was missing %s: %#', async (_, drifts, counts) => {
  const compared = { below: '7', offsets: { 0: 3 } };
  const { steps, kept } = house({
    log: [
      { drifts: [missing], compared },
      { drifts, compared },
    ],
  });
  await reconcile(order, steps);
  expect(kept).toEqual([counts ? compared : undefined]);
});

test('a drift is one line, with by how much', () => {
  expect(driftLine(safe('ride-1'))).toBe('hold_gone rideId=ride-1: it is gone. Repair (safe): look.');
  expect(driftLine(drift('ride-1', { byMinor: 250, currency: 'USD', cause: 'nobody knows' }))).toBe(
    'hold_gone rideId=ride-1: it is gone (+250 USD). Cause: nobody knows. Repair (an operator’s): look.',
  );
});
