import { createMetrics } from '../../platform/metrics';
import { showDrifts } from '../../services/payments/reconciliation/metrics';
import { reconcileHouse } from '../../tools/cli/reconcile';
import { UsageError } from '../../tools/commandLine';
import { ownNamespace } from '../support/apiGround';
import { since, startReconcileGround, type ReconcileGround } from '../support/reconcileGround';
import { kafkaBrokers, temporalAddress } from '../support/servers';

jest.setTimeout(60_000);

let ground: ReconcileGround;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  ground = await startReconcileGround();
  env = {
    PAYMENTS_DATABASE_URL: ground.pool.options.connectionString,
    KAFKA_BROKERS: kafkaBrokers().join(','),
    KAFKA_TOPIC_PREFIX: ground.topicPrefix,
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: await ownNamespace(),
    STRIPE_API_BASE: ground.psp.url,
  };
});
afterAll(() => ground?.stop());

/** What the payments process would show by now. */
async function shown(): Promise<string> {
  const metrics = createMetrics('payments');
  showDrifts(metrics, ground.pool);
  return metrics.registry.metrics();
}

async function hailway(...argv: string[]): Promise<{ code: number; printed: string }> {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const code = await reconcileHouse(['--settle', '0.2', ...argv], env);
    return { code, printed: write.mock.calls.map(([text]) => String(text)).join('') };
  } finally {
    write.mockRestore();
  }
}

test('says nothing of a clean house, and names each drift in a line', async () => {
  const [rideId] = [await ground.captured(), await ground.voided()];
  await ground.relayed();
  expect(await hailway('--since', since)).toMatchObject({
    code: 0,
    printed: expect.stringMatching(/^0 drifts, 0 left \(run [-0-9a-f]+, since 2026-01-01/) as string,
  });

  expect(await shown()).not.toContain('hailway_reconciliation_drifts{');

  await ground.byHand.query(
    `update payments set state = jsonb_set(state, '{tipMinor}', '1') where payment_id = $1`,
    [rideId],
  );
  const dry = await hailway('--since', since);
  expect(dry.code).toBe(1);
  expect(dry.printed.split('\n')[0]).toBe(
    `row_differs rideId=${rideId}: tipMinor is 1, by its facts 0. ` +
      'Repair (an operator’s): somebody has written to the database beside the house: compare with a backup.',
  );
  const { code, printed } = await hailway('--repair', '--json', '--since', since);
  expect(code).toBe(1);
  expect(JSON.parse(printed)).toMatchObject({
    since,
    findings: [{ drift: { kind: 'row_differs', ids: { rideId } }, repaired: false }],
    unseen: [],
  });
  expect(await shown()).toContain('hailway_reconciliation_drifts{kind="row_differs"} 1');
});

test('a house that it cannot see is not a clean one', async () => {
  env = { ...env, STRIPE_API_BASE: 'http://127.0.0.1:9' };
  const { code, printed } = await hailway('--since', '2026-11-01');
  expect(code).toBe(1);
  expect(printed).toContain('could not look at provider: ');
  expect(await shown()).toContain('hailway_reconciliation_unseen 1');
  await expect(hailway('--since', 'yesterday')).rejects.toThrow(UsageError);
  await expect(hailway('--settle', '-1')).rejects.toThrow(UsageError);
});
