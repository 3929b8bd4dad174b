CREATE INDEX revocations_by_age ON revocations (revoked_at);

CREATE TABLE api_keys (
  key_id        TEXT    PRIMARY KEY,
  digest        BLOB    NOT NULL CHECK (length(digest) = 32),
  legacy        INTEGER NOT NULL CHECK (legacy IN (0, 1)),
  version       INTEGER NOT NULL CHECK (version >= 1),
  settings      BLOB    NOT NULL,
  prefix        TEXT    NOT NULL,
  last4         TEXT    CHECK (length(last4) = 4),
  scopes        TEXT    NOT NULL,
  limit_q       INTEGER CHECK (limit_q >= 1),
  limit_w       INTEGER CHECK (limit_w >= 1),
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER,
  last_used_at  INTEGER,
  rotated_at    INTEGER,
  revoked_at    INTEGER,
  rotated_from  TEXT,
  CHECK ((limit_q IS NULL) = (limit_w IS NULL) AND (rotated_at IS NULL OR expires_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY CHECK (seq >= 1),
  header  TEXT    NOT NULL,
  detail  BLOB,
  hash    BLOB    NOT NULL CHECK (length(hash) = 32),
  limiter BLOB
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
  last_seen_at       INTEGER,
  key_fingerprint    BLOB    NOT NULL CHECK (length(key_fingerprint) = 32)
) STRICT;

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

CREATE TABLE exports (
  export_id   TEXT    PRIMARY KEY,
  request_id  TEXT    NOT NULL,
  started_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  seq          INTEGER PRIMARY KEY CHECK (seq >= 1),
  scope        BLOB    NOT NULL UNIQUE CHECK (length(scope) = 32),
  status       INTEGER NOT NULL CHECK (status BETWEEN 200 AND 499),
  headers      TEXT    NOT NULL CHECK (json_valid(headers)),
  reply        BLOB    NOT NULL,
  total_bytes  INTEGER NOT NULL CHECK (total_bytes >= length(reply)),
  expires_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE limiter (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  state  BLOB    NOT NULL
) STRICT;

CREATE TABLE limits (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  policies  TEXT    NOT NULL CHECK (json_valid(policies))
) STRICT;

CREATE TABLE revocations (
  hash        BLOB    PRIMARY KEY CHECK (length(hash) = 32),
  revoked_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;

CREATE TABLE token_state (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  not_before  INTEGER,
  held        INTEGER NOT NULL CHECK (held >= 0)
) STRICT;

CREATE TABLE usage (
  day      INTEGER NOT NULL,
  action   TEXT    NOT NULL,
  outcome  TEXT    NOT NULL,
  count    INTEGER NOT NULL CHECK (count >= 1),
  PRIMARY KEY (day, action, outcome)
) STRICT, WITHOUT ROWID;

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

CREATE TRIGGER api_key_is_always_the_same BEFORE UPDATE ON api_keys
WHEN NOT (new.key_id = old.key_id AND new.digest = old.digest AND new.legacy = old.legacy)
BEGIN
  SELECT RAISE(ABORT, 'an API key never becomes another');
END;

CREATE TRIGGER api_key_is_revoked_for_ever BEFORE UPDATE ON api_keys
WHEN old.revoked_at IS NOT NULL AND new.revoked_at IS NOT old.revoked_at
BEGIN
  SELECT RAISE(ABORT, 'a revoked API key stays revoked');
END;

CREATE TRIGGER api_key_is_rotated_once BEFORE UPDATE ON api_keys
WHEN old.rotated_at IS NOT NULL
  AND NOT (new.rotated_at IS old.rotated_at AND new.expires_at IS old.expires_at)
BEGIN
  SELECT RAISE(ABORT, 'the grace of a rotated API key is never changed');
END;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
WHEN NOT (new.detail IS NULL AND new.seq = old.seq AND new.header = old.header AND new.hash = old.hash
          AND new.limiter IS old.limiter)
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

CREATE TRIGGER not_before_never_moves_back BEFORE UPDATE OF not_before ON token_state
WHEN old.not_before IS NOT NULL AND (new.not_before IS NULL OR new.not_before < old.not_before)
BEGIN
  SELECT RAISE(ABORT, 'not_before never moves back');
END;

