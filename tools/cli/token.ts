import { personsId } from '../../domain/names';
import { hasIssuer, openIssuer, roles, type Role } from '../stack/issuer';
import { UsageError } from '../commandLine';
import { dataDirOf } from './addresses';
import { textOptions } from './arguments';

/** Prints a token for a role and a subject. */
export async function token(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = textOptions(argv, ['role', 'sub', 'ttl', 'data-dir']);
  const role = roles.find((known) => known === options.role);
  if (role === undefined) throw new UsageError(`--role takes one of ${roles.join(', ')}`);
  const { sub = '' } = options;
  if (!personsId.test(sub))
    throw new UsageError('--sub takes the id that the token is for: letters, digits, _ and -, at most 64');
  const dataDir = dataDirOf(options, env);
  if (!hasIssuer(dataDir)) {
    process.stderr.write(
      `hailway: no stack has been started on ${dataDir} yet: npm start, or name its --data-dir\n`,
    );
    return 1;
  }
  const issuer = await openIssuer(dataDir);
  const request = { role: role satisfies Role, sub, ttlSeconds: ttlOf(options.ttl) };
  process.stdout.write(`${await issuer.mintToken(request)}\n`);
  return 0;
}

function ttlOf(text: string | undefined): number {
  if (text === undefined) return 12 * 60 * 60;
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds < 1 || seconds > 31_622_400) {
    throw new UsageError(`--ttl takes seconds from 1 to 31622400 (a year), not ${JSON.stringify(text)}`);
  }
  return seconds;
}
