import { topicsRead } from './catalogue';
import { consumers, factGroup, lastingConsumers, type ConsumerName } from './consumers';
import { deadLetterTopic, topics, type DeclaredTopic } from './topics';

/** Who may do what in Kafka: what is not here is denied. */
export interface Grant {
  /** The process, by the name that it logs in with. */
  readonly principal: string;
  readonly resource: 'topic' | 'group';
  /** With the installation's prefix. */
  readonly name: string;
  /** Whether the name is the whole one, or how it begins. */
  readonly pattern: 'literal' | 'prefixed';
  /** Each of them includes describing. */
  readonly operation: 'read' | 'write' | 'delete';
}

/** Who reads facts: the catalogue says. */
const factReaders = Object.keys(consumers) as ConsumerName[];

/** All topics, those for dead letters with them. */
export const declaredTopics: readonly DeclaredTopic[] = [...topics, ...lastingConsumers.map(deadLetterTopic)];

/** Groups of a moment, by which a log is read from a place of the reader's choice. */
const passingGroups = 'raw-';

/** What each process may do with the topics and groups of an installation. */
export function grantsUnder(prefix: string): readonly Grant[] {
  const topic = (principal: string, name: string, operation: 'read' | 'write'): Grant => ({
    ...{ principal, operation, resource: 'topic', name: prefix + name, pattern: 'literal' },
  });
  const group = (
    principal: string,
    name: string,
    pattern: Grant['pattern'],
    operation: 'read' | 'delete',
  ): Grant => ({ principal, operation, resource: 'group', name, pattern });
  const passing = (principal: string): Grant[] => {
    const begin = `${passingGroups}${principal}-`;
    return [group(principal, begin, 'prefixed', 'read'), group(principal, begin, 'prefixed', 'delete')];
  };
  const factTopics = topics.filter(({ kind }) => kind === 'facts');
  return [
    ...factTopics.map(({ name }) => topic('relay', name, 'write')),
    topic('gateway', 'driver-positions', 'write'),
    topic('location', 'driver-positions', 'read'),
    group('location', `${prefix}location`, 'literal', 'read'),
    ...passing('location'),
    topic('tracks', 'driver-positions', 'read'),
    ...['tracks-zones', 'tracks-paths'].map((name) => group('tracks', prefix + name, 'literal', 'read')),
    ...factReaders.flatMap((name) => [
      ...topicsRead(name).map((each) => topic(name, each, 'read')),
      group(name, prefix + factGroup(name), 'literal', 'read'),
    ]),
    ...lastingConsumers.map((name) => topic(name, deadLetterTopic(name).name, 'write')),
    // The reconciliation holds the log against the books.
    topic('payments', 'payments', 'read'),
    ...passing('payments'),
  ];
}

/** The processes that talk to Kafka, by the names they log in with. */
export const principals: readonly string[] = [...new Set(grantsUnder('').map(({ principal }) => principal))];
