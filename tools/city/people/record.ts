import type { RideStatus } from '../../../domain/ride';
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
  /** Rides by the last state their riders saw. */
  readonly rides: Map<string, RideStatus>;
  /** Refusals that nothing in the plan explains, by their words. */
  readonly surprises: Map<string, number>;
  retries: number;
  /** Durations of the latest ride requests, milliseconds. */
  readonly requestMs: number[];
  surprised(what: unknown): void;
}

const KEPT_DURATIONS = 2_000;

export function createRecord(): CityRecord {
  const surprises = new Map<string, number>();
  const requestMs: number[] = [];
  const record: CityRecord = {
    accepted: [],
    repeated: [],
    tips: [],
    rides: new Map(),
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

/** For a promise's catch: writes a refusal down, throws on what is none (the city's end). */
export const noteRefusal =
  (record: CityRecord) =>
  (error: unknown): void => {
    if (!(error instanceof Refused)) throw error;
    record.surprised(error);
  };
