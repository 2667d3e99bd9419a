import { UsageError } from '../stack/options';
import { PartMissing } from '../stack/parts';
import { createSay, type Say } from '../stack/say';
import { asText, type BenchResult } from './frame';
import { benchHelp, parseBenchOptions, type BenchOptions } from './options';
import { benchPayment } from './payment/payment';
import { benchRide } from './ride/ride';

/** A bench: what it measures, told as it goes. Everything that it has started is stopped when it returns or throws. */
export type Bench = (options: BenchOptions, say: Say) => Promise<BenchResult>;

const benches: Readonly<Record<string, Bench>> = { ride: benchRide, payment: benchPayment };

/** @returns the exit code: 0; 1 a check is false or something failed; 2 wrong arguments */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const parsed = parseBenchOptions(argv, Object.keys(benches));
    if (parsed === 'help') {
      process.stdout.write(`${benchHelp(Object.keys(benches))}\n`);
      return 0;
    }
    const { name, options } = parsed;
    const result = await benches[name]!(options, createSay(process.stderr));
    process.stdout.write(`${options.json ? JSON.stringify(result) : asText(result)}\n`);
    return Object.values(result.checks).every((holds) => holds) ? 0 : 1;
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
