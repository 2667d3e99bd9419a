import { randomBytes } from 'node:crypto';
import { createPool, type Pool } from '../../../platform/postgres';
import type { Servers } from './servers';
import { signOf, type Point, type Victim } from './cells';
import { openPostgresDoor, type Held } from './doors';
import { openKafkaDoor } from './kafkaDoor';
import { startMortal, type Mortal } from './mortal';
import {
  openSite,
  prepareDatabase,
  prepareTopics,
  startConsumer,
  startRelay,
  type OpenSite,
  type Stop,
} from './site';
import type { WrongWay } from './wrong/ways';

/** Servers, and a database with the tables of a site, of which each site's is a copy. */
export interface Ground extends Servers {
  readonly template: string;
}

const newName = (of: string): string => `${of}_${randomBytes(4).toString('hex')}`;

const urlOf = (postgresUrl: string, database: string): string => {
  const url = new URL(postgresUrl);
  url.pathname = `/${database}`;
  return url.href;
};

const adminOf = ({ postgresUrl }: Servers): Pool =>
  createPool(postgresUrl, { applicationName: 'faults', max: 1, statementTimeoutMs: 60_000 });

export async function prepareGround(servers: Servers): Promise<Ground> {
  const template = newName('crash_template');
  const admin = adminOf(servers);
  await admin.query(`create database ${template}`).finally(() => admin.end());
  await prepareDatabase(urlOf(servers.postgresUrl, template));
  return { ...servers, template };
}

/** A site of its own with a process behind doors, which can be hit at a wanted moment. */
export interface CrashSite extends OpenSite {
  /** The next process that comes to this point but `after` times waits there with what it says or hears. */
  arm(point: Point, after: number): Promise<Held>;
  /** Ours, or a wrong way, as a process behind the doors. */
  startVictim(victim: Victim): Mortal;
  /** Ours, here and behind no door, once; with the site it stops. @returns the partitions of a consumer */
  startBeside(role: 'relay' | 'consumer'): () => readonly number[];
  close(): Promise<void>;
}

export async function openCrashSite(ground: Ground, wrong: WrongWay | null): Promise<CrashSite> {
  const name = newName('crash');
  const admin = adminOf(ground);
  await admin.query(`create database ${name} template ${ground.template}`);
  const site = openSite({
    ...{ databaseUrl: urlOf(ground.postgresUrl, name), brokers: [ground.kafkaBroker] },
    ...{ topic: `${name}.things`, group: `${name}.counting` },
  });
  const doors = {
    postgres: await openPostgresDoor(site.databaseUrl),
    kafka: await openKafkaDoor(ground.kafkaBroker),
  };
  const mortals: Mortal[] = [];
  const stops: Stop[] = [];
  const beside = new Map<'relay' | 'consumer', () => readonly number[]>();
  const killAll = (): void => {
    for (const mortal of mortals) void mortal.kill();
  };
  // A frozen one would not hear that we are gone.
  process.on('exit', killAll);
  const close = async (): Promise<void> => {
    await Promise.all(mortals.map((mortal) => mortal.kill()));
    process.off('exit', killAll);
    await Promise.all(stops.map((stop) => stop()));
    for (const door of Object.values(doors)) door.close();
    await site.pool.end();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  };
  try {
    await prepareTopics(site);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...site,
    arm(point, after) {
      const { at, sign } = signOf(point, site);
      return doors[at].arm(sign, after);
    },
    startVictim(victim) {
      const { topic, group } = site;
      const seen = { topic, group, databaseUrl: doors.postgres.url, brokers: [doors.kafka.address] };
      const mortal = startMortal({ victim, wrong, site: seen });
      mortals.push(mortal);
      return mortal;
    },
    startBeside(role) {
      if (!beside.has(role)) {
        let partitions: readonly number[] = [];
        beside.set(role, () => partitions);
        stops.push(
          role === 'relay' ? startRelay(site) : startConsumer(site, (assigned) => (partitions = assigned)),
        );
      }
      return beside.get(role)!;
    },
    close,
  };
}
