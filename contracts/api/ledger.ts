import { z } from 'zod';
import { currency, time } from '../shared';

const account = z
  .string()
  .regex(/^[a-z_]{1,64}(:[A-Za-z0-9_-]{1,64})?$/, '`platform_revenue`, `driver_payable:driver-1`');

export const balancesQuery = z.strictObject({
  account: account
    .optional()
    .describe(
      'one account, or all of a kind (`driver_payable`), each by itself; a line for each kind without',
    ),
  at: time
    .optional()
    .describe('what was held then, by the times of what is booked; now unless told otherwise'),
  after: account.optional().describe('with `account`: the `next` of the page before'),
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('with `account`: accounts a page'),
});

/** What accounts hold, in minor units: debits less credits. All of them sum to zero in every currency. */
export const balancesView = z.strictObject({
  balances: z.array(
    z.strictObject({
      account: z.string().describe('a kind of account, or an account where some are asked for'),
      currency,
      amountMinor: z.int().describe('debits less credits'),
      accounts: z.int().describe('how many accounts of the kind hold something'),
    }),
  ),
  next: z.string().nullable().describe('`after` of the next page, null after the last one'),
});

export type BalancesView = z.infer<typeof balancesView>;
