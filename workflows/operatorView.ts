import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributes } from '../domain/names';
import type { Policies } from '../domain/policies';
import { drivingStatuses, terminalRideStatuses } from '../domain/ride';
import type { Ride, RideStatus } from '../domain/ride';
import { stuckIn, waitsFor } from '../domain/stuck';
import { now } from './now';

/**
 * What an operator sees of a ride in Temporal's web UI: a card that says where it is, since when, what it waits for,
 * what failed last and what to do; and the attributes that it is found by.
 */
export class OperatorView {
  private ride: Ride | null = null;
  private shown: { status: string; driverId: string | null; stuck: boolean };
  private lastFailure = 'none';
  private parked: { readonly what: string; readonly next: string } | null = null;

  /** `status`: of the ride when its workflow was started; the attribute says it already. */
  constructor(
    private readonly policies: Policies,
    status: 'scheduled' | 'requested',
  ) {
    this.shown = { status: phaseOf(status), driverId: null, stuck: false };
  }

  /** After every transition. Each upsert is an event of the history: only what has changed is told. */
  show(ride: Ride): void {
    this.ride = ride;
    this.tell();
  }

  /** A step did not succeed at once and is tried again. */
  failed(step: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.lastFailure = `${now()}, ${step}: ${reason}`;
    this.tell();
  }

  /** Nothing goes on before an operator has spoken; null when that has happened. */
  park(parked: { readonly what: string; readonly reason: string; readonly next: string } | null): void {
    if (parked !== null) this.lastFailure = `${now()}, ${parked.what}: ${parked.reason}`;
    this.parked = parked;
    this.tell();
  }

  /** Looks again whether the ride waits longer than its state allows. */
  tell(): void {
    if (this.ride === null) return;
    const { driverId } = this.ride;
    const status = phaseOf(this.ride.status);
    const overdue = stuckIn(this.ride, now(), this.policies);
    const stuck = this.parked !== null || overdue !== null;
    const changed = [
      ...(status === this.shown.status ? [] : [{ key: searchAttributes.status, value: status }]),
      ...(driverId === this.shown.driverId ? [] : [{ key: searchAttributes.driverId, value: driverId }]),
      ...(stuck === this.shown.stuck ? [] : [{ key: searchAttributes.stuck, value: stuck }]),
    ];
    this.shown = { status, driverId, stuck };
    if (changed.length > 0) upsertSearchAttributes(changed);
    const next = this.parked?.next ?? overdue?.action ?? 'nothing to do';
    setCurrentDetails(card(this.ride, this.parked?.what, this.lastFailure, next));
  }
}

/**
 * What `HailwayStatus` says: the end a ride has come to, or in which half of its life it is. The card has it exactly;
 * an event of the history for every state would be too much for a list.
 */
function phaseOf(status: RideStatus): string {
  if (drivingStatuses.includes(status)) return 'with_driver';
  return status === 'scheduled' || terminalRideStatuses.includes(status) ? status : 'searching';
}

function card(ride: Ride, parked: string | undefined, lastFailure: string, next: string): string {
  const { status, version, driverId, quoteId } = ride;
  const lines = [
    `**${parked === undefined ? status : `Parked: could not ${parked}`}** (version ${version}), since ${since(ride)}`,
    `- waits for: ${parked === undefined ? waitsFor(status) : 'an operator'}`,
    `- driver: ${driverId === null ? 'none' : `\`${driverId}\``}; quote: \`${quoteId}\``,
    `- last failure: ${lastFailure}`,
    `- next action: ${next}`,
  ];
  return lines.join('\n');
}

const since = (ride: Ride): string =>
  ride.endedAt ??
  ride.startedAt ??
  ride.arrivedAt ??
  ride.assignedAt ??
  ride.matchingSince ??
  ride.requestedAt;
