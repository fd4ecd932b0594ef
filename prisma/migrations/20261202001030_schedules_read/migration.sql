-- When the schedules of the gateway were last listed: a card that came since may have one.
ALTER TABLE control ADD COLUMN schedules_read_at timestamptz;
CREATE INDEX billing_key_came ON billing_key (created_at);
