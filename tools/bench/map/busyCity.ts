import { latLngToCell } from 'h3-js';
import type { DemandView, SurgeView } from '../../../contracts/api/analytics';
import { consumers, factGroup, type ConsumerName } from '../../../contracts/consumers';
import { CELL_RESOLUTION, type Point } from '../../../domain/geo';
import { surgePolicy } from '../../../domain/surge';
import type { GroupLag } from '../../../services/console/map/lagWatch';
import { seededRandom, type Random } from '../../city/random';

const CELLS = 400;
/** Where the most is asked for. */
const SURGING = 60;
/** Analytics decides so often; of three cells one is another's then. */
const DECIDED_EVERY_MS = 10_000;
const DECISIONS_A_STEP = 3;
/** Of a cell's surge, from 1 up by steps and down again: to 2.2. */
const STEPS = 24;

/** Besides the groups that facts are read in: those that positions are. */
const readersOfPositions = ['location', 'tracks-paths', 'tracks-zones'];
/** As the page lists them. */
export const lagGroups: readonly string[] = [
  ...(Object.keys(consumers) as ConsumerName[]).map(factGroup),
  ...readersOfPositions,
].sort();

/** What the map shows beside drivers and rides, always in motion as in a city at its peak. */
export class BusyCity {
  /** With how many pickups, the most first. */
  private readonly cells: readonly (readonly [cell: string, pickups: number])[];
  private readonly random: Random = seededRandom('busy city');

  constructor(pickups: readonly Point[]) {
    const counts = new Map<string, number>();
    for (const { lat, lng } of pickups) {
      const cell = latLngToCell(lat, lng, CELL_RESOLUTION);
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
    this.cells = [...counts].sort((a, b) => b[1] - a[1]).slice(0, CELLS);
  }

  /** New counts each second, so that the hexagons are drawn anew. */
  demand(nowMs: number): DemandView['cells'] {
    const others = { completed: 0, cancelled: 0, noDriver: 0, assigned: 0, freed: 0 };
    return this.cells.map(([cell, count]) => ({
      ...{ cell, minute: new Date(nowMs).toISOString(), ...others },
      requested: count + (Math.floor(nowMs / 1_000) % 60),
    }));
  }

  /** In some dozens of cells; with each decision some have another one, a few none, and others begin. */
  surges(nowMs: number): SurgeView['surges'] {
    const decision = Math.floor(nowMs / DECIDED_EVERY_MS);
    const validUntil = new Date(nowMs + surgePolicy.validMinutes * 60_000).toISOString();
    return this.cells
      .slice(0, SURGING)
      .map(([cell], n) => {
        const step = (n * 7 + Math.floor((decision + n) / DECISIONS_A_STEP)) % STEPS;
        return { cell, multiplier: 1 + Math.min(step, STEPS - step) / Math.round(1 / surgePolicy.step) };
      })
      .filter(({ multiplier }) => multiplier > 1)
      .sort((a, b) => b.multiplier - a.multiplier)
      .map((surge) => ({ ...surge, validUntil }));
  }

  /** Each time another, of all consumers. */
  lag(): { lag: GroupLag[]; factsPerSecond: number } {
    const lag = lagGroups.map((group) => ({
      ...{ group, records: Math.floor(this.random.between(0, 2_000)) },
      seconds: Math.round(this.random.between(0, 9)) / 10,
    }));
    return { lag, factsPerSecond: Math.round(this.random.between(1_000, 1_500)) };
  }
}
