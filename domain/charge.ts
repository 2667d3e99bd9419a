import type { Fare, FareLine } from './fare';
import type { ChargeReason } from './paymentFacts';
import type { Policies } from './policies';
import type { Ride } from './ride';

/** One line of what a ride came to, in minor units of its fare's currency. */
export interface ChargeLine {
  readonly kind: FareLine['kind'] | 'waiting' | Exclude<ChargeReason, 'fare'>;
  /** What it has to be called on the receipt, for a toll or a tax. */
  readonly name?: string | undefined;
  readonly amountMinor: number;
}

/**
 * What a ride that has ended came to, line by line: the lines sum to its charge. Of a ride that ended before its
 * dropoff each line but the base is there in the share that was driven, tolls and taxes too.
 */
export function chargedLines(ride: Ride): ChargeLine[] {
  const { chargeMinor, waitingMinor: waited, fare, status } = ride;
  if (chargeMinor === null) return [];
  if (status !== 'completed') return present([{ kind: feeOf(ride), amountMinor: chargeMinor }]);
  return present([
    ...drivenLines(fare, chargeMinor - waited),
    { kind: 'waiting' as const, amountMinor: waited },
  ]);
}

/** What a ride's charge is for. */
export const chargeReasonOf = (ride: Ride): ChargeReason =>
  ride.status === 'completed' ? 'fare' : feeOf(ride);

const feeOf = ({ endReason }: Ride): Exclude<ChargeReason, 'fare'> =>
  endReason === 'no_show' ? 'no_show_fee' : 'cancellation_fee';

const present = (lines: readonly ChargeLine[]): ChargeLine[] =>
  lines.filter(({ amountMinor }) => amountMinor !== 0);

/** The fare's lines, those after the base cut to the same share, so that they sum to what was driven. */
function drivenLines({ lines, totalMinor }: Fare, drivenMinor: number): ChargeLine[] {
  if (drivenMinor === totalMinor) return [...lines];
  const base = lines.find(({ kind }) => kind === 'base');
  const baseMinor = base?.amountMinor ?? 0;
  const share = (drivenMinor - baseMinor) / (totalMinor - baseMinor);
  let [wholeMinor, givenMinor] = [0, 0];
  return lines.map((line) => {
    if (line === base) return line;
    // Rounded sums, and each line what its sum has more than the one before: nothing is lost between them.
    wholeMinor += line.amountMinor;
    const amountMinor = Math.round(wholeMinor * share) - givenMinor;
    givenMinor += amountMinor;
    return { ...line, amountMinor };
  });
}

/**
 * What the driver's waiting from `arrivedAt` to `startedAt` costs, in minor units: a while is free, then every begun
 * unit has its price, up to the cap.
 */
export function waitingMinor(arrivedAt: string, startedAt: string, policies: Policies): number {
  const { freeWaitingMs, waitingUnitMs, waitingUnitMinor, waitingCapMinor } = policies;
  const chargedMs = Date.parse(startedAt) - Date.parse(arrivedAt) - freeWaitingMs;
  const units = Math.max(0, Math.ceil(chargedMs / waitingUnitMs));
  return Math.min(waitingCapMinor, units * waitingUnitMinor);
}

/** What a hold has to cover, in minor units: the fare, and the most that waiting can cost. */
export const holdMinor = (fare: Fare, policies: Policies): number =>
  fare.totalMinor + policies.waitingCapMinor;

/**
 * What the hold has to cover, in minor units, for another fare of a ride that goes on: waiting may still be to come.
 */
export const holdForFareMinor = (ride: Ride, fareMinor: number, policies: Policies): number =>
  fareMinor + (ride.startedAt === null ? policies.waitingCapMinor : ride.waitingMinor);

/**
 * The fare, in minor units, of a ride that ended before its dropoff: the base, and of the rest the share that was
 * driven. Where nobody could say how far that was, the share is that of the quoted time.
 */
export function earlyFareMinor(
  ride: Ride,
  at: string,
  drivenMeters: number | null,
  { quotedSecondMs }: Policies,
): number {
  const drivenMs = Date.parse(at) - Date.parse(ride.startedAt ?? at);
  const share =
    drivenMeters === null
      ? drivenMs / Math.max(1, ride.durationSeconds * quotedSecondMs)
      : drivenMeters / Math.max(1, ride.distanceMeters);
  // A fare that an operator has lowered may be less than its base.
  const base = ride.fare.lines.find(({ kind }) => kind === 'base')?.amountMinor ?? 0;
  const baseMinor = Math.min(base, ride.fare.totalMinor);
  const restMinor = ride.fare.totalMinor - baseMinor;
  return baseMinor + Math.round(restMinor * Math.min(1, Math.max(0, share)));
}
