import { defineSignal, setHandler } from '@temporalio/workflow';
import type { PayoutProvider, PayoutReads } from '../activities/payments/payouts';
import { money } from '../domain/money';
import { payoutNotCovered, providerNews } from '../domain/names';
import {
  payoutSteps,
  payoutTransitions,
  type Payout,
  type PayoutFactData,
  type PayoutStatus,
} from '../domain/payout';
import type { PayoutDue, PayoutStart, ProviderNews } from '../domain/sagas';
import { FactRecord } from './factRecord';
import { SagaView, type Subject } from './sagaView';
import { ownDatabase, refusalIn } from './steps';
import { untilAnswered } from './untilAnswered';

/**
 * A payout to a driver: what is owed is booked as on its way, sent, and paid or the driver's again, whoever cancels. It is
 * over then; news of a transfer that came back begins it anew.
 */
export async function payout({ payoutId, policies, due }: PayoutStart): Promise<PayoutStatus | 'nothing'> {
  const subject = { where: 'not begun', version: 0, about: `payout \`${payoutId}\`` };
  const view = new SagaView(policies, subject, shown);
  const provider = untilAnswered<PayoutProvider>(view);
  const database = ownDatabase<PayoutReads>({ onTrouble: (step, error) => view.failed(step, error) });
  const record = new FactRecord<Payout, PayoutFactData>(
    {
      ...{ id: payoutId, steps: payoutSteps, committed: 'committedPayout' },
      mayFollow: (state, type) => payoutTransitions[type].includes(state?.status ?? 'nothing'),
    },
    view,
  );
  let hasNews = false;
  setHandler(defineSignal<[ProviderNews]>(providerNews), () => void (hasNews = true));

  await record.load();
  if (record.state === null && due !== null) await begin(due);
  if (record.state?.status === 'started') await send(record.state);
  while (hasNews) {
    hasNews = false;
    if (record.state !== null) await lookForReturn(record.state);
  }
  view.waits('nothing: the payout is over');
  return record.state?.status ?? 'nothing';

  /** The balance may change until it is booked: what is owed by then counts, and may be nothing. */
  async function begin({ driverId, currency, period }: PayoutDue): Promise<void> {
    const order = { driverId, currency, period, payoutMinimums: policies.payoutMinimums };
    for (;;) {
      const plan = await database.planPayout(order);
      if (plan === null) return;
      try {
        await record.add('payout.started', { payoutId, driverId, currency, period, ...plan });
        return;
      } catch (error) {
        if (refusalIn(error)?.type !== payoutNotCovered) throw error;
      }
    }
  }

  async function send(started: Payout): Promise<void> {
    const { driverId, amountMinor, currency, period, destination } = started;
    const sent = await provider.transfer(`Send ${money(amountMinor, currency)} to the driver`, {
      ...{ payoutId, driverId, period, destination, amountMinor, currency },
    });
    const amount = { driverId, amountMinor, currency };
    if (sent.transferred) await record.add('payout.paid', { ...amount, transferId: sent.transferId });
    else await record.add('payout.failed', { ...amount, reason: sent.reason });
  }

  /** What came back is the driver's again; it may come in parts. */
  async function lookForReturn({ transferId, driverId, currency, returnedMinor }: Payout): Promise<void> {
    if (transferId === null) return;
    const seenMinor = await provider.returnedOf('See what came back', { transferId, currency });
    const amountMinor = seenMinor - returnedMinor;
    if (amountMinor <= 0) return;
    await record.add('payout.returned', { driverId, amountMinor, currency, reason: 'transfer_reversed' });
  }
}

function shown({ status, version, driverId, amountMinor, currency, period, transferId }: Payout): Subject {
  const at = transferId === null ? 'none' : `\`${transferId}\``;
  const about = `\`${driverId}\`, ${period}: ${money(amountMinor, currency)}; at the provider: ${at}`;
  return { where: status, version, about };
}
