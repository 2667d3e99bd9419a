import { createHash, randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';

import type { DisputeSeen } from '../../domain/dispute';
import { disputeUpdates } from '../../domain/names';
import type { PayoutDue } from '../../domain/sagas';
import { ownNamespace } from '../support/apiGround';
import { startPayoutGround, type PayoutActivities, type PayoutGround } from '../support/payoutGround';
import { playedDisputes, type PlayedDisputes } from '../support/playedDisputes';
import { playedTransfers, type PlayedTransfers } from '../support/playedTransfers';
import { eventually } from '../support/rideSaga';
import { existingEnvironment } from '../support/servers';

/** Disputes and payouts on a real server; bank and provider are played. */
export interface MoneyScene {
  readonly ground: PayoutGround;
  readonly transfers: PlayedTransfers;
  readonly bank: PlayedDisputes;
  /** What happens once, between a payout's plan and its start. */
  afterPlan: (() => Promise<void>) | undefined;
}

export async function startMoneyScene(): Promise<MoneyScene> {
  const [transfers, bank] = [playedTransfers(), playedDisputes()];
  const instead = (real: PayoutActivities) => ({
    ...transfers.activities,
    ...bank.activities,
    planPayout: async (order: Parameters<PayoutActivities['planPayout']>[0]) => {
      const plan = await real.planPayout(order);
      const then = scene.afterPlan;
      scene.afterPlan = undefined;
      await then?.();
      return plan;
    },
  });
  const ground = await startPayoutGround({ env: await existingEnvironment(await ownNamespace()), instead });
  const scene: MoneyScene = { ground, transfers, bank, afterPlan: undefined };
  return scene;
}

type MoneyCarrier = 'payout' | 'payoutBatch' | 'dispute';
/** Goes to its end; the answer is what is kept of it. */
type MoneyWay = (scene: MoneyScene) => Promise<Partial<Record<MoneyCarrier, WorkflowHandle>>>;

const week = (driverId: string): PayoutDue => ({ driverId, currency: 'USD', period: '2026-W09' });

/** A payout to a driver with an account, to its end. */
const paidOut =
  (before: (scene: MoneyScene, driverId: string) => unknown = () => undefined): MoneyWay =>
  async (scene) => {
    const driverId = await scene.ground.driver(5_000);
    await before(scene, driverId);
    const payout = await scene.ground.pay(week(driverId));
    await payout.result();
    return { payout };
  };

/** News of a payout that was made before. */
const paidOutWithNews =
  (sentBackMinor: number): MoneyWay =>
  async (scene) => {
    const driverId = await scene.ground.driver(5_000);
    await (await scene.ground.pay(week(driverId))).result();
    scene.transfers.sendBack(driverId, sentBackMinor);
    const payout = await scene.ground.payoutNews(week(driverId));
    await payout.result();
    return { payout };
  };

/** A dispute from its news on, to its end. */
const disputed =
  (
    move: (scene: MoneyScene, disputeId: string, dispute: WorkflowHandle) => Promise<void>,
    dueInMs = 3_600_000,
    as: Partial<DisputeSeen> = {},
  ): MoneyWay =>
  async (scene) => {
    const disputeId = `du_${randomUUID().replaceAll('-', '')}`;
    const evidenceDueAt = new Date(Date.now() + dueInMs).toISOString();
    scene.bank.now(disputeId, { rideId: randomUUID(), evidenceDueAt, ...as });
    const dispute = await scene.ground.disputeNews(disputeId, { disputeLookMs: 500 });
    await scene.ground.untilDispute(disputeId, () => true);
    await move(scene, disputeId, dispute);
    await dispute.result();
    return { dispute };
  };

const evidence = (dispute: WorkflowHandle): Promise<unknown> => {
  const evidenceId = createHash('sha256').update('evidence').digest('hex');
  return dispute.executeUpdate(disputeUpdates.submitEvidence, { args: [{ evidenceId, by: 'ops-1' }] });
};

const decided =
  (stands: 'won' | 'lost') =>
  async ({ bank, ground }: MoneyScene, disputeId: string): Promise<void> => {
    bank.now(disputeId, { stands });
    await ground.disputeNews(disputeId);
  };

/** The ways that a payout or a dispute can go: recorded and replayed beside those of rides. */
export const moneyWays: Readonly<Record<string, MoneyWay>> = {
  'payout-paid': paidOut(),
  'payout-failed': paidOut(({ transfers }) =>
    transfers.next(() => Promise.resolve({ transferred: false, reason: 'no such account' })),
  ),
  'payout-retried': paidOut(({ transfers }) => transfers.down(3)),
  'payout-of-less': paidOut((scene, driverId) => {
    scene.afterPlan = () => scene.ground.earned(driverId, -1_000);
  }),
  'payout-of-nothing': paidOut(({ ground }, driverId) => ground.earned(driverId, -5_000)),
  'payout-returned': paidOutWithNews(5_000),
  'payout-not-returned': paidOutWithNews(0),
  'payouts-of-a-week': async ({ ground }) => {
    await ground.driver(5_000);
    const { lastRun } = await ground.batch('2026-W10');
    return { payoutBatch: lastRun };
  },
  'payouts-page-by-page': async ({ ground }) => {
    for (let i = 0; i < 3; i += 1) await ground.driver(5_000);
    const { firstRun } = await ground.batch('2026-W11', { pageSize: 1, pagesPerRun: 2 });
    return { payoutBatch: firstRun };
  },
  'dispute-won': disputed(async (scene, disputeId, dispute) => {
    await evidence(dispute);
    await decided('won')(scene, disputeId);
  }),
  'dispute-lost': disputed(decided('lost')),
  'dispute-seen-without-news': disputed(async ({ bank }, disputeId) => {
    const looks = bank.looks(disputeId);
    await eventually(() => Promise.resolve(bank.looks(disputeId) > looks || undefined));
    bank.now(disputeId, { stands: 'lost' });
  }, 1_000),
  'dispute-evidence-refused': disputed(async (scene, disputeId, dispute) => {
    scene.bank.next(() => Promise.resolve({ submitted: false, reason: 'too long' }));
    await evidence(dispute).catch(() => undefined);
    await decided('lost')(scene, disputeId);
  }),
  'dispute-inquiry': disputed(
    async ({ bank, ground }, disputeId, dispute) => {
      await evidence(dispute);
      bank.now(disputeId, { stands: 'inquiry_closed' });
      await ground.disputeNews(disputeId);
    },
    undefined,
    { stands: 'inquiry', feeMinor: 0 },
  ),
  'dispute-not-ours': async ({ ground }) => {
    const dispute = await ground.disputeNews(`du_${randomUUID().replaceAll('-', '')}`);
    await dispute.result();
    return { dispute };
  },
};
