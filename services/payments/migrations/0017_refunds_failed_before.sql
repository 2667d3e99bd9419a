-- Refunds that failed before 0016 count, too: what has come back and was not given otherwise since, as folding the
-- facts has it, and the reason, unless something else went wrong after it.
with returned as (
  select aggregate_id, version,
    case fact_type when 'payment.refund_failed' then 1 else -1 end * (fact #>> '{data,amountMinor}')::bigint as amount_minor
  from steps where fact_type in ('payment.refunded', 'payment.refund_failed', 'payment.refund_settled')
), sums as (
  select aggregate_id, version, sum(amount_minor) over (partition by aggregate_id order by version) as sum_minor
  from returned
), lacking as (
  -- A sum that never falls below zero: what is given before anything has failed is not given for it.
  select distinct on (aggregate_id) aggregate_id,
    sum_minor - least(0, min(sum_minor) over (partition by aggregate_id)) as minor
  from sums order by aggregate_id, version desc
), reasons as (
  select distinct on (aggregate_id) aggregate_id, fact_type, fact #>> '{data,reason}' as reason
  from steps where fact_type in ('payment.refund_failed', 'payment.charge_failed')
  order by aggregate_id, version desc
)
update payments p set state = p.state || jsonb_build_object('refundFailedMinor', l.minor)
  || case r.fact_type when 'payment.refund_failed' then jsonb_build_object('failureReason', r.reason) else '{}' end
from lacking l join reasons r using (aggregate_id)
where p.payment_id::text = l.aggregate_id and exists (
  select from steps s where s.aggregate_id = l.aggregate_id and s.fact_type = 'payment.refund_failed'
);

-- Inquiries are open disputes.
drop index disputes_open;
create index disputes_open on disputes ((state ->> 'evidenceDueAt'))
  where status in ('inquiry', 'inquiry_answered', 'needs_response', 'under_review');
