-- The gateway has too many charges of a channel: until then no answer lifts its stop.
ALTER TABLE channel_stop ADD COLUMN rests_until timestamptz;
-- When the gateway last said so to a send of it: that one is no sign of trouble.
ALTER TABLE attempt ADD COLUMN slowed_at timestamptz;
