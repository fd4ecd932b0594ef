-- The database's clock decides everything about money, and it is read through this one function. STABLE, so that an
-- index can serve `next_at <= maedal_now()`. A simulation replaces it in its throw-away database.
CREATE FUNCTION maedal_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT clock_timestamp()';

CREATE TABLE customer (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  external_id text NOT NULL UNIQUE,
  name text,
  email text,
  tel text,
  created_at timestamptz NOT NULL DEFAULT maedal_now()
);

CREATE TABLE billing_key (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  customer_id uuid NOT NULL REFERENCES customer,
  customer_uid text NOT NULL UNIQUE CHECK (length(customer_uid) BETWEEN 1 AND 80),
  channel text NOT NULL DEFAULT 'default',
  preference integer NOT NULL DEFAULT 0,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'needs_update', 'removed')),
  sandbox boolean,
  verified_at timestamptz,
  pg_provider text,
  card_name text,
  card_number_masked text,
  created_at timestamptz NOT NULL DEFAULT maedal_now()
);
CREATE INDEX billing_key_of_customer ON billing_key (customer_id, preference);

CREATE TABLE subscription (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  external_id text NOT NULL UNIQUE,
  customer_id uuid NOT NULL REFERENCES customer,
  billing_key_id uuid NOT NULL REFERENCES billing_key,
  plan text,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  tax_free bigint NOT NULL DEFAULT 0 CHECK (tax_free BETWEEN 0 AND amount),
  vat bigint CHECK (vat BETWEEN 0 AND amount),
  "interval" text NOT NULL CHECK ("interval" IN ('day', 'week', 'month', 'year')),
  interval_count integer NOT NULL CHECK (interval_count > 0),
  -- Wall-clock time in `timezone`, so that a change of the zone's rules moves the instants and not the date.
  anchor_local text NOT NULL CHECK (anchor_local ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?$'),
  timezone text NOT NULL,
  trial_until timestamptz,
  ends_after integer CHECK (ends_after > 0),
  billed_through timestamptz,
  channel text NOT NULL DEFAULT 'default',
  policy text NOT NULL DEFAULT 'default',
  status text NOT NULL CHECK (status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled')),
  first_period integer NOT NULL DEFAULT 0 CHECK (first_period >= 0),
  next_period integer NOT NULL CHECK (next_period >= 0),
  next_due_at timestamptz,
  -- At most one new period per subscription and tick.
  last_drawn_at timestamptz,
  cancel_at timestamptz,
  cancel_at_period_end boolean NOT NULL DEFAULT false,
  canceled_at timestamptz,
  pause_at timestamptz,
  paused_at timestamptz,
  resume_at timestamptz,
  imported jsonb,
  created_at timestamptz NOT NULL DEFAULT maedal_now(),
  updated_at timestamptz NOT NULL DEFAULT maedal_now(),
  CONSTRAINT subscription_canceled CHECK ((status = 'canceled') = (canceled_at IS NOT NULL))
);
-- The tick's first question: whose next period has begun?
CREATE INDEX subscription_due ON subscription (next_due_at, id)
  WHERE next_due_at IS NOT NULL AND status IN ('trialing', 'active', 'past_due');
CREATE INDEX subscription_of_customer ON subscription (customer_id);
CREATE INDEX subscription_listed ON subscription (created_at, id);

CREATE TABLE policy_version (
  id text PRIMARY KEY,
  policy jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT maedal_now()
);

CREATE TABLE invoice (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  subscription_id uuid NOT NULL REFERENCES subscription,
  period_key text NOT NULL CHECK (period_key ~ '^\d{4}-\d\d-\d\d$'),
  period_index integer NOT NULL CHECK (period_index >= 0),
  period_start timestamptz NOT NULL,
  period_end timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  tax_free bigint NOT NULL DEFAULT 0 CHECK (tax_free BETWEEN 0 AND amount),
  vat bigint CHECK (vat BETWEEN 0 AND amount),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
  state text NOT NULL CHECK (state IN ('open', 'retrying', 'held', 'review', 'paid', 'refunded', 'waived', 'void', 'uncollectible')),
  reason text,
  next_at timestamptz,
  failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  last_attempt_at timestamptz,
  policy_version_id text NOT NULL REFERENCES policy_version,
  paid_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT maedal_now(),
  updated_at timestamptz NOT NULL DEFAULT maedal_now(),
  CONSTRAINT invoice_period_forward CHECK (period_start < period_end),
  -- No silent limbo: what is still being collected has an instant at which something looks at it ...
  CONSTRAINT invoice_next CHECK ((state IN ('open', 'retrying')) = (next_at IS NOT NULL)),
  -- ... and what waits for a person, or ended unpaid, says why.
  CONSTRAINT invoice_reason CHECK (state IN ('open', 'retrying', 'paid') OR reason IS NOT NULL),
  CONSTRAINT invoice_paid CHECK ((state IN ('paid', 'refunded')) = (paid_at IS NOT NULL))
);
-- Never twice: one invoice for one period, whatever ticks beside each other.
CREATE UNIQUE INDEX invoice_once_per_period ON invoice (subscription_id, period_key);
CREATE INDEX invoice_due ON invoice (next_at, id) WHERE state IN ('open', 'retrying');
CREATE INDEX invoice_listed ON invoice (created_at, id);
CREATE INDEX invoice_by_state ON invoice (state, created_at, id);

CREATE TABLE attempt (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL REFERENCES invoice,
  number integer NOT NULL CHECK (number BETWEEN 1 AND 1296),
  merchant_uid text NOT NULL UNIQUE CHECK (merchant_uid ~ '^[a-z0-9]{1,40}$'),
  state text NOT NULL DEFAULT 'prepared'
    CHECK (state IN ('prepared', 'sent', 'unknown', 'paid', 'declined', 'rejected', 'review', 'canceled')),
  billing_key_id uuid REFERENCES billing_key,
  customer_uid text,
  amount bigint CHECK (amount > 0),
  currency text,
  tax_free bigint,
  vat bigint,
  name text,
  generation integer NOT NULL DEFAULT 0,
  rung_at timestamptz,
  fence integer NOT NULL DEFAULT 0,
  lease_until timestamptz,
  lease_count integer NOT NULL DEFAULT 0,
  send_count integer NOT NULL DEFAULT 0 CHECK (send_count >= 0),
  not_sent_count integer NOT NULL DEFAULT 0 CHECK (not_sent_count BETWEEN 0 AND send_count),
  first_sent_at timestamptz,
  sent_at timestamptz,
  answered_at timestamptz,
  imp_uid text,
  decline_class text CHECK (decline_class IN ('funds', 'card', 'key', 'time', 'verify', 'fraud', 'config', 'other')),
  fail_reason text,
  created_at timestamptz NOT NULL DEFAULT maedal_now(),
  updated_at timestamptz NOT NULL DEFAULT maedal_now(),
  CONSTRAINT attempt_numbered UNIQUE (invoice_id, number),
  CONSTRAINT attempt_answered CHECK ((state IN ('paid', 'declined', 'rejected')) = (answered_at IS NOT NULL)),
  CONSTRAINT attempt_paid CHECK (state <> 'paid' OR imp_uid IS NOT NULL),
  CONSTRAINT attempt_sent CHECK ((send_count > 0) = (first_sent_at IS NOT NULL) AND (send_count > 0) = (sent_at IS NOT NULL)),
  CONSTRAINT attempt_frozen CHECK (send_count = 0 OR (amount IS NOT NULL AND currency IS NOT NULL AND tax_free IS NOT NULL
    AND name IS NOT NULL AND customer_uid IS NOT NULL AND billing_key_id IS NOT NULL)),
  CONSTRAINT attempt_in_flight CHECK (state NOT IN ('sent', 'unknown') OR send_count > 0)
);
-- Unknown is not failed: until an attempt is provably dead, no other of its invoice can start.
CREATE UNIQUE INDEX attempt_one_alive ON attempt (invoice_id)
  WHERE state IN ('prepared', 'sent', 'unknown', 'paid', 'review');
CREATE INDEX attempt_unanswered ON attempt (lease_until) WHERE state = 'sent';

CREATE TABLE observation (
  imp_uid text PRIMARY KEY CHECK (length(imp_uid) BETWEEN 1 AND 32),
  merchant_uid text NOT NULL,
  attempt_id uuid REFERENCES attempt,
  status text NOT NULL CHECK (status IN ('ready', 'paid', 'failed', 'cancelled', 'other')),
  amount bigint,
  currency text,
  cancel_amount bigint NOT NULL DEFAULT 0,
  customer_uid text,
  sandbox boolean,
  fail_reason text,
  started_at timestamptz,
  paid_at timestamptz,
  failed_at timestamptz,
  learnt_by text NOT NULL CHECK (learnt_by IN ('answer', 'look_up', 'webhook', 'audit', 'operator')),
  raw jsonb NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT maedal_now(),
  last_seen_at timestamptz NOT NULL DEFAULT maedal_now()
);
CREATE INDEX observation_of_attempt ON observation (attempt_id);
CREATE INDEX observation_by_merchant_uid ON observation (merchant_uid);

CREATE TABLE hook_answer (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL REFERENCES invoice,
  attempt_id uuid REFERENCES attempt,
  hook text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('proceed', 'adjust', 'skip', 'defer', 'hold')),
  answer jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT maedal_now()
);
CREATE UNIQUE INDEX hook_answer_once_per_invoice ON hook_answer (invoice_id, hook) WHERE attempt_id IS NULL;
CREATE UNIQUE INDEX hook_answer_once_per_attempt ON hook_answer (attempt_id, hook) WHERE attempt_id IS NOT NULL;

CREATE TABLE refund (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL REFERENCES invoice,
  imp_uid text NOT NULL REFERENCES observation,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  checksum bigint NOT NULL CHECK (checksum >= amount),
  reason text NOT NULL,
  requested_by text NOT NULL,
  state text NOT NULL DEFAULT 'prepared' CHECK (state IN ('prepared', 'sent', 'unknown', 'done', 'failed')),
  cancellation_id text UNIQUE,
  fence integer NOT NULL DEFAULT 0,
  lease_until timestamptz,
  send_count integer NOT NULL DEFAULT 0,
  sent_at timestamptz,
  next_at timestamptz,
  fail_reason text,
  created_at timestamptz NOT NULL DEFAULT maedal_now(),
  updated_at timestamptz NOT NULL DEFAULT maedal_now()
);
CREATE UNIQUE INDEX refund_one_open ON refund (imp_uid) WHERE state IN ('prepared', 'sent', 'unknown');

CREATE TABLE outbox (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  event_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  kind text NOT NULL CHECK (kind ~ '^[a-z_]+\.[a-z_]+$'),
  subscription_id uuid REFERENCES subscription,
  invoice_id uuid REFERENCES invoice,
  sequence bigint,
  payload jsonb NOT NULL,
  next_at timestamptz,
  relayed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT maedal_now()
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE relayed_at IS NULL;

CREATE TABLE delivery (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  outbox_id bigint NOT NULL REFERENCES outbox,
  endpoint text NOT NULL,
  tries integer NOT NULL DEFAULT 0,
  last_status integer,
  last_error text,
  next_at timestamptz,
  delivered_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT maedal_now(),
  CONSTRAINT delivery_once_per_endpoint UNIQUE (outbox_id, endpoint)
);
CREATE INDEX delivery_due ON delivery (next_at, id) WHERE next_at IS NOT NULL;
