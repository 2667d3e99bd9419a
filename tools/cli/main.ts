import { paymentNeeds } from '../../domain/paymentNeeds';
import { ConfigError } from '../../platform/config';
import { audit } from './audit';
import { balances } from './balances';
import { dlq } from './dlq';
import { doctor } from './doctor';
import { erase } from './erase';
import { exportHour } from './export';
import { fact } from './fact';
import { forecast } from './forecast';
import { payments } from './payments';
import { reconcileHouse } from './reconcile';
import { replay } from './replay';
import { rides } from './rides';
import { token } from './token';
import { topics } from './topics';
import { UsageError } from '../commandLine';

const help = `npx hailway <command>

  token --role ROLE --sub ID [--ttl SECONDS] [--data-dir DIR]
      prints a token of the embedded stack's issuer; ROLE is rider, driver, fleet, operator or service
  doctor [--data-dir DIR]
      says of every part whether it is there, reachable and of the right version, and what to do if not;
      exit 1 if one is missing
  rides stuck [--data-dir DIR] [--token TOKEN]
      lists what waits longer than its state allows, with the link to the reason and what to do; exit 1 if
      anything does
  payments [--need NEED] [--data-dir DIR] [--token TOKEN]
      lists the payments that need somebody, with the reason, the link and what to do; NEED is one of
      ${Object.keys(paymentNeeds).join(', ')}; exit 1 if any does
  balances [--account ACCOUNT] [--at TIME] [--data-dir DIR] [--token TOKEN]
      prints what the accounts of the books hold: each kind of account, or one ACCOUNT (driver_payable:ID), or each of a
      kind (driver_payable); now, or at TIME (ISO 8601)
  reconcile [--repair] [--json] [--since TIME] [--settle SECONDS] [--data-dir DIR]
      compares workflows, database, ledger, provider and facts on Kafka, and prints each drift in a line: what,
      by how much, its cause and what repairs it; --repair does what is safe; looks at all that is open and at what
      has changed since TIME (ISO 8601; a day ago), and again twice, SECONDS (10) apart, at what differs; exit 1 if a
      drift is left, or something could not be looked at
  erase SUBJECT [--dry-run] [--data-dir DIR] [--token TOKEN]
      erases a person: deletes the key that their places, names, words and cards are sealed with, and blots out what is
      kept in plain; exit 1 where a ride, a debt, a dispute or a payout of theirs is under way. --dry-run only looks
  fact new [TYPE] [--says TEXT] [--field NAME:KIND]... [--dry-run]
      introduces a fact: its schema, its example, its frozen schema; on a terminal it asks for what is not said
  fact evolve [TYPE] [--add NAME?:KIND | NAME:KIND=VALUE]... [--remove NAME]... [--change NAME:KIND=VALUE]...
      [--changed TEXT] [--dry-run]
      changes a fact: an optional field where that is all, else the next version with an upcaster to it; VALUE is
      TypeScript, in which \`data\` is the earlier version's
  dlq list [FILTERS] [--json] | show ID [--json]   (each dlq command: [--data-dir DIR] [--token TOKEN])
      lists the dead letters: facts that a consumer could not apply, and for which the later ones of their key wait;
      exit 1 if there are any. FILTERS are --consumer, --topic, --key,
      --type, --reason, --since TIME, --limit N (100)
  dlq replay ID … | FILTERS | --all [--dry-run] [--json]
      tries them again, and what waits behind each, in the order of its key, up to the first that fails; exit 1 if one
      is still dead or under way, an ID is of none, or there are more than the limit
  dlq discard ID … | FILTERS | --all --because REASON [--dry-run] [--json]
      gives them up for good: what waits behind each goes on without it; who and why is kept
  replay --consumer NAME [--check] [--new] [--keys KEY,…] [--from TIME] [--drop-old] [--data-dir DIR]
      makes a consumer's projection anew beside the live one, from the audit store as far as Kafka has the facts no
      more, then from Kafka, and puts it in its place; the live one works on until then. --check only compares; --new
      begins a consumer that has never run; --keys makes the rows anew of facts with these keys or correlations, --from
      those of facts of that TIME (ISO 8601) or later; --drop-old forgets what the last replay has replaced
  audit verify [--json] [--data-dir DIR]
      computes the hash chains of the audit store anew and names where one breaks; exit 1 if one does
  forecast [--pickups FILE] [--json]
      says how far the forecast of demand is off in the last week of FILE (the month of data/), and how far the same hour
      of the week before is; exit 1 where it is no better
  export --hour TIME --to DIR [--data-dir DIR]
      writes the facts and positions that were sent in the hour that begins at TIME (2026-03-01T12:00:00Z) as Parquet below
      DIR; what is sealed in facts stays sealed; positions as far as their topic still has them
  topics [--apply] [--data-dir DIR]
      says what of Kafka's topics and rights is not as it is declared; --apply makes it so; exit 1 if something is left
  help
      prints this text`;

/**
 * The command line beside `npm start`.
 * @returns the exit code: 0; 1 it did not succeed; 2 wrong arguments, told in one line; 78 wrong environment
 */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const [command, ...rest] = argv;
  try {
    switch (command) {
      case 'token':
        return await token(rest, env);
      case 'rides':
        return await rides(rest, env);
      case 'payments':
        return await payments(rest, env);
      case 'replay':
        return await replay(rest, env);
      case 'forecast':
        return await forecast(rest);
      case 'export':
        return await exportHour(rest, env);
      case 'audit':
        return await audit(rest, env);
      case 'balances':
        return await balances(rest, env);
      case 'reconcile':
        return await reconcileHouse(rest, env);
      case 'erase':
        return await erase(rest, env);
      case 'fact':
        return await fact(rest);
      case 'dlq':
        return await dlq(rest, env);
      case 'topics':
        return await topics(rest, env);
      case 'doctor':
        return await doctor(rest, env);
      case 'help':
      case '--help':
      case '-h':
        process.stdout.write(`${help}\n`);
        return 0;
      default:
        throw new UsageError(
          `${command === undefined ? 'no command' : `there is no command ${JSON.stringify(command)}`}: npx hailway help lists them`,
        );
    }
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigError) {
      process.stderr.write(`hailway: ${error.message}\n`);
      return error instanceof UsageError ? UsageError.exitCode : ConfigError.exitCode;
    }
    throw error;
  }
}
