CREATE INDEX customers_by_age ON customers (created_at, customer_id);

CREATE INDEX customers_by_email ON customers (email_index, created_at, customer_id);

CREATE INDEX customers_by_plan ON customers (plan, created_at, customer_id);

CREATE INDEX customers_by_status ON customers (status, created_at, customer_id);

CREATE INDEX customers_by_status_and_plan ON customers (status, plan, created_at, customer_id);

CREATE TABLE claims (
  email_index  BLOB    PRIMARY KEY CHECK (length(email_index) = 32),
  holder       TEXT    NOT NULL,
  attempt      INTEGER NOT NULL CHECK (attempt >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE customers (
  customer_id  TEXT    PRIMARY KEY,
  rev          INTEGER NOT NULL CHECK (rev >= 1),
  created_at   INTEGER,
  status       TEXT    NOT NULL CHECK (status IN ('pending_verification', 'active', 'suspended', 'cancelled', 'erased')),
  plan         TEXT    CHECK (plan IN ('free', 'starter', 'pro', 'enterprise')),
  email_index  BLOB    CHECK (length(email_index) = 32),
  CHECK ((status = 'erased') = (created_at IS NULL) AND (created_at IS NULL) = (plan IS NULL)
         AND (status <> 'erased' OR email_index IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;

CREATE TABLE shard (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  shards  INTEGER NOT NULL CHECK (shards BETWEEN 1 AND 1024)
) STRICT;

CREATE TRIGGER customer_once_erased_stays_erased BEFORE UPDATE ON customers
WHEN old.status = 'erased' AND new.status <> 'erased'
BEGIN
  SELECT RAISE(ABORT, 'an erased customer stays erased');
END;

