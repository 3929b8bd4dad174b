CREATE INDEX outbox_by_due ON outbox (due_at);

CREATE INDEX revocations_by_age ON revocations (revoked_at);

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

CREATE TABLE alias_erased (
  customer_id  TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE alias_of (
  email_index  BLOB    PRIMARY KEY CHECK (length(email_index) = 32),
  customer_id  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
  alias        TEXT    NOT NULL,
  email_index  BLOB    NOT NULL CHECK (length(email_index) = 32),
  PRIMARY KEY (alias, email_index)
) STRICT, WITHOUT ROWID;

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
  limiter BLOB,
  CHECK (header ->> '$.seq' IS seq)
) STRICT;

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

CREATE TABLE export_legacy (
  export_id  TEXT  NOT NULL,
  kind       TEXT  NOT NULL,
  key        TEXT  NOT NULL,
  document   BLOB,
  PRIMARY KEY (export_id, kind, key)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE legacy (
  kind      TEXT  NOT NULL CHECK (kind IN ('customer', 'preferences', 'api_key', 'audit', 'display_name')),
  key       TEXT  NOT NULL,
  document  BLOB  NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE limiter (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  state  BLOB    NOT NULL
) STRICT;

CREATE TABLE limits (
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  policies     TEXT    NOT NULL CHECK (json_valid(policies)),
  by_customer  TEXT    NOT NULL CHECK (json_valid(by_customer))
) STRICT;

CREATE TABLE outbox (
  seq       INTEGER PRIMARY KEY,
  kind      TEXT    NOT NULL CHECK (kind IN ('list', 'release', 'alias', 'legacy', 'vault')),
  key       BLOB    NOT NULL,
  mark      INTEGER NOT NULL,
  attempts  INTEGER NOT NULL CHECK (attempts >= 0),
  due_at    INTEGER NOT NULL,
  UNIQUE (kind, key)
) STRICT;

CREATE TABLE revocations (
  hash        BLOB    PRIMARY KEY CHECK (length(hash) = 32),
  revoked_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;

CREATE TABLE stood_aside (
  one  INTEGER PRIMARY KEY CHECK (one = 1)
) STRICT;

CREATE TABLE token_state (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  not_before  INTEGER,
  held        INTEGER NOT NULL CHECK (held >= 0)
) STRICT;

CREATE TABLE usage (
  day      INTEGER NOT NULL,
  route    TEXT    NOT NULL,
  outcome  TEXT    NOT NULL,
  count    INTEGER NOT NULL CHECK (count >= 1),
  PRIMARY KEY (day, route, outcome)
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

CREATE TRIGGER a_certificate_is_for_ever BEFORE UPDATE ON erasure
WHEN (old.erased_at IS NOT NULL AND new.erased_at IS NOT old.erased_at)
  OR (old.certificate IS NOT NULL AND new.certificate IS NOT old.certificate)
BEGIN
  SELECT RAISE(ABORT, 'a certificate is for ever');
END;

CREATE TRIGGER a_customer_never_becomes_an_alias BEFORE INSERT ON alias_of
WHEN EXISTS (SELECT 1 FROM customer)
BEGIN
  SELECT RAISE(ABORT, 'a customer never becomes an alias');
END;

CREATE TRIGGER a_customer_never_becomes_nothing BEFORE DELETE ON customer
BEGIN
  SELECT RAISE(ABORT, 'a customer never becomes nothing');
END;

CREATE TRIGGER an_alias_never_becomes_a_customer BEFORE INSERT ON customer
WHEN EXISTS (SELECT 1 FROM alias_of)
BEGIN
  SELECT RAISE(ABORT, 'an alias never becomes a customer');
END;

CREATE TRIGGER an_alias_never_stands_for_an_erased_customer BEFORE INSERT ON alias_of
WHEN EXISTS (SELECT 1 FROM alias_erased WHERE customer_id = new.customer_id)
BEGIN
  SELECT RAISE(ABORT, 'an alias never stands for an erased customer');
END;

CREATE TRIGGER an_erased_alias_never_becomes_a_customer BEFORE INSERT ON customer
WHEN EXISTS (SELECT 1 FROM alias_erased)
BEGIN
  SELECT RAISE(ABORT, 'an erased alias never becomes a customer');
END;

CREATE TRIGGER an_erased_customer_stays_erased BEFORE UPDATE OF status ON customer
WHEN old.status = 'erased' AND new.status <> 'erased'
BEGIN
  SELECT RAISE(ABORT, 'an erased customer stays erased');
END;

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

CREATE TRIGGER attempts_and_revisions_only_grow BEFORE UPDATE ON account
WHEN new.rev < old.rev OR new.last_attempt < old.last_attempt
BEGIN
  SELECT RAISE(ABORT, 'attempts and revisions only grow');
END;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
WHEN NOT (new.detail IS NULL AND new.seq = old.seq AND new.header = old.header AND new.hash = old.hash
          AND (new.limiter IS old.limiter OR new.limiter IS NULL))
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit entries are never deleted');
END;

CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit WHEN new.seq <> -1
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never replaced');
END;

CREATE TRIGGER not_before_never_moves_back BEFORE UPDATE OF not_before ON token_state
WHEN old.not_before IS NOT NULL AND (new.not_before IS NULL OR new.not_before < old.not_before)
BEGIN
  SELECT RAISE(ABORT, 'not_before never moves back');
END;

CREATE TRIGGER what_was_erased_is_never_withdrawn BEFORE DELETE ON erasure
WHEN old.erased_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'what was erased is never withdrawn');
END;

CREATE TRIGGER who_stood_aside_becomes_no_customer BEFORE INSERT ON customer
WHEN EXISTS (SELECT 1 FROM stood_aside)
BEGIN
  SELECT RAISE(ABORT, 'who stood aside becomes no customer');
END;

