-- Rides for later are many and wait for weeks: who looks for those that are late reads only these. As text, because a cast to
-- a time is not immutable; in the order of "C", in which times of ISO 8601 in UTC are in their own.
create index rides_scheduled_for on rides ((coalesce(state ->> 'scheduledFor', state ->> 'requestedAt') collate "C"))
  where status = 'scheduled';
