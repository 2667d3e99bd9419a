import { DependencyUnavailable } from './errors';
import { createCache } from './personal/cache';
import { decrypt, encrypt, type Key } from './personal/crypt';
import type { KeyStore } from './personal/keyStore';
import { withValues } from './personal/paths';

export { createKeyStore, masterKeys, type KeyStore, type MasterKeys } from './personal/keyStore';

/** What is personal of one subject in something that leaves: values by their paths (`pickup`, `ended.reason`). */
export interface PersonalValues {
  readonly subject: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The same, encrypted with the subject's key: nonce, ciphertext and tag together, in base64. */
export interface Sealed {
  readonly sub: string;
  readonly ct: string;
}

/** Bytes that are one subject's, and the id of what they belong to. */
export interface SubjectsBytes {
  readonly id: string;
  readonly subject: string;
  readonly bytes: Uint8Array;
}

/** Seals what is personal with a key for each subject, and opens it for as long as that key is there. */
export interface Vault {
  /**
   * Encrypts values, bound to the id of what they belong to. Of a subject who was erased nothing is in the answer. Asks
   * nobody, so that no transaction waits for another database: call it inside `withKeys`.
   */
  readonly seal: (id: string, personal: readonly PersonalValues[]) => Sealed[];
  /**
   * Runs work that seals. Where it needs keys that are not at hand they are found, or made, and it runs again: so it must
   * be such that what it throws out of is undone, as a transaction is.
   * @throws DependencyUnavailable where nobody can be asked for the keys; what the work throws
   */
  withKeys<T>(work: () => T | Promise<T>): Promise<T>;
  /**
   * Data with what is in its field `sealed` put into its places, and without that field. What belongs to a subject without
   * a key stays what stands there instead.
   * @throws DependencyUnavailable; Error for what was sealed for something else, or changed
   */
  open<T>(id: string, data: T): Promise<T>;
  /** As `seal`, of bytes that are one subject's each, in their order; null where that one was erased. */
  readonly sealBytes: (items: readonly SubjectsBytes[]) => (Buffer | null)[];
  /**
   * The bytes that were sealed; null where their subject has no key.
   * @throws DependencyUnavailable; Error for what was sealed for something else, or changed
   */
  openBytes(id: string, subject: string, sealed: Buffer): Promise<Buffer | null>;
  isErased(subject: string): Promise<boolean>;
  /** Deletes a subject's key for ever: another process may use it until its life there is over. Answers since when. */
  erase(subject: string): Promise<string>;
}

export interface VaultOptions {
  readonly keys: KeyStore;
  /** A key is used for so long until it is asked for again (10 minutes): by then an erasure has its effect everywhere. */
  readonly lifeMs?: number;
  /** Keys at hand at most (20,000: some 5 MB). */
  readonly most?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

class KeysNeeded extends Error {
  override readonly name = 'KeysNeeded';
  constructor(readonly subjects: readonly string[]) {
    super('impossible: something was sealed outside of withKeys');
  }
}

/** Keys may be forgotten again by others who need many, so work is begun anew more than once. */
const MOST_ROUNDS = 4;

export function createVault({ keys, lifeMs = 600_000, most = 20_000, now = Date.now }: VaultOptions): Vault {
  const cache = createCache<Key | null>({ lifeMs, most, now });
  const unknown = (subjects: readonly string[]): string[] => [
    ...new Set(subjects.filter((subject) => cache.get(subject) === undefined)),
  ];
  /** Null for an erased key, nothing for who has never had one. */
  async function find(subjects: readonly string[]): Promise<ReadonlyMap<string, Key | null>> {
    const missing = unknown(subjects);
    const known = subjects.flatMap((subject) => {
      const key = cache.get(subject);
      return key === undefined ? [] : [[subject, key] as const];
    });
    if (missing.length === 0) return new Map(known);
    const found = await asking(keys.find(missing));
    cache.keep(found);
    return new Map([...known, ...found]);
  }
  const sealBytes: Vault['sealBytes'] = (items) => {
    const missing = unknown(items.map(({ subject }) => subject));
    if (missing.length > 0) throw new KeysNeeded(missing);
    return items.map(({ id, subject, bytes }) => {
      const key = cache.get(subject);
      return key ? encrypt(key, bytes, boundTo(id, subject)) : null;
    });
  };
  const openBytes: Vault['openBytes'] = async (id, subject, sealed) => {
    const key = (await find([subject])).get(subject);
    return key ? decrypt(key, sealed, boundTo(id, subject)) : null;
  };
  return {
    sealBytes,
    openBytes,
    seal(id, personal) {
      const plain = personal.map(({ subject, values }) => ({
        ...{ id, subject, bytes: Buffer.from(JSON.stringify(values)) },
      }));
      return sealBytes(plain).flatMap((ct, n) =>
        ct === null ? [] : [{ sub: plain[n]!.subject, ct: ct.toString('base64') }],
      );
    },
    async withKeys(work) {
      for (let round = 1; ; round += 1) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof KeysNeeded) || round === MOST_ROUNDS) throw error;
          cache.keep(await asking(keys.findOrMake(error.subjects)));
        }
      }
    },
    async open(id, data) {
      if (!isSealed(data)) return data;
      const { sealed, ...rest } = data;
      const found = await find(sealed.map(({ sub }) => sub));
      const values = sealed.flatMap(({ sub, ct }) => {
        const key = found.get(sub);
        if (!key) return [];
        const plain = decrypt(key, Buffer.from(ct, 'base64'), boundTo(id, sub));
        return Object.entries(JSON.parse(plain.toString('utf8')) as Record<string, unknown>);
      });
      return withValues(rest as typeof data, values);
    },
    isErased: async (subject) => (await find([subject])).get(subject) === null,
    async erase(subject) {
      const since = await asking(keys.erase(subject));
      cache.keep([[subject, null]]);
      return since;
    },
  };
}

const boundTo = (id: string, subject: string): string => `${id}\n${subject}`;

const isSealed = <T>(data: T): data is T & { readonly sealed: readonly Sealed[] } =>
  typeof data === 'object' && data !== null && 'sealed' in data && Array.isArray(data.sealed);

const asking = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw new DependencyUnavailable('the keys of people', { cause: error });
  });
