/**
 * What the audit database lets its process do with the store: add to its end, and read. It is not the tables' owner, so
 * nothing that it could be made to run changes or removes what is stored, or says that a chain ends elsewhere.
 */
export const auditRights = {
  insertOnly: {
    facts: [
      ...['topic', 'partition', 'place', 'offset', 'key', 'sequence', 'fact_id', 'type', 'time', 'sent_at'],
      ...['recorded_at', 'correlation_id', 'causation_id', 'caller', 'headers', 'data', 'hash'],
    ],
  },
  readOnly: ['fact_chains'],
} as const;
