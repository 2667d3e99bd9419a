import { ApplicationFailure } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { rideUpdates } from '../domain/names';
import type { Raised } from '../domain/paymentCalls';
import type { Policies } from '../domain/policies';
import type { Ride, RouteChange } from '../domain/ride';
import { secure } from './hold';
import { now } from './now';
import type { AtMost } from './atMost';
import { asRefusal } from './refusal';
import type { RideRecord } from './rideRecord';
import { answerUpdate, type Shape } from './updateArguments';

interface Answer {
  readonly changeId: string;
  readonly reason?: string;
}

type DriversAnswer = Answer & { readonly driverId: string };

const answer: Shape = { changeId: 'id', reason: 'text?' };
const driversAnswer: Shape = { ...answer, driverId: 'id' };

/**
 * Another way from here on: the rider proposes it, the driver answers, and it applies once the payment has secured what
 * it costs. Until then the ride is as it was, and may end so: what is proposed lapses with it.
 */
export class RouteChanges {
  /** Every change that was proposed, by its id. */
  private readonly proposed = new Map<string, Promise<Ride>>();
  /** How changes that are no longer open were answered: a repeat is answered the same. */
  private readonly answered = new Map<string, 'applied' | 'declined' | 'unpaid'>();

  constructor(
    private readonly record: RideRecord,
    private readonly policies: Policies,
    fareChanges: AtMost,
  ) {
    const handle = <Argument>(
      name: string,
      description: string,
      shape: Shape,
      answerTo: (argument: Argument) => Promise<Ride>,
      alone: { alone?: AtMost } = {},
    ): void => answerUpdate(record, { name, description, shape, ...alone }, answerTo);
    const { proposeRoute, withdrawRoute, acceptRoute, declineRoute } = rideUpdates;
    handle<{ change: RouteChange }>(
      proposeRoute,
      'The rider proposes another way from here on, as quoted',
      { change: 'object' },
      ({ change }) => this.proposeOnce(change),
    );
    handle<Answer>(
      withdrawRoute,
      'The rider takes the proposal back',
      answer,
      ({ changeId, reason = 'withdrawn' }) => this.decline(changeId, 'rider', reason),
    );
    handle<DriversAnswer>(
      declineRoute,
      'The driver stays on the way as it is',
      driversAnswer,
      async ({ driverId, changeId, reason = 'declined_by_driver' }) => {
        this.mustBeWith(driverId);
        return this.decline(changeId, 'driver', reason);
      },
    );
    handle<DriversAnswer>(
      acceptRoute,
      'The driver takes the new way; it applies once it is secured that it will be paid',
      driversAnswer,
      async ({ driverId, changeId }) => {
        this.mustBeWith(driverId);
        return this.acceptOnce(changeId);
      },
      { alone: fareChanges },
    );
  }

  /**
   * A change is proposed once. A repeat is answered with the ride as it is: one that comes late does not open anew what
   * was answered or replaced, at a price that has expired since.
   */
  private async proposeOnce(change: RouteChange): Promise<Ride> {
    const { changeId } = change;
    const earlier = this.proposed.get(changeId);
    if (earlier && !this.record.hasEnded) {
      await earlier;
      return this.record.ride;
    }
    const proposing = this.record.apply({ type: 'proposeRoute', at: now(), change });
    this.proposed.set(changeId, proposing);
    // What was refused may be possible later.
    proposing.catch(() => this.proposed.delete(changeId));
    return proposing;
  }

  private async decline(changeId: string, by: 'rider' | 'driver', reason: string): Promise<Ride> {
    const { ride } = this.record;
    if (!isOpen(changeId, ride) && this.answered.get(changeId) === 'declined') return ride;
    const declined = await this.record.apply({ type: 'declineRoute', at: now(), changeId, by, reason });
    this.answered.set(changeId, 'declined');
    return declined;
  }

  private async acceptOnce(changeId: string): Promise<Ride> {
    const { ride } = this.record;
    if (!isOpen(changeId, ride)) {
      if (this.answered.get(changeId) === 'applied') return ride;
      if (this.answered.get(changeId) === 'unpaid') throw unpaid();
    }
    return this.accept(changeId);
  }

  private async accept(changeId: string): Promise<Ride> {
    const raised = await this.secure(changeId);
    // Decided anew on the ride as it is by now: it may have ended, or the rider may have thought better of it.
    if (raised.raised) {
      const changed = await this.record.apply({ type: 'changeRoute', at: now(), changeId });
      this.answered.set(changeId, 'applied');
      return changed;
    }
    const { reason } = raised;
    await this.record.apply({ type: 'declineRoute', at: now(), changeId, by: 'payment', reason });
    this.answered.set(changeId, 'unpaid');
    throw unpaid();
  }

  /** The hold is raised before the change applies, if that would. One that is large enough already is left as it is. */
  private async secure(changeId: string): Promise<Raised> {
    await this.record.mustAllow({ type: 'changeRoute', at: now(), changeId });
    const { ride } = this.record;
    return secure(ride, this.policies, { changeId, fareMinor: ride.routeChange!.fare.totalMinor });
  }

  private mustBeWith(driverId: string): void {
    if (this.record.ride.driverId === driverId) return;
    throw asRefusal(new DomainError('not_your_ride', 'This ride is with another driver.'));
  }
}

const isOpen = (changeId: string, ride: Ride): boolean => ride.routeChange?.changeId === changeId;

const unpaid = (): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    'The hold could not be raised to the new fare: the ride goes on as it was.',
    'fare_not_covered',
  );
