import { z } from 'zod';
import { erasureOperations, type ErasureBlocker } from '../../contracts/api/erasure';
import { DomainError } from '../../domain/errors';
import type { Client } from '../../platform/client';
import type { MountOperation } from '../../platform/http';
import type { Vault } from '../../platform/personal';

/** A person's rides: those that they asked for, and with them those that they drove or were offered. */
interface RidesOf {
  readonly asked: readonly string[];
  readonly all: readonly string[];
}

/** What each database does for an erasure; all of it is safe to repeat. */
export interface ErasureOptions {
  readonly vault: Pick<Vault, 'erase'>;
  readonly pricing: Client;
  readonly rides: {
    of(subject: string): Promise<RidesOf>;
    inTheWay(subject: string, rides: RidesOf): Promise<ErasureBlocker[]>;
    /** Leaves the fact that the erasure is done, so it is asked last. */
    blot(subject: string, rides: RidesOf, at: string): Promise<void>;
  };
  readonly payments: {
    inTheWay(subject: string, rideIds: readonly string[]): Promise<ErasureBlocker[]>;
    blot(subject: string, rideIds: readonly string[]): Promise<void>;
  };
}

/**
 * Erases a person. The key goes first: from then on no copy of a fact can be read, whatever comes next. An erasure that
 * ended half way is asked for again.
 */
export function erasureRoutes(
  mount: MountOperation,
  { vault, pricing, rides, payments }: ErasureOptions,
): void {
  const look = async (subject: string) => {
    const theirs = await rides.of(subject);
    const blockers = [
      ...(await rides.inTheWay(subject, theirs)),
      ...(await payments.inTheWay(subject, theirs.asked)),
    ];
    return { theirs, blockers };
  };
  const mustBeFree = (blockers: readonly ErasureBlocker[]): void => {
    if (blockers.length > 0)
      throw new DomainError('erasure_not_possible', 'Something of this person is under way.', { blockers });
  };
  mount(erasureOperations.eraseSubject, async ({ params: { subjectId }, body, signal }) => {
    const { theirs: before, blockers } = await look(subjectId);
    if (body.dryRun)
      return { status: 200, body: { subjectId, rides: before.all.length, blockers, erasedAt: null } };
    mustBeFree(blockers);
    const erasedAt = await vault.erase(subjectId);
    // A request that was let in before may have become a ride since: it is asked for again when that is over.
    const { theirs, blockers: since } = await look(subjectId);
    mustBeFree(since);
    await pricing.call('POST', `/internal/subjects/${subjectId}/erase`, { response: z.undefined(), signal });
    await payments.blot(subjectId, theirs.asked);
    await rides.blot(subjectId, theirs, erasedAt);
    return { status: 200, body: { subjectId, rides: theirs.all.length, blockers: [], erasedAt } };
  });
}
