import { z } from 'zod';
import { demandView, surgeView } from '../../../contracts/api/analytics';
import { overviewView, ridesInFlight, type RidesInFlight } from '../../../contracts/api/ops';
import { readPositionRecord } from '../../../contracts/positionRecord';
import type { Client } from '../../../platform/client';
import type { EventStream } from '../../../platform/http';
import type { Logger } from '../../../platform/log';
import { createPoll } from '../../../platform/poll';
import { wait } from '../../../platform/wait';
import { area } from './area';
import { FleetBoard, MAX_DRIVERS } from './fleetBoard';
import type { LagWatch } from './lagWatch';
import { cellsOf, driversIn, mapRides, ringOf } from './picture';
import { Rates } from './rates';
import { Viewers } from './viewers';

export interface MapFeedOptions {
  /** The public API and the location service, with a token of the role service. */
  readonly gateway: Client;
  readonly location: Client;
  readonly lag: Pick<LagWatch, 'look'>;
  readonly log: Pick<Logger, 'warn'>;
}

const FRAME_EVERY_MS = 200;
const RIDES_EVERY_MS = 1_000;
const DEMAND_EVERY_MS = 2_000;
const PULSE_EVERY_MS = 2_000;
/** Who was silent for longer is not on the map. */
const MAX_AGE_MS = 60_000;
/** Demand is that of so long a time until now. */
const DEMAND_OF_MS = 30 * 60_000;
/** Of more cells those with the most demand, and those with the highest surge. */
const MOST_CELLS = 1_000;

const fleetAnswer = z.object({ records: z.array(z.base64()) });
const positionsAnswer = z.object({ applied: z.int() });

/** What the map shows, as it changes. It asks only while somebody looks. */
export class MapFeed {
  private readonly board = new FleetBoard();
  private readonly viewers = new Viewers(this.board);
  private rides: RidesInFlight = { rides: [] };
  private readonly rates = new Rates();
  private stopping: AbortController | undefined;
  private readonly away = new Map<string, string>();

  constructor(private readonly options: MapFeedOptions) {}

  /** How many look. */
  get size(): number {
    return this.viewers.size;
  }

  /** Tells a stream what changes, until it ends. */
  watch(stream: EventStream): void {
    if (this.stopping === undefined) this.start();
    this.viewers.add(stream, () => {
      if (this.viewers.size > 0) return;
      this.stopping?.abort();
      this.stopping = undefined;
    });
  }

  private start(): void {
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    const { log } = this.options;
    const repeat = async (what: string, everyMs: number, look: () => Promise<void>): Promise<void> => {
      const noted = async (): Promise<void> => {
        try {
          await look();
          this.away.delete(what);
        } catch (error) {
          if (signal.aborted) return;
          this.away.set(what, error instanceof Error ? error.message : String(error));
          throw error;
        } finally {
          this.viewers.set('away', Object.fromEntries(this.away));
          if (what === 'drivers') this.viewers.sendFrame();
          else this.viewers.sendParts();
        }
      };
      // All else comes between two frames of drivers, so that what they cost the page does not add up.
      if (what !== 'drivers') await wait(FRAME_EVERY_MS / 2, signal);
      const trouble = `the map has no ${what}`;
      await createPoll().run(noted, { everyMs, isSteady: true, signal, log, trouble });
    };
    // Calls have deadlines of their own. With this signal each would leave something behind in it, as long as anybody looks.
    void repeat('drivers', FRAME_EVERY_MS, () => this.lookAtDrivers());
    void repeat('rides', RIDES_EVERY_MS, () => this.lookAtRides());
    void repeat('demand', DEMAND_EVERY_MS, () => this.lookAtDemand());
    void repeat('counts', PULSE_EVERY_MS, () => this.lookAtPulse());
  }

  private async lookAtDrivers(): Promise<void> {
    const { records } = await this.options.location.call('GET', '/internal/fleet', {
      query: { ...area, limit: MAX_DRIVERS, maxAgeMs: MAX_AGE_MS },
      response: fleetAnswer,
    });
    const onRide = new Set(this.rides.rides.flatMap(({ driverId }) => driverId ?? []));
    const rows = records.map((record) => readPositionRecord(Buffer.from(record, 'base64')));
    this.board.take(rows.flatMap((some) => [...driversIn(some, onRide)]));
  }

  private async lookAtRides(): Promise<void> {
    const { gateway } = this.options;
    this.rides = await gateway.call('GET', '/v1/ops/rides', { response: ridesInFlight });
    this.viewers.set('rides', mapRides(this.rides, this.board));
  }

  private async lookAtDemand(): Promise<void> {
    const { gateway } = this.options;
    const from = new Date(Date.now() - DEMAND_OF_MS).toISOString();
    const limit = MOST_CELLS;
    const ofAll = { from, per: 'range', limit };
    const [demand, surges] = await Promise.all([
      gateway.call('GET', '/v1/ops/demand', { query: ofAll, response: demandView }),
      gateway.call('GET', '/v1/ops/surges', { query: { limit }, response: surgeView }),
    ]);
    this.viewers.set('cells', cellsOf(demand, surges, ringOf));
  }

  private async lookAtPulse(): Promise<void> {
    const { gateway, location, lag } = this.options;
    const [overview, positions, behind] = await Promise.all([
      gateway.call('GET', '/v1/ops/overview', { response: overviewView }),
      location.call('GET', '/internal/positions', { response: positionsAnswer }),
      lag.look(),
    ]);
    const updatesPerSecond = Math.round(this.rates.of('positions', positions.applied, performance.now()));
    this.viewers.set('pulse', { ...overview, updatesPerSecond, ...behind });
  }
}
