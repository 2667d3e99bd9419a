import { UsageError } from '../stack/options';
import { PartMissing } from '../stack/parts';
import { createSay, type Say } from '../stack/say';
import { faultsHelp, parseFaultOptions, type FaultOptions } from './options';
import { paymentFaults } from './payments/payments';

/** A sweep of faults, told as it goes. Everything that it has started is stopped when it returns or throws. */
export type FaultSweep = (options: FaultOptions, say: Say) => Promise<{ readonly allIsWell: boolean }>;

const sweeps: Readonly<Record<string, FaultSweep>> = { payments: paymentFaults };

/** @returns the exit code: 0; 1 a fault has done harm, or something failed; 2 wrong arguments */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const parsed = parseFaultOptions(argv, Object.keys(sweeps));
    if (parsed === 'help') {
      process.stdout.write(`${faultsHelp(Object.keys(sweeps))}\n`);
      return 0;
    }
    const { name, options } = parsed;
    const { allIsWell } = await sweeps[name]!(options, createSay(process.stdout));
    return allIsWell ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n`);
      return UsageError.exitCode;
    }
    const text = error instanceof Error && !(error instanceof PartMissing) ? error.stack : String(error);
    process.stderr.write(`${text}\n`);
    return 1;
  }
}
