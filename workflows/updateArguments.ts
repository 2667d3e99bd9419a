import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { hasCardNumber } from '../domain/cardNumber';
import { MAX_FARE_MINOR } from '../domain/fare';
import { personsId } from '../domain/names';
import type { Ride } from '../domain/ride';
import type { AtMost } from './atMost';
import { refuseWhenOver } from './refusal';
import type { RideRecord } from './rideRecord';

/** What facts take as a UUID: RFC 9562, of the versions that there are. */
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** No database takes it: it would be refused where it is recorded, when it is too late. */
const unstorable = /[\0\p{Surrogate}]/u;

const kinds = {
  /** Made by a machine: digits and dashes of a UUID may look like anything. */
  id: (value: unknown) =>
    typeof value === 'string' && value !== '' && value.length <= 200 && !unstorable.test(value),
  uuid: (value: unknown) => typeof value === 'string' && uuidForm.test(value),
  person: (value: unknown) => typeof value === 'string' && personsId.test(value),
  /** What the provider calls one of its objects. */
  'object id?': (value: unknown) =>
    value === undefined || (kinds.text(value) && /^\w+$/.test(value as string)),
  /** Typed by people, as `freeText` of the API: without a card number. */
  text: (value: unknown) => kinds.id(value) && !hasCardNumber(value as string),
  'text?': (value: unknown) => value === undefined || kinds.text(value),
  count: (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  place: (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0,
  minor: (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 2 * MAX_FARE_MINOR,
  'minor?': (value: unknown) => value === undefined || value === null || kinds.minor(value),
  'operator?': (value: unknown) => value === undefined || value === 'operator',
  'count?': (value: unknown) => value === undefined || value === null || kinds.count(value),
  'happened or not': (value: unknown) => value === 'happened' || value === 'did_not_happen',
  'rider or operator': (value: unknown) => value === 'rider' || value === 'operator',
  object: (value: unknown) => typeof value === 'object' && value !== null,
};

const inWords = (kind: keyof typeof kinds): string =>
  kind === 'person' ? 'letters, digits, _ and -, at most 64' : kind.replace('?', ', or nothing');

/** The fields that an Update's argument has to have. */
export type Shape = Readonly<Record<string, keyof typeof kinds>>;

/** An operator's word on what nobody else knows. */
export const wordShape = {
  outcome: 'happened or not',
  evidence: 'text',
  by: 'person',
  objectId: 'object id?',
} as const satisfies Shape;

/**
 * Refuses an argument that lacks what its handler reads: operators type them in by hand, and a handler that stumbles
 * over one would hold up the whole workflow.
 * @throws ApplicationFailure `argument_not_valid`
 */
export function requireShape(update: string, shape: Shape, argument: unknown): void {
  const given = typeof argument === 'object' && argument !== null ? argument : {};
  const wrong = Object.entries(shape).filter(
    ([field, kind]) => !kinds[kind]((given as Record<string, unknown>)[field]),
  );
  if (wrong.length === 0) return;
  const wanted = wrong.map(([field, kind]) => `${field} (${inWords(kind)})`).join(', ');
  throw ApplicationFailure.nonRetryable(`The Update ${update} takes: ${wanted}.`, 'argument_not_valid');
}

export interface RideUpdate {
  readonly name: string;
  /** What operators read of it in the web UI. */
  readonly description: string;
  readonly shape: Shape;
  /** Refuses before anything is in the history, beside what is no argument or comes when the ride is over. */
  readonly refuse?: () => void;
  /** Refused before anything is in the history while another of these is handled. */
  readonly alone?: AtMost;
  /** Refuses what was accepted, before it is waited for. */
  readonly first?: () => void;
}

/**
 * Answers an Update of a ride with the ride after it, once the ride is recorded. The validator knows of the state no
 * more than that the ride is over: the committed ride may be further on than this workflow, never behind it.
 */
export function answerUpdate<Argument>(
  record: RideRecord,
  { name, description, shape, refuse, alone, first }: RideUpdate,
  handle: (argument: Argument) => Promise<Ride>,
): void {
  setHandler(
    defineUpdate<Ride, [Argument]>(name),
    async (argument) => {
      first?.();
      const answer = async (): Promise<Ride> => {
        await condition(() => record.isRecorded);
        return handle(argument);
      };
      return alone ? alone.during(answer) : answer();
    },
    {
      description,
      validator: (argument: Argument) => {
        requireShape(name, shape, argument);
        refuseWhenOver(record);
        refuse?.();
        alone?.refuseMore();
      },
    },
  );
}
