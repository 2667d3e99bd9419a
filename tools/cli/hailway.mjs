#!/usr/bin/env node
/** `npx hailway …`: builds what is needed, then hands over to tools/cli/main.ts. */
import { prepare } from '../stack/prepare.mjs';

await prepare();
const { main } = await import('../../dist/tools/cli/main.js');
process.exitCode = await main(process.argv.slice(2));
// Clients that were asked may still be letting go of their connections.
setTimeout(() => process.exit(), 2_000).unref();
