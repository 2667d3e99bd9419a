import { keptKinds, type Books, type Changes, type JournalRecord } from './books';
import type { StoredAnswer } from './idempotency';
import { newId } from './ids';
import type { Journal } from './journal';
import type { Faults } from './faults';
import type { Courier } from './webhooks/courier';
import type { EventRecord, EventType } from './webhooks/events';

/** What the parts of the sandbox share. */
export interface Sandbox {
  readonly books: Books;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly courier: Courier;
  readonly clock: () => Date;
  /** The URL at which riders reach its pages; null where that is the one at which it is asked. */
  readonly publicUrl: string | null;
}

/** Changes, and what is told of them. */
export interface Happening extends Changes {
  readonly events?: readonly EventType[];
}

/**
 * Makes a change: at once in the books, and then on the disk; its events leave when they are there.
 * @param request whose effect it is; null: nobody's, time has brought it
 * @param answer what is kept under the request's key
 */
export async function commit(
  { books, journal, faults, courier }: Sandbox,
  at: Date,
  { events = [], ...changes }: Happening,
  request: EventRecord['request'],
  answer?: StoredAnswer,
): Promise<void> {
  const record: JournalRecord = {
    v: 1,
    at: at.toISOString(),
    ...changes,
    ...(events.length > 0 && {
      events: events.map((type): EventRecord => {
        const posting = courier.hasEndpoint ? faults.postingOf(type, at) : null;
        return { id: newId('evt'), type, request, ...(posting && { posting }) };
      }),
    }),
    ...(answer && { answer: withoutCopy(answer, changes) }),
  };
  books.apply(record);
  await journal.append(record);
  courier.look();
}

/** The answer is the object itself nearly always: one of the two is enough for a line. */
function withoutCopy(
  { body, ...answer }: StoredAnswer,
  changes: Changes,
): NonNullable<JournalRecord['answer']> {
  const bodyOf = keptKinds.find((kind) => changes[kind] !== undefined && changes[kind] === body);
  return bodyOf === undefined ? { ...answer, body } : { ...answer, bodyOf };
}
