import { runNamed } from '../namedTool';
import { createSay, type Say } from '../stack/say';
import { faultsHelp, parseFaultOptions, type FaultOptions } from './options';
import { backboneFaults } from './backbone/backbone';
import { locationFaults } from './location/location';
import { paymentFaults } from './payments/payments';
import { storyFaults } from './stories/stories';

/** A sweep of faults, told as it goes. Everything that it has started is stopped when it returns or throws. */
export type FaultSweep = (options: FaultOptions, say: Say) => Promise<{ readonly allIsWell: boolean }>;

const sweeps: Readonly<Record<string, FaultSweep>> = {
  payments: paymentFaults,
  stories: storyFaults,
  backbone: backboneFaults,
  location: locationFaults,
};

/** @returns the exit code: 0; 1 a fault has done harm, or something failed; 2 wrong arguments */
export function main(argv: readonly string[]): Promise<number> {
  const names = Object.keys(sweeps);
  return runNamed(argv, {
    help: faultsHelp(names),
    parse: (words) => parseFaultOptions(words, names),
    run: async ({ name, options }) => {
      const { allIsWell } = await sweeps[name]!(options, createSay(process.stdout));
      return allIsWell ? 0 : 1;
    },
  });
}
