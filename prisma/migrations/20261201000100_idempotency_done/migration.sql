-- When the work under a key was done: written by the statement that does it, so that no crash can part the two.
ALTER TABLE idempotency ADD COLUMN done_at timestamptz;
