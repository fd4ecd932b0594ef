-- Events on their way out: numbered per subscription when they are taken up, and one delivery for each endpoint.
CREATE TABLE event_turn (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1)
);
INSERT INTO event_turn DEFAULT VALUES;

CREATE TABLE event_sequence (
  subscription_id uuid PRIMARY KEY REFERENCES subscription,
  last bigint NOT NULL CHECK (last > 0)
);

-- An endpoint that asked to be left alone, until it is given another address.
CREATE TABLE event_endpoint (
  name text PRIMARY KEY,
  disabled_at timestamptz NOT NULL DEFAULT maedal_now(),
  address text NOT NULL,
  reason text NOT NULL
);

-- What was told before anything was delivered stays here, numbered, and is not sent.
WITH numbered AS (
  SELECT id, subscription_id, row_number() OVER (PARTITION BY subscription_id ORDER BY id) AS sequence FROM outbox
)
UPDATE outbox SET sequence = CASE WHEN numbered.subscription_id IS NOT NULL THEN numbered.sequence END, next_at = NULL, relayed_at = maedal_now()
  FROM numbered WHERE numbered.id = outbox.id;
INSERT INTO event_sequence (subscription_id, last)
SELECT subscription_id, max(sequence) FROM outbox WHERE subscription_id IS NOT NULL AND sequence IS NOT NULL GROUP BY subscription_id;
CREATE UNIQUE INDEX outbox_sequence ON outbox (subscription_id, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX outbox_by_age ON outbox (created_at, id);

ALTER TABLE delivery ADD COLUMN subscription_id uuid REFERENCES subscription;
ALTER TABLE delivery ADD COLUMN lease_until timestamptz;
ALTER TABLE delivery ADD COLUMN gives_up_at timestamptz NOT NULL DEFAULT maedal_now() + interval '3 days';
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (endpoint, next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX delivery_before ON delivery (endpoint, subscription_id, outbox_id) WHERE next_at IS NOT NULL;

-- How a subscription stands, told where it really moves, whichever statement moves it. That it was paused, resumed or
-- cancelled is told by whoever did so, with the reason.
CREATE FUNCTION maedal_subscription_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told text := CASE
    WHEN NEW.status = 'past_due' AND OLD.status IN ('active', 'unpaid') THEN 'subscription.became_past_due'
    WHEN NEW.status = 'unpaid' THEN 'subscription.became_unpaid'
    WHEN NEW.status = 'active' AND OLD.status = 'trialing' THEN 'subscription.trial_ended'
    WHEN NEW.status = 'active' AND OLD.status IN ('past_due', 'unpaid') THEN 'subscription.recovered' END;
BEGIN
  IF OLD.status <> NEW.status AND told IS NOT NULL THEN
    INSERT INTO outbox (kind, subscription_id, payload, next_at) VALUES (told, NEW.id,
      jsonb_build_object('subscription_id', NEW.external_id, 'status', NEW.status, 'was', OLD.status, 'access', NEW.access), maedal_now());
  END IF;
  IF OLD.access <> NEW.access THEN
    INSERT INTO outbox (kind, subscription_id, payload, next_at) VALUES ('subscription.access_changed', NEW.id,
      jsonb_build_object('subscription_id', NEW.external_id, 'access', NEW.access, 'was', OLD.access), maedal_now());
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER subscription_moved AFTER UPDATE OF status, access ON subscription FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.access IS DISTINCT FROM NEW.access) EXECUTE FUNCTION maedal_subscription_moved();
