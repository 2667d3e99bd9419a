import { ApplicationFailure, type RetryPolicy } from '@temporalio/workflow';
import { providerBusy } from '../domain/names';

/**
 * Attempts of a call that fails, in activities of so many each: the workflow, and with it the card, hears of a failure
 * only when an activity ends. The last number again and again: one activity then takes about an hour.
 */
const attemptsInTurn = [1, 6, 24, 96, 360] as const;

/** How an activity that asks the provider is retried, in the turn of this number, from 0 on. */
export const retryInTurn = (turn: number): RetryPolicy => ({
  initialInterval: '250ms',
  backoffCoefficient: 2,
  maximumInterval: '10s',
  maximumAttempts: attemptsInTurn[Math.min(turn, attemptsInTurn.length - 1)]!,
});

/** For how many milliseconds a provider that was not reached wants to be left alone; 0 where it may have been. */
export const pauseWanted = (cause: unknown): number => Number(turnedAway(cause)?.[0] ?? 0);

/**
 * Whether what failed may have had its effect: it was not turned away before it was asked, or an attempt of the same
 * turn before it was not.
 */
export const mayHaveHappened = (cause: unknown): boolean => turnedAway(cause)?.[1] !== 'never_asked';

/** The details of `askingProvider`'s failure where the provider wants to be asked later. */
const turnedAway = (cause: unknown): readonly unknown[] | undefined =>
  cause instanceof ApplicationFailure && cause.type === providerBusy ? (cause.details ?? []) : undefined;
