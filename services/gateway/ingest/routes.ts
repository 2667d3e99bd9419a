import { driverOperations } from '../../../contracts/api/driverOperations';
import {
  MOST_ERRORS,
  MOST_OF_A_DRIVER,
  positionsMediaType,
  type BadPosition,
  type PositionsTaken,
} from '../../../contracts/api/positions';
import { MAX_POSITIONS, Takes, type DriverPosition } from '../../../contracts/positionRecord';
import { DomainError } from '../../../domain/errors';
import { CodedError } from '../../../platform/errors';
import type { DirectRequest, DirectRoute, Reply } from '../../../platform/http';
import type { PositionBuffer } from '../positions';
import type { KnownDrivers } from './knownDrivers';
import { badAt, readJsonPositions, type ReadPositions } from './readJson';
import { readBinaryPositions } from './readBinary';

const json = 'application/json';
const KIB = 1_024;

export interface IngestOptions {
  readonly positions: Pick<PositionBuffer, 'offer' | 'isFull'>;
  readonly drivers: Pick<KnownDrivers, 'lookUp' | 'fleetOf' | 'takesOf'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The doors for positions: a driver's own, and a fleet's for many drivers at once. */
export function ingestRoutes({ positions, drivers, now }: IngestOptions): DirectRoute[] {
  const tooMany = (): CodedError =>
    new CodedError('too_many_positions', 'Too many positions wait to be sent on.');
  const beforeBody = (): void => {
    if (positions.isFull()) throw tooMany();
  };

  /** A fleet may say that its driver takes less than their car and shift would let them, not more. */
  const asFarAsTaken = ({ driverId, lat, lng, sequence, atMs, takes }: DriverPosition): DriverPosition => ({
    // Field by field: with a spread a third fewer requests are answered (`npm run bench -- http`).
    driverId,
    lat,
    lng,
    sequence,
    atMs,
    takes: (takes ?? Takes.everything) & drivers.takesOf(driverId),
  });

  const answer = ({ good, bad }: Pick<ReadPositions, 'good' | 'bad'>, partial: boolean): Reply => {
    if (bad.length > 0 && !partial) throw refused(bad);
    if (good.length > 0 && !positions.offer(good.map(asFarAsTaken))) throw tooMany();
    const body: PositionsTaken = { taken: good.length, refused: bad.length, errors: first(bad) };
    return { status: 202, body };
  };

  const driversDoor = ({ caller, query, body }: DirectRequest): Promise<Reply> | Reply => {
    const partial = isPartial(query);
    const read = readJsonPositions(body, { driverId: caller.sub, most: MOST_OF_A_DRIVER, nowMs: now() });
    const answerKnown = (): Reply => {
      if (drivers.fleetOf(caller.sub) === undefined)
        throw new DomainError('driver_unknown', 'Register first.');
      return answer(read, partial);
    };
    const looking = drivers.lookUp([caller.sub]);
    return looking === null ? answerKnown() : looking.then(answerKnown);
  };

  const fleetsDoor = async ({ caller, query, body, mediaType }: DirectRequest): Promise<Reply> => {
    const partial = isPartial(query);
    const read =
      mediaType === json
        ? readJsonPositions(body, { driverId: null, most: MAX_POSITIONS, nowMs: now() })
        : readBinaryPositions(body, now());
    const looking = drivers.lookUp(read.good.map(({ driverId }) => driverId));
    if (looking !== null) await looking;
    return answer(
      ofFleet(read, (driverId) => drivers.fleetOf(driverId) === caller.sub),
      partial,
    );
  };

  const { sendPositions, sendFleetPositions } = driverOperations;
  return [
    {
      ...{ method: 'POST', path: sendPositions.path, roles: sendPositions.roles, mediaTypes: [json] },
      ...{ limitBytes: 64 * KIB, beforeBody, handle: driversDoor },
    },
    {
      ...{ method: 'POST', path: sendFleetPositions.path, roles: sendFleetPositions.roles },
      ...{ mediaTypes: [json, positionsMediaType], limitBytes: 1_024 * KIB, beforeBody, handle: fleetsDoor },
    },
  ];
}

/** Without those of drivers who do not drive for this fleet: nobody is told whether they are anybody's. */
function ofFleet(read: ReadPositions, isIts: (driverId: string) => boolean): ReadPositions {
  if (read.good.every(({ driverId }) => isIts(driverId))) return read;
  const good: DriverPosition[] = [];
  const indexes: number[] = [];
  const bad = [...read.bad];
  read.good.forEach((position, n) => {
    const index = read.indexes[n]!;
    if (!isIts(position.driverId)) return bad.push(badAt(index, ['driverId', 'no driver of this fleet']));
    good.push(position);
    return indexes.push(index);
  });
  return { good, indexes, bad: bad.sort((a, b) => a.index - b.index) };
}

const first = (bad: readonly BadPosition[]): BadPosition[] => bad.slice(0, MOST_ERRORS);

function refused(bad: readonly BadPosition[]): CodedError {
  const { index, pointer, detail } = bad[0]!;
  return new CodedError('validation_failed', `body${pointer}: ${detail}`, { index, errors: first(bad) });
}

function isPartial(query: string): boolean {
  if (query === '' || query === 'partial=false') return false;
  if (query === 'partial=true') return true;
  const detail = 'partial=true or partial=false, and nothing else';
  throw new CodedError('validation_failed', `query: ${detail}`, {
    errors: [{ in: 'query', pointer: '', detail }],
  });
}
