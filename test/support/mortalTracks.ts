import { createKafka } from '../../platform/kafka';
import { runTracks } from './tracksGround';

/** A consumer of tracks in a process of its own, for tests that kill it. Ends by itself when its parent is gone. */
const env = (name: string): string => process.env[name]!;
process.on('disconnect', () => process.exit(1));
void runTracks(
  createKafka({ brokers: env('KAFKA_BROKERS').split(','), clientId: 'mortal-tracks' }),
  { prefix: env('TRACKS_PREFIX'), databaseUrl: env('TRACKS_URL'), keysUrl: env('TRACKS_KEYS_URL') },
  new AbortController().signal,
  { chunkMs: 300 },
);
