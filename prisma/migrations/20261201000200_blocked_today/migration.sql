-- Until when nothing is charged on the card of a declined attempt: the payment company says that today is over for it.
ALTER TABLE attempt ADD COLUMN card_blocked_until timestamptz;
-- No row of before has one, so there is nothing to read through while workers wait.
ALTER TABLE attempt ADD CONSTRAINT attempt_blocked CHECK (card_blocked_until IS NULL OR send_count > 0) NOT VALID;
CREATE INDEX attempt_blocking_card ON attempt (billing_key_id, card_blocked_until) WHERE card_blocked_until IS NOT NULL;

-- Until when a card is blocked so, by an attempt of any invoice; NULL when it is not. VOLATILE for the same reason as maedal_capped_until.
CREATE FUNCTION maedal_blocked_until(card uuid) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (SELECT max(a.card_blocked_until) FROM attempt a WHERE a.billing_key_id = card AND a.card_blocked_until > maedal_now());
END $$;
