export { bodyLimitBytes, createHttpApp, type HttpAppOptions } from './app';
export { csvOf, type CsvRow } from './csv';
export type { Caller, EventStream, ServerEvent } from './context';
export { openEventStream, type EventStreamOptions } from './eventStream';
export type { DirectRequest, DirectRoute, DirectRoutes } from './directRoutes';
export type { ReadinessChecks } from './health';
export {
  createMount,
  type CalledRequest,
  type MountOperation,
  type OperationHandler,
  type OperationShape,
} from './operation';
export { listen, type Listening, type ListenOptions } from './listen';
export {
  builtInProblems,
  problem,
  problemMediaType,
  problemType,
  type ProblemDocument,
  type ProblemKind,
  type ProblemTable,
} from './problems';
export {
  validated,
  type Reply,
  type RequestSchemas,
  type ValidatedHandler,
  type ValidRequest,
} from './validated';
