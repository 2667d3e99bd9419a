-- Of what was given back, what has come back to us since and the rider does not have otherwise yet.
update payments set state = jsonb_build_object('refundFailedMinor', 0) || state;
create index payments_refund_failed on payments (payment_id) where (state ->> 'refundFailedMinor')::bigint > 0;
