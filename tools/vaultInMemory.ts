import { createVault, type KeyStore, type Vault, type VaultOptions } from '../platform/personal';
import { newKey } from '../platform/personal/crypt';

/** Keys of people that nobody keeps: for benchmarks and stories, which end with their process. */
export function keysInMemory(): KeyStore {
  const keys = new Map<string, Buffer | null>();
  const find = (subjects: readonly string[]) =>
    Promise.resolve(
      new Map(subjects.filter((one) => keys.has(one)).map((one) => [one, keys.get(one) ?? null] as const)),
    );
  return {
    find,
    findOrMake(subjects) {
      for (const one of subjects) if (!keys.has(one)) keys.set(one, newKey());
      return find(subjects);
    },
    erase(subject) {
      keys.set(subject, null);
      return Promise.resolve(new Date().toISOString());
    },
  };
}

export const vaultInMemory = (options: Partial<VaultOptions> = {}): Vault =>
  createVault({ keys: keysInMemory(), ...options });
