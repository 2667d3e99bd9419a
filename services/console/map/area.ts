import type { Point } from '../../../domain/geo';

/** The part of the world that the map shows: New York City with both airports and the shore across the Hudson. */
export const area = { south: 40.45, west: -74.35, north: 41.0, east: -73.6 } as const;

/** Places on the map are two whole numbers from 0 to this, so a step is less than a meter. */
export const GRID = 65_535;

/** Whether the map shows a point. */
export const isOnMap = ({ lat, lng }: Point): boolean =>
  lat >= area.south && lat <= area.north && lng >= area.west && lng <= area.east;

/** A point as it is sent: x eastward from the western rim, y northward from the southern one; kept within the map. */
export const gridOf = ({ lat, lng }: Point): [x: number, y: number] => [
  steps((lng - area.west) / (area.east - area.west)),
  steps((lat - area.south) / (area.north - area.south)),
];

const steps = (share: number): number => Math.round(Math.min(1, Math.max(0, share)) * GRID);
