-- History also keeps what left an attempt in its state: a look-up that proved nothing, a charge that was put off. Said
-- again in the same words, it is written once; every "not found" counts.
CREATE OR REPLACE FUNCTION maedal_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  column_name text := TG_ARGV[0];
  was text := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ->> column_name END;
  becomes text := to_jsonb(NEW) ->> column_name;
  is_note boolean := false;
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME IN ('attempt', 'refund') AND was = becomes THEN
    is_note := to_jsonb(NEW) ->> 'fail_reason' IS NOT NULL
      AND (to_jsonb(NEW) ->> 'fail_reason' IS DISTINCT FROM to_jsonb(OLD) ->> 'fail_reason'
        OR to_jsonb(NEW) -> 'not_found_count' > to_jsonb(OLD) -> 'not_found_count');
  END IF;
  IF is_note OR was IS DISTINCT FROM becomes THEN
    INSERT INTO history (entity, entity_id, from_state, to_state, reason, fence, who)
    VALUES (TG_TABLE_NAME, NEW.id, was, becomes, coalesce(to_jsonb(NEW) ->> 'fail_reason', to_jsonb(NEW) ->> 'reason'),
            (to_jsonb(NEW) ->> 'fence')::integer, current_setting('application_name'));
  END IF;
  RETURN NULL;
END $$;
