export { PartMissing } from './part';
export { takeKafka, type KafkaPart } from './kafka';
export { takePostgres, type PostgresPart } from './postgres';
export { takeTemporal, type TemporalPart } from './temporal';
export { takeTestServer } from './testServer';
