import { z } from 'zod';
import type { PayoutFactData, PayoutFactType } from '../../domain/payout';
import { currency, minor, subjectId, uuid } from '../shared';

const reason = z.string();
const payoutAmount = { driverId: subjectId, amountMinor: minor, currency };

/** One schema per fact of a payout to a driver, held to the domain's type. */
export const payoutFacts = {
  'payout.started': z
    .object({
      payoutId: uuid,
      ...payoutAmount,
      period: z.string(),
      destination: z.string(),
    })
    .describe('What a driver has earned is on its way to them.'),
  'payout.paid': z
    .object({ ...payoutAmount, transferId: z.string() })
    .describe('The provider has taken the transfer to the driver.'),
  'payout.failed': z
    .object({ ...payoutAmount, reason })
    .describe('The transfer was refused; the driver is still owed.'),
  'payout.returned': z
    .object({ ...payoutAmount, reason })
    .describe('A transfer came back; the driver is owed again.'),
} satisfies { [T in PayoutFactType]: z.ZodType<PayoutFactData[T]> };

/** Where a driver's payouts go. */
export const payoutAccountFacts = {
  'payout_account.changed': z
    .object({
      driverId: subjectId,
      destination: z.string().describe("the provider's id of an account"),
      previousDestination: z.string().nullable(),
    })
    .describe("A driver's payouts go somewhere from now on."),
};
