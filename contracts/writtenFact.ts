import { factEntry } from './catalogue';
import { FactInvalid } from './knownFact';
import { z } from 'zod';

/** What happened, as the service that owns it says it. */
interface FactSaid {
  readonly type: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly data: object;
}

/**
 * A fact that may be written, where it goes and the version of its schema. Facts are kept for ever, so none is written
 * that its schema would not have, whoever writes it: the topic is to be had by this check alone.
 * @throws FactInvalid; Error for a fact that is not in the catalogue
 */
export function writtenFact<F extends FactSaid>(
  fact: F,
  topicPrefix: string,
): { readonly fact: F; readonly topic: string; readonly schemaVersion: number } {
  const entry = factEntry(fact.type);
  if (entry === undefined) throw new Error(`impossible: ${fact.type} is not in the catalogue`);
  const { error } = entry.schema.safeParse(fact.data);
  if (error) throw new FactInvalid(`${fact.type}: ${z.prettifyError(error)}`);
  return { fact, topic: topicPrefix + entry.topic, schemaVersion: entry.version };
}
