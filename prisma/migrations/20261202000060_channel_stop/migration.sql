-- What keeps the charges of a channel from leaving, for every worker ('': of all channels). Past `until` one charge finds out whether that is over.
CREATE TABLE channel_stop (
  channel text PRIMARY KEY,
  reason text NOT NULL,
  until timestamptz NOT NULL
);
