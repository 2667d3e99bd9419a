import { runNamed } from '../namedTool';
import { createSay, type Say } from '../stack/say';
import { asText, type BenchResult } from './frame';
import { benchHelp, parseBenchOptions, type BenchOptions } from './options';
import { benchAnalytics } from './analytics/analytics';
import { benchHttp } from './http/http';
import { benchInbox } from './inbox/inbox';
import { benchLocation } from './location/location';
import { benchNearest } from './nearest/nearest';
import { benchMap } from './map/map';
import { benchPayment } from './payment/payment';
import { benchReconcile } from './reconcile/reconcile';
import { benchRelay } from './relay/relay';
import { benchRide } from './ride/ride';

/** A bench: what it measures, told as it goes. Everything that it has started is stopped when it returns or throws. */
export type Bench = (options: BenchOptions, say: Say) => Promise<BenchResult>;

const benches: Readonly<Record<string, Bench>> = {
  ride: benchRide,
  payment: benchPayment,
  reconcile: benchReconcile,
  inbox: benchInbox,
  analytics: benchAnalytics,
  map: benchMap,
  relay: benchRelay,
  location: benchLocation,
  nearest: benchNearest,
  http: benchHttp,
};

/** @returns the exit code: 0; 1 a check is false or something failed; 2 wrong arguments */
export function main(argv: readonly string[]): Promise<number> {
  const names = Object.keys(benches);
  return runNamed(argv, {
    help: benchHelp(names),
    parse: (words) => parseBenchOptions(words, names),
    run: async ({ name, options }) => {
      const result = await benches[name]!(options, createSay(process.stderr));
      process.stdout.write(`${options.json ? JSON.stringify(result) : asText(result)}\n`);
      return Object.values(result.checks).every((holds) => holds) ? 0 : 1;
    },
  });
}
