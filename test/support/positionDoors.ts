import { createRegions } from '../../domain/regions';
import { problemPages } from '../../contracts/api/problems';
import { Takes, type DriverPosition } from '../../contracts/positionRecord';
import { CodedError } from '../../platform/errors';
import type { OutgoingRecord } from '../../platform/kafka';
import { createLogger } from '../../platform/log';
import { createMetrics } from '../../platform/metrics';
import { ingestRoutes } from '../../services/gateway/ingest/routes';
import { createPositionBuffer } from '../../services/gateway/positions';
import { httpServers } from './httpServers';

/** When it is, for the doors. */
export const nowMs = 1_795_366_800_000;
const at = new Date(nowMs - 1_000).toISOString();
type Body = Record<string, unknown> & { errors?: { index?: number; pointer: string }[] };

/**
 * What starts, for a test file, the two doors, in front of a buffer: what they took waits in it until a test has it sent to
 * its Kafka (`run`). Tokens are `role.subject`.
 */
export function doorsForFile() {
  const serve = httpServers(createLogger('test', 'debug', { write: () => {} }));
  return async function doors({
    capacity = 1_000,
    budgetBytes = 4_000_000,
    send = (_records: readonly OutgoingRecord[]): Promise<void> => Promise.resolve(),
    takesOf = (_id: string): number => Takes.everything,
    fleetOf = (id: string): string | null | undefined =>
      id.startsWith('nobody') ? undefined : id.startsWith('f') ? 'fleet' : null,
  } = {}) {
    const taken: DriverPosition[] = [];
    const buffer = createPositionBuffer({
      ...{
        producer: { send },
        topic: 'p',
        regions: createRegions(100_000),
        log: { warn: () => {} },
        capacity,
      },
    });
    const metrics = createMetrics('test');
    const server = await serve({
      ...{ metrics, problems: problemPages },
      direct: {
        routes: ingestRoutes({
          positions: {
            isFull: () => buffer.isFull(),
            offer: (positions) => buffer.offer(positions) && taken.push(...positions) > 0,
          },
          drivers: { lookUp: () => null, fleetOf, takesOf },
          now: () => nowMs,
        }),
        verify: (token) => {
          const [role = '', sub = ''] = token.split('.');
          if (sub === '') throw new CodedError('unauthenticated', 'the token is not valid');
          return { role, sub };
        },
        budgetBytes,
      },
    });
    return {
      ...{ url: server.url, port: server.port, taken, metrics, run: buffer.run },
      async post(
        path: string,
        token: string,
        body: string | Uint8Array<ArrayBuffer>,
        headers: Record<string, string> = { 'content-type': 'application/json' },
      ) {
        const response = await fetch(server.url + path, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, ...headers },
          body,
        });
        return {
          status: response.status,
          headers: response.headers,
          body: (await response.json()) as Body,
        };
      },
    };
  };
}

/** A position as JSON has it. */
export const good = { lat: 40.7, lng: -73.9, sequence: 5, at };
/** A body of positions. */
export const positions = (...items: unknown[]): string => JSON.stringify({ positions: items });
