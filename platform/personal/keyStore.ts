import { ConfigError } from '../config';
import type { Pool } from '../postgres';
import { decrypt, encrypt, keyFrom, newKey, type Key } from './crypt';

/** Where the keys of people are kept. Null stands for a key that was erased. */
export interface KeyStore {
  /** The keys of those who have or had one; nobody else is in the answer. */
  find(subjects: readonly string[]): Promise<Map<string, Key | null>>;
  /** The same, and makes one for those who never had any. */
  findOrMake(subjects: readonly string[]): Promise<Map<string, Key | null>>;
  /** Deletes a key for ever, also of somebody who has none yet. Answers since when, ISO 8601 UTC. Safe to repeat. */
  erase(subject: string): Promise<string>;
}

/** The keys that wrap those of people, by their names; the first one wraps what is new. */
export interface MasterKeys {
  readonly current: string;
  of(name: string): Key;
}

const masterKey = /^([\w-]{1,32}):([^,\s]{32,})$/;

/**
 * Reads `name:secret,name:secret`, secrets of 32 characters or more.
 * @throws ConfigError for anything else
 */
export function masterKeys(text: string): MasterKeys {
  const keys = new Map<string, Key>();
  for (const one of text.split(',')) {
    const [, name, secret] = masterKey.exec(one) ?? [];
    if (name === undefined || secret === undefined)
      throw new ConfigError(
        'PERSONAL_KEYS takes name:secret, separated by commas, 32 characters or more each',
      );
    keys.set(name, keyFrom(secret));
  }
  return {
    current: [...keys.keys()][0]!,
    of(name) {
      const key = keys.get(name);
      if (key === undefined)
        throw new ConfigError(`PERSONAL_KEYS has no key ${name}, which wraps keys of people`);
      return key;
    },
  };
}

interface Row {
  readonly subject: string;
  readonly master: string | null;
  readonly wrapped: Buffer | null;
}

/** The keys of people in a database of their own, wrapped. @throws Postgres's errors; ConfigError for an unknown master key */
export function createKeyStore(pool: Pool, masters: MasterKeys): KeyStore {
  const unwrap = ({ subject, master, wrapped }: Row): [string, Key | null] => [
    subject,
    wrapped === null || master === null ? null : decrypt(masters.of(master), wrapped, subject),
  ];
  const find = async (subjects: readonly string[]): Promise<Map<string, Key | null>> => {
    const { rows } = await pool.query<Row>({
      name: 'keys-find',
      text: 'select subject, master, wrapped from subject_keys where subject = any ($1)',
      values: [subjects],
    });
    return new Map(rows.map(unwrap));
  };
  return {
    find,
    async findOrMake(subjects) {
      const wrap = (subject: string) => encrypt(masters.of(masters.current), newKey(), subject);
      const made = await pool.query<Row>({
        name: 'keys-make',
        // One statement for who has a key and who gets one. Whoever got theirs from somebody else meanwhile is in neither
        // part of the answer.
        text: `with made as (
                 insert into subject_keys (subject, master, wrapped)
                 select asked.subject, $3, asked.wrapped from unnest($1::text[], $2::bytea[]) as asked (subject, wrapped)
                 where not exists (select from subject_keys k where k.subject = asked.subject)
                 on conflict (subject) do nothing returning subject, master, wrapped
               )
               select subject, master, wrapped from made
               union all select subject, master, wrapped from subject_keys where subject = any ($1)`,
        values: [subjects, subjects.map(wrap), masters.current],
      });
      const keys = new Map(made.rows.map(unwrap));
      const missed = subjects.filter((subject) => !keys.has(subject));
      return missed.length === 0 ? keys : new Map([...keys, ...(await find(missed))]);
    },
    async erase(subject) {
      const { rows } = await pool.query<{ erasedAt: string }>(
        `insert into subject_keys (subject, erased_at) values ($1, now())
         on conflict (subject) do update set master = null, wrapped = null,
           erased_at = coalesce(subject_keys.erased_at, now())
         returning to_char(erased_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "erasedAt"`,
        [subject],
      );
      return rows[0]!.erasedAt;
    },
  };
}
