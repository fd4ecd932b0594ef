-- What stopped the sending, or would have, had it not been off already: each is for a person to take for settled. They are numbered
-- under the lock of `control`, so that whoever has seen number n has seen all before it. What an audit found before this
-- is raised by the next one, which every start makes.
CREATE TABLE sending_alarm (
  number integer PRIMARY KEY,
  cause text NOT NULL CHECK (cause IN ('unknown_capture', 'clock_step')),
  -- The payment's imp_uid, or the latest instant that the clock had shown.
  subject text NOT NULL,
  reason text NOT NULL,
  raised_at timestamptz NOT NULL DEFAULT maedal_now(),
  UNIQUE (cause, subject)
);

ALTER TABLE control ADD COLUMN last_alarm integer NOT NULL DEFAULT 0, ADD COLUMN acknowledged_alarm integer NOT NULL DEFAULT 0,
  ADD CONSTRAINT control_alarms CHECK (acknowledged_alarm BETWEEN 0 AND last_alarm);
