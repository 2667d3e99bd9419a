/** The workflow's time, ISO 8601 in UTC: the same in every replay. */
export const now = (): string => new Date(Date.now()).toISOString();
