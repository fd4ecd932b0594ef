-- What before-hooks made of an invoice: its price before they changed the amount, what is sent beside the charge, and for how long they put it off.
ALTER TABLE invoice ADD COLUMN price bigint CHECK (price > 0), ADD COLUMN custom_data jsonb,
  ADD COLUMN deferred_seconds integer NOT NULL DEFAULT 0 CHECK (deferred_seconds >= 0);
-- Frozen with everything else that is asked of the gateway.
ALTER TABLE attempt ADD COLUMN custom_data jsonb;

-- A before-hook may waive what is being collected.
CREATE OR REPLACE FUNCTION maedal_invoice_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.state, NEW.state) NOT IN (
    ('open', 'retrying'), ('open', 'held'), ('open', 'review'), ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'),
    ('open', 'waived'), ('retrying', 'waived'),
    ('retrying', 'open'), ('retrying', 'held'), ('retrying', 'review'), ('retrying', 'paid'), ('retrying', 'void'),
    ('retrying', 'uncollectible'),
    ('held', 'open'), ('held', 'retrying'), ('held', 'review'), ('held', 'paid'), ('held', 'void'),
    ('review', 'open'), ('review', 'retrying'), ('review', 'held'), ('review', 'paid'), ('review', 'void'),
    ('paid', 'review'), ('paid', 'refunded'), ('refunded', 'review'), ('waived', 'review'), ('void', 'review'),
    ('uncollectible', 'retrying'), ('uncollectible', 'review'), ('uncollectible', 'paid'), ('uncollectible', 'void')
  ) THEN
    RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
