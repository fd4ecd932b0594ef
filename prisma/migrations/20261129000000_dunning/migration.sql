-- The card that an invoice's next attempt is made on; NULL is its subscription's own, whichever that is by then.
ALTER TABLE invoice ADD COLUMN retry_key_id uuid REFERENCES billing_key;

-- How often a card was declined lately, across invoices.
CREATE INDEX attempt_declines_of_card ON attempt (billing_key_id, answered_at) WHERE state IN ('declined', 'rejected');
CREATE INDEX attempt_in_flight_on_card ON attempt (billing_key_id) WHERE state IN ('sent', 'unknown');

-- Waits for another card until its `next_at`.
CREATE INDEX invoice_awaiting_card ON invoice (next_at, id) WHERE state = 'retrying' AND reason = 'awaiting_card';

-- The payer's cards in the order in which an invoice is charged on them, its subscription's own first, and how each did on it.
CREATE FUNCTION maedal_cards(of_invoice uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'declines', tried.declines, 'lastTriedAt', tried.last, 'declined', tried.class)
                            ORDER BY k.id = s.billing_key_id DESC, k.preference, k.id), '[]')
    FROM invoice i
    JOIN subscription s ON s.id = i.subscription_id
    JOIN billing_key k ON k.customer_id = s.customer_id AND k.state = 'active' AND (k.id = s.billing_key_id OR k.preference > 0)
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE a.state IN ('declined', 'rejected')) AS declines, max(a.sent_at) AS last,
             (array_agg(a.decline_class ORDER BY a.number DESC) FILTER (WHERE a.state IN ('declined', 'rejected')))[1] AS class
        FROM attempt a WHERE a.invoice_id = i.id AND a.billing_key_id = k.id AND a.send_count > 0) tried
   WHERE i.id = of_invoice
$$;

-- Until when a card may not be charged, for its declines of the last days, those for its own sake, and what is on its way; NULL when it may. VOLATILE,
-- and so with a snapshot of its own: whoever waited for the card's lock sees what was sent meanwhile.
CREATE FUNCTION maedal_capped_until(card uuid, most integer, in_days integer, but uuid) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  since timestamptz := maedal_now() - make_interval(days => in_days);
  declines integer := (SELECT count(*) FROM attempt a WHERE a.billing_key_id = card AND a.state IN ('declined', 'rejected') AND a.decline_class <> 'config' AND a.answered_at > since);
  in_flight integer := (SELECT count(*) FROM attempt a WHERE a.billing_key_id = card AND a.state IN ('sent', 'unknown') AND a.id <> but);
BEGIN
  IF declines >= most THEN
    RETURN (SELECT a.answered_at + make_interval(days => in_days) FROM attempt a
             WHERE a.billing_key_id = card AND a.state IN ('declined', 'rejected') AND a.decline_class <> 'config' AND a.answered_at > since
             ORDER BY a.answered_at DESC OFFSET most - 1 LIMIT 1);
  END IF;
  -- By then what is on its way has an answer, as a rule.
  RETURN CASE WHEN declines + in_flight >= most THEN maedal_now() + interval '10 minutes' END;
END $$;
