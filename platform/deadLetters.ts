import { z } from 'zod';
import { CodedError } from './errors';
import type { MountOperation } from './http';

/** Which dead letters are meant: all of these hold. */
export interface DeadLetterFilter {
  readonly ids?: readonly string[] | undefined;
  /** Without the prefix of the installation. */
  readonly topic?: string | undefined;
  readonly key?: string | undefined;
  /** The fact's. */
  readonly type?: string | undefined;
  /** What the reason begins with, or has in it. */
  readonly reason?: string | undefined;
  /** ISO 8601: dead since then. */
  readonly since?: string | undefined;
  /** At most so many, the oldest first. */
  readonly limit: number;
}

/** A fact that could not be taken further, and for which the later ones of its key wait. */
export interface DeadLetter {
  readonly id: string;
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly factId: string | null;
  readonly type: string | null;
  readonly sequence: number | null;
  readonly reason: string;
  readonly attempts: number;
  /** ISO 8601 UTC. */
  readonly deadSince: string;
  /** How many facts of its key wait behind it. */
  readonly waiting: number;
}

/** All of it: text is UTF-8, other bytes are `base64:…`. */
export interface WholeDeadLetter extends DeadLetter {
  readonly stack: string | null;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly value: string | null;
  /** The first 100 that wait, in their order. */
  readonly behind: readonly { readonly factId: string | null; readonly offset: number }[];
}

/**
 * What became of one: `failed` stays dead, with the new reason; `under_way` was given up or applied, and its key is to be
 * replayed from where it is dead now.
 */
export interface DeadLetterDeed {
  readonly id: string;
  readonly key: string;
  readonly outcome: 'replayed' | 'discarded' | 'failed' | 'under_way' | 'would_be';
  /** Facts of the key that had their effect by this, those behind it too. */
  readonly applied: number;
  readonly reason: string | null;
}

/** Letters that are meant, and whether there are more than the limit. */
export interface Meant<Letter extends DeadLetter = DeadLetter> {
  readonly letters: readonly Letter[];
  readonly more: boolean;
}

/** `left`: letters within the limit that were not come to; `more`: there are others beyond it. */
export interface DeadLetterDeeds {
  readonly done: readonly DeadLetterDeed[];
  readonly left: number;
  readonly more: boolean;
}

export type DeadLetterOrder = DeadLetterFilter & { readonly dryRun: boolean };
export type DiscardOrder = DeadLetterOrder & { readonly by: string; readonly because: string };

/** Where a consumer's dead letters are kept. */
export interface DeadLetterOffice {
  list(filter: DeadLetterFilter): Promise<{ deadLetters: readonly DeadLetter[]; more: boolean }>;
  /** Null where there is none with this id (any more). */
  show(id: string): Promise<WholeDeadLetter | null>;
  replay(order: DeadLetterOrder): Promise<DeadLetterDeeds>;
  discard(order: DiscardOrder): Promise<DeadLetterDeeds>;
}

/** A deed stops looking for more to do after so long; who asked asks again, by ids. */
const deedWithinMs = 5_000;

/** What was looked for with a limit that is one larger. */
export const upToLimit = <Letter extends DeadLetter>(found: readonly Letter[], limit: number) => ({
  letters: found.slice(0, limit),
  more: found.length > limit,
});

/** Goes through letters one after another for as long as there is time; on a dry run only says which. */
export async function inTime<Letter extends DeadLetter>(
  { letters, more }: Meant<Letter>,
  { dryRun }: Pick<DeadLetterOrder, 'dryRun'>,
  deed: (letter: Letter, isTime: () => boolean) => Promise<DeadLetterDeed>,
): Promise<DeadLetterDeeds> {
  if (dryRun) return { done: letters.map(wouldBe), left: 0, more };
  const until = Date.now() + deedWithinMs;
  const isTime = (): boolean => Date.now() < until;
  const done: DeadLetterDeed[] = [];
  for (const letter of letters) {
    if (done.length > 0 && !isTime()) break;
    done.push(await deed(letter, isTime));
  }
  return { done, left: letters.length - done.length, more };
}

const wouldBe = ({ id, key }: DeadLetter): DeadLetterDeed => ({
  ...{ id, key, outcome: 'would_be', applied: 0, reason: null },
});

const text = z.string().min(1).max(2_000);
const filter = {
  topic: text.optional(),
  key: text.optional(),
  type: text.optional(),
  reason: text.optional(),
  since: z.iso.datetime().optional(),
};
const order = {
  ...filter,
  ids: z.array(text).max(1_000).optional(),
  limit: z.int().min(1).max(1_000),
  dryRun: z.boolean(),
};
const listQuery = z.strictObject({ ...filter, limit: z.coerce.number().int().min(1).max(1_000) });

/** What the gateway asks of a process with dead letters: not public, with the service's token. */
export function deadLetterRoutes(mount: MountOperation, office: DeadLetterOffice): void {
  const path = '/internal/dead-letters';
  const roles = ['service'] as const;
  mount({ method: 'get', path, roles, request: { query: listQuery } }, async ({ query }) => ({
    status: 200,
    body: await office.list(query),
  }));
  mount(
    { method: 'get', path: `${path}/{id}`, roles, request: { params: z.strictObject({ id: text }) } },
    async ({ params }) => {
      const letter = await office.show(params.id);
      if (letter === null)
        throw new CodedError('dead_letter_not_found', 'There is no dead letter with this id any more.');
      return { status: 200, body: letter };
    },
  );
  mount(
    { method: 'post', path: `${path}/replay`, roles, request: { body: z.strictObject(order) } },
    async ({ body }) => ({ status: 200, body: await office.replay(body) }),
  );
  const discard = z.strictObject({ ...order, by: text, because: text });
  mount({ method: 'post', path: `${path}/discard`, roles, request: { body: discard } }, async ({ body }) => ({
    status: 200,
    body: await office.discard(body),
  }));
}
