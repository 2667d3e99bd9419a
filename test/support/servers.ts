import { randomBytes } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { ensureDatabase, migrateOwner, type Owner } from '../../tools/stack/databases';
import { addSearchAttributes } from '../../tools/stack/namespace';
import { fromSetup } from './fromSetup';

/** The real servers that globalSetup has started, and what a test file takes of them for itself. */

/** As a user who may create roles and databases. */
export const postgresUrl = (): string => fromSetup('POSTGRES_URL');

/** host:port of each broker. */
export const kafkaBrokers = (): string[] => fromSetup('KAFKA_BROKERS').split(',');

/** host:port of a real server, whose time passes as it does; namespace `default`. */
export const temporalAddress = (): string => fromSetup('TEMPORAL_ADDRESS');

/** A new database of this owner, with its tables, for the owner's own role. It goes when the run of jest ends. */
export async function createDatabase(owner: Owner): Promise<string> {
  const database = `test_${owner}_${fromSetup('HAILWAY_TEST_RUN')}_${randomBytes(4).toString('hex')}`;
  // Roles of the tests' own: on somebody's server there may be the real ones.
  const role = `test_${owner}`;
  const url = await ensureDatabase(postgresUrl(), { owner, database, role, password: role });
  await migrateOwner(owner, url, postgresUrl());
  return url;
}

/** The SDK gives the server 5 s to start, which is short for a JVM on a busy machine: it is asked again, twice. */
const startAttempts = 3;

/** Temporal's time-skipping server, one for each call; end it with `teardown()`. */
export async function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const env = await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: 'existing-path', path: fromSetup('HAILWAY_TEST_SERVER') } },
      });
      await addSearchAttributes(env.connection, 'default');
      return env;
    } catch (error) {
      if (attempt === startAttempts) throw error;
    }
  }
}

/** The real server, as an environment like the other: its time is the machine's. */
export const existingEnvironment = (namespace: string): Promise<TestWorkflowEnvironment> =>
  TestWorkflowEnvironment.createFromExistingServer({ address: temporalAddress(), namespace });
