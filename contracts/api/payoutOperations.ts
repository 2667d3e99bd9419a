import { z } from 'zod';
import type { Operation } from './operation';
import {
  disputesQuery,
  disputesView,
  disputeView,
  earningsView,
  evidenceBody,
  payoutAccountBody,
  payoutAccountView,
} from './payouts';

const disputeIdParam = z.strictObject({
  disputeId: z.string().regex(/^[A-Za-z0-9_]{1,64}$/, "the provider's id of a dispute"),
});

/** What drivers are paid, and what riders' banks take back. */
export const payoutOperations = {
  setPayoutAccount: {
    method: 'put',
    path: '/v1/drivers/me/payout-account',
    summary: 'Say where the weekly payouts go: an account at the payment provider',
    tag: 'drivers',
    roles: ['driver'],
    request: { body: payoutAccountBody },
    response: { status: 200, description: 'From the next payout on', body: payoutAccountView },
    problems: [],
  },
  getEarnings: {
    method: 'get',
    path: '/v1/drivers/me/earnings',
    summary: 'What one has earned and not been paid yet, and the payouts so far',
    tag: 'drivers',
    roles: ['driver'],
    request: {},
    response: { status: 200, description: 'As the books have it now', body: earningsView },
    problems: [],
  },
  listDisputes: {
    method: 'get',
    path: '/v1/ops/disputes',
    summary: 'Payments that riders have disputed with their banks, the next deadline first',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { query: disputesQuery },
    response: { status: 200, description: 'At most `limit`', body: disputesView },
    problems: [],
  },
  submitEvidence: {
    method: 'post',
    path: '/v1/ops/disputes/{disputeId}/evidence',
    summary: 'Tell the bank our side: once, before the deadline',
    tag: 'ops',
    roles: ['operator'],
    request: { params: disputeIdParam, body: evidenceBody },
    response: {
      status: 200,
      description: 'The dispute as it is now; the same words again are the same evidence',
      body: disputeView,
    },
    problems: ['dispute_not_found', 'evidence_not_possible'],
  },
} as const satisfies Record<string, Operation>;
