import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  loadConfig,
  portVariable,
  processPorts,
  type Config,
  type ProcessName,
  type Variable,
} from '../../platform/config';
import { takeLock } from './lock';

export type ServerPort = 'postgres' | 'kafka' | 'kafka-controller' | 'temporal' | 'temporal-ui';
export type Ports = Readonly<Record<ServerPort | ProcessName, number>>;
export type PortName = keyof Ports;

const serverVariables = {
  postgres: 'HAILWAY_POSTGRES_PORT',
  kafka: 'HAILWAY_KAFKA_PORT',
  'kafka-controller': 'HAILWAY_KAFKA_CONTROLLER_PORT',
  temporal: 'HAILWAY_TEMPORAL_PORT',
  'temporal-ui': 'HAILWAY_TEMPORAL_UI_PORT',
} as const satisfies Record<ServerPort, Variable>;

const processNames = Object.keys(processPorts) as ProcessName[];

/** Every port of the stack with the environment variable that moves it. */
export const portVariables = {
  ...serverVariables,
  ...Object.fromEntries(processNames.map((name) => [name, portVariable(name)])),
} as Readonly<Record<PortName, Variable>>;

export const portNames = Object.keys(portVariables) as PortName[];

/** @throws ConfigError */
export function portsFrom(env: NodeJS.ProcessEnv): Ports {
  const config: Partial<Config> = loadConfig(env, Object.values(portVariables));
  return Object.fromEntries(portNames.map((name) => [name, config[portVariables[name]]])) as unknown as Ports;
}

/** Ports are taken, or two parts were given the same one. The message names each with the variable that moves it. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/** @throws PortTaken unless all of `names` can be listened on */
export async function checkPorts(ports: Ports, names: readonly PortName[]): Promise<void> {
  const problems: string[] = [];
  const users = new Map<number, PortName>();
  for (const name of names) {
    const port = ports[name];
    const other = users.get(port);
    if (other !== undefined) problems.push(sentence(port, name, `is given to ${other} too`));
    else if (!(await isFree(port))) problems.push(sentence(port, name, 'is taken by another program'));
    users.set(port, name);
  }
  if (problems.length > 0) throw new PortTaken(problems.join('\n'));
}

const sentence = (port: number, name: PortName, what: string): string =>
  `port ${port} (${name}) ${what}: set ${portVariables[name]} to a free one`;

/** Whether a server could listen on the port of this machine's loopback address now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Where it is written which process was given which port, for all that this user runs. */
const claims = join(tmpdir(), `hailway-ports-${userInfo().uid}`);

function claimPort(port: number): boolean {
  mkdirSync(claims, { recursive: true });
  return takeLock(join(claims, String(port))) === undefined;
}

/**
 * A free port, which nobody else is given for as long as this process lives: it may take a while until it is listened on.
 * From below the range that the system itself takes ports for outgoing calls from.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if ((await isFree(port)) && claimPort(port)) return port;
  }
}

/** A free port for everything. */
export async function freePorts(): Promise<Ports> {
  const found = new Map<PortName, number>();
  for (const name of portNames) found.set(name, await freePort());
  return Object.fromEntries(found) as Record<PortName, number>;
}
