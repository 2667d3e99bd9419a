import type { DriverPosition } from '../../contracts/positionRecord';

/** Places so far apart that their drivers are in different regions, in five of six partitions. */
export const cities = [
  ...[
    { lat: 40.75, lng: -73.98 },
    { lat: 51.5, lng: -0.12 },
    { lat: 35.68, lng: 139.76 },
    { lat: -33.86, lng: 151.2 },
  ],
  ...[
    { lat: 19.43, lng: -99.13 },
    { lat: -1.29, lng: 36.82 },
    { lat: 55.75, lng: 37.61 },
    { lat: -34.6, lng: -58.38 },
  ],
];

/** How many drivers each city has: those who speak all the time, and those who speak once. */
export const driversEach = { city: 25, silent: 3 } as const;

/** The next position of all drivers of a kind, a little further each time: the third of city 1 is `city-1-2`. */
export const positionsOf = (kind: keyof typeof driversEach, sequence: number): DriverPosition[] =>
  cities.flatMap((city, n) =>
    Array.from({ length: driversEach[kind] }, (_, driver) => ({
      driverId: `${kind}-${n}-${driver}`,
      lat: city.lat + (driver * 37 + sequence) / 1e5,
      lng: city.lng + sequence / 1e5,
      sequence,
      atMs: Date.now(),
    })),
  );
