-- Registering a customer_uid again replaces its card at PortOne without a word: how many were registered under it, one after another,
-- and under which of them an attempt was last sent. What the card before did is not this one's.
ALTER TABLE billing_key ADD COLUMN registration integer NOT NULL DEFAULT 1 CHECK (registration > 0);
ALTER TABLE attempt ADD COLUMN registration integer NOT NULL DEFAULT 1 CHECK (registration > 0);

-- When it was last given, as long as something that it may pay was not tried on it.
ALTER TABLE billing_key ADD COLUMN given_at timestamptz;
CREATE INDEX billing_key_given ON billing_key (id) WHERE given_at IS NOT NULL;

-- The payer's cards in the order in which an invoice is charged on them, its subscription's own first, and how each did on it.
-- What was refused for the merchant's own account is counted by itself: it uses up no card's rungs.
CREATE OR REPLACE FUNCTION maedal_cards(of_invoice uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'declines', tried.declines, 'refusals', tried.refusals,
                                               'lastTriedAt', tried.last, 'declined', tried.class)
                            ORDER BY k.id = s.billing_key_id DESC, k.preference, k.id), '[]')
    FROM invoice i
    JOIN subscription s ON s.id = i.subscription_id
    JOIN billing_key k ON k.customer_id = s.customer_id AND k.state = 'active' AND (k.id = s.billing_key_id OR k.preference > 0)
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE a.state IN ('declined', 'rejected') AND a.decline_class IS DISTINCT FROM 'config') AS declines,
             count(*) FILTER (WHERE a.state IN ('declined', 'rejected') AND a.decline_class = 'config') AS refusals,
             max(a.sent_at) AS last,
             (array_agg(a.decline_class ORDER BY a.number DESC) FILTER (WHERE a.state IN ('declined', 'rejected')))[1] AS class
        FROM attempt a WHERE a.invoice_id = i.id AND a.billing_key_id = k.id AND a.registration = k.registration AND a.send_count > 0) tried
   WHERE i.id = of_invoice
$$;

-- Until when a card may not be charged, for its declines of the last days, those for its own sake, and what is on its way; NULL when it may. VOLATILE,
-- and so with a snapshot of its own: whoever waited for the card's lock sees what was sent meanwhile. One query, for between two an
-- answer turns what is on its way into a decline, and neither would count it.
CREATE OR REPLACE FUNCTION maedal_capped_until(card uuid, most integer, in_days integer, but uuid) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  of_registration integer := (SELECT registration FROM billing_key WHERE id = card);
BEGIN
  RETURN (
    WITH counted AS MATERIALIZED (
      SELECT a.answered_at AS declined_at FROM attempt a
       WHERE a.billing_key_id = card AND a.registration = of_registration AND a.state IN ('declined', 'rejected') AND a.decline_class <> 'config'
         AND a.answered_at > maedal_now() - make_interval(days => in_days)
      UNION ALL
      SELECT NULL FROM attempt a WHERE a.billing_key_id = card AND a.registration = of_registration AND a.state IN ('sent', 'unknown') AND a.id <> but
    )
    SELECT CASE
      WHEN count(declined_at) >= most THEN
        (SELECT declined_at + make_interval(days => in_days) FROM counted WHERE declined_at IS NOT NULL ORDER BY declined_at DESC OFFSET most - 1 LIMIT 1)
      -- By then what is on its way has an answer, as a rule.
      WHEN count(*) >= most THEN maedal_now() + interval '10 minutes' END
      FROM counted);
END $$;

-- Until when a card is blocked for today, by an attempt of any invoice; NULL when it is not. VOLATILE for the same reason as maedal_capped_until.
CREATE OR REPLACE FUNCTION maedal_blocked_until(card uuid) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (SELECT max(a.card_blocked_until) FROM attempt a
           WHERE a.billing_key_id = card AND a.registration = (SELECT registration FROM billing_key WHERE id = card) AND a.card_blocked_until > maedal_now());
END $$;
