import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
  type AclEntry,
  type Kafka,
} from './kafkajs';
import { withAdmin } from './client';

/** Somebody may do something; without a grant nothing may be done. Reading, writing and deleting include describing. */
export interface AclGrant {
  readonly principal: string;
  readonly resource: 'topic' | 'group';
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  readonly operation: 'read' | 'write' | 'delete';
}

export interface AccessPlan {
  readonly add: readonly AclGrant[];
  /** Rights of our principals that nobody declares, in words. */
  readonly remove: readonly string[];
  /** Rights of others on what is ours: an operator's to judge. */
  readonly notes: readonly string[];
}

const resources = { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP } as const;
const patterns = { literal: ResourcePatternTypes.LITERAL, prefixed: ResourcePatternTypes.PREFIXED } as const;
const operations = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  delete: AclOperationTypes.DELETE,
} as const;

const entryOf = ({ principal, resource, name, pattern, operation }: AclGrant): AclEntry => ({
  principal: `User:${principal}`,
  host: '*',
  resourceType: resources[resource],
  resourceName: name,
  resourcePatternType: patterns[pattern],
  operation: operations[operation],
  permissionType: AclPermissionTypes.ALLOW,
});

const identity = (entry: AclEntry): string =>
  [
    ...[entry.principal, entry.host, entry.resourceType, entry.resourcePatternType],
    ...[entry.resourceName, entry.operation, entry.permissionType],
  ].join('|');

const inWords = (entry: AclEntry): string => {
  const denied = entry.permissionType === AclPermissionTypes.DENY ? 'may not' : 'may';
  const like = entry.resourcePatternType === ResourcePatternTypes.PREFIXED ? ' whatever begins with' : '';
  return (
    `${entry.principal} ${denied} ${nameIn(AclOperationTypes, entry.operation)}${like} ` +
    `${nameIn(AclResourceTypes, entry.resourceType)} ${entry.resourceName} from ${entry.host}`
  );
};

/** kafkajs declares enums, but has plain objects that know no names by their numbers. */
const nameIn = (numbers: object, number: number): string =>
  Object.entries(numbers)
    .find(([, each]) => each === number)?.[0]
    .toLowerCase() ?? String(number);

/** What lies between the declared rights and those that the cluster knows. */
export async function lookAtAccess(
  kafka: Kafka,
  grants: readonly AclGrant[],
  prefix: string,
): Promise<AccessPlan> {
  const { missing, surplus, foreign } = await compare(kafka, grants, prefix);
  return { add: missing, remove: surplus.map(inWords), notes: foreign.map(inWords) };
}

/**
 * Gives the principals of the grants what is declared, and takes from them whatever else they may under the prefix; of
 * other principals nothing is taken.
 * @returns what it did
 */
export async function reconcileAccess(
  kafka: Kafka,
  grants: readonly AclGrant[],
  prefix: string,
): Promise<AccessPlan> {
  const { missing, surplus, foreign } = await compare(kafka, grants, prefix);
  await withAdmin(kafka, async (admin) => {
    if (missing.length > 0) await admin.createAcls({ acl: missing.map(entryOf) });
    if (surplus.length > 0) await admin.deleteAcls({ filters: surplus });
  });
  return { add: missing, remove: surplus.map(inWords), notes: foreign.map(inWords) };
}

/** Whether it is about something whose name begins with the prefix: other installations have rights of their own. */
const reaches = ({ resourceName, resourcePatternType }: AclEntry, prefix: string): boolean =>
  resourceName === '*' ||
  resourceName.startsWith(prefix) ||
  (resourcePatternType === ResourcePatternTypes.PREFIXED && prefix.startsWith(resourceName));

async function compare(kafka: Kafka, grants: readonly AclGrant[], prefix: string) {
  const { resources: found } = await withAdmin(kafka, (admin) =>
    admin.describeAcls({
      resourceType: AclResourceTypes.ANY,
      resourcePatternType: ResourcePatternTypes.ANY,
      operation: AclOperationTypes.ANY,
      permissionType: AclPermissionTypes.ANY,
    }),
  );
  const there = found.flatMap(({ acls, ...resource }) =>
    acls.map((acl): AclEntry => ({ ...resource, ...acl })),
  );
  const known = new Set(there.map(identity));
  const declared = new Set(grants.map((grant) => identity(entryOf(grant))));
  const ours = new Set(grants.map(({ principal }) => `User:${principal}`));
  const others = there.filter((entry) => !declared.has(identity(entry)) && reaches(entry, prefix));
  return {
    missing: grants.filter((grant) => !known.has(identity(entryOf(grant)))),
    surplus: others.filter(({ principal }) => ours.has(principal)),
    foreign: others.filter(({ principal }) => !ours.has(principal)),
  };
}
