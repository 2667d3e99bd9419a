import { terminalRideStatuses, type RideStatus } from '../../../domain/ride';
import type { Answer, Call } from '../client/http';
import type { ReceivedPost } from '../client/mailbox';
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

/** A fare that the API quoted, in minor units. */
export interface SeenQuote {
  readonly quoteId: string;
  readonly totalMinor: number;
}

/** A change of a ride for later that was asked for. */
export interface AskedChange {
  /** Whether the API said it made it; an answer that was lost, or came too late, may have been yes. */
  readonly isMade: boolean;
  readonly rideId: string;
  readonly quoteId: string;
  readonly scheduledFor: string;
}

/** A rider's cancel that the API said it made, and what its preview had said just before. */
export interface PreviewedCancel {
  readonly rideId: string;
  readonly previewedAt: string;
  readonly previewedMinor: number;
}

/** A rating that the API said it took. */
export interface GivenRating {
  readonly rideId: string;
  readonly by: 'rider' | 'driver';
  readonly stars: number;
}

/** What somebody saw who followed a link to a ride without being anybody. */
export interface SharedLook {
  readonly rideId: string;
  /** The link had been taken back before. */
  readonly takenBack: boolean;
  readonly status: number;
  readonly body: unknown;
}

/** A webhook that the API said it registered. */
export interface RegisteredWebhook {
  readonly webhookId: string;
  readonly role: 'rider' | 'operator';
  readonly ownerId: string;
  /** When the answer came, ISO 8601 in UTC. */
  readonly since: string;
}

/** A driver went offline with an offer open, the API said. */
export interface TakenBreak {
  readonly driverId: string;
}

/** What the people of the city saw and were told, to be held against what is found in the end. */
export interface Memories {
  readonly accepted: AcceptedRide[];
  readonly repeated: RepeatedRequest[];
  readonly tips: GivenTip[];
  readonly quotes: SeenQuote[];
  readonly changes: AskedChange[];
  readonly cancels: PreviewedCancel[];
  readonly ratings: GivenRating[];
  readonly looks: SharedLook[];
  readonly webhooks: RegisteredWebhook[];
  readonly posts: ReceivedPost[];
  readonly breaks: TakenBreak[];
}

const nothing = (): Memories => ({
  accepted: [],
  repeated: [],
  tips: [],
  quotes: [],
  changes: [],
  cancels: [],
  ratings: [],
  looks: [],
  webhooks: [],
  posts: [],
  breaks: [],
});

/** What the city remembers of its own: filled by riders and drivers, read by the screen and the verdict. */
export interface CityRecord extends AppMeasures {
  readonly memories: Memories;
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
    memories: keep ? nothing() : forgetful(),
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

/** Lists that nothing can be put into. */
function forgetful(): Memories {
  const memories = nothing();
  for (const list of Object.values(memories) as unknown[][]) list.push = () => 0;
  return memories;
}

/**
 * For a promise's catch: writes a refusal down unless it is one of the `expected`, throws on what is none (the city's
 * end).
 */
export const noteRefusal =
  (record: CityRecord, ...expected: readonly string[]) =>
  (error: unknown): void => {
    if (!(error instanceof Refused)) throw error;
    if (!expected.includes(error.code)) record.surprised(error);
  };
