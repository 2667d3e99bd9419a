import { runNamed } from '../namedTool';
import { createSay, type Say } from '../stack/say';
import { backboneFaults } from './backbone/backbone';
import { cells } from './backbone/cells';
import { locationFaults } from './location/location';
import { faultsHelp, parseFaultOptions, type FaultOptions, type Takes } from './options';
import { paymentFaults } from './payments/payments';
import { storyFaults } from './stories/stories';

/** A sweep of faults, told as it goes. Everything that it has started is stopped when it returns or throws. */
export type FaultSweep = (options: FaultOptions, say: Say) => Promise<{ readonly allIsWell: boolean }>;

const sweeps: Readonly<Record<string, { readonly run: FaultSweep; readonly takes: Takes }>> = {
  payments: { run: paymentFaults, takes: { repeats: 3 } },
  stories: { run: storyFaults, takes: { count: 200 } },
  backbone: { run: backboneFaults, takes: { repeats: 1, count: cells.length } },
  location: { run: locationFaults, takes: { repeats: 3 } },
};
const takes = Object.fromEntries(Object.entries(sweeps).map(([name, sweep]) => [name, sweep.takes]));

/** @returns the exit code: 0; 1 a fault has done harm, or something failed; 2 wrong arguments */
export function main(argv: readonly string[]): Promise<number> {
  return runNamed(argv, {
    help: faultsHelp(takes),
    parse: (words) => parseFaultOptions(words, takes),
    run: async ({ name, options }) => {
      const { allIsWell } = await sweeps[name]!.run(options, createSay(process.stdout));
      return allIsWell ? 0 : 1;
    },
  });
}
