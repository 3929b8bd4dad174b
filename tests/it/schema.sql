CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY CHECK (seq >= 1),
  header  TEXT    NOT NULL,
  detail  BLOB,
  hash    BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE customer (
  one                INTEGER PRIMARY KEY CHECK (one = 1),
  customer_id        TEXT    NOT NULL,
  incarnation        TEXT    NOT NULL CHECK (length(incarnation) = 16),
  version            INTEGER NOT NULL CHECK (version >= 1),
  status             TEXT    NOT NULL CHECK (status IN ('pending_verification', 'active', 'suspended', 'cancelled', 'erased')),
  status_reason      TEXT,
  status_changed_at  INTEGER NOT NULL,
  plan               TEXT    NOT NULL CHECK (plan IN ('free', 'starter', 'pro', 'enterprise')),
  features           TEXT    NOT NULL CHECK (json_valid(features)),
  profile            BLOB    NOT NULL,
  created_at         INTEGER NOT NULL,
  updated_at         INTEGER NOT NULL,
  last_seen_at       INTEGER
) STRICT;

CREATE TABLE schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;

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

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
WHEN NOT (new.detail IS NULL AND new.seq = old.seq AND new.header = old.header AND new.hash = old.hash)
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit entries are never deleted');
END;

CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = new.seq)
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never replaced');
END;

