import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createKafka, readTopicRaw, withAdmin } from '../../platform/kafka';
import { createPool } from '../../platform/postgres';
import { owners } from '../../tools/stack/databases';
import { postgresUrl } from '../../tools/stack/servers/postgres';
import type { Stack } from '../../tools/stack/stack';
import { quiet } from './backbone';

/** A place where something can be kept, and all that is kept there. */
export interface Place {
  /** `log payments`, `database rides: rides`, `topic payments`, `workflow payment-…`. */
  readonly name: string;
  readonly text: string;
}

/** Everything that a stack has written anywhere: logs, databases, Kafka and the histories of workflows. */
export async function everywhere(stack: Stack): Promise<Place[]> {
  return [
    ...logs(stack.dataDir),
    ...(await databases(stack)),
    ...(await topics(stack)),
    ...(await histories(stack)),
  ];
}

function logs(dataDir: string): Place[] {
  const dir = join(dataDir, 'logs');
  return readdirSync(dir).map((file) => ({
    name: `log ${file.replace(/\.log.*$/, '')}`,
    text: readFileSync(join(dir, file), 'utf8'),
  }));
}

async function databases({ databaseUrls }: Stack): Promise<Place[]> {
  const places: Place[] = [];
  for (const owner of owners) {
    // As who may read everything: no process may.
    const { port, pathname } = new URL(databaseUrls[owner]);
    places.push(...(await tablesOf(owner, postgresUrl(Number(port), pathname.slice(1)))));
  }
  return places;
}

/** All rows of all tables of an owner's database. @param url for a user who may read everything */
export async function tablesOf(owner: string, url: string): Promise<Place[]> {
  const pool = createPool(url, { applicationName: 'test', max: 1 });
  const { rows: tables } = await pool.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const places: Place[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} as t`);
    places.push({ name: `database ${owner}: ${name}`, text: rows.map(({ row }) => row).join('\n') });
  }
  await pool.end();
  return places;
}

async function topics({ kafka: address }: Stack): Promise<Place[]> {
  const kafka = createKafka({ ...address, clientId: 'test', log: quiet });
  const names = await withAdmin(kafka, (admin) => admin.listTopics());
  const places: Place[] = [];
  for (const topic of names.filter((name) => !name.startsWith('__'))) {
    const records: string[] = [];
    await readTopicRaw({
      kafka,
      topic,
      onRecord: ({ key, value, headers }) =>
        void records.push(
          [key, ...Object.entries(headers).flat(), value].map((part) => String(part)).join(' '),
        ),
    });
    places.push({ name: `topic ${topic}`, text: records.join('\n') });
  }
  return places;
}

async function histories({ temporalAddress }: Stack): Promise<Place[]> {
  const connection = await Connection.connect({ address: temporalAddress });
  const client = new Client({ connection });
  const places: Place[] = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    places.push({ name: `workflow ${workflowId}`, text: texts(events).join('\n') });
  }
  await connection.close();
  return places;
}

/** Every text in a value, payloads as what they are. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(texts);
}
