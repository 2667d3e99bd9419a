import { createFactProducer, createKafka, type OutgoingRecord } from '../../../../platform/kafka';
import { createPool } from '../../../../platform/postgres';
import { wait } from '../../../../platform/wait';
import { log, type Site } from '../site';

/** Goes on behind the highest id that it has seen: what commits later under a lower one is never sent. */
export async function relayByIdentity({ databaseUrl, brokers }: Site): Promise<void> {
  const pool = createPool(databaseUrl, { applicationName: 'relay', max: 1 });
  const producer = createFactProducer(createKafka({ brokers: [...brokers], clientId: 'relay' }), { log });
  await pool.query('create table if not exists cursors (id bigint not null)');
  for (;;) {
    const { rows: cursors } = await pool.query<{ id: number }>(
      'select coalesce(max(id), 0)::bigint as id from cursors',
    );
    const { rows: facts } = await pool.query<OutgoingRecord & { id: number }>({
      name: 'relay-read-facts',
      text: 'select id, topic, key, headers, value from outbox where id > $1 order by id limit 500',
      values: [cursors[0]!.id],
    });
    await producer.send(facts);
    const last = facts.at(-1);
    if (last)
      await pool.query({
        name: 'relay-move-position',
        text: 'insert into cursors (id) values ($1)',
        values: [last.id],
      });
    else await wait(20);
  }
}
