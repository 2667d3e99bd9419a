import { isClosed, isTaken, type BalanceChange, type Dispute } from './dispute';

/** Everything that evidence may be; the sandbox takes texts only. */
export const evidenceFields = [
  'access_activity_log',
  'billing_address',
  'cancellation_policy',
  'cancellation_policy_disclosure',
  'cancellation_rebuttal',
  'customer_communication',
  'customer_email_address',
  'customer_name',
  'customer_purchase_ip',
  'customer_signature',
  'duplicate_charge_documentation',
  'duplicate_charge_explanation',
  'duplicate_charge_id',
  'product_description',
  'receipt',
  'refund_policy',
  'refund_policy_disclosure',
  'refund_refusal_explanation',
  'service_date',
  'service_documentation',
  'shipping_address',
  'shipping_carrier',
  'shipping_date',
  'shipping_documentation',
  'shipping_tracking_number',
  'uncategorized_file',
  'uncategorized_text',
] as const;

const noEvidence = Object.fromEntries(evidenceFields.map((field) => [field, null]));

/** A dispute as Stripe shows it. */
export function shownDispute(kept: Dispute): object {
  const { changes, due_by, submissions, evidence, ...dispute } = kept;
  const caseType = kept.status.startsWith('warning_') ? 'inquiry' : 'chargeback';
  return {
    ...dispute,
    balance_transactions: changes.map((change) => shownChange(change, dispute)),
    enhanced_eligibility_types: [],
    evidence: { ...noEvidence, enhanced_evidence: {}, ...evidence },
    evidence_details: {
      due_by: isClosed(kept) ? null : due_by,
      enhanced_eligibility: {},
      has_evidence: Object.keys(evidence).length > 0,
      past_due: dispute.status === 'lost' && submissions === 0,
      submission_count: submissions,
    },
    is_charge_refundable: !isTaken(kept),
    livemode: false,
    payment_method_details: {
      card: { brand: 'visa', case_type: caseType, network: 'visa', network_reason_code: '10.4' },
      type: 'card',
    },
  };
}

/** A BalanceTransaction (https://docs.stripe.com/api/balance_transactions/object). */
const shownChange = (
  { id, kind, amount, fee, created }: BalanceChange,
  { id: source, charge, currency }: Pick<Dispute, 'id' | 'charge' | 'currency'>,
): object => ({
  id,
  object: 'balance_transaction',
  amount,
  available_on: created,
  balance_type: 'payments',
  created,
  currency,
  description: `${kind === 'dispute' ? 'Chargeback withdrawal' : 'Chargeback reversal'} for ${charge}`,
  exchange_rate: null,
  fee,
  fee_details:
    fee === 0
      ? []
      : [{ amount: fee, application: null, currency, description: 'Dispute fee', type: 'stripe_fee' }],
  net: amount - fee,
  reporting_category: kind,
  source,
  status: 'available',
  type: 'adjustment',
});
