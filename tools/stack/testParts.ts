import { PartMissing, takeTestParts } from './parts';
import { createSay } from './say';

/**
 * Has all parts that tests need installed, so that jest finds them at once; what is missing is told on stderr.
 * @returns environment variables for jest, or undefined when something is missing
 */
export async function findTestParts(env: NodeJS.ProcessEnv): Promise<Record<string, string> | undefined> {
  try {
    const found = await takeTestParts({ env, say: createSay(process.stderr) });
    return { HAILWAY_TEST_PARTS: JSON.stringify(found) };
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}
