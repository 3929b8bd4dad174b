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
