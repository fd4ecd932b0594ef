CREATE TABLE hint (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  imp_uid text,
  merchant_uid text,
  status text,
  source inet,
  raw text NOT NULL CHECK (length(raw) <= 8192),
  handled_at timestamptz,
  received_at timestamptz NOT NULL DEFAULT maedal_now()
);
CREATE INDEX hint_waiting ON hint (id) WHERE handled_at IS NULL;

CREATE TABLE audit (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT maedal_now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text,
  reason text,
  details jsonb NOT NULL DEFAULT '{}',
  origin text
);
CREATE INDEX audit_by_action ON audit (action, at);

CREATE TABLE idempotency (
  scope text NOT NULL,
  key text NOT NULL,
  body_hash text NOT NULL,
  status integer,
  answer jsonb,
  created_at timestamptz NOT NULL DEFAULT maedal_now(),
  PRIMARY KEY (scope, key)
);

CREATE TABLE operator_session (
  id_hash text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT maedal_now(),
  last_seen_at timestamptz NOT NULL DEFAULT maedal_now(),
  expires_at timestamptz NOT NULL
);

-- What holds for the whole installation: the kill switch, and which gateway account this database belongs to.
CREATE TABLE control (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  sending_enabled boolean NOT NULL DEFAULT true,
  sending_reason text,
  fingerprint text,
  adopted_at timestamptz,
  adopted_reason text,
  updated_at timestamptz NOT NULL DEFAULT maedal_now()
);
INSERT INTO control DEFAULT VALUES;

-- Rows of a file on their way in: all good and imported in one statement, or all forgotten.
CREATE UNLOGGED TABLE import_row (
  import_id uuid NOT NULL,
  line integer NOT NULL,
  external_id text NOT NULL,
  fields jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT maedal_now(),
  PRIMARY KEY (import_id, line)
);
CREATE INDEX import_row_by_id ON import_row (import_id, external_id);

CREATE TABLE history (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  entity text NOT NULL,
  entity_id uuid NOT NULL,
  from_state text,
  to_state text NOT NULL,
  reason text,
  fence integer,
  who text NOT NULL,
  at timestamptz NOT NULL DEFAULT maedal_now()
);
CREATE INDEX history_of_entity ON history (entity_id, id);

CREATE FUNCTION maedal_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  column_name text := TG_ARGV[0];
  was text := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ->> column_name END;
  becomes text := to_jsonb(NEW) ->> column_name;
BEGIN
  IF was IS DISTINCT FROM becomes THEN
    INSERT INTO history (entity, entity_id, from_state, to_state, reason, fence, who)
    VALUES (TG_TABLE_NAME, NEW.id, was, becomes, coalesce(to_jsonb(NEW) ->> 'reason', to_jsonb(NEW) ->> 'fail_reason'),
            (to_jsonb(NEW) ->> 'fence')::integer, current_setting('application_name'));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER attempt_history AFTER INSERT OR UPDATE ON attempt FOR EACH ROW EXECUTE FUNCTION maedal_history('state');
CREATE TRIGGER invoice_history AFTER INSERT OR UPDATE ON invoice FOR EACH ROW EXECUTE FUNCTION maedal_history('state');
CREATE TRIGGER subscription_history AFTER INSERT OR UPDATE ON subscription
  FOR EACH ROW EXECUTE FUNCTION maedal_history('status');
CREATE TRIGGER refund_history AFTER INSERT OR UPDATE ON refund FOR EACH ROW EXECUTE FUNCTION maedal_history('state');

-- The chart of an attempt's states, kept where code cannot forget it. `paid` ends everything but a review.
CREATE FUNCTION maedal_attempt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('prepared', 'sent'), ('prepared', 'canceled'), ('prepared', 'paid'), ('prepared', 'review'),
    ('sent', 'prepared'), ('sent', 'paid'), ('sent', 'declined'), ('sent', 'rejected'), ('sent', 'unknown'), ('sent', 'review'),
    ('unknown', 'prepared'), ('unknown', 'paid'), ('unknown', 'declined'), ('unknown', 'rejected'), ('unknown', 'review'),
    ('declined', 'paid'), ('rejected', 'paid'), ('canceled', 'paid'),
    ('review', 'prepared'), ('review', 'paid'), ('review', 'declined'), ('review', 'canceled'), ('paid', 'review')
  ) THEN
    RAISE EXCEPTION 'attempt % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.send_count > 0 AND (OLD.merchant_uid, OLD.customer_uid, OLD.amount, OLD.currency, OLD.tax_free, OLD.vat, OLD.name)
    IS DISTINCT FROM (NEW.merchant_uid, NEW.customer_uid, NEW.amount, NEW.currency, NEW.tax_free, NEW.vat, NEW.name) THEN
    RAISE EXCEPTION 'attempt % was sent; what was asked of the gateway cannot change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.send_count < OLD.send_count OR NEW.fence < OLD.fence THEN
    RAISE EXCEPTION 'attempt %: send_count and fence only rise', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attempt_guard BEFORE UPDATE ON attempt FOR EACH ROW EXECUTE FUNCTION maedal_attempt_guard();

-- What happened stays written down.
CREATE FUNCTION maedal_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER history_append_only BEFORE UPDATE OR DELETE ON history FOR EACH ROW EXECUTE FUNCTION maedal_append_only();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION maedal_append_only();
