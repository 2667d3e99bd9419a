import { terminalRideStatuses, type RideStatus } from '../../../domain/ride';
import type { Answer, Call } from '../client/http';
import { Refused, type AppMeasures } from '../client/app';

/** A ride that the API accepted: what the city was told, to be held against what is found in the end. */
export interface AcceptedRide {
  readonly rideId: string;
  readonly riderId: string;
  readonly key: string;
  readonly quoteId: string;
}

/** The same request with the same key, answered again. */
export interface RepeatedRequest {
  readonly key: string;
  readonly first: Answer;
  readonly again: Answer;
}

/** A tip that the API said it took, in minor units. */
export interface GivenTip {
  readonly rideId: string;
  readonly tipMinor: number;
}

/** What the city remembers of its own: filled by riders and drivers, read by the screen and the verdict. */
export interface CityRecord extends AppMeasures {
  readonly accepted: AcceptedRide[];
  readonly repeated: RepeatedRequest[];
  readonly tips: GivenTip[];
  /** How many rides are in each state, by the last that their riders saw. */
  readonly ridesByStatus: Map<RideStatus, number>;
  /** Refusals that nothing in the plan explains, by their words. */
  readonly surprises: Map<string, number>;
  retries: number;
  /** Durations of the latest ride requests, milliseconds. */
  readonly requestMs: number[];
  surprised(what: unknown): void;
  /** A rider sees a ride in a state. */
  saw(rideId: string, status: RideStatus): void;
}

const KEPT_DURATIONS = 2_000;

/** With `keep` false nothing is remembered that grows with the rides: for a city without end and verdict. */
export function createRecord({ keep }: { readonly keep: boolean }): CityRecord {
  const live = new Map<string, RideStatus>();
  const ridesByStatus = new Map<RideStatus, number>();
  const surprises = new Map<string, number>();
  const requestMs: number[] = [];
  const record: CityRecord = {
    accepted: keep ? [] : forgetful(),
    repeated: keep ? [] : forgetful(),
    tips: keep ? [] : forgetful(),
    ridesByStatus,
    saw(rideId, status) {
      const before = live.get(rideId);
      if (before !== undefined) ridesByStatus.set(before, (ridesByStatus.get(before) ?? 1) - 1);
      ridesByStatus.set(status, (ridesByStatus.get(status) ?? 0) + 1);
      if (terminalRideStatuses.includes(status)) live.delete(rideId);
      else live.set(rideId, status);
    },
    surprises,
    retries: 0,
    requestMs,
    answered(call: Call, status: number, ms: number) {
      if (call.method !== 'POST' || call.path !== '/v1/rides' || status >= 300) return;
      requestMs.push(ms);
      if (requestMs.length > KEPT_DURATIONS) requestMs.shift();
    },
    retried: () => void record.retries++,
    surprised(what) {
      const words = (what instanceof Error ? what.message : String(what)).replace(/[0-9a-f-]{36}/g, ':id');
      surprises.set(words, (surprises.get(words) ?? 0) + 1);
    },
  };
  return record;
}

/** A list that nothing can be put into. */
function forgetful<T>(): T[] {
  const list: T[] = [];
  list.push = () => 0;
  return list;
}

/** For a promise's catch: writes a refusal down, throws on what is none (the city's end). */
export const noteRefusal =
  (record: CityRecord) =>
  (error: unknown): void => {
    if (!(error instanceof Refused)) throw error;
    record.surprised(error);
  };
