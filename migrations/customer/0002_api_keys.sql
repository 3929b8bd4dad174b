-- API keys: what is kept of them, never the keys. At most 200 rows, read into memory as a whole, so there is no
-- index. `digest` is HMAC-SHA256 under the pepper, of a legacy key its plain SHA-256; `settings` is a JSON
-- document {name, allowedOrigins}, sealed; `scopes` are separated by spaces. Rotation shortens `expires_at` to the end
-- of the grace.
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
