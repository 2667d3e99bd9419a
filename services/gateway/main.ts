import { problemPages } from '../../contracts/api/problems';
import { scalePolicies, standardPolicies } from '../../domain/policies';
import { createRegions } from '../../domain/regions';
import { createRequireRole, createVerifier, rememberCallers } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { portVariable, requireSecret } from '../../platform/config';
import { createHttpApp, createMount, listen, type Caller } from '../../platform/http';
import { createFactProducer, openKafka } from '../../platform/kafka';
import { observeProducer } from '../../platform/metrics/producer';
import { openVault } from '../../platform/personal/open';
import { createPool } from '../../platform/postgres';
import { runProcess } from '../../platform/shutdown';
import { createTemporalClient } from '../../platform/temporal';
import { paymentsMovedAt } from '../payments/books/needyPayments';
import { disputeRoutes } from '../payments/routes/disputeRoutes';
import { paymentOperatorRoutes } from '../payments/routes/operatorRoutes';
import { paymentOverviewRoutes } from '../payments/routes/overviewRoutes';
import { payoutRoutes } from '../payments/routes/payoutRoutes';
import { providerEventRoutes } from '../payments/news/providerEventRoutes';
import { receiptRoute } from '../payments/routes/receiptRoute';
import { createPaymentRoutes } from '../payments/routes/tipAndRefundRoutes';
import { createTellNews } from '../payments/news/tellNews';
import { paymentViewRoutes } from '../payments/routes/viewRoutes';
import { blotPayments, paymentsInTheWay } from '../payments/erasure';
import { visibleRide } from '../rides/access';
import { companionRoutes } from '../rides/companionRoutes';
import { driverRoutes } from '../rides/driverRoutes';
import { blotRides, ridesInTheWay, ridesOf } from '../rides/erasure';
import { createWhereIs } from '../rides/location';
import { createOfferFeed } from '../rides/offerFeed';
import { operatorRoutes } from '../rides/operatorRoutes';
import { createRequestRide } from '../rides/requestRide';
import { createReschedule } from '../rides/reschedule';
import { createAct } from '../rides/rideActions';
import { createRideFeed } from '../rides/rideFeed';
import { routeChangeRoutes } from '../rides/routeChanges';
import { rideRoutes } from '../rides/routes';
import { analyticsRoutes } from './analyticsRoutes';
import { deadLetterRoutes } from './deadLetterRoutes';
import { erasureRoutes } from './erasureRoutes';
import { AT_ONCE, KnownDrivers } from './ingest/knownDrivers';
import { ingestRoutes } from './ingest/routes';
import { createPositionBuffer } from './positions';
import { documentRoutes, gatewayRoutes } from './routes';
import { trackRoutes } from './trackRoutes';
import { webhookRoutes } from './webhookRoutes';
import { withinRoute } from './withinRoute';

/** Within the request's deadline of 10 s, so that a client hears of a workflow that does not answer. */
const WORKFLOW_DEADLINE_MS = 5_000;
/** A driver's accept is committed before the ride is told: that may come later by itself. */
const TELL_DEADLINE_MS = 2_000;
const SERVICE_DEADLINE_MS = 3_000;
/** What a process does with dead letters for one request takes a few seconds. */
const DEED_DEADLINE_MS = 8_000;
const FEED_EVERY_MS = 120;
/** Of positions' requests in hand: beyond, they are told to come again. */
const INGEST_BYTES = 32 * 1_024 * 1_024;

/** The public API: everything that people's apps talk to. */
runProcess('gateway', async ({ config, log, metrics, signal, fail }) => {
  const codeSecret = requireSecret(config, 'RIDE_CODE_SECRET');
  const quoteSecret = requireSecret(config, 'QUOTE_SECRET');
  const pool = createPool(config.RIDES_DATABASE_URL, { applicationName: 'gateway', max: 6, log });
  const payments = createPool(config.PAYMENTS_DATABASE_URL, { applicationName: 'gateway', max: 4, log });
  metrics.watchPool('rides', pool);
  // Its own: positions of many new drivers at once must not keep anybody's ride waiting for a connection.
  const lookups = createPool(config.RIDES_DATABASE_URL, {
    ...{ applicationName: 'gateway-positions', max: AT_ONCE, log },
  });
  metrics.watchPool('positions', lookups);
  metrics.watchPool('payments', payments);
  const personal = openVault(config, { name: 'gateway', log, metrics });
  const { vault } = personal;
  const temporal = createTemporalClient({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
  });
  const producer = createFactProducer(openKafka('gateway', { config, log, signal, fail }), {
    log,
    observer: observeProducer(metrics),
  });
  const positions = createPositionBuffer({
    producer,
    topic: `${config.KAFKA_TOPIC_PREFIX}driver-positions`,
    regions: createRegions(config.POSITION_REGION_METERS),
    log,
  });
  const verify = createVerifier({
    ...{ jwks: config.AUTH_JWKS, issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE },
  });
  const requireRole = createRequireRole(verify);
  const service = (name: string, baseUrl: string, deadlineMs = SERVICE_DEADLINE_MS) =>
    createClient({ name, baseUrl, metrics, token: config.HAILWAY_SERVICE_TOKEN, deadlineMs });

  const rideFeed = createRideFeed(pool);
  const offerFeed = createOfferFeed(pool, Date.now);
  const policies = scalePolicies(standardPolicies, config.HAILWAY_SPEED);
  const location = service('location', config.LOCATION_URL);
  const whereIs = createWhereIs(location);
  const requestRide = createRequestRide({
    pool,
    vault,
    temporal,
    quoteSecret,
    policies,
    startDeadlineMs: WORKFLOW_DEADLINE_MS,
    now: Date.now,
  });
  const act = createAct({ pool, temporal, policies, deadlineMs: WORKFLOW_DEADLINE_MS });

  const app = createHttpApp({
    log,
    metrics,
    // Everybody reaches this port.
    metricsFor: requireRole('service', 'operator'),
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    direct: {
      routes: ingestRoutes({ positions, drivers: new KnownDrivers(lookups), now: Date.now }),
      verify: rememberCallers(verify),
      budgetBytes: INGEST_BYTES,
    },
    rawRoutes: (router) =>
      providerEventRoutes(router, createMount(router, requireRole), {
        pool: payments,
        secret: config.STRIPE_WEBHOOK_SECRET,
        tell: createTellNews({ pool: payments, temporal, policies, deadlineMs: WORKFLOW_DEADLINE_MS }),
      }),
    routes: (router) => {
      const mount = createMount(router, requireRole);
      const rideOf = (caller: Caller, rideId: string) => visibleRide(pool, rideId, caller);
      documentRoutes(router);
      gatewayRoutes(mount, {
        pricing: service('pricing', config.PRICING_URL),
        rideOf,
        audit: service('audit', config.AUDIT_URL),
        vault,
      });
      analyticsRoutes(mount, service('analytics', config.ANALYTICS_URL));
      withinRoute(mount, location);
      const rides = { pool, act, whereIs, policies, codeSecret, now: Date.now };
      const reschedule = createReschedule({ ...rides, quoteSecret });
      rideRoutes(mount, { ...rides, requestRide, reschedule, feed: rideFeed });
      routeChangeRoutes(mount, { ...rides, quoteSecret });
      operatorRoutes(mount, {
        ...rides,
        paymentsMovedAt: (rideIds) => paymentsMovedAt(payments, rideIds),
      });
      companionRoutes(mount, {
        ...rides,
        publicUrl: config.PUBLIC_URL || config.GATEWAY_URL,
        topicPrefix: config.KAFKA_TOPIC_PREFIX,
      });
      webhookRoutes(mount, service('notifications', config.NOTIFICATIONS_URL));
      deadLetterRoutes(mount, {
        analytics: service('analytics', config.ANALYTICS_URL, DEED_DEADLINE_MS),
        audit: service('audit', config.AUDIT_URL, DEED_DEADLINE_MS),
        notifications: service('notifications', config.NOTIFICATIONS_URL, DEED_DEADLINE_MS),
        pricing: service('pricing', config.PRICING_URL, DEED_DEADLINE_MS),
        relay: service('relay', config.RELAY_URL, DEED_DEADLINE_MS),
        tracks: service('tracks', config.TRACKS_URL, DEED_DEADLINE_MS),
      });
      const paymentOptions = {
        payments,
        temporal,
        rideOf,
        deadlineMs: WORKFLOW_DEADLINE_MS,
      };
      trackRoutes(mount, {
        ...{ vault, rideOf: paymentOptions.rideOf },
        tracks: service('tracks', config.TRACKS_URL),
      });
      receiptRoute(mount, paymentOptions);
      createPaymentRoutes(mount, paymentOptions);
      paymentViewRoutes(mount, paymentOptions);
      paymentOperatorRoutes(mount, { ...paymentOptions, policies });
      paymentOverviewRoutes(mount, { ...paymentOptions, now: Date.now });
      payoutRoutes(mount, { payments, policies, topicPrefix: config.KAFKA_TOPIC_PREFIX, now: Date.now });
      disputeRoutes(mount, { ...paymentOptions, now: Date.now });
      erasureRoutes(mount, {
        vault,
        pricing: service('pricing', config.PRICING_URL),
        rides: {
          of: (subject) => ridesOf(pool, subject),
          inTheWay: (subject, theirs) => ridesInTheWay(pool, subject, theirs),
          blot: (subject, theirs, at) =>
            blotRides(pool, { subject, rides: theirs, at, topicPrefix: config.KAFKA_TOPIC_PREFIX }),
        },
        payments: {
          inTheWay: (subject, rideIds) => paymentsInTheWay(payments, subject, rideIds),
          blot: (subject, rideIds) => blotPayments(payments, subject, rideIds),
        },
      });
      driverRoutes(mount, {
        pool,
        temporal,
        feed: offerFeed,
        topicPrefix: config.KAFKA_TOPIC_PREFIX,
        vault,
        log,
        tellDeadlineMs: TELL_DEADLINE_MS,
        now: Date.now,
      });
    },
  });
  const server = await listen(app, {
    port: config.HAILWAY_GATEWAY_PORT,
    host: config.HAILWAY_HOST,
    portVariable: portVariable('gateway'),
  });
  const doorsClosed = new AbortController();
  const loops = [
    rideFeed.run({ everyMs: FEED_EVERY_MS, signal, log }),
    offerFeed.run({ everyMs: FEED_EVERY_MS, signal, log }),
    positions.run(doorsClosed.signal),
  ];
  return async () => {
    await server.close();
    // Not before: until then positions are taken, and what is taken is sent.
    doorsClosed.abort();
    await Promise.all(loops);
    await producer.disconnect();
    await temporal.connection.close();
    await Promise.all([pool.end(), lookups.end(), payments.end(), personal.close()]);
  };
});
