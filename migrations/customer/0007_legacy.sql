-- What came from the older login service and has no place of its own here; sealed, exported and erased with the
-- rest. `document` is JSON. `key` tells documents of one kind apart: empty for `customer` (what all records of it say
-- together) and `preferences`, the key's SHA-256 for `api_key`, the day and the digest of the document for `audit`,
-- the digest of the document for `display_name`.
CREATE TABLE legacy (
  kind      TEXT  NOT NULL CHECK (kind IN ('customer', 'preferences', 'api_key', 'audit', 'display_name')),
  key       TEXT  NOT NULL,
  document  BLOB  NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
