/** What a refusal says beside its message. The names that RFC 9457 gives a meaning of its own are a problem's, not ours. */
export type ErrorDetails = Readonly<Record<string, unknown>> &
  Partial<Record<'type' | 'title' | 'status' | 'detail' | 'instance', never>>;

/** A rule of the domain that was not kept. `code` is stable: transport, activities and consumers map it once. */
export class DomainError extends Error {
  override readonly name = 'DomainError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
  }
}

/** Every refusal that the domain knows; each is a problem page of the API. */
export type ErrorCode =
  | 'illegal_transition'
  | 'argument_not_valid'
  | 'not_your_ride'
  | 'no_show_too_early'
  | 'too_far_from_pickup'
  | 'position_unknown'
  | 'release_not_due'
  | 'scheduled_too_soon'
  | 'scheduled_too_late'
  | 'stop_out_of_order'
  | 'route_change_over'
  | 'route_change_not_possible'
  | 'fare_not_covered'
  | 'fare_not_possible'
  | 'fare_change_under_way'
  | 'too_many_changes'
  | 'offer_over'
  | 'driver_busy'
  | 'driver_unknown'
  | 'quote_expired'
  | 'quote_invalid'
  | 'quote_used'
  | 'idempotency_key_reused'
  | 'wrong_start_code'
  | 'start_code_locked'
  | 'ride_not_found'
  | 'offer_not_found'
  | 'tip_not_possible'
  | 'tip_declined'
  | 'tip_already_given'
  | 'payment_busy'
  | 'refund_not_possible'
  | 'evidence_not_possible'
  | 'dispute_not_found'
  | 'retry_not_possible'
  | 'resolve_not_possible'
  | 'waive_not_possible'
  | 'adjust_not_possible'
  | 'receipt_not_ready'
  | 'rating_not_possible'
  | 'rating_already_given'
  | 'share_not_possible'
  | 'share_not_found'
  | 'trip_too_long'
  | 'too_many_drops'
  | 'courier_cycle'
  | 'subject_erased'
  | 'erasure_not_possible';
