import { ApplicationFailure, defineUpdate, setHandler } from '@temporalio/workflow';
import { decideRide } from '../domain/decideRide';
import { DomainError } from '../domain/errors';
import { rideUpdates } from '../domain/names';
import type { Raised } from '../domain/payment';
import type { Policies } from '../domain/policies';
import type { Ride, RouteChange } from '../domain/ride';
import { secure } from './hold';
import { asRefusal } from './refusal';
import type { RideRecord } from './rideRecord';
import { requireShape, type Shape } from './updateArguments';

interface Answer {
  readonly changeId: string;
  readonly reason?: string;
}

type DriversAnswer = Answer & { readonly driverId: string };

const answer: Shape = { changeId: 'text', reason: 'text?' };
const driversAnswer: Shape = { ...answer, driverId: 'text' };

const taking = (update: string, shape: Shape) => ({
  validator: (argument: unknown) => requireShape(update, shape, argument),
});

/**
 * Another way from here on: the rider proposes it, the driver answers, and it applies once the payment has secured what
 * it costs. Until then the ride is as it was, and may end so: what is proposed lapses with it.
 */
export class RouteChanges {
  /** How changes that are no longer open were answered: a repeat is answered the same. */
  private readonly answered = new Map<string, 'applied' | 'declined' | 'unpaid'>();
  private readonly accepting = new Map<string, Promise<Ride>>();

  constructor(
    private readonly record: RideRecord,
    private readonly policies: Policies,
  ) {
    const { proposeRoute, withdrawRoute, acceptRoute, declineRoute } = rideUpdates;
    setHandler(
      defineUpdate<Ride, [{ change: RouteChange }]>(proposeRoute),
      async ({ change }) => record.apply({ type: 'proposeRoute', at: now(), change }),
      {
        description: 'The rider proposes another way from here on, as quoted',
        ...taking(proposeRoute, { change: 'object' }),
      },
    );
    setHandler(
      defineUpdate<Ride, [Answer]>(withdrawRoute),
      async ({ changeId, reason = 'withdrawn' }) => this.decline(changeId, 'rider', reason),
      { description: 'The rider takes the proposal back', ...taking(withdrawRoute, answer) },
    );
    setHandler(
      defineUpdate<Ride, [DriversAnswer]>(declineRoute),
      async ({ driverId, changeId, reason = 'declined_by_driver' }) => {
        this.mustBeWith(driverId);
        return this.decline(changeId, 'driver', reason);
      },
      { description: 'The driver stays on the way as it is', ...taking(declineRoute, driversAnswer) },
    );
    setHandler(
      defineUpdate<Ride, [DriversAnswer]>(acceptRoute),
      async ({ driverId, changeId }) => {
        this.mustBeWith(driverId);
        return this.acceptOnce(changeId);
      },
      {
        description: 'The driver takes the new way; it applies once it is secured that it will be paid',
        ...taking(acceptRoute, driversAnswer),
      },
    );
  }

  private async decline(changeId: string, by: 'rider' | 'driver', reason: string): Promise<Ride> {
    const { ride } = this.record;
    if (!isOpen(changeId, ride) && this.answered.get(changeId) === 'declined') return ride;
    const declined = await this.record.apply({ type: 'declineRoute', at: now(), changeId, by, reason });
    this.answered.set(changeId, 'declined');
    return declined;
  }

  private async acceptOnce(changeId: string): Promise<Ride> {
    const underWay = this.accepting.get(changeId);
    if (underWay) return underWay;
    const { ride } = this.record;
    if (!isOpen(changeId, ride)) {
      if (this.answered.get(changeId) === 'applied') return ride;
      if (this.answered.get(changeId) === 'unpaid') throw unpaid();
    }
    const accepting = this.accept(changeId).finally(() => this.accepting.delete(changeId));
    this.accepting.set(changeId, accepting);
    return accepting;
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

  /** The hold is raised before the change applies. One that is large enough already is left as it is. */
  private async secure(changeId: string): Promise<Raised> {
    const { ride } = this.record;
    const change = this.mustApply(changeId, ride);
    return secure(ride, this.policies, { changeId, fareMinor: change.fare.totalMinor });
  }

  /** The change, if it would apply to the ride as it is. */
  private mustApply(changeId: string, ride: Ride): RouteChange {
    try {
      decideRide({ type: 'changeRoute', at: now(), changeId }, ride, this.policies);
    } catch (error) {
      throw asRefusal(error);
    }
    return ride.routeChange!;
  }

  private mustBeWith(driverId: string): void {
    if (this.record.isRecorded && this.record.ride.driverId === driverId) return;
    throw asRefusal(new DomainError('not_your_ride', 'This ride is with another driver.'));
  }
}

const isOpen = (changeId: string, ride: Ride): boolean => ride.routeChange?.changeId === changeId;

const unpaid = (): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    'The rider’s card does not cover the new fare: the ride goes on as it was.',
    'fare_not_covered',
  );

const now = (): string => new Date(Date.now()).toISOString();
