import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { searchAttributes } from '../../domain/names';
import { wait } from '../../platform/wait';

const USABLE_AFTER_MS = 30_000;

/** Of Temporal's API, enums.v1.IndexedValueType. */
const indexedTypes = { KEYWORD: 2, BOOL: 5 } as const;

/**
 * Registers what workflows are found by, and waits until it is usable: a workflow that sets an attribute that is not
 * registered hangs. With `create` the namespace itself is made. Safe to repeat.
 * @throws Error where the server refuses: then whoever runs it registers them (docs/operating.md lists them)
 */
export async function prepareNamespace(
  address: string,
  namespace: string,
  { create = false }: { readonly create?: boolean } = {},
): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    if (create) await createNamespace(connection, namespace);
    const { customAttributes } = await eventually(() =>
      connection.operatorService.listSearchAttributes({ namespace }),
    );
    const missing = Object.values(searchAttributes).filter(({ name }) => !(name in customAttributes));
    if (missing.length > 0) await addSearchAttributes(connection, namespace, missing);
    const query = Object.values(searchAttributes)
      .map(({ name }) => `${name} is null`)
      .join(' and ');
    await eventually(() => connection.workflowService.countWorkflowExecutions({ namespace, query }));
  } finally {
    await connection.close();
  }
}

/** Registers attributes that are not there yet. */
export async function addSearchAttributes(
  { operatorService }: Connection,
  namespace: string,
  attributes: readonly { name: string; type: keyof typeof indexedTypes }[] = Object.values(searchAttributes),
): Promise<void> {
  const types = attributes.map(({ name, type }) => [name, indexedTypes[type]] as const);
  await operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(types) });
}

async function createNamespace(connection: Connection, namespace: string): Promise<void> {
  const workflowExecutionRetentionPeriod = msToTs('1 day');
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
}

/** The server's own caches learn of what is new a while later. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + USABLE_AFTER_MS; ; await wait(100)) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
