import { z } from 'zod';
import type { DisputeFactData, DisputeFactType } from '../../domain/dispute';
import { currency, minor, subjectId, time, uuid } from '../shared';

const amount = { amountMinor: minor, currency };
const disputed = {
  disputeId: z.string(),
  rideId: uuid,
  intentId: z.string(),
  ...amount,
  reason: z.string(),
  evidenceDueAt: time,
};
const disputeEnd = {
  rideId: uuid,
  ...amount,
  feeChangeMinor: z.int().describe("what the provider's fees changed by since it was opened"),
  feeCurrency: currency.optional().describe('of the fee, where it is another one'),
};

/** One schema per fact of a dispute, held to the domain's type. Its id is the provider's. */
export const disputeFacts = {
  'dispute.inquiry_opened': z
    .object(disputed)
    .describe("The rider's bank asks about a charge; no money moves."),
  'dispute.inquiry_closed': z.object({ rideId: uuid }).describe('The question about a charge is over.'),
  'dispute.opened': z
    .object({
      ...disputed,
      feeMinor: minor,
      feeCurrency: currency.optional().describe('of the fee, where it is another one'),
    })
    .describe("The rider's bank takes a charge back until the dispute is decided."),
  'dispute.evidence_submitted': z
    .object({ rideId: uuid, by: subjectId, evidenceId: z.string() })
    .describe('An operator has answered with evidence.'),
  'dispute.won': z.object(disputeEnd).describe('The money of the charge is ours again.'),
  'dispute.lost': z.object(disputeEnd).describe('The rider keeps the money of the charge.'),
} satisfies { [T in DisputeFactType]: z.ZodType<DisputeFactData[T]> };
