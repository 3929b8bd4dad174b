-- One row while an erasure is asked for, and for ever once it was carried out. `asked_by` is who asked first, under an
-- id of ours; `by_admin` whether an administrator asked, then or later. `erased_at` is the moment of the one commit that
-- makes the customer erased; `progress` how far the destruction has come since; `profile` the customer's, sealed as it
-- was, until the older service's store was asked for what lies under the hash of an e-mail; `certificate` the signed
-- document at the end.
CREATE TABLE erasure (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  asked_by      TEXT    NOT NULL CHECK (json_valid(asked_by)),
  by_admin      INTEGER NOT NULL CHECK (by_admin IN (0, 1)),
  requested_at  INTEGER NOT NULL,
  due_at        INTEGER NOT NULL CHECK (due_at >= requested_at),
  erased_at     INTEGER,
  progress      TEXT    CHECK (json_valid(progress)),
  profile       BLOB,
  certificate   TEXT,
  CHECK ((erased_at IS NULL) = (progress IS NULL) AND (certificate IS NULL OR erased_at IS NOT NULL)
         AND (profile IS NULL OR erased_at IS NOT NULL AND certificate IS NULL))
) STRICT;

CREATE TRIGGER what_was_erased_is_never_withdrawn BEFORE DELETE ON erasure
WHEN old.erased_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'what was erased is never withdrawn');
END;

CREATE TRIGGER a_certificate_is_for_ever BEFORE UPDATE ON erasure
WHEN (old.erased_at IS NOT NULL AND new.erased_at IS NOT old.erased_at)
  OR (old.certificate IS NOT NULL AND new.certificate IS NOT old.certificate)
BEGIN
  SELECT RAISE(ABORT, 'a certificate is for ever');
END;

CREATE TRIGGER an_erased_customer_stays_erased BEFORE UPDATE OF status ON customer
WHEN old.status = 'erased' AND new.status <> 'erased'
BEGIN
  SELECT RAISE(ABORT, 'an erased customer stays erased');
END;

CREATE TRIGGER a_customer_never_becomes_nothing BEFORE DELETE ON customer
BEGIN
  SELECT RAISE(ABORT, 'a customer never becomes nothing');
END;

-- In the object of an id that stood for a customer which was erased: that it did. The bindings themselves are gone
-- from `alias_of`, and come back for no customer that is listed here. The id becomes no customer any more.
CREATE TABLE alias_erased (
  customer_id  TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER an_erased_alias_never_becomes_a_customer BEFORE INSERT ON customer
WHEN EXISTS (SELECT 1 FROM alias_erased)
BEGIN
  SELECT RAISE(ABORT, 'an erased alias never becomes a customer');
END;

CREATE TRIGGER an_alias_never_stands_for_an_erased_customer BEFORE INSERT ON alias_of
WHEN EXISTS (SELECT 1 FROM alias_erased WHERE customer_id = new.customer_id)
BEGIN
  SELECT RAISE(ABORT, 'an alias never stands for an erased customer');
END;
