-- A hint rings for a payment: one row for each payment of ours, and a hundred places for whatever else is sent, so that no
-- flood fills the table. `taken` is how much of what was `heard` the last look-up answered for. Nothing wrote it before.
DELETE FROM hint;
DROP INDEX hint_waiting;
ALTER TABLE hint
  ADD COLUMN place text NOT NULL,
  ADD COLUMN is_ours boolean NOT NULL,
  ADD COLUMN heard integer NOT NULL DEFAULT 1,
  ADD COLUMN taken integer NOT NULL DEFAULT 0,
  ADD COLUMN tries integer NOT NULL DEFAULT 0,
  ADD COLUMN look_at timestamptz,
  ADD COLUMN looked_at timestamptz,
  ADD CONSTRAINT hint_waits CHECK ((look_at IS NULL) = (handled_at IS NOT NULL)),
  ADD CONSTRAINT hint_foreign CHECK (is_ours OR look_at IS NULL);
CREATE UNIQUE INDEX hint_place_key ON hint (place);
CREATE INDEX hint_due ON hint (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX hint_old ON hint (handled_at) WHERE handled_at IS NOT NULL;
