import { randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

type Prefix =
  'pi' | 'pm' | 'cus' | 'ch' | 're' | 'txn' | 'req' | 'secret' | 'evt' | 'du' | 'tr' | 'trr' | 'py' | 'pyr';

/** An id as Stripe makes them: a prefix and 24 letters or digits (`pi_3Jk…`). */
export function newId(prefix: Prefix): string {
  // 64 values on 62 characters: two come up twice as often, which ids that nobody guesses at can bear.
  const letters = Array.from(randomBytes(24), (byte) => alphabet[(byte & 63) % alphabet.length]);
  return `${prefix}_${letters.join('')}`;
}
