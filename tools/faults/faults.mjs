/** `npm run faults -- NAME`: sets up what is missing, then hands over to main.ts in this same process. */
import { prepare } from '../stack/prepare.mjs';

await prepare();
const { main } = await import('../../dist/tools/faults/main.js');
process.exitCode = await main(process.argv.slice(2));
// Everything is stopped; whatever still holds the process has nothing to do.
setTimeout(() => process.exit(), 2_000).unref();
