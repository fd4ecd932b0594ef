-- When it was decided what became of a capture, for `maedal explain`; whichever statement decides it.
ALTER TABLE observation ADD COLUMN accounted_at timestamptz;

CREATE FUNCTION maedal_accounted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.accounted_at = CASE WHEN NEW.accounted_as IS NOT NULL THEN maedal_now() END;
  RETURN NEW;
END $$;
CREATE TRIGGER observation_accounted BEFORE UPDATE OF accounted_as ON observation FOR EACH ROW
  WHEN (OLD.accounted_as IS DISTINCT FROM NEW.accounted_as) EXECUTE FUNCTION maedal_accounted();
