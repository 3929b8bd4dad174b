-- The operator object's schema: the log of what administrators and services did that concerns no single customer, the
-- revocations of their tokens, and replies to requests that name no customer yet. Its tables are those of a customer's object, to the letter, because the same code
-- works on both; a test compares them. Edited in place until the first release, frozen then.

CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY CHECK (seq >= 1),
  header  TEXT    NOT NULL,
  detail  BLOB,
  hash    BLOB    NOT NULL CHECK (length(hash) = 32),
  limiter BLOB,
  CHECK (header ->> '$.seq' IS seq)
) STRICT;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit entries are never deleted');
END;

-- REPLACE deletes without firing the trigger above, and needs a number for it. Where none is given, it is -1 here.
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit WHEN new.seq <> -1
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never replaced');
END;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
WHEN NOT (new.detail IS NULL AND new.seq = old.seq AND new.header = old.header AND new.hash = old.hash
          AND (new.limiter IS old.limiter OR new.limiter IS NULL))
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;

-- Tokens that are revoked one by one, under SHA-256 of `jti|<jti>` or `legacy|<the older service's hash>`. A row
-- goes once its token cannot be valid any more; src/customer/tokens.rs derives when that is.
CREATE TABLE revocations (
  hash        BLOB    PRIMARY KEY CHECK (length(hash) = 32),
  revoked_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX revocations_by_age ON revocations (revoked_at);

-- One row, read at wake-up. `not_before`: tokens issued at that Unix second (as `iat` counts) or before it are
-- dead; NULL while nobody asked for that. `held`: the number of rows in revocations.
CREATE TABLE token_state (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  not_before  INTEGER,
  held        INTEGER NOT NULL CHECK (held >= 0)
) STRICT;

INSERT INTO token_state (one, not_before, held) VALUES (1, NULL, 0);

CREATE TRIGGER not_before_never_moves_back BEFORE UPDATE OF not_before ON token_state
WHEN old.not_before IS NOT NULL AND (new.not_before IS NULL OR new.not_before < old.not_before)
BEGIN
  SELECT RAISE(ABORT, 'not_before never moves back');
END;

-- Replies that a repeated request gets again, for 24 hours. `seq` counts up without gaps and so does `expires_at`,
-- so the first and the last row tell how many there are; `total_bytes` is the sum of length(reply) up to this row,
-- so they tell how many bytes as well. `scope` is SHA-256 of caller, method, path and key; `headers` a JSON
-- list of [name, value]; `reply` is sealed: SHA-256 of what the request asked, then the reply's body.
CREATE TABLE idempotency (
  seq          INTEGER PRIMARY KEY CHECK (seq >= 1),
  scope        BLOB    NOT NULL UNIQUE CHECK (length(scope) = 32),
  status       INTEGER NOT NULL CHECK (status BETWEEN 200 AND 499),
  headers      TEXT    NOT NULL CHECK (json_valid(headers)),
  reply        BLOB    NOT NULL,
  total_bytes  INTEGER NOT NULL CHECK (total_bytes >= length(reply)),
  expires_at   INTEGER NOT NULL
) STRICT;

-- One row: the data key under which the details of the operators' log are sealed, wrapped under a master key. A
-- customer's lies in a vault of its own, because it is destroyed with the customer; nobody erases the operators' log.
CREATE TABLE data_key (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  wrapped  BLOB    NOT NULL
) STRICT;
