import type { Evidence, Invariant } from './evidence';
import * as cancels from './invariants/cancels';
import * as consumers from './invariants/consumers';
import * as drivers from './invariants/drivers';
import * as facts from './invariants/facts';
import * as fares from './invariants/fares';
import * as ledger from './invariants/ledger';
import * as payments from './invariants/payments';
import * as requests from './invariants/requests';
import * as rides from './invariants/rides';
import * as schedules from './invariants/schedules';
import * as shares from './invariants/shares';
import * as tracks from './invariants/tracks';
import * as webhooks from './invariants/webhooks';

/** Every promise of the design by name, in its order. */
export const invariants = {
  every2xxFoundAgain: requests.every2xxFoundAgain,
  sameKeySameAnswer: requests.sameKeySameAnswer,
  oneTerminalState: rides.oneTerminalState,
  legalTransitionsOnly: rides.legalTransitionsOnly,
  foldingFactsGivesRow: rides.foldingFactsGivesRow,
  notReleasedBeforeItsTime: schedules.notReleasedBeforeItsTime,
  sharedLinksShowNoMore: shares.sharedLinksShowNoMore,
  noRiderChargedTwice: payments.noRiderChargedTwice,
  chargedEqualsQuoted: fares.chargedEqualsQuoted,
  changesKeepSurge: fares.changesKeepSurge,
  cancelCostsItsPreview: cancels.cancelCostsItsPreview,
  chargedEqualsOwed: payments.chargedEqualsOwed,
  paymentFailsOnlyWhenDeclined: payments.paymentFailsOnlyWhenDeclined,
  noOpenAuthorizationAfterEnd: payments.noOpenAuthorizationAfterEnd,
  ledgerSumsToZero: ledger.ledgerSumsToZero,
  ledgerEqualsProvider: ledger.ledgerEqualsProvider,
  debtsAreBooked: ledger.debtsAreBooked,
  sharesOfTheFare: ledger.sharesOfTheFare,
  factsContiguousPerKey: facts.factsContiguousPerKey,
  everyFactInKafka: facts.everyFactInKafka,
  nothingInKafkaUncommitted: facts.nothingInKafkaUncommitted,
  kafkaOrderPerKey: facts.kafkaOrderPerKey,
  everyFactAuditedOnce: facts.everyFactAuditedOnce,
  positionsNotInAudit: facts.positionsNotInAudit,
  analyticsEqualsFacts: consumers.analyticsEqualsFacts,
  notifiedOnce: consumers.notifiedOnce,
  everyPostSigned: webhooks.everyPostSigned,
  webhooksToldAllAndOnlyTheirs: webhooks.webhooksToldAllAndOnlyTheirs,
  everyConsumerCaughtUp: consumers.everyConsumerCaughtUp,
  noDriverOnTwoLiveRides: drivers.noDriverOnTwoLiveRides,
  noRideForWhoIsOffline: drivers.noRideForWhoIsOffline,
  everyRideHasItsWay: tracks.everyRideHasItsWay,
  zonesAreEnteredAndLeftInTurn: tracks.zonesAreEnteredAndLeftInTurn,
  nothingParked: consumers.nothingParked,
} as const satisfies Record<string, Invariant>;

export interface Judgement {
  readonly checked: readonly string[];
  readonly violated: readonly string[];
  /** For each violated promise a line with how often and the first cases. */
  readonly remarks: readonly string[];
}

const SHOWN_CASES = 3;

export function judge(evidence: Evidence): Judgement {
  const remarks: string[] = [];
  const violated: string[] = [];
  for (const [name, invariant] of Object.entries(invariants) as [string, Invariant][]) {
    const cases = invariant(evidence);
    if (cases.length === 0) continue;
    violated.push(name);
    remarks.push(`${name}: ${cases.length} (${cases.slice(0, SHOWN_CASES).join('; ')})`);
  }
  return { checked: Object.keys(invariants), violated, remarks };
}
