import { v7 as uuidv7 } from 'uuid';
import type { DeadLetterDeedsView, DeadLettersView } from '../../contracts/api/deadLetters';
import { problemPages } from '../../contracts/api/problems';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { deadLetterRoutes as internalRoutes } from '../../platform/deadLetters';
import { createMount } from '../../platform/http';
import { createInboxDeadLetters, type Handle } from '../../platform/inbox';
import { deadLetterRoutes } from '../../services/gateway/deadLetterRoutes';
import { dlq } from '../../tools/cli/dlq';
import { issuer } from './apiGround';
import { quiet } from './backbone';
import { httpServers } from './httpServers';
import { insertEffects, useInbox, type InboxBench } from './inboxBench';

/** What tests of dead letters share: a consumer that refuses what it is told to, and an operator's command line. */

export interface DeadLetterBench {
  readonly inbox: InboxBench;
  /** The consumer's handler: ids of facts that it cannot apply for now are `refuse`d. */
  readonly picky: Handle;
  refuse(...factIds: string[]): void;
  /** When the applied facts were sent, by their ids. */
  readonly sentMs: ReadonlyMap<string, number>;
  /** `auditGroup` names the group whose dead letters are the audit store's; without it that process is away. */
  startOffice(auditGroup?: string): ReturnType<typeof startOffice>;
}

/** The bench of a test file. */
export function useDeadLetters(): DeadLetterBench {
  const inbox = useInbox();
  const serve = httpServers(quiet);
  let refused = new Set<string>();
  beforeEach(() => (refused = new Set()));
  const sentMs = new Map<string, number>();
  const picky: Handle = async (tx, facts) => {
    const bad = facts.find(({ id }) => refused.has(id));
    if (bad) throw Object.assign(new Error(`not ${bad.id}`), { code: 'fact_invalid', retriable: false });
    await insertEffects(tx, facts);
    for (const { id, record } of facts) sentMs.set(id, record.timestamp);
  };
  return {
    ...{ inbox, picky, sentMs },
    refuse: (...factIds) => void (refused = new Set(factIds)),
    startOffice: (auditGroup) => startOffice(inbox, picky, serve, auditGroup),
  };
}

/** A consumer's process and the gateway before it, as an operator's command line reaches them. */
async function startOffice(
  bench: InboxBench,
  handle: Handle,
  serve: ReturnType<typeof httpServers>,
  auditGroup: string | undefined,
) {
  const { verify, token } = await issuer();
  const requireRole = createRequireRole(verify);
  const serveOffice = (consumer: string, group: string) => {
    const office = createInboxDeadLetters({
      ...{ pool: bench.db.subject, group, consumer, topicPrefix: '' },
      ...{ handle, log: quiet },
    });
    return serve({
      problems: problemPages,
      routes: (router) => internalRoutes(createMount(router, requireRole), office),
    });
  };
  const analytics = await serveOffice('analytics', bench.group);
  const audit = auditGroup === undefined ? undefined : await serveOffice('audit', auditGroup);
  const [service, operator] = [await token('service', 'gateway'), await token('operator', 'op-1')];
  const client = (name: string, port: number) =>
    createClient({ name, baseUrl: `http://127.0.0.1:${port}`, token: service, deadlineMs: 8_000 });
  const nobody = client('nobody', 1);
  const gateway = await serve({
    problems: problemPages,
    routes: (router) =>
      deadLetterRoutes(createMount(router, requireRole), {
        analytics: client('analytics', analytics.port),
        audit: audit ? client('audit', audit.port) : nobody,
        ...{ notifications: nobody, pricing: nobody, relay: nobody, tracks: nobody },
      }),
  });
  const url = `http://127.0.0.1:${gateway.port}`;
  /** What the command says and its exit code. */
  const hailway = async (...argv: string[]) => {
    const written: string[] = [];
    const out = jest
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => Boolean(written.push(String(text))));
    const code = await dlq([...argv, '--token', operator], { GATEWAY_URL: url }).finally(() =>
      out.mockRestore(),
    );
    return { code, text: written.join('') };
  };
  const asked = async <T>(...argv: string[]): Promise<T> =>
    JSON.parse((await hailway(...argv, '--json')).text) as T;
  return {
    hailway,
    list: (...argv: string[]) => asked<DeadLettersView>('list', ...argv),
    deed: (...argv: string[]) => asked<DeadLetterDeedsView>(...argv, '--consumer', 'analytics'),
    api: (path: string, as: string = operator) =>
      fetch(url + path, { headers: { authorization: `Bearer ${as}` } }),
    post: (what: 'replay' | 'discard', body: object) =>
      fetch(`${url}/v1/ops/dead-letters/${what}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    rider: () => token('rider', uuidv7()),
  };
}

export const fact = (key: string, n: number): string => `thing.changed/${key}/${n}`;

/** Of each key what became of it, how many facts were applied, and why not all. */
export const outcomes = ({ done }: DeadLetterDeedsView) =>
  done.map(({ key, outcome, applied, reason }) => [key, outcome, applied, reason]);
