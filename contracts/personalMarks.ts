import { z } from 'zod';

/** Whose a field of a fact is, and what stands in its place for whoever has no key to it. */
export interface PersonalMark {
  /** The field that names the person, in the fact or beside it: a ride's facts are of its `riderId`. */
  readonly subject: 'riderId' | 'driverId';
  /** Of the field's own type, so that whoever reads it goes on. */
  readonly erased: unknown;
}

/** Kept beside the schemas, not in them: what is published of a schema does not change by a mark. */
export const marks = z.registry<PersonalMark>();

/** Stands where a person's words, name or token were. */
export const ERASED = 'erased';
/** Stands where a person's place was. */
export const NOWHERE = { lat: 0, lng: 0 };

/** A field of a fact that is personal: it leaves sealed with its subject's key, and is unreadable once that is deleted. */
export function personal<S extends z.ZodType>(
  schema: S,
  subject: PersonalMark['subject'],
  erased: z.input<S>,
): S {
  const marked: z.ZodType = schema.clone();
  marks.add(marked, { subject, erased });
  return marked as S;
}

/** Words of or about a person. */
export const personalText = (subject: PersonalMark['subject']) => personal(z.string(), subject, ERASED);
