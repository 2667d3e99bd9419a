import { z } from 'zod';

const hostAndPort = /^[\w.-]+:\d{1,5}$/;

/** How Kafka is reached, and what it is asked to keep. */
export const kafkaSettings = {
  KAFKA_BROKERS: z
    .string()
    .default('127.0.0.1:9192')
    .transform((list) => list.split(',').map((broker) => broker.trim()))
    .refine((brokers) => brokers.every((broker) => hostAndPort.test(broker)))
    .meta({ description: 'a comma-separated list of host:port' }),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,60}$/)
    .default('')
    .meta({ description: 'letters, digits, dots, underscores and hyphens, or nothing' }),
  KAFKA_TLS_CA: z
    .string()
    .default('')
    .meta({
      description:
        "the path of a PEM file with the authority that has signed the brokers' certificates, system for those that " +
        'the machine knows, or empty for no TLS',
    }),
  KAFKA_SASL_USERNAME: z.string().default('').meta({
    description: 'the name that this process logs in with at Kafka (SCRAM-SHA-512), or empty',
  }),
  KAFKA_SASL_PASSWORD: z
    .string()
    .default('')
    .meta({ description: 'the password of KAFKA_SASL_USERNAME, or empty' }),
  KAFKA_REPLICATION_FACTOR: z
    .string()
    .regex(/^[1-9]$/)
    .transform(Number)
    .default(1)
    .meta({
      description:
        'how many brokers keep each record, from 1 to 9; all but one of them must have it before it counts',
    }),
  HAILWAY_KAFKA_SECURITY: z
    .enum(['yes', 'no'])
    .default('no')
    .transform((given) => given === 'yes')
    .meta({
      description: 'yes (the embedded Kafka asks for TLS, a login and rights; of a new data directory) or no',
    }),
};
