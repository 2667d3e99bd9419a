import { timeOf } from '../../platform/inbox';

const id = 'ride.requested/ride-1/1';

test('a fact has happened when its ce_time says so', () => {
  expect(timeOf({ id, time: '2026-03-01T12:00:00.250Z' })).toBe(Date.UTC(2026, 2, 1, 12, 0, 0, 250));
  expect(timeOf({ id, time: '2026-03-01T13:00:00+01:00' })).toBe(Date.UTC(2026, 2, 1, 12));
});

test.each([
  ...['tomorrow', '2026-13-01T12:00:00Z', '2026-03-01T25:00:00Z'],
  ...['-005000-01-01T00:00:00Z', '+012026-01-01T00:00:00Z', '0000-01-01T00:00:00Z'],
  ...['0001-01-01T00:00:00+14:00', '9999-12-31T23:00:00-05:00'],
])('%s is no time', (time) => {
  expect(() => timeOf({ id, time })).toThrow(
    expect.objectContaining({ code: 'fact_invalid', message: `${id}: ce_time ${time} is no time` }) as Error,
  );
});
