import type { z } from 'zod';
import { disputeFacts } from './facts/disputes';
import { driverFacts } from './facts/drivers';
import { paymentFacts } from './facts/payments';
import { payoutAccountFacts, payoutFacts } from './facts/payouts';
import { pricingFacts } from './facts/pricing';
import { ratingFacts } from './facts/ratings';
import { reconciliationFacts } from './facts/reconciliation';
import { rideFacts } from './facts/rides';
import { subjectFacts } from './facts/subjects';
import { surgeFacts } from './facts/surge';
import { zoneFacts } from './facts/zones';

/**
 * The facts by what they are about: types begin with the family's name. `key` is what the Kafka key and `ce_subject` are,
 * `owner` the service whose database commits them.
 */
export const families = [
  { name: 'ride', topic: 'rides', key: 'rideId', owner: 'rides', facts: rideFacts },
  { name: 'payment', topic: 'payments', key: 'rideId', owner: 'payments', facts: paymentFacts },
  { name: 'dispute', topic: 'payments', key: 'disputeId', owner: 'payments', facts: disputeFacts },
  { name: 'payout', topic: 'payments', key: 'payoutId', owner: 'payments', facts: payoutFacts },
  {
    name: 'payout_account',
    topic: 'payments',
    key: 'payout-account-<driverId>',
    owner: 'payments',
    facts: payoutAccountFacts,
  },
  { name: 'reconciliation', topic: 'payments', key: 'runId', owner: 'payments', facts: reconciliationFacts },
  { name: 'driver', topic: 'drivers', key: 'driverId', owner: 'rides', facts: driverFacts },
  { name: 'quote', topic: 'pricing', key: 'quoteId', owner: 'pricing', facts: pricingFacts },
  { name: 'surge', topic: 'pricing', key: 'cell', owner: 'analytics', facts: surgeFacts },
  { name: 'subject', topic: 'rides', key: 'erasure-<subjectId>', owner: 'rides', facts: subjectFacts },
  { name: 'zone', topic: 'drivers', key: 'zones-of-<driverId>', owner: 'tracks', facts: zoneFacts },
  { name: 'rating', topic: 'ratings', key: 'ratingId', owner: 'rides', facts: ratingFacts },
] as const;

type Schemas = typeof rideFacts &
  typeof paymentFacts &
  typeof disputeFacts &
  typeof payoutFacts &
  typeof payoutAccountFacts &
  typeof reconciliationFacts &
  typeof driverFacts &
  typeof pricingFacts &
  typeof ratingFacts &
  typeof subjectFacts &
  typeof surgeFacts &
  typeof zoneFacts;

export type FactType = keyof Schemas;
export type FactData<T extends FactType> = z.infer<Schemas[T]>;
