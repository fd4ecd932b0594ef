-- A card that was given during a pause, before it was kept when: what it may pay is tried on it when the pause ends.
UPDATE billing_key SET given_at = given.at
  FROM (SELECT s.billing_key_id AS id, max(a.at) AS at FROM subscription s
          JOIN audit a ON a.subject = s.id::text AND a.action = 'subscription.card_changed' AND a.at >= s.paused_at
         WHERE s.status = 'paused' GROUP BY s.billing_key_id) given
 WHERE billing_key.id = given.id AND billing_key.given_at IS NULL;
