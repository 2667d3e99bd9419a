import { chargedLines, chargeReasonOf, type ChargeLine } from './charge';
import { commissionMinor } from './fare';
import type { ChargeReason } from './paymentFacts';
import type { Ride } from './ride';

/** The ride's last word to its payment. `amountMinor` 0 releases the hold. */
export interface RideOutcome {
  readonly amountMinor: number;
  readonly driverId: string | null;
  /** A fare unless told otherwise. */
  readonly for?: ChargeReason;
  /** What of the amount goes on to the state; 0 unless told otherwise. */
  readonly taxMinor?: number;
  /** What of the amount the driver has paid for the rider, and gets back whole; 0 unless told otherwise. */
  readonly tollMinor?: number;
}

/** What a ride that has ended tells its payment. */
export function outcomeOf(ride: Ride): RideOutcome {
  const lines = chargedLines(ride);
  const sumOf = (wanted: ChargeLine['kind']): number =>
    lines.reduce((sum, { kind, amountMinor }) => (kind === wanted ? sum + amountMinor : sum), 0);
  return {
    amountMinor: ride.chargeMinor ?? 0,
    driverId: ride.driverId,
    for: chargeReasonOf(ride),
    taxMinor: sumOf('tax'),
    tollMinor: sumOf('toll'),
  };
}

/**
 * What a payment at its end comes to, split between driver, platform and state. The commission is of the fare, not of
 * tolls and taxes. Without a driver all but the tax is the platform's.
 */
export function settlement(
  { amountMinor, driverId, taxMinor = 0, tollMinor = 0 }: RideOutcome,
  commissionBasisPoints: number,
): { commissionMinor: number; taxMinor: number } {
  const tax = Math.min(taxMinor, amountMinor);
  const fareMinor = Math.max(0, amountMinor - tax - tollMinor);
  return {
    commissionMinor:
      driverId === null ? amountMinor - tax : commissionMinor(fareMinor, commissionBasisPoints),
    taxMinor: tax,
  };
}
