import { ApplicationFailure } from '@temporalio/common';
import type { PayoutProvider } from '../../activities/payments/payouts';
import type { Transferred } from '../../domain/payout';

/** A provider of transfers that says what the test wants; what was transferred once stays so. */
export interface PlayedTransfers {
  readonly activities: PayoutProvider;
  /** The amounts that went to a driver, in minor units, in order. */
  sentTo(driverId: string): number[];
  /** How often it was asked to transfer something to this driver. */
  askedFor(driverId: string): number;
  /** Answers the next call in the place of the usual answer. */
  next(answer: () => Promise<Transferred>): void;
  /** Fails as a provider does that is down, so many times. */
  down(times: number): void;
  /** So much of a driver's transfer has come back. */
  sendBack(driverId: string, amountMinor: number): void;
}

export function playedTransfers(): PlayedTransfers {
  const transfers = new Map<string, { driverId: string; amountMinor: number; returnedMinor: number }>();
  const asked: string[] = [];
  const waiting: (() => Promise<Transferred>)[] = [];
  const next = (answer: () => Promise<Transferred>): void => void waiting.push(answer);
  return {
    activities: {
      transfer: ({ payoutId, driverId, amountMinor }) => {
        asked.push(driverId);
        const special = waiting.shift();
        if (special) return special();
        const transferId = `tr_${payoutId}`;
        if (!transfers.has(transferId))
          transfers.set(transferId, { driverId, amountMinor, returnedMinor: 0 });
        return Promise.resolve({ transferred: true, transferId });
      },
      returnedOf: ({ transferId }) => {
        const found = transfers.get(transferId);
        if (found) return Promise.resolve(found.returnedMinor);
        return Promise.reject(ApplicationFailure.nonRetryable(`no transfer ${transferId}`));
      },
    },
    sentTo: (driverId) =>
      [...transfers.values()].filter((one) => one.driverId === driverId).map((one) => one.amountMinor),
    askedFor: (driverId) => asked.filter((one) => one === driverId).length,
    next,
    down(times) {
      for (let i = 0; i < times; i += 1) next(() => Promise.reject(new Error('connect ECONNREFUSED')));
    },
    sendBack(driverId, amountMinor) {
      for (const one of transfers.values()) if (one.driverId === driverId) one.returnedMinor += amountMinor;
    },
  };
}
