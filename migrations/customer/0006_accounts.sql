-- What this id is in the directory's eyes: a customer that holds an e-mail, or an alias of other customers.

-- One row, beside the customer's. `rev` counts what the list of customers is to show of it. `email_index` is the blind
-- index of its e-mail; `email_claimed` whether the claim of it is this customer's, and `email_attempt` under which
-- attempt. An imported customer may have an e-mail that somebody else holds. `last_attempt` counts the claims that
-- were ever begun. `pending_*`: an e-mail that is being claimed; the change is made once the claim is held.
CREATE TABLE account (
  one              INTEGER PRIMARY KEY CHECK (one = 1),
  rev              INTEGER NOT NULL CHECK (rev >= 1),
  email_index      BLOB    CHECK (length(email_index) = 32),
  email_claimed    INTEGER NOT NULL CHECK (email_claimed IN (0, 1)),
  email_attempt    INTEGER NOT NULL CHECK (email_attempt >= 0),
  last_attempt     INTEGER NOT NULL CHECK (last_attempt >= email_attempt),
  pending_index    BLOB    CHECK (length(pending_index) = 32),
  pending_attempt  INTEGER CHECK (pending_attempt >= 1 AND pending_attempt <= last_attempt),
  pending_since    INTEGER,
  CHECK ((email_claimed = 0 OR email_index IS NOT NULL)
         AND (pending_index IS NULL) = (pending_attempt IS NULL) AND (pending_index IS NULL) = (pending_since IS NULL))
) STRICT;

CREATE TRIGGER attempts_and_revisions_only_grow BEFORE UPDATE ON account
WHEN new.rev < old.rev OR new.last_attempt < old.last_attempt
BEGIN
  SELECT RAISE(ABORT, 'attempts and revisions only grow');
END;

-- In the object of an id that is no customer: for whom it stands, by the blind index of the e-mail that a token must
-- carry.
CREATE TABLE alias_of (
  email_index  BLOB    PRIMARY KEY CHECK (length(email_index) = 32),
  customer_id  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER an_alias_never_becomes_a_customer BEFORE INSERT ON customer
WHEN EXISTS (SELECT 1 FROM alias_of)
BEGIN
  SELECT RAISE(ABORT, 'an alias never becomes a customer');
END;

CREATE TRIGGER a_customer_never_becomes_an_alias BEFORE INSERT ON alias_of
WHEN EXISTS (SELECT 1 FROM customer)
BEGIN
  SELECT RAISE(ABORT, 'a customer never becomes an alias');
END;

-- In the object of a customer: the ids that stand for it, each with the e-mail for which it does.
CREATE TABLE aliases (
  alias        TEXT    NOT NULL,
  email_index  BLOB    NOT NULL CHECK (length(email_index) = 32),
  PRIMARY KEY (alias, email_index)
) STRICT, WITHOUT ROWID;

-- What other objects must hear, written with the change that they must hear of, gone once they have. `key` is the
-- e-mail index of a `release`, the id of an `alias`, and empty for the others; `mark` the attempt that is released,
-- the `rev` that is listed, or the round of `legacy`, else 0. `alias`, `legacy` and `vault` are those of an erasure.
CREATE TABLE outbox (
  seq       INTEGER PRIMARY KEY,
  kind      TEXT    NOT NULL CHECK (kind IN ('list', 'release', 'alias', 'legacy', 'vault')),
  key       BLOB    NOT NULL,
  mark      INTEGER NOT NULL,
  attempts  INTEGER NOT NULL CHECK (attempts >= 0),
  due_at    INTEGER NOT NULL,
  UNIQUE (kind, key)
) STRICT;

CREATE INDEX outbox_by_due ON outbox (due_at);
