import { replay } from '../../tools/cli/replay';

test.each<[string, string[], RegExp]>([
  ['nobody', ['--consumer', 'nobody'], /--consumer takes one of analytics, audit, notifications/],
  ['the store itself', ['--consumer', 'audit'], /is not replayed/],
  ['a part of what adds up', ['--consumer', 'analytics', '--keys', 'x'], /replayed as a whole/],
  ['a part of what adds up', ['--consumer', 'analytics', '--from', '2026-01-01'], /replayed as a whole/],
  ['no time', ['--consumer', 'notifications', '--from', 'noon'], /--from takes a time/],
  ['a part that is compared', ['--consumer', 'notifications', '--keys', 'x', '--check'], /--check/],
])('is refused: %s', async (_, argv, reason) => {
  await expect(replay(argv, {})).rejects.toThrow(reason);
});
