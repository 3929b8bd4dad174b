-- The directory's schema: who has which e-mail, and the list of customers. An object of the directory is a shard of
-- one of the two; both have the same schema. Ids, blind indexes, status, plan and times, no other personal data.
-- Times are Unix milliseconds. Edited in place until the first release, frozen then.

-- One row: with how many shards of its kind this one was made. Another number would look in another shard.
CREATE TABLE shard (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  shards  INTEGER NOT NULL CHECK (shards BETWEEN 1 AND 1024)
) STRICT;

-- Shards of claims: the one customer id that may have an e-mail. `attempt` is the holder's own count of the times
-- that it claimed an e-mail, 0 for its creation, so that a release that comes late takes no newer claim.
CREATE TABLE claims (
  email_index  BLOB    PRIMARY KEY CHECK (length(email_index) = 32),
  holder       TEXT    NOT NULL,
  attempt      INTEGER NOT NULL CHECK (attempt >= 0)
) STRICT, WITHOUT ROWID;

-- Shards of the list: one row a customer. `rev` is the customer's own count of what the list shows of it; an older
-- one never replaces a newer. Of an erased customer only the id, `rev` and the status stay, and no list shows it.
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

-- One index for each combination of filters, so that a page costs its own rows and no others.
CREATE INDEX customers_by_age ON customers (created_at, customer_id);
CREATE INDEX customers_by_status ON customers (status, created_at, customer_id);
CREATE INDEX customers_by_plan ON customers (plan, created_at, customer_id);
CREATE INDEX customers_by_status_and_plan ON customers (status, plan, created_at, customer_id);
CREATE INDEX customers_by_email ON customers (email_index, created_at, customer_id);

CREATE TRIGGER customer_once_erased_stays_erased BEFORE UPDATE ON customers
WHEN old.status = 'erased' AND new.status <> 'erased'
BEGIN
  SELECT RAISE(ABORT, 'an erased customer stays erased');
END;
