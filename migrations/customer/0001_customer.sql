-- The customer object's schema. Every table is STRICT; what a column means stands in docs/SCHEMA.md, which is
-- made from these files. Times are Unix milliseconds. Edited in place until the first release, frozen then.

-- One row: this object's customer. `profile`, a JSON document of the personal fields, and `status_reason` are
-- sealed.
CREATE TABLE customer (
  one                INTEGER PRIMARY KEY CHECK (one = 1),
  customer_id        TEXT    NOT NULL,
  incarnation        TEXT    NOT NULL CHECK (length(incarnation) = 16),
  version            INTEGER NOT NULL CHECK (version >= 1),
  status             TEXT    NOT NULL CHECK (status IN ('pending_verification', 'active', 'suspended', 'cancelled', 'erased')),
  status_reason      BLOB,
  status_changed_at  INTEGER NOT NULL,
  plan               TEXT    NOT NULL CHECK (plan IN ('free', 'starter', 'pro', 'enterprise')),
  features           TEXT    NOT NULL CHECK (json_valid(features)),
  profile            BLOB    NOT NULL,
  created_at         INTEGER NOT NULL,
  updated_at         INTEGER NOT NULL,
  last_seen_at       INTEGER,
  key_fingerprint    BLOB    NOT NULL CHECK (length(key_fingerprint) = 32)
) STRICT;

-- The customer's users, found by a blind index of the token's `sub`. `profile` and `preferences` are JSON
-- documents, sealed; `preferences` is NULL while they are the defaults.
CREATE TABLE users (
  user_id              TEXT    PRIMARY KEY,
  subject_index        BLOB    NOT NULL UNIQUE CHECK (length(subject_index) = 32),
  version              INTEGER NOT NULL CHECK (version >= 1),
  profile              BLOB    NOT NULL,
  preferences_version  INTEGER NOT NULL CHECK (preferences_version >= 0),
  preferences          BLOB,
  created_at           INTEGER NOT NULL,
  updated_at           INTEGER NOT NULL,
  last_seen_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The audit log: append-only, one row an entry, hash-chained. `detail` is the salt and the canonical detail
-- that `header` commits to, sealed; retention may set it to NULL and nothing else may change. `limiter` is no part of the
-- log: the state of the limits after that request, which rides along so that it costs no row of its own. Rows are
-- numbered by the table alone, without a gap, and the number is that in the header.
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

-- REPLACE deletes without firing the trigger above, and needs a number for it. Where none is given, it is -1 here. To
-- look for a row of that number would be billed as a row read with every request.
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

-- Exports under way, so that one which a restart cut off is known afterwards.
CREATE TABLE exports (
  export_id   TEXT    PRIMARY KEY,
  request_id  TEXT    NOT NULL,
  started_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an export under way copied of `users` when it began, because it may change before its turn comes; still
-- sealed. Dropped when the export ends.
CREATE TABLE export_users (
  export_id            TEXT    NOT NULL,
  user_id              TEXT    NOT NULL,
  version              INTEGER NOT NULL,
  profile              BLOB    NOT NULL,
  preferences_version  INTEGER NOT NULL,
  preferences          BLOB,
  created_at           INTEGER NOT NULL,
  updated_at           INTEGER NOT NULL,
  last_seen_at         INTEGER NOT NULL,
  PRIMARY KEY (export_id, user_id)
) STRICT, WITHOUT ROWID;
