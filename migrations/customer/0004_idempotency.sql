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
