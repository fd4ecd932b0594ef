-- Why the last audit could not list the charges that the gateway is to make by itself, and when that is tried again.
ALTER TABLE control ADD COLUMN schedules_unclear text;
ALTER TABLE control ADD COLUMN schedules_again_at timestamptz;
